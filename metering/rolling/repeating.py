"""What is tried again when another transaction was in the way, and what is noted when a batch fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F

from metering.models import EventBatch
from metering.rolling.claiming import ATTEMPTS_MAX, SPLITS_MAX

Answer = TypeVar("Answer")

REPEATS_MAX = 5
ERROR_LENGTH_MAX = 2_000
DEADLOCK, SERIALIZATION = "40P01", "40001"
# Classes of SQLSTATE that tell of the server or of other transactions, not of the batch: connection,
# rollback, resources, locks, intervention, system.
NOT_THE_BATCH = ("08", "40", "53", "55", "57", "58")

log = structlog.get_logger(__name__)


def repeated(work: Callable[[], Answer]) -> Answer:
    """What `work` answers in a transaction; repeated up to 5 times when it loses against another one."""
    for attempt in range(1, REPEATS_MAX + 1):
        try:
            with transaction.atomic():
                return work()
        except DatabaseError as error:
            if _state(error) not in (DEADLOCK, SERIALIZATION) or attempt == REPEATS_MAX:
                raise
    raise AssertionError("the last attempt answers or raises")


def is_of_the_batch(error: Exception) -> bool:
    """Whether a roll-up of one batch failed because of what is in it, so that it will fail again."""
    if isinstance(error, InterfaceError):
        return False
    if isinstance(error, DatabaseError):
        return _state(error)[:2] not in ("", *NOT_THE_BATCH)
    return True


def record_failure(*, batch_id: int, error: Exception) -> None:
    """Counts the failure of a batch, in a transaction of its own: after 5 it is split, after 10 left."""
    message = f"{type(error).__name__}: {error}"[:ERROR_LENGTH_MAX]
    if connection.in_atomic_block:
        raise RuntimeError("a failure is recorded outside of the transaction that failed")
    EventBatch.objects.filter(pk=batch_id).update(attempts=F("attempts") + 1, last_error=message)
    attempts = EventBatch.objects.values_list("attempts", flat=True).get(pk=batch_id)
    if attempts >= ATTEMPTS_MAX + SPLITS_MAX:
        log.error("batch left pending, its events are read raw", batch=batch_id, error=message)
    else:
        log.warning("batch not rolled up", batch=batch_id, attempts=attempts, error=message)


def _state(error: Exception) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""
