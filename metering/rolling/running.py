"""Rolls up the batches that are pending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import QuerySet

from metering.models import EventBatch, epoch
from metering.rolling import claiming, merging, repeating

log = structlog.get_logger(__name__)


def roll_up(*, limit: int, at: datetime) -> int:
    """Rolls up at most `limit` pending batches, the oldest first; the number that it rolled up.

    0: nothing is left but what other workers hold or what failed. Opens transactions of its own, so call it
    outside of one. Where a batch fails, the others are rolled up without it and the failure is written on it;
    after `claiming.ATTEMPTS_MAX` failures it stays pending, to be read raw, and is not tried any more.
    """
    waiting = EventBatch.objects.filter(rolled_epoch__isnull=True)
    return in_one_or_each_alone(partial(_rolled, limit=limit, at=at), waiting=waiting, limit=limit)


def in_one_or_each_alone(roll: Callable[..., int], *, waiting: QuerySet[EventBatch], limit: int) -> int:
    """What `roll()` answers; where it fails, how many of the `waiting` batches `roll(only=id)` rolled up."""
    try:
        return repeating.repeated(roll)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        if not repeating.is_of_the_batch(error):
            raise
        log.warning("roll-up failed, each batch alone now", error=str(error))
    tried = waiting.filter(attempts__lt=claiming.ATTEMPTS_MAX).order_by("pk").values_list("pk", flat=True)
    return sum(_alone(roll, batch_id) for batch_id in list(tried[:limit]))


def _alone(roll: Callable[..., int], batch_id: int) -> int:
    try:
        return repeating.repeated(partial(roll, only=batch_id))
    except SoftTimeLimitExceeded as error:
        repeating.record_failure(batch_id=batch_id, error=error)
        raise
    except Exception as error:
        if not repeating.is_of_the_batch(error):
            raise
        repeating.record_failure(batch_id=batch_id, error=error)
        return 0


def _rolled(*, limit: int, at: datetime, only: int | None = None) -> int:
    held = epoch.hold()
    claim = claiming.pending(limit=limit, epoch=held, at=at, only=only)
    if claim.batch_ids:
        merging.merge(claim=claim, versions=claiming.versions(after=-1, epoch=held))
    return len(claim.batch_ids)
