"""Waiting until the workers have rolled up what was sent."""

from __future__ import annotations

import contextlib
import time

import celery
import kombu.exceptions
from django.db.models import Q

from config.demo import failures, progress
from metering.models import EventBatch

POLL_S = 0.1
# The row is the message: a wake-up call may be lost, and the next one finds the same rows. Beat, which would
# send it, is not part of the demo.
NUDGE_S = 3.0
STALL_S = 90.0
_TASK = "metering.tasks.roll_up_pending"


def last_batch_id() -> int:
    """The id of the newest batch, 0 if there is none: what is sent from now on is above it."""
    return EventBatch.objects.order_by("-id").values_list("id", flat=True).first() or 0


def until_rolled_up(*, after_batch_id: int) -> None:
    """Returns when no batch is pending, showing how many of the batches above ``after_batch_id`` are done.

    Raises `DemoFailed` when the workers do nothing for `STALL_S` seconds.
    """
    batches = EventBatch.objects.filter(Q(id__gt=after_batch_id) | Q(rolled_epoch=None))
    shown = progress.Progress(name="Roll-up", total=batches.count(), unit="batches")
    pending_ids = set(batches.values_list("id", flat=True))
    changed_at = nudged_at = time.monotonic()
    while pending_ids:
        left = set(EventBatch.objects.filter(rolled_epoch=None).values_list("id", flat=True))
        done, pending_ids = len(pending_ids - left), pending_ids & left
        now = time.monotonic()
        if done:
            shown.advance(done)
            changed_at = now
        elif now - changed_at > STALL_S:
            raise failures.DemoFailed(_stalled(pending_ids))
        if now - max(changed_at, nudged_at) > NUDGE_S:
            nudged_at = now
            with contextlib.suppress(OSError, kombu.exceptions.OperationalError):
                celery.current_app.send_task(_TASK)
        if pending_ids:
            time.sleep(POLL_S)
    shown.finish()


def _stalled(pending_ids: set[int]) -> str:
    failed = EventBatch.objects.filter(id__in=pending_ids).exclude(last_error="").order_by("id").first()
    if failed is not None:
        return (
            f"{len(pending_ids)} batches wait; batch {failed.pk} failed {failed.attempts} times, last with: "
            f"{failed.last_error.splitlines()[-1]}"
        )
    return (
        f"{len(pending_ids)} batches wait, and for {STALL_S:.0f} seconds no Celery worker rolled one up: "
        "see whether a worker runs with the same DATABASE_URL and REDIS_URL"
    )
