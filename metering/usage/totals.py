"""What a meter measured: exact quantities for any stretches of time, whether rolled up yet or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from django.db import connection

from metering.documents.meter import AVERAGE, RESERVED_DIMENSION, MeterDefinition
from metering.models import MeterVersion
from metering.periods import EPOCH, Period
from metering.usage import meters, statement
from metering.usage.windows import Windows, covering

SPANS_MAX = 100_000
# No event is older: the door refuses those that are.
EVENTS_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)


class SpansTooMany(ValueError):
    """A question about more spans than one statement should carry."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A quantity of a meter, in the meter's unit, already divided by its `per`.

    ``dimensions``: the dimensions asked for, by name. ``window``: the whole window, also where a span begins
    or ends inside it; None without windows. ``count``: how many events count in it; an interval counts once,
    where it ends, so that a window in its middle has a quantity and the count 0.
    """

    dimensions: Mapping[str, str]
    window: Period | None
    quantity: Fraction
    count: int


@dataclass(frozen=True, slots=True)
class Quantities:
    """The answer of the usage door.

    ``rows``: sorted by window, then by the values of the dimensions. ``revisions``: by ``"subject|YYYY-MM"``
    (UTC months that the spans touch) the counter of roll-ups that changed that usage, as of the same
    snapshot.
    """

    rows: tuple[Usage, ...]
    revisions: Mapping[str, int]


def quantities(
    *,
    meter: MeterVersion,
    spans: Sequence[tuple[str, Period]],
    by: Sequence[str] = (),
    only: Mapping[str, Collection[str]] | None = None,
    windows: Windows | None = None,
    billing_period: Period | None = None,
    as_of: datetime | None = None,
    carried_from: datetime | None = None,
) -> Quantities:
    """The meter's quantity over the union of the spans, in one statement of one snapshot.

    ``spans``: subjects and the periods in which their usage is wanted; any instants, they may overlap.
    ``by``: names of declared dimensions or ``subject``. ``only``: the values that dimensions must have, by
    name. ``windows``: cut by these, too. ``as_of``: nothing from this instant on. A combination without
    events has no row. Usage before the meter version's ``effective_at`` is left out.

    MAX, MIN, AVERAGE, LATEST and UNIQUE do not add up: each row is the measure over all events of its
    combination, never made of smaller results. A meter that carries over also counts what was before
    ``billing_period`` and not before ``carried_from`` (the subscription's start), for the subjects whose span
    holds the period's start: LATEST the last value where none is inside, MAX that one too, UNIQUE all values.
    Such a row may have the count 0. Nothing is carried into ``windows``.

    Raises DimensionUnknown, WindowsTooMany, SpansTooMany.
    """
    definition = meters.definition(meter)
    only = only or {}
    merged = asked(meter=meter, spans=spans, only=only, as_of=as_of)
    cuts = None if windows is None else _cuts(windows, [period for _, period in merged])
    carried = None
    if definition.carry_over and billing_period is not None and cuts is None:
        carried = _before(billing_period, start=meter.effective_at, since=carried_from)
    query = statement.build(
        version=meter,
        definition=definition,
        spans=merged,
        by=by,
        only=only,
        windows=cuts,
        carried=carried,
    )
    if not merged:
        return Quantities((), {})
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        found = cursor.fetchall()
    usage = [_usage(row, definition, by, cuts) for row in found if row[0]]
    usage.sort(key=lambda each: (each.window.start if each.window else EPOCH, *each.dimensions.values()))
    return Quantities(tuple(usage), {"|".join(row[1]): int(row[3]) for row in found if not row[0]})


def asked(
    *,
    meter: MeterVersion,
    spans: Sequence[tuple[str, Period]],
    only: Mapping[str, Collection[str]],
    as_of: datetime | None,
) -> list[tuple[str, Period]]:
    """The union of the spans in which the meter counts. Raises SpansTooMany."""
    if RESERVED_DIMENSION in only:
        spans = [span for span in spans if span[0] in only[RESERVED_DIMENSION]]
    merged = _merged(_clamped(spans, start=meter.effective_at, end=as_of))
    if len(merged) > SPANS_MAX:
        raise SpansTooMany(f"{len(merged)} spans are too many for one question: ask for at most {SPANS_MAX}")
    return merged


def _clamped(
    spans: Iterable[tuple[str, Period]], *, start: datetime | None, end: datetime | None
) -> Iterable[tuple[str, Period]]:
    for subject, period in spans:
        first = period.start if start is None else max(period.start, start)
        last = period.end if end is None else min(period.end, end)
        if first < last:
            yield subject, Period(first, last)


def _merged(spans: Iterable[tuple[str, Period]]) -> list[tuple[str, Period]]:
    """The union of the spans: for each subject periods in order that neither overlap nor touch."""
    by_subject: dict[str, list[Period]] = defaultdict(list)
    for subject, period in sorted(spans, key=lambda span: (span[0], span[1].start)):
        known = by_subject[subject]
        if known and period.start <= known[-1].end:
            known[-1] = Period(known[-1].start, max(known[-1].end, period.end))
        else:
            known.append(period)
    return [(subject, period) for subject, periods in by_subject.items() for period in periods]


def _before(period: Period, *, start: datetime | None, since: datetime | None) -> Period | None:
    first = max(at for at in (EVENTS_BEGIN, start, since) if at is not None)
    return Period(first, period.start) if first < period.start else None


def _cuts(windows_of: Windows, periods: Sequence[Period]) -> list[Period]:
    if not periods:
        return []
    whole = Period(min(each.start for each in periods), max(each.end for each in periods))
    return covering(windows_of, whole)


def _usage(
    row: tuple[Any, ...], definition: MeterDefinition, by: Sequence[str], cuts: Sequence[Period] | None
) -> Usage:
    _, combination, place, quantity, count = row
    divisor = int(count) if definition.aggregation == AVERAGE else definition.per_microseconds
    return Usage(
        dimensions=dict(zip(by, combination, strict=True)),
        window=None if cuts is None else cuts[place - 1],
        quantity=Fraction(quantity) / divisor,
        count=int(count),
    )
