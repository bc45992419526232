"""What workers do. The rows of the database are the messages: a lost task is made up for by the next tick."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic

from celery import shared_task

from metering import rolling
from metering.models import partitions

BATCHES_AT_ONCE = 200
# A task ends after this, so that other tasks have their turn; the next tick goes on.
SECONDS_MAX = 20
MONTHS_AHEAD = 3


@shared_task(ignore_result=True)
def roll_up_pending() -> None:
    """Rolls up what is pending, then counts stored events for new meters, until all is done or time is up."""
    ends_at = monotonic() + SECONDS_MAX
    for roll in (rolling.roll_up, rolling.build):
        while monotonic() < ends_at and roll(limit=BATCHES_AT_ONCE, at=datetime.now(UTC)):
            pass


@shared_task(ignore_result=True)
def make_partitions_ahead() -> None:
    """Makes the tables of this month's and the next months' events, so that no commit has to."""
    day = datetime.now(UTC).date().replace(day=1)
    months = [day]
    for _ in range(MONTHS_AHEAD):
        months.append((months[-1] + timedelta(days=31)).replace(day=1))
    partitions.ensure(months)
