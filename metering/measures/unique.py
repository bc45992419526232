"""UNIQUE: how many different texts there were."""

from collections.abc import Mapping
from fractions import Fraction

from metering.measures.events import Contribution
from metering.periods import Period

__all__ = ["merge", "partial", "value"]

Counts = Mapping[str, int]


def partial(contribution: Contribution, period: Period) -> Counts | None:
    """The event's text with a count of one, if it falls into the period. Counts let a voided event be
    taken out again.
    """
    return {contribution.text: 1} if period.contains(contribution.at) else None


def merge(left: Counts, right: Counts) -> Counts:
    """The counts of both added, text by text."""
    return {text: left.get(text, 0) + right.get(text, 0) for text in left.keys() | right.keys()}


def value(counts: Counts) -> Fraction:
    """The number of texts that are counted at least once."""
    return Fraction(sum(count > 0 for count in counts.values()))
