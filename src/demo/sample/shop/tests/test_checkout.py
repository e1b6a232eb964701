"""What the checkout promises. Run with `python -m pytest -q`."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from checkout import InvalidOrder, Line, Order, price_order
from discounts import UnknownVoucher
from money import NotMoney, is_whole_cents, money, rounded, shown
from refunds import RefundRefused, Return, full_refund, partial_refund
from tax import Rates, UnknownRate

RATES = Rates.load()
ORDERS = json.loads((Path(__file__).parents[1] / "data" / "orders.json").read_text())


def line(unit_net, quantity=1, kind="book", sku="B-1"):
    return Line(sku=sku, title="A title", kind=kind, unit_net=money(unit_net), quantity=quantity)


def order(*lines, country="DE", voucher=None):
    return Order(id="PL-1", country=country, lines=list(lines), voucher=voucher)


def test_amounts_are_never_binary_floats():
    with pytest.raises(NotMoney):
        money(12.9)


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.125", "0.13"), ("0.135", "0.14"), ("-0.125", "-0.13")]
)
def test_halves_round_up(amount, cents):
    assert rounded(money(amount)) == Decimal(cents)


def test_customers_read_thousands():
    assert shown(money("1234.5")) == "EUR 1,234.50"


def test_one_line_has_its_tax():
    receipt = price_order(order(line("50.00")), RATES)
    assert (receipt.net, receipt.tax, receipt.total) == (50, money("3.50"), money("53.50"))


def test_kinds_have_rates_of_their_own():
    receipt = price_order(order(line("40.00"), line("10.00", kind="stationery", sku="S-1")), RATES)
    assert receipt.tax == money("2.80") + money("1.90")


def test_tax_is_rounded_once_per_rate():
    # Three titles of 16.35: 7 % of 49.05 is 3.4335. Line by line it would be 3 * 1.14 = 3.42.
    lines = [line("16.35", sku=f"B-{n}") for n in range(3)]
    assert price_order(order(*lines), RATES).tax == money("3.43")


def test_delivery_is_free_from_45():
    assert price_order(order(line("45.00")), RATES).lines[-1].net == 0
    assert price_order(order(line("44.99")), RATES).lines[-1].net == money("2.95")


def test_vouchers_do_not_lower_books_with_a_fixed_price():
    german, dutch = (
        price_order(order(line("50.00"), country=country, voucher="LANTERN10"), RATES)
        for country in ("DE", "NL")
    )
    assert (german.net, dutch.net) == (50, 45)


def test_unknown_vouchers_and_countries_are_refused():
    with pytest.raises(UnknownVoucher):
        price_order(order(line("50.00"), voucher="FREE"), RATES)
    with pytest.raises(UnknownRate):
        price_order(order(line("50.00"), country="XX"), RATES)


def test_an_empty_basket_is_refused():
    with pytest.raises(InvalidOrder):
        Order.from_json({"id": "PL-1", "country": "DE", "lines": []})


def test_totals_are_whole_cents():
    for document in ORDERS:
        assert is_whole_cents(price_order(Order.from_json(document), RATES).total)


def test_the_charge_equals_the_invoice():
    different = {}
    for document in ORDERS:
        receipt = price_order(Order.from_json(document), RATES)
        if receipt.total != money(document["invoiced"]):
            different[document["id"]] = f"{receipt.total} != {document['invoiced']}"
    assert different == {}


def test_a_full_refund_is_what_was_charged():
    receipt = price_order(order(line("12.00", 3)), RATES)
    assert full_refund(receipt).amount == receipt.total


def test_more_than_was_bought_cannot_come_back():
    receipt = price_order(order(line("12.00", 3)), RATES)
    with pytest.raises(RefundRefused):
        partial_refund(receipt, [Return("B-1", 4)], RATES, "DE")
