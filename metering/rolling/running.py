"""Rolls up the batches that are pending."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import QuerySet

from metering.models import EventBatch, epoch
from metering.rolling import claiming, merging, repeating, splitting

Merge = Callable[..., None]

log = structlog.get_logger(__name__)


def roll_up(*, limit: int, at: datetime) -> int:
    """Rolls up at most `limit` pending batches, the oldest first; the number that it rolled up.

    0: nothing is left but what other workers hold or what failed. Opens transactions of its own, so call it
    outside of one. Where a batch fails, the others are rolled up without it and the failure is written on it;
    after `claiming.ATTEMPTS_MAX` failures it is split until what fails is a single event, which is set aside.
    """
    waiting = EventBatch.objects.filter(rolled_epoch__isnull=True)
    return in_one_or_in_parts(partial(_rolled, limit=limit, at=at), waiting=waiting, limit=limit)


def in_one_or_in_parts(roll: Callable[..., int], *, waiting: QuerySet[EventBatch], limit: int) -> int:
    """How many batches were rolled up by `roll()`; where it fails, by `roll(only=id)` of those `waiting`.

    Where nothing is left to do but for batches that failed too often, one of them by `roll(only=id,
    merge=splitting.merge)`.
    """
    try:
        rolled = repeating.repeated(roll)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        if not repeating.is_of_the_batch(error):
            raise
        log.warning("roll-up failed, each batch alone now", error=str(error))
        tried = waiting.filter(attempts__lt=claiming.ATTEMPTS_MAX).order_by("pk")
        rolled = sum(_alone(roll, batch_id) for batch_id in list(tried.values_list("pk", flat=True)[:limit]))
    return rolled or _split(roll, waiting)


def _split(roll: Callable[..., int], waiting: QuerySet[EventBatch]) -> int:
    failed = waiting.filter(
        attempts__gte=claiming.ATTEMPTS_MAX, attempts__lt=claiming.ATTEMPTS_MAX + claiming.SPLITS_MAX
    )
    batch_id = failed.order_by("pk").values_list("pk", flat=True).first()
    return 0 if batch_id is None else _alone(partial(roll, merge=splitting.merge), batch_id)


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


def _rolled(*, limit: int, at: datetime, only: int | None = None, merge: Merge = merging.merge) -> int:
    held = epoch.hold()
    claim = claiming.pending(limit=limit, epoch=held, at=at, only=only)
    if claim.events is not None:
        merge(events=claim.events, versions=claiming.versions(after=-1, epoch=held))
    return len(claim.batch_ids)
