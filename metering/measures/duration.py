"""DURATION: intervals times their value, as an exact integral in value x microseconds."""

from decimal import Decimal

from metering import numbers
from metering.measures.events import ZERO, Contribution
from metering.measures.tally import Tally, merge, value
from metering.periods import Period

__all__ = ["merge", "partial", "value"]


def partial(contribution: Contribution, period: Period) -> Tally | None:
    """The part of the interval inside the period, and the excess and the count if its end lies there."""
    inside = Period(contribution.start, contribution.end).intersect(period)
    is_counted = period.contains(contribution.at)
    if inside is None and not is_counted:
        return None
    with numbers.exact():
        integral = contribution.value * Decimal(inside.microseconds if inside else 0)
        excess = contribution.excess if is_counted else ZERO
        return Tally(integral + excess, int(is_counted))
