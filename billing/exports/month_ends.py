"""Months that ended and are exported by themselves, on a chosen day of the month after."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

from billing.exports import invoices, making
from billing.models import Export

BY = "the clock"
# A month that was still open on the day, such as for a draft that cannot be finalized, is waited for so long.
MONTHS_BACK = 3
_LOCK = 0x45585045


@transaction.atomic
def request(*, day: int, at: datetime) -> list[Export]:
    """The records of exports, of every format, that are still to be made, for months whose day has come.

    ``day``: of the month after, in UTC, 1 to 28; 0 for none. A month is asked for once, whatever became of
    it, and only when all of it is invoiced and there is something to export. Safe to call at any time, by
    several processes too.
    """
    if day == 0 or not _is_alone():
        return []
    months = [month for month in _ended(day, at) if not _was_asked_for(month) and _is_ready(month)]
    return [making.request(month=month, formats=(), by=BY, at=at) for month in months]


def _ended(day: int, at: datetime) -> Iterator[date]:
    """The first days of the months whose day has come, the oldest first."""
    now = at.astimezone(UTC).date()
    months = [now.replace(day=1)]
    for _ in range(MONTHS_BACK):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    for after, month in reversed(list(itertools.pairwise(months))):
        if now >= after.replace(day=day):
            yield month


def _was_asked_for(month: date) -> bool:
    return Export.objects.filter(month=month, made_by=BY).exists()


def _is_ready(month: date) -> bool:
    return not invoices.is_open(month=month) and invoices.count(month=month) > 0


def _is_alone() -> bool:
    """Whether no other process looks at the same moment: none shall ask for a month a second time."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, 0)", [_LOCK])
        (is_alone,) = cursor.fetchone()
    return bool(is_alone)
