"""VAT rates by country and kind of goods, from `config/rates.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from money import money, rounded

RATES_FILE = Path(__file__).parent / "config" / "rates.json"

#: What has the country's standard rate, whatever else the file says.
STANDARD_KINDS = frozenset({"shipping", "gift_wrap"})


class UnknownRate(LookupError):
    """A country that we do not deliver to, or goods that nobody has classified."""


@dataclass(frozen=True)
class Rates:
    """All rates of all countries: `by_country["DE"]["book"]` is 0.07."""

    by_country: dict[str, dict[str, Decimal]]

    @classmethod
    def load(cls, path: Path = RATES_FILE) -> Rates:
        """Reads the rates; they are percentages in the file and fractions here."""
        countries = json.loads(path.read_text())["countries"]
        return cls(
            {
                country: {kind: money(percent) / 100 for kind, percent in kinds.items()}
                for country, kinds in countries.items()
            }
        )

    def rate(self, country: str, kind: str) -> Decimal:
        """The rate of some goods in a country.

        Raises `UnknownRate` rather than assume one: a wrong rate is found by the tax office.
        """
        kinds = self.by_country.get(country)
        if kinds is None:
            raise UnknownRate(f"we do not deliver to {country!r}")
        if kind in STANDARD_KINDS:
            kind = "standard"
        if kind not in kinds:
            raise UnknownRate(f"no rate for {kind!r} in {country}")
        return kinds[kind]


def tax_on(net: Decimal, rate: Decimal) -> Decimal:
    """The VAT on an amount, in whole cents."""
    return rounded(net * rate)
