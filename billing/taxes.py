"""Which taxes an amount bears, and which of them go back with a part of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from metering import numbers


@dataclass(frozen=True, slots=True)
class Rate:
    """A named rate in percent of the amount before tax."""

    name: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax on an amount: ``base`` is the amount before tax, ``amount`` the tax, rounded once.

    ``note``: why none is due, for an exempt customer or one who owes the tax themselves.
    """

    name: str
    percent: Decimal
    base: Decimal
    amount: Decimal
    note: str = ""

    def answer(self) -> dict[str, str]:
        """The tax as JSON, as invoices and credit notes keep it."""
        return {
            "name": self.name,
            "percent": numbers.text(self.percent),
            "base": f"{self.base:f}",
            "amount": f"{self.amount:f}",
            "note": self.note,
        }


def on(*, net: Decimal, rates: Sequence[Rate], digits: int, note: str = "") -> list[Tax]:
    """The tax of each rate on the whole amount before tax, none on the tax of another rate.

    Each is rounded once, half up, to the currency's digits; on a negative amount it is negative.
    """
    return [Tax(rate.name, rate.percent, net, _rounded(net, rate.percent, digits), note) for rate in rates]


def none(*, net: Decimal, name: str, digits: int, note: str) -> list[Tax]:
    """That no tax is due on the amount, under a name that says so and with the reason."""
    return on(net=net, rates=[Rate(name, Decimal(0))], digits=digits, note=note)


def given_back(
    *, taxes: Sequence[Mapping[str, Any]], net: Decimal, net_before: Decimal, digits: int
) -> list[Tax]:
    """The taxes that go back with an amount before tax, at the rates that an invoice bore.

    ``taxes``: those of the invoice, as it keeps them. ``net_before``: what was given back of it earlier. Each
    tax is rounded on everything given back so far, less what went back earlier: giving back the whole
    invoice, in however many parts, gives back its taxes to the cent.
    """
    with numbers.exact():
        found = []
        for each in taxes:
            percent = Decimal(each["percent"])
            so_far = _rounded(net_before + net, percent, digits)
            amount = so_far - _rounded(net_before, percent, digits)
            found.append(Tax(each["name"], percent, net, amount, each["note"]))
        return found


def total(taxes: Sequence[Tax]) -> Decimal:
    """The taxes together, before they are added to an amount."""
    with numbers.exact():
        return sum((each.amount for each in taxes), Decimal(0))


def _rounded(net: Decimal, percent: Decimal, digits: int) -> Decimal:
    return numbers.round_half_up(Fraction(net) * Fraction(percent) / 100, digits)
