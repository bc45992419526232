"""What a meter counts event by event, in the order of events: for prices that look at each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from metering.documents.meter import RESERVED_DIMENSION, MeterDefinition
from metering.models import MeterVersion
from metering.periods import Period
from metering.usage import contributions, meters, totals
from metering.usage.contributions import sources, values
from metering.usage.contributions.fragments import Fragment, joined, sql
from metering.usage.contributions.points import Points
from metering.usage.dimensions import Only

# Rows that are fetched from the database, and held here, at a time.
FETCHED = 2_000

EVENTS = """
with span as materialized (
    select * from unnest({subjects}::text[], {starts}::timestamptz[], {ends}::timestamptz[])
        t(subject, start, "end")
)
select e.at, e.source, e.event_id, e.subject, e.dimensions, e.quantity{read}
from ({contributed}) e
where e.reason is null
order by e.at, e.source collate "C", e.event_id collate "C"
"""

# The bounds of all spans look redundant, but let the database leave out partitions.
STORED = """
select e.key, e.time, e.type, e.source, e.event_id, e.subject, e.data
from metering_event e
join span t on t.subject = e.subject and e.time >= t.start and e.time < t."end"
where e.time >= {first} and e.time < {last} and e.type = {event_type}
    and e.subject = any({subjects}::text[]) and {counted}
"""

CONTRIBUTED = """
select e.time as at, e.source, e.event_id, e.subject, e.dimensions, e.data, {quantity} as quantity,
    {reason} as reason
from ({matched}) e
"""


class NoSingleEvents(ValueError):
    """Single events are asked of a meter whose events have no quantity of their own."""


@dataclass(frozen=True, slots=True)
class SingleEvent:
    """An event and what a meter takes from it, in the meter's unit.

    ``dimensions``: all that the meter has, by name. ``data``: what stands at the paths asked for, in nested
    objects as in the event; numbers are int or Decimal.
    """

    time: datetime
    source: str
    id: str
    subject: str
    dimensions: Mapping[str, str]
    quantity: Fraction
    data: Mapping[str, Any]


def stream(
    *,
    meter: MeterVersion,
    spans: Sequence[tuple[str, Period]],
    only: Mapping[str, Collection[str]] | None = None,
    paths: Sequence[str] = (),
    as_of: datetime | None = None,
) -> Iterator[SingleEvent]:
    """The events that the meter counts in the spans, in the order of (time, source, id), bytewise.

    ``spans``, ``only``, ``as_of``: as for `totals.quantities`. ``paths``: of the data that is wanted, too.
    Events that are not rolled up yet are among them; all are read from one snapshot by a cursor of the
    database's, so that however many there are, only `FETCHED` are held at a time. Raises NoSingleEvents for
    another meter than COUNT and SUM, DimensionUnknown, SpansTooMany.
    """
    definition = meters.definition(meter)
    kind = contributions.kind(definition.aggregation)
    if not definition.additive or not isinstance(kind, Points):
        raise NoSingleEvents(
            f"{definition.slug}: {definition.aggregation} has no quantities of single events"
        )
    merged = totals.asked(meter=meter, spans=spans, only=only or {}, as_of=as_of)
    query = _statement(meter, definition, kind, merged, only or {}, paths)
    return _fetched(query, definition, paths) if merged else iter(())


def _statement(
    version: MeterVersion,
    definition: MeterDefinition,
    kind: Points,
    spans: Sequence[tuple[str, Period]],
    only: Mapping[str, Collection[str]],
    paths: Sequence[str],
) -> Fragment:
    subjects = [subject for subject, _ in spans]
    stored = sql(
        STORED,
        first=min((period.start for _, period in spans), default=None),
        last=max((period.end for _, period in spans), default=None),
        event_type=definition.event_type,
        subjects=sorted(set(subjects)),
        counted=sources.not_set_aside(version.pk),
    )
    contributed = sql(
        CONTRIBUTED,
        quantity=kind.quantity(definition, values.VALUE),
        reason=values.first_reason(
            [*kind.refused(definition, values.VALUE), *values.refused_dimensions(definition)]
        ),
        matched=values.matched(definition, stored, also=Fragment(", e.source, e.event_id")),
    )
    return sql(
        EVENTS,
        subjects=subjects,
        starts=[period.start for _, period in spans],
        ends=[period.end for _, period in spans],
        contributed=Only(definition, only).of_contributions(contributed),
        read=joined("", [sql(", {value}::text", value=values.at_path(path)) for path in paths]),
    )


def _fetched(query: Fragment, definition: MeterDefinition, paths: Sequence[str]) -> Iterator[SingleEvent]:
    names = definition.dimension_names
    with connection.chunked_cursor() as cursor:
        cursor.execute(query.sql, query.params)
        while rows := cursor.fetchmany(FETCHED):
            for time, source, event_id, subject, dimensions, quantity, *found in rows:
                yield SingleEvent(
                    time=time,
                    source=source,
                    id=event_id,
                    subject=subject,
                    dimensions={**dict(zip(names, dimensions, strict=True)), RESERVED_DIMENSION: subject},
                    quantity=Fraction(quantity),
                    data=_nested(zip(paths, found, strict=True)),
                )


def _nested(found: Iterable[tuple[str, str | None]]) -> dict[str, Any]:
    """Objects that have the values at their paths; those that are missing are left out."""
    nested: dict[str, Any] = {}
    for path, text in found:
        if text is None:
            continue
        *parents, last = path.split(".")
        place = nested
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = json.loads(text, parse_float=Decimal)
    return nested
