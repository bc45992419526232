"""MIN: the smallest value."""

from decimal import Decimal
from fractions import Fraction

from metering.measures.events import Contribution
from metering.periods import Period

__all__ = ["merge", "partial", "value"]


def partial(contribution: Contribution, period: Period) -> Decimal | None:
    """The event's value, if it falls into the period."""
    return contribution.value if period.contains(contribution.at) else None


def merge(left: Decimal, right: Decimal) -> Decimal:
    """The smallest of both."""
    return min(left, right)


def value(partial: Decimal) -> Fraction:
    """The smallest value, exact."""
    return Fraction(partial)
