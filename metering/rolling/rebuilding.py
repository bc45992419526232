"""Compares the stored usage of a meter with its raw events, and writes it anew where the two differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection, transaction

from metering.models import MeterVersion, epoch
from metering.rolling import merging
from metering.usage import meters
from metering.usage.contributions import sources
from metering.usage.contributions.fragments import sql

SHOWN_MAX = 100

COUNTED_EVENTS = """
select e.key, e.time, e.type, e.source, e.event_id, e.subject, e.data from metering_event e
join metering_eventbatch b on b.id = e.batch_id
where b.rolled_epoch >= {epoch} and e.type = {event_type} and {counted}
"""

STORED = """
    select s.subject, s.dimensions, s.dimensions_hash, b.start, b.quantity, b.count, b.latest
    from metering_usagebucket b join metering_usageseries s on s.id = b.series_id
    where s.meter_version_id = {version}
"""

DIFFERENT_BUCKETS = """
create temporary table rolled_difference on commit drop as
select coalesce(r.subject, s.subject) as subject, coalesce(r.dimensions, s.dimensions) as dimensions,
    coalesce(r.start, s.start) as start, s.quantity as stored_quantity, s.count as stored_count,
    r.quantity as counted_quantity, r.count as counted_count
from pg_temp.rolled_bucket r
full join ({stored}) s
    on s.subject = r.subject and s.dimensions_hash = r.dimensions_hash and s.start = r.start
where r.quantity is distinct from s.quantity or r.count is distinct from s.count
    or r.latest is distinct from s.latest
"""

DIFFERENT_INTERVALS = """
create temporary table rolled_interval_difference on commit drop as
select subject, start, counted_at from (
    select s.subject, s.dimensions_hash, i.key, i.start, i."end", i.counted_at, i.weight, i.excess,
        true as is_stored
    from metering_usageinterval i join metering_usageseries s on s.id = i.series_id
    where s.meter_version_id = {version}
) s
full join (select *, true as is_counted from pg_temp.rolled_interval) r
    using (subject, dimensions_hash, key, start, "end", counted_at, weight, excess)
where s.is_stored is null or r.is_counted is null
"""

DIFFERENT_VALUES = """
create temporary table rolled_value_difference on commit drop as
select subject, start from (
    select s.subject, s.dimensions_hash, v.start, v.value, v.count, true as is_stored
    from metering_usagevalue v join metering_usageseries s on s.id = v.series_id
    where s.meter_version_id = {version}
) s
full join (select *, true as is_counted from pg_temp.rolled_value) r
    using (subject, dimensions_hash, start, value, count)
where s.is_stored is null or r.is_counted is null
"""

# They outlive the comparison where the caller's transaction goes on.
DROP_DIFFERENCES = """
drop table if exists pg_temp.rolled_difference, pg_temp.rolled_interval_difference,
    pg_temp.rolled_value_difference
"""
COUNT_DIFFERENCES = """
select (select count(*) from pg_temp.rolled_interval_difference),
    (select count(*) from pg_temp.rolled_value_difference)
"""

REMOVE = """
delete from metering_usagevalue v using metering_usageseries s
where s.id = v.series_id and s.meter_version_id = {version};
delete from metering_usageinterval i using metering_usageseries s
where s.id = i.series_id and s.meter_version_id = {version};
delete from metering_usagebucket b using metering_usageseries s
where s.id = b.series_id and s.meter_version_id = {version};
"""

# Months in which something was stored and nothing is counted change, too. An interval can change the usage of
# a stretch that cuts through a quarter hour in any month that it touches, though its buckets stay.
RAISE_REVISIONS = """
insert into metering_usagerevision as known (meter_version_id, subject, month, revision)
select {version}, subject, month::date, 1
from (
    select subject, date_trunc('month', start at time zone 'UTC') as month from pg_temp.rolled_difference
    union
    select subject, date_trunc('month', start at time zone 'UTC') from pg_temp.rolled_value_difference
    union
    select subject, generate_series(
        date_trunc('month', start at time zone 'UTC'), counted_at at time zone 'UTC', interval '1 month'
    )
    from pg_temp.rolled_interval_difference
) changed
order by subject collate "C", month
on conflict (meter_version_id, subject, month) do update set revision = known.revision + 1
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A bucket that is not what its events add up to; None where there is no bucket, or no event."""

    subject: str
    dimensions: Mapping[str, str]
    start: datetime
    stored: tuple[Decimal, int] | None
    counted: tuple[Decimal, int] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How stored usage differs from its events: how many buckets, intervals and values, the first buckets."""

    buckets: int
    intervals: int
    values: int
    shown: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        return not (self.buckets or self.intervals or self.values)


def differences(*, version: MeterVersion) -> Comparison:
    """Compares the buckets and intervals of a meter version with the events that were rolled up.

    Reads one snapshot and stops nobody; leaves nothing written. Opens a transaction of its own.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
        found = _compared(version)
        transaction.set_rollback(True)
    return found


def rebuild(*, version: MeterVersion) -> Comparison:
    """Writes the buckets and intervals of a meter version anew if they differ from the events; what differed.

    Roll-ups wait meanwhile; readers see the old usage until it is done. Opens a transaction of its own.
    Raises epoch.RollUpsBusy.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        epoch.stop_rolling()
        found = _compared(version)
        if not found.is_equal:
            removal, revisions = (sql(each, version=version.pk) for each in (REMOVE, RAISE_REVISIONS))
            cursor.execute(removal.sql, removal.params)
            merging.add([version])
            cursor.execute(revisions.sql, revisions.params)
    return found


def _compared(version: MeterVersion) -> Comparison:
    event_type = meters.definition(version).event_type
    events = sql(
        COUNTED_EVENTS,
        epoch=version.epoch,
        event_type=event_type,
        counted=sources.not_set_aside(version.pk),
    )
    buckets = sql(DIFFERENT_BUCKETS, stored=sql(STORED, version=version.pk))
    intervals, texts = (sql(each, version=version.pk) for each in (DIFFERENT_INTERVALS, DIFFERENT_VALUES))
    with connection.cursor() as cursor:
        cursor.execute(merging.STAGES)
        merging.stage(versions=[version], events=events)
        cursor.execute(DROP_DIFFERENCES)
        for query in (buckets, intervals, texts):
            cursor.execute(query.sql, query.params)
        cursor.execute(COUNT_DIFFERENCES)
        intervals_count, values_count = cursor.fetchone()
        cursor.execute(
            "select count(*) over (), subject, dimensions, start, stored_quantity, stored_count,"
            " counted_quantity, counted_count from pg_temp.rolled_difference"
            " order by subject, start, dimensions::text limit %s",
            [SHOWN_MAX],
        )
        rows = cursor.fetchall()
    return Comparison(
        buckets=rows[0][0] if rows else 0,
        intervals=intervals_count,
        values=values_count,
        shown=tuple(_difference(row) for row in rows),
    )


def _difference(row: tuple) -> Difference:  # type: ignore[type-arg]
    _, subject, dimensions, start, stored_quantity, stored_count, counted_quantity, counted_count = row
    return Difference(
        subject=subject,
        dimensions=json.loads(dimensions),
        start=start,
        stored=None if stored_quantity is None else (stored_quantity, stored_count),
        counted=None if counted_quantity is None else (counted_quantity, counted_count),
    )
