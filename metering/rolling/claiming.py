"""Which batches this worker rolls up now, and with which meter versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from metering.models import MeterVersion
from metering.usage.contributions import sources
from metering.usage.contributions.fragments import Fragment, sql

# Of rolling up a batch as a whole; after these it is split, which is tried as often.
ATTEMPTS_MAX = 5
SPLITS_MAX = 5
# Of one transaction: enough to be fast, few enough to be short. A batch is never split.
EVENTS_MAX = 50_000

# The materialized part locks the rows once; without it the planner may run it again and lock others.
CLAIM = """
with c as materialized (
    select id, accepted from metering_eventbatch
    where {wanted} and attempts < {attempts_max}
    order by id limit {limit} for update skip locked
), taken as (
    select id from (select id, sum(accepted) over (order by id) - accepted as before from c) running
    where before < {events_max}
)
update metering_eventbatch b
set rolled_epoch = {epoch}, rolled_at = coalesce(b.rolled_at, {at}), last_error = ''
from taken where b.id = taken.id
returning b.id, b.time_min, b.time_max
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Batches that this transaction has marked as rolled up, and the bounds of their events' times."""

    batch_ids: tuple[int, ...]
    time_min: datetime | None
    time_max: datetime | None

    @property
    def events(self) -> Fragment | None:
        """The claimed events, see `sources`; None where there are none."""
        if self.time_min is None or self.time_max is None:
            return None
        return sources.of_batches(self.batch_ids, time_min=self.time_min, time_max=self.time_max)


def pending(*, limit: int, epoch: int, at: datetime, only: int | None = None) -> Claim:
    """Claims batches that were never rolled up, the oldest first; `only` one of them if given.

    Batches that others hold are passed over, and so are those that failed too often, but for the `only` one.
    """
    wanted = Fragment("rolled_epoch is null")
    if only is not None:
        wanted = sql("rolled_epoch is null and id = {only}", only=only)
    return _claim(wanted, limit=limit, epoch=epoch, at=at, only=only)


def behind(*, limit: int, rolled_epoch: int, epoch: int, at: datetime, only: int | None = None) -> Claim:
    """Claims batches that were rolled up at an earlier epoch, before the newest meter versions."""
    wanted = sql("rolled_epoch = {rolled_epoch}", rolled_epoch=rolled_epoch)
    if only is not None:
        wanted = sql("rolled_epoch = {rolled_epoch} and id = {only}", rolled_epoch=rolled_epoch, only=only)
    return _claim(wanted, limit=limit, epoch=epoch, at=at, only=only)


def versions(*, after: int, epoch: int) -> list[MeterVersion]:
    """The meter versions that began after one epoch and not after another, in the order of their making."""
    return list(MeterVersion.objects.filter(epoch__gt=after, epoch__lte=epoch).order_by("pk"))


def _claim(wanted: Fragment, *, limit: int, epoch: int, at: datetime, only: int | None) -> Claim:
    query = sql(
        CLAIM,
        wanted=wanted,
        attempts_max=ATTEMPTS_MAX if only is None else ATTEMPTS_MAX + SPLITS_MAX,
        limit=limit,
        events_max=EVENTS_MAX,
        epoch=epoch,
        at=at,
    )
    with connection.cursor() as cursor:
        cursor.execute(query.sql, query.params)
        rows: Sequence[tuple[int, datetime | None, datetime | None]] = cursor.fetchall()
    return Claim(
        batch_ids=tuple(sorted(row[0] for row in rows)),
        time_min=min((row[1] for row in rows if row[1] is not None), default=None),
        time_max=max((row[2] for row in rows if row[2] is not None), default=None),
    )
