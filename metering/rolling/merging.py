"""Adds what events contribute to the stored usage.

Everything is computed once into two temporary tables and then written, every table in the order of its key:
two roll-ups that touch the same rows then wait for each other, and neither holds what the other needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import structlog
from django.db import connection

from metering.models import MeterVersion
from metering.rolling import grouping
from metering.usage import contributions, meters
from metering.usage.contributions.duration import Intervals
from metering.usage.contributions.fragments import Fragment, sql
from metering.usage.contributions.unique import Texts

# Beyond this many a meter's dimensions are hardly what somebody meant; its events are counted all the same.
SERIES_MAX = 100_000

log = structlog.get_logger(__name__)

# Compiling costs more than it saves in statements of a second, and sums that spill to the disk cost more.
STAGES = """
set local jit = off;
set local work_mem = '64MB';
create temporary table if not exists rolled_bucket (
    meter_version_id bigint, subject text, dimensions jsonb, dimensions_hash uuid,
    start timestamptz, quantity numeric, count bigint, latest metering_moment
) on commit delete rows;
create temporary table if not exists rolled_interval (
    meter_version_id bigint, subject text, dimensions jsonb, dimensions_hash uuid,
    key uuid, start timestamptz, "end" timestamptz, counted_at timestamptz, weight numeric, excess numeric
) on commit delete rows;
create temporary table if not exists rolled_value (
    meter_version_id bigint, subject text, dimensions_hash uuid, start timestamptz, value uuid, count bigint
) on commit delete rows;
delete from pg_temp.rolled_bucket;
delete from pg_temp.rolled_interval;
delete from pg_temp.rolled_value;
"""

STAGE = """
with contributed as materialized (
    {contributions}
), uncounted as (
    insert into metering_uncountedevent (meter_version_id, key, time, subject, reason)
    select {version}, key, time, subject, reason from contributed where reason <> '' order by key
    on conflict do nothing
), kept as (
    {kept}
)
insert into pg_temp.rolled_bucket
select {version}, b.subject, n.dimensions, md5(n.dimensions::text)::uuid, b.start, b.quantity, b.count, null
from ({buckets}) b
cross join lateral (select jsonb_object({names}::text[], b.dimensions) as dimensions offset 0) n
"""

KEPT_INTERVALS = """
    insert into pg_temp.rolled_interval
    select {version}, c.subject, n.dimensions, md5(n.dimensions::text)::uuid, c.key, metering_at(c.start_us),
        metering_at(c.end_us), metering_at(c.counted_us), c.weight, c.excess
    from contributed c
    cross join lateral (select jsonb_object({names}::text[], c.dimensions) as dimensions offset 0) n
    where c.reason is null
"""

KEPT_VALUES = """
    insert into pg_temp.rolled_value
    select {version}, c.subject, md5(jsonb_object({names}::text[], c.dimensions)::text)::uuid,
        date_bin('15 minutes', c.at, timestamptz '2000-01-01 00:00Z') as start, c.value, count(*)
    from contributed c where c.reason is null
    group by c.subject, c.dimensions, 4, c.value
"""

LIST_UNCOUNTED = """
insert into metering_uncountedevent (meter_version_id, key, time, subject, reason)
select {version}, key, time, subject, reason from ({contributions}) c where reason <> '' order by key
on conflict do nothing
"""

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

# For the versions of one aggregation. Series differ from one to the next, so the order stays that of the key.
ADD_BUCKETS = """
insert into metering_usagebucket as usage (series_id, start, quantity, count, latest)
select s.id, r.start, r.quantity, r.count, r.latest
from pg_temp.rolled_bucket r
join metering_usageseries s using (meter_version_id, subject, dimensions_hash)
where r.meter_version_id = any({versions})
order by s.id, r.start
on conflict (series_id, start) do update
set quantity = {merged}, count = usage.count + excluded.count,
    latest = greatest(usage.latest, excluded.latest)
"""

ADD_VALUES = """
insert into metering_usagevalue as usage (series_id, start, value, count)
select s.id, r.start, r.value, r.count
from pg_temp.rolled_value r
join metering_usageseries s using (meter_version_id, subject, dimensions_hash)
order by s.id, r.start, r.value
on conflict (series_id, start, value) do update set count = usage.count + excluded.count
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


def merge(*, events: Fragment, versions: Iterable[MeterVersion]) -> None:
    """Adds the events (see `sources`) to the usage of the versions, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(STAGES)
    concerned = _concerned(list(versions), events)
    if concerned:
        stage(versions=concerned, events=events)
        add(concerned)
        with connection.cursor() as cursor:
            cursor.execute(RAISE_REVISIONS)


def add(versions: Sequence[MeterVersion]) -> None:
    """Adds what was counted into the temporary tables to the usage of the versions."""
    with connection.cursor() as cursor:
        cursor.execute(ADD_SERIES)
        has_new_series = cursor.rowcount > 0
        for merged, some in _by_merging(versions):
            query = sql(ADD_BUCKETS, merged=Fragment(merged), versions=[each.pk for each in some])
            cursor.execute(query.sql, query.params)
        if any(_kind(version).keeps_values for version in versions):
            cursor.execute(ADD_VALUES)
        if any(_kind(version).keeps_intervals for version in versions):
            cursor.execute(ADD_INTERVALS)
    if has_new_series:
        _tell_of_many_series(versions)


def _by_merging(versions: Sequence[MeterVersion]) -> list[tuple[str, list[MeterVersion]]]:
    """The versions whose buckets are merged alike, in an order that is the same for all roll-ups."""
    found: dict[str, list[MeterVersion]] = defaultdict(list)
    for version in versions:
        found[_kind(version).merged].append(version)
    return sorted(found.items())


def stage(*, versions: Sequence[MeterVersion], events: Fragment) -> None:
    """Counts the events by the versions into the temporary tables, and lists those that they cannot use."""
    for version in versions:
        if not grouping.is_grouped(version):
            _run(_staged_alone(version, events))
    for family in grouping.families(each for each in versions if grouping.is_grouped(each)):
        with connection.cursor() as cursor:
            query = grouping.staged(family, events)
            cursor.execute(query.sql, query.params)
            has_refused = cursor.fetchone()
        for version, is_refusing in zip(family, has_refused, strict=True):
            if is_refusing:
                contributed = _kind(version).contributions(meters.definition(version), events)
                _run(sql(LIST_UNCOUNTED, version=version.pk, contributions=contributed))


def _concerned(versions: Sequence[MeterVersion], events: Fragment) -> list[MeterVersion]:
    """The versions of whose type there are events. Not looked up where all are of one type."""
    if len({meters.definition(version).event_type for version in versions}) < 2:
        return list(versions)
    query = sql("select distinct type from ({events}) e", events=events)
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        types = {row[0] for row in cursor.fetchall()}
    return [version for version in versions if meters.definition(version).event_type in types]


def _tell_of_many_series(versions: Sequence[MeterVersion]) -> None:
    for version in versions:
        count = version.series.count()
        if count > SERIES_MAX:
            log.error("meter has too many series", meter=str(version), series=count, bound=SERIES_MAX)


def _kind(version: MeterVersion) -> contributions.Kind:
    return contributions.kind(meters.definition(version).aggregation)


def _run(query: Fragment) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)


def _staged_alone(version: MeterVersion, events: Fragment) -> Fragment:
    definition = meters.definition(version)
    kind = _kind(version)
    assert isinstance(kind, Intervals | Texts)
    names = list(definition.dimension_names)
    kept = KEPT_INTERVALS if kind.keeps_intervals else KEPT_VALUES
    return sql(
        STAGE,
        contributions=kind.contributions(definition, events),
        kept=sql(kept, version=version.pk, names=names),
        buckets=kind.buckets(Fragment("contributed")),
        version=version.pk,
        names=names,
    )
