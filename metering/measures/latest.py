"""LATEST: the value of the last event in the order of (time, source, id)."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from metering.measures.events import Contribution
from metering.periods import Period

__all__ = ["merge", "partial", "value"]

Latest = tuple[tuple[datetime, str, str], Decimal]


def partial(contribution: Contribution, period: Period) -> Latest | None:
    """The event's place in the order and its value, if it falls into the period."""
    return (contribution.order, contribution.value) if period.contains(contribution.at) else None


def merge(left: Latest, right: Latest) -> Latest:
    """The later of both, whatever their order of arrival."""
    return max(left, right)


def value(latest: Latest) -> Fraction:
    """The last value, exact."""
    return Fraction(latest[1])
