"""Amounts of money, and the one way to round them.

An amount is a decimal number of euros. While an order is reckoned it may have any number of
decimals; what is shown, charged or paid back has two. `rounded` is the only function that may
drop decimals, so that there is one rule for it: half up, as the tax office wants it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Iterable

CENT = Decimal("0.01")
ZERO = Decimal("0")


class NotMoney(ValueError):
    """A text or number that cannot be an amount."""


def money(value: str | int | Decimal) -> Decimal:
    """Reads an amount.

    Binary floating point is refused: 0.1 + 0.2 is not 0.3, and an order has many lines.
    """
    if isinstance(value, (bool, float)):
        raise NotMoney(f"{value!r} is not an amount: write it as text, like '12.90'")
    try:
        amount = Decimal(value)
    except ArithmeticError as error:
        raise NotMoney(f"{value!r} is not an amount") from error
    if not amount.is_finite():
        raise NotMoney(f"{value!r} is not an amount")
    return amount


def rounded(amount: Decimal) -> Decimal:
    """The amount in whole cents, half up: 0.125 becomes 0.13, and -0.125 becomes -0.13."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def is_whole_cents(amount: Decimal) -> bool:
    """Whether the amount can be charged as it is."""
    return amount == amount.quantize(CENT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, exact."""
    return sum(amounts, ZERO)


def shown(amount: Decimal, currency: str = "EUR") -> str:
    """The amount as customers read it: 'EUR 1,234.50'."""
    return f"{currency} {rounded(amount):,.2f}"
