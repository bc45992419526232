"""Adds what events contribute to the stored usage.

Everything is computed once into two temporary tables and then written, every table in the order of its key:
two roll-ups that touch the same rows then wait for each other, and neither holds what the other needs.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from metering.models import MeterVersion
from metering.rolling.claiming import Claim
from metering.usage import contributions, meters
from metering.usage.contributions import sources
from metering.usage.contributions.fragments import Fragment, sql

STAGES = """
create temporary table if not exists rolled_bucket (
    meter_version_id bigint, subject text, dimensions jsonb, dimensions_hash uuid,
    start timestamptz, quantity numeric, count bigint
) on commit delete rows;
create temporary table if not exists rolled_interval (
    meter_version_id bigint, subject text, dimensions jsonb, dimensions_hash uuid,
    key uuid, start timestamptz, "end" timestamptz, counted_at timestamptz, weight numeric, excess numeric
) on commit delete rows;
delete from pg_temp.rolled_bucket;
delete from pg_temp.rolled_interval;
"""

STAGE = """
with contributed as materialized (
    {contributions}
), uncounted as (
    insert into metering_uncountedevent (meter_version_id, key, time, subject, reason)
    select {version}, key, time, subject, reason from contributed where reason <> '' order by key
    on conflict do nothing
){intervals}
insert into pg_temp.rolled_bucket
select {version}, b.subject, n.dimensions, md5(n.dimensions::text)::uuid, b.start, b.quantity, b.count
from ({buckets}) b
cross join lateral (select jsonb_object({names}::text[], b.dimensions) as dimensions offset 0) n
"""

STAGE_INTERVALS = """, kept as (
    insert into pg_temp.rolled_interval
    select {version}, c.subject, n.dimensions, md5(n.dimensions::text)::uuid, c.key, metering_at(c.start_us),
        metering_at(c.end_us), metering_at(c.counted_us), c.weight, c.excess
    from contributed c
    cross join lateral (select jsonb_object({names}::text[], c.dimensions) as dimensions offset 0) n
    where c.reason is null
)"""

# Two statements: a series that another transaction inserts meanwhile is invisible to the one that tried.
ADD_SERIES = """
insert into metering_usageseries (meter_version_id, subject, dimensions, dimensions_hash)
select distinct on (r.meter_version_id, r.subject collate "C", r.dimensions_hash)
    r.meter_version_id, r.subject, r.dimensions, r.dimensions_hash
from pg_temp.rolled_bucket r
where not exists (
    select from metering_usageseries s where s.meter_version_id = r.meter_version_id
        and s.subject = r.subject and s.dimensions_hash = r.dimensions_hash
)
order by r.meter_version_id, r.subject collate "C", r.dimensions_hash
on conflict do nothing
"""

ADD_BUCKETS = """
insert into metering_usagebucket as usage (series_id, start, quantity, count)
select s.id, r.start, r.quantity, r.count
from pg_temp.rolled_bucket r
join metering_usageseries s using (meter_version_id, subject, dimensions_hash)
order by s.id, r.start
on conflict (series_id, start) do update
set quantity = usage.quantity + excluded.quantity, count = usage.count + excluded.count
"""

# No "on conflict": an interval that is there already would be an event counted twice, which must not pass.
ADD_INTERVALS = """
insert into metering_usageinterval (series_id, key, start, "end", counted_at, weight, excess)
select s.id, r.key, r.start, r."end", r.counted_at, r.weight, r.excess
from pg_temp.rolled_interval r
join metering_usageseries s using (meter_version_id, subject, dimensions_hash)
order by s.id, r.key
"""

RAISE_REVISIONS = """
insert into metering_usagerevision as known (meter_version_id, subject, month, revision)
select meter_version_id, subject, date_trunc('month', start at time zone 'UTC')::date as month, 1
from pg_temp.rolled_bucket
group by meter_version_id, subject, month
order by meter_version_id, subject collate "C", month
on conflict (meter_version_id, subject, month) do update set revision = known.revision + 1
"""


def merge(*, claim: Claim, versions: Iterable[MeterVersion]) -> None:
    """Adds the events of the claimed batches to the usage of the versions, in the caller's transaction."""
    if claim.time_min is None or claim.time_max is None:
        return
    events = sources.of_batches(claim.batch_ids, time_min=claim.time_min, time_max=claim.time_max)
    with connection.cursor() as cursor:
        cursor.execute(STAGES)
        query = sql("select distinct type from ({events}) e", events=events)
        cursor.execute(query.sql, query.params)
        types = {row[0] for row in cursor.fetchall()}
        is_any = False
        for version in versions:
            if meters.definition(version).event_type in types:
                query = staged(version, events)
                cursor.execute(query.sql, query.params)
                is_any = True
        if is_any:
            for statement in (ADD_SERIES, ADD_BUCKETS, ADD_INTERVALS, RAISE_REVISIONS):
                cursor.execute(statement)


def staged(version: MeterVersion, events: Fragment) -> Fragment:
    """The statement that counts the events by one meter version into the temporary tables."""
    definition = meters.definition(version)
    kind = contributions.kind(definition.aggregation)
    names = list(definition.dimension_names)
    return sql(
        STAGE,
        contributions=kind.contributions(definition, events),
        buckets=kind.buckets(Fragment("contributed")),
        intervals=sql(STAGE_INTERVALS, version=version.pk, names=names)
        if kind.KEEPS_INTERVALS
        else Fragment(""),
        version=version.pk,
        names=names,
    )
