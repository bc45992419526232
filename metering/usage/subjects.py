"""Who has usage, and when there was any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import connection
from django.db.models import Max

from metering.documents.meter import MeterDefinition
from metering.models import MeterVersion, UsageRevision
from metering.periods import Period
from metering.usage import contributions, meters
from metering.usage.contributions import sources
from metering.usage.contributions.fragments import Fragment, joined, sql

COUNTED = """
select s.subject from metering_usageseries s
where s.meter_version_id = any({versions}::bigint[]) and exists (
    select from metering_usagebucket b
    where b.series_id = s.id and b.start > {start}::timestamptz - interval '15 minutes' and b.start < {end}
)
"""

# For a version that is not built yet batches wait that others have counted.
WAITING = """
select e.subject from metering_eventbatch b
join metering_event e on e.batch_id = b.id and e.time between b.time_min and b.time_max
where (b.rolled_epoch is null or b.rolled_epoch < {epoch}) and b.time_max >= {start} and b.time_min < {end}
    and e.time >= {start} and e.time < {end} and e.type = any({types}::text[])
"""

# An interval may lie in the period while the time of its event does not.
WAITING_INTERVALS = """
select c.subject from ({contributed}) c
where c.reason is null and c.start_us < metering_microseconds({end})
    and c.counted_us >= metering_microseconds({start})
"""


def subjects(*, versions: Sequence[MeterVersion], period: Period) -> list[str]:
    """The subjects that have usage of one of the meter versions in the period, sorted.

    To the quarter hour, and with those whose events of the meters' types wait to be rolled up: it may name a
    subject too many, for which `quantities` then has no row. It misses none.
    """
    if not versions or period.is_empty:
        return []
    bounds = {"start": period.start, "end": period.end}
    parts = [sql(COUNTED, versions=[version.pk for version in versions], **bounds)]
    points = []
    for version in versions:
        definition = meters.definition(version)
        if contributions.kind(definition.aggregation).keeps_intervals:
            parts.append(sql(WAITING_INTERVALS, contributed=_waiting(version, definition), **bounds))
        else:
            points.append(version)
    types = sorted({meters.definition(version).event_type for version in points})
    epoch = max((version.epoch for version in points if not version.is_built), default=0)
    parts.append(sql(WAITING, types=types, epoch=epoch, **bounds))
    query = joined(" union ", parts)
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        return sorted(subject for (subject,) in cursor.fetchall())


def _waiting(version: MeterVersion, definition: MeterDefinition) -> Fragment:
    events = sources.uncounted_yet(
        event_type=definition.event_type,
        epoch=version.epoch,
        is_built=version.is_built,
        of=sources.OF_EVERYBODY,
    )
    return contributions.kind(definition.aggregation).contributions(definition, events)


def last_month_with_usage() -> date | None:
    """The first day of the latest UTC month in which a meter counted something; None before that."""
    latest: date | None = UsageRevision.objects.aggregate(latest=Max("month"))["latest"]
    return latest
