"""Sums of money by currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from billing.documents import currencies
from metering import numbers


class Totals(dict[str, Decimal]):
    """Amounts by currency; two currencies are never added."""

    def add(self, currency: str, amount: Decimal) -> None:
        with numbers.exact():
            self[currency] = self[currency] + amount if currency in self else amount

    def merge(self, others: Iterable[Mapping[str, Decimal]]) -> Totals:
        """Itself, with the other totals added to it."""
        for other in others:
            for currency, amount in other.items():
                self.add(currency, amount)
        return self


def texts(totals: Mapping[str, Decimal]) -> dict[str, str]:
    """Plain decimal texts, such as "12.50", in the order of the currency codes."""
    return {currency: f"{to_places(currency, totals[currency]):f}" for currency in sorted(totals)}


def to_places(currency: str, amount: Decimal) -> Decimal:
    """The amount with at least the decimal places of its currency: 0 USD becomes 0.00. Nothing is rounded."""
    exponent = min(-currencies.digits(currency), amount.as_tuple().exponent)
    with numbers.exact():
        return amount.quantize(Decimal(1).scaleb(exponent))
