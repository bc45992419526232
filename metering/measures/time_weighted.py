"""TIME_WEIGHTED: a level times how long it lasts, as an exact integral in value x microseconds.

A level belongs to a subject and the event's `of`. An event sets it, together with the dimensions that it
counts under, until the next event of the same `of`. With `delta` each event changes the level of its own
dimensions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from metering import numbers
from metering.documents.meter import MeterDefinition
from metering.measures.events import ZERO, Contribution
from metering.measures.tally import Tally, merge, value
from metering.periods import Period

__all__ = ["Stretch", "merge", "partial", "stretches", "value"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A level that was the same all through a period, under one combination of dimension values."""

    period: Period
    level: Decimal
    subject: str
    dimensions: tuple[tuple[str, str], ...]


def partial(stretch: Stretch, period: Period) -> Tally | None:
    """The integral of the stretch inside the period. A level counts no events."""
    inside = stretch.period.intersect(period)
    if inside is None:
        return None
    with numbers.exact():
        return Tally(stretch.level * Decimal(inside.microseconds), 0)


def stretches(
    definition: MeterDefinition,
    contributions: Iterable[Contribution],
    *,
    period: Period,
    as_of: datetime | None = None,
    reset_at: datetime | None = None,
) -> Iterator[Stretch]:
    """The stretches of constant level inside the period, of events in any order, those before the period
    included.

    A level lasts until the next event of its `of`, at most `expires_after`, never beyond `as_of`. Without
    `carry_over` every level is 0 at `reset_at`, the start of the billing period, which may be earlier than
    that of the period asked for, and is it by default.
    """
    end = period.end if as_of is None else min(period.end, as_of)
    since = period.start if reset_at is None else reset_at
    taken = [each for each in contributions if each.at < end and (definition.carry_over or each.at >= since)]
    owned = sorted(taken, key=lambda each: (_owner(definition, each), each.order))
    for _, levels in groupby(owned, key=lambda each: _owner(definition, each)):
        yield from _clipped(definition, list(levels), period.start, end)


def _owner(definition: MeterDefinition, contribution: Contribution) -> tuple[object, ...]:
    own = contribution.dimensions if definition.delta else ()
    return contribution.subject, contribution.of, own


def _clipped(
    definition: MeterDefinition, levels: list[Contribution], start: datetime, end: datetime
) -> Iterator[Stretch]:
    level = ZERO
    for place, each in enumerate(levels):
        with numbers.exact():
            level = level + each.value if definition.delta else each.value
        until = levels[place + 1].at if place + 1 < len(levels) else end
        if definition.expires_after is not None:
            until = min(until, _expiry(each.at, definition.expires_after, end))
        begin = max(each.at, start)
        if begin < until and level:
            yield Stretch(Period(begin, until), level, each.subject, each.dimensions)


def _expiry(at: datetime, seconds: Decimal, latest: datetime) -> datetime:
    left = (latest - at) // timedelta(microseconds=1)
    return at + timedelta(microseconds=min(left, int(Fraction(seconds) * 1_000_000)))
