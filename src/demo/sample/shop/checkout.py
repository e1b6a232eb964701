"""Prices an order: what the customer pays, and how it comes about.

    receipt = price_order(Order.from_json(document), Rates.load())
    charge(card, receipt.total)

The total has to equal the total of the invoice, which the accounting system reckons from the same
lines. The rules are in the README; this file is their only implementation.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import discounts
from money import ZERO, money, total
from tax import Rates, tax_on

#: From this net amount on, delivery is free.
FREE_SHIPPING_FROM = money("45.00")

#: Net, by country; the rest of Europe pays `SHIPPING_ELSEWHERE`.
SHIPPING = {"AT": money("4.95"), "DE": money("2.95"), "FR": money("5.45")}
SHIPPING_ELSEWHERE = money("7.95")


class InvalidOrder(ValueError):
    """An order that cannot be priced."""


@dataclass(frozen=True)
class Line:
    """So many of one thing."""

    sku: str
    title: str
    kind: str
    unit_net: Decimal
    quantity: int

    @property
    def net(self) -> Decimal:
        return self.unit_net * self.quantity

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Line:
        quantity = int(document["quantity"])
        if quantity < 1:
            raise InvalidOrder(f"{document['sku']}: quantity is {quantity}")
        return cls(
            sku=document["sku"],
            title=document["title"],
            kind=document["kind"],
            unit_net=money(document["unit_net"]),
            quantity=quantity,
        )


@dataclass(frozen=True)
class Order:
    """What a customer wants to have sent somewhere."""

    id: str
    country: str
    lines: list[Line]
    voucher: str | None = None

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Order:
        if not document["lines"]:
            raise InvalidOrder(f"{document['id']}: nothing in the basket")
        return cls(
            id=document["id"],
            country=document["country"],
            lines=[Line.from_json(line) for line in document["lines"]],
            voucher=document.get("voucher"),
        )


@dataclass(frozen=True)
class Receipt:
    """A priced order. `net + tax == total`, all three in whole cents."""

    order_id: str
    lines: list[Line]
    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.net + self.tax


def shipping(country: str, net: Decimal) -> Line:
    """The line for delivery, which may cost nothing."""
    fee = SHIPPING.get(country, SHIPPING_ELSEWHERE)
    if net >= FREE_SHIPPING_FROM:
        fee = ZERO
    return Line(sku="SHIP", title="Delivery", kind="shipping", unit_net=fee, quantity=1)


def price_order(order: Order, rates: Rates) -> Receipt:
    """Applies the discounts, adds delivery and VAT."""
    lines = discounts.applied(order.lines, order.country, order.voucher)
    lines.append(shipping(order.country, total(line.net for line in lines)))

    net = ZERO
    tax = ZERO
    for line in lines:
        rate = rates.rate(order.country, line.kind)
        net += line.net
        tax += tax_on(line.net, rate)

    return Receipt(order_id=order.id, lines=lines, net=net, tax=tax)
