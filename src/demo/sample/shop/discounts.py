"""Voucher codes and quantity discounts. Both lower the unit price of a line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from money import ZERO, rounded

if TYPE_CHECKING:
    from checkout import Line

#: From so many copies of one title, so much off: for schools and reading circles.
QUANTITY_STEPS = ((30, Decimal("0.12")), (10, Decimal("0.08")), (5, Decimal("0.05")))

#: Books have a fixed price by law here: vouchers do not lower them.
FIXED_PRICE_COUNTRIES = frozenset({"AT", "DE", "FR"})


@dataclass(frozen=True)
class Voucher:
    """A code that customers type in."""

    code: str
    off: Decimal
    kinds: frozenset[str]


VOUCHERS = {
    voucher.code: voucher
    for voucher in (
        Voucher("LANTERN10", Decimal("0.10"), frozenset({"book", "stationery", "calendar"})),
        Voucher("INKWELL15", Decimal("0.15"), frozenset({"stationery"})),
        Voucher("NEWYEAR25", Decimal("0.25"), frozenset({"calendar"})),
    )
}


class UnknownVoucher(LookupError):
    """A code that was never given out."""


def applied(lines: list[Line], country: str, code: str | None) -> list[Line]:
    """The lines with their prices lowered; of two discounts the better one counts."""
    voucher = None
    if code is not None:
        voucher = VOUCHERS.get(code.strip().upper())
        if voucher is None:
            raise UnknownVoucher(f"there is no voucher {code!r}")
    return [_lowered(line, country, voucher) for line in lines]


def _lowered(line: Line, country: str, voucher: Voucher | None) -> Line:
    off = max(_by_quantity(line), _by_voucher(line, country, voucher))
    # The customer sees this price, so it is a whole number of cents.
    return replace(line, unit_net=rounded(line.unit_net * (1 - off)))


def _by_quantity(line: Line) -> Decimal:
    for copies, off in QUANTITY_STEPS:
        if line.quantity >= copies:
            return off
    return ZERO


def _by_voucher(line: Line, country: str, voucher: Voucher | None) -> Decimal:
    if voucher is None or line.kind not in voucher.kinds:
        return ZERO
    if line.kind == "book" and country in FIXED_PRICE_COUNTRIES:
        return ZERO
    return voucher.off
