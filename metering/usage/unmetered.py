"""Stored events that no meter counts, as far as that is known: by their type, and by why they could not
be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from metering.models import MeterVersion
from metering.models.patience import answer_in_time
from metering.periods import Period
from metering.usage import meters
from metering.usage.contributions.fragments import sql


@dataclass(frozen=True, slots=True)
class Unmetered:
    """Events that are not counted, with when the first and the last of them happened.

    ``meter``: the slug of the one that matches and cannot use them, "" where none has this type. ``reason``:
    why.
    """

    type: str
    meter: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime


# A type that some meter counts from a later instant on is not unmatched: its events are counted again then.
_UNMATCHED = """
select type, count(*), min(time), max(time) from metering_event
where time >= {start} and time < {end} and type > {after} and not type = any({types}::text[])
group by type order by type limit {limit}
"""
_UNUSABLE = """
select m.slug, v.document ->> 'event_type', u.reason, count(*), min(u.time), max(u.time)
from metering_uncountedevent u
join metering_meterversion v on v.id = u.meter_version_id
join metering_meter m on m.id = v.meter_id
where u.time >= {start} and u.time < {end} and (m.slug, u.reason) > ({after_slug}, {after_reason})
group by 1, 2, 3 order by 1, 3 limit {limit}
"""


def unmatched(*, versions: Sequence[MeterVersion], period: Period, after: str, limit: int) -> list[Unmetered]:
    """At most ``limit`` types of events of the period that none of the meters counts, those behind ``after``.

    Raises `metering.models.patience.TooSlow`.
    """
    types = sorted({meters.definition(version).event_type for version in versions})
    query = sql(_UNMATCHED, start=period.start, end=period.end, after=after, types=types, limit=limit)
    with answer_in_time(), connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        return [Unmetered(type_, "", "", *counted) for type_, *counted in cursor.fetchall()]


def unusable(*, period: Period, after: tuple[str, str], limit: int) -> list[Unmetered]:
    """At most ``limit`` rows, by meter and reason, of events of the period that a matching meter cannot use.

    Those behind the meter and reason ``after``. An event is there once for each such meter; other meters may
    count it. Raises `metering.models.patience.TooSlow`.
    """
    query = sql(
        _UNUSABLE,
        start=period.start,
        end=period.end,
        after_slug=after[0],
        after_reason=after[1],
        limit=limit,
    )
    with answer_in_time(), connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        return [
            Unmetered(type_, slug, reason, *counted) for slug, type_, reason, *counted in cursor.fetchall()
        ]
