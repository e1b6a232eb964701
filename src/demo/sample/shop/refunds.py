"""Full and partial refunds.

A refund goes back to the card that paid. All refunds of an order together never exceed what was
charged for it; after the last copy has come back, they are equal to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from checkout import Line, Receipt
from money import ZERO, total
from tax import Rates, tax_on

#: So long after delivery a customer may send things back without a reason.
RETURN_DAYS = 30


class RefundRefused(ValueError):
    """A refund that would be wrong to pay."""


@dataclass(frozen=True)
class Return:
    """Copies that came back."""

    sku: str
    quantity: int


@dataclass(frozen=True)
class Refund:
    """What is paid back, and for what."""

    order_id: str
    lines: list[Line]
    amount: Decimal


def full_refund(receipt: Receipt) -> Refund:
    """Everything comes back: pays exactly what was charged, delivery included."""
    return Refund(order_id=receipt.order_id, lines=receipt.lines, amount=receipt.total)


def partial_refund(
    receipt: Receipt,
    returns: list[Return],
    rates: Rates,
    country: str,
    refunded_before: Decimal = ZERO,
) -> Refund:
    """Some copies come back: pays their price and the VAT on it. Delivery is not refunded."""
    lines = [_returned(receipt, item) for item in returns]

    amount = ZERO
    for line in lines:
        rate = rates.rate(country, line.kind)
        amount += line.net + tax_on(line.net, rate)

    if refunded_before + amount > receipt.total:
        raise RefundRefused(
            f"{receipt.order_id}: {amount} after {refunded_before} is more than the "
            f"{receipt.total} that was charged"
        )
    return Refund(order_id=receipt.order_id, lines=lines, amount=amount)


def _returned(receipt: Receipt, item: Return) -> Line:
    """The line of the receipt, with as many copies as came back."""
    bought = next((line for line in receipt.lines if line.sku == item.sku), None)
    if bought is None or item.sku == "SHIP":
        raise RefundRefused(f"{receipt.order_id}: {item.sku} was not bought")
    if not 1 <= item.quantity <= bought.quantity:
        raise RefundRefused(
            f"{receipt.order_id}: {item.quantity} of {item.sku} came back, "
            f"{bought.quantity} were bought"
        )
    return replace(bought, quantity=item.quantity)


def may_be_returned(delivered: date, today: date) -> bool:
    """Whether the time to send things back has not run out."""
    return today <= delivered + timedelta(days=RETURN_DAYS)


def outstanding(receipt: Receipt, refunds: list[Refund]) -> Decimal:
    """What could still be paid back."""
    return receipt.total - total(refund.amount for refund in refunds)
