"""Who has usage, and when there was any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import connection
from django.db.models import Max

from metering.models import MeterVersion, UsageRevision
from metering.periods import Period
from metering.usage import meters
from metering.usage.contributions.fragments import sql

COUNTED_OR_WAITING = """
select s.subject from metering_usageseries s
where s.meter_version_id = any({versions}::bigint[]) and exists (
    select from metering_usagebucket b
    where b.series_id = s.id and b.start > {start}::timestamptz - interval '15 minutes' and b.start < {end}
)
union
select e.subject from metering_eventbatch b
join metering_event e on e.batch_id = b.id and e.time between b.time_min and b.time_max
where b.rolled_epoch is null and b.time_max >= {start} and b.time_min < {end}
    and e.time >= {start} and e.time < {end} and e.type = any({types}::text[])
"""


def subjects(*, versions: Sequence[MeterVersion], period: Period) -> list[str]:
    """The subjects that have usage of one of the meter versions in the period, sorted.

    To the quarter hour, and with those whose events of the meters' types wait to be rolled up: it may name a
    subject too many, for which `quantities` then has no row. It misses none, but for intervals that wait and
    lie in the period while the time of their event does not.
    """
    if not versions or period.is_empty:
        return []
    query = sql(
        COUNTED_OR_WAITING,
        versions=[version.pk for version in versions],
        types=sorted({meters.definition(version).event_type for version in versions}),
        start=period.start,
        end=period.end,
    )
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        return sorted(subject for (subject,) in cursor.fetchall())


def last_month_with_usage() -> date | None:
    """The first day of the latest UTC month in which a meter counted something; None before that."""
    latest: date | None = UsageRevision.objects.aggregate(latest=Max("month"))["latest"]
    return latest
