"""Counts, for new meter versions, the events that were stored and rolled up before them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.db.models import Min

from metering.models import EventBatch, MeterEpoch, MeterVersion, epoch
from metering.rolling import claiming, merging, running


def build(*, limit: int, at: datetime) -> int:
    """Brings at most `limit` batches up to the newest meter versions; the number of batches.

    0: nothing is left but what other workers hold or what failed; versions that no batch lacks are then
    marked as built. A version is exact before that, too: the usage door reads the events of the batches that
    lack it. Opens transactions of its own. Failures are dealt with as by `running.roll_up`.
    """
    newest = MeterEpoch.objects.filter(pk=1).values_list("epoch", flat=True).first() or 0
    behind = EventBatch.objects.filter(rolled_epoch__lt=newest)
    tried = behind.filter(attempts__lt=claiming.ATTEMPTS_MAX + claiming.SPLITS_MAX)
    rolled_epoch = tried.aggregate(lowest=Min("rolled_epoch"))["lowest"]
    if rolled_epoch is None:
        _mark_built()
        return 0
    built = running.in_one_or_in_parts(
        partial(_built, limit=limit, at=at, rolled_epoch=rolled_epoch),
        waiting=behind.filter(rolled_epoch=rolled_epoch),
        limit=limit,
    )
    if not built:
        _mark_built()
    return built


def _built(
    *,
    limit: int,
    at: datetime,
    rolled_epoch: int,
    only: int | None = None,
    merge: running.Merge = merging.merge,
) -> int:
    held = epoch.hold()
    claim = claiming.behind(limit=limit, rolled_epoch=rolled_epoch, epoch=held, at=at, only=only)
    if claim.events is not None:
        merge(events=claim.events, versions=claiming.versions(after=rolled_epoch, epoch=held))
    return len(claim.batch_ids)


def _mark_built() -> None:
    for version in MeterVersion.objects.filter(is_built=False):
        lacking = EventBatch.objects.filter(rolled_epoch__lt=version.epoch)
        if not lacking.exists():
            MeterVersion.objects.filter(pk=version.pk).update(is_built=True)
