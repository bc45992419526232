"""AVERAGE: the sum of the values by their number, divided once, at the end."""

from fractions import Fraction

from metering.measures.events import Contribution
from metering.measures.tally import Tally, merge
from metering.periods import Period

__all__ = ["merge", "partial", "value"]


def partial(contribution: Contribution, period: Period) -> Tally | None:
    """The event's value, if it falls into the period."""
    return Tally(contribution.value, 1) if period.contains(contribution.at) else None


def value(tally: Tally) -> Fraction:
    """The mean, exact."""
    return Fraction(tally.quantity) / tally.count
