"""Rolls up a batch that fails as a whole: in halves, until a single event fails, which is set aside."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection, transaction

from metering.models import MeterVersion, UncountedEvent
from metering.rolling import merging, repeating
from metering.usage.contributions.fragments import Fragment, sql

REASON_LENGTH_MAX = 500

log = structlog.get_logger(__name__)


def merge(*, events: Fragment, versions: Sequence[MeterVersion]) -> None:
    """Adds the events to the usage of the versions, but for those with which that fails.

    Such an event is listed as uncounted, and an error is logged: only for the versions that fail, the others
    count it. Runs in the caller's transaction.
    """
    with connection.cursor() as cursor:
        keys = sql("select key from ({events}) e order by key", events=events)
        cursor.execute(keys.sql, keys.params)
        found = [row[0] for row in cursor.fetchall()]
    if found:
        _in_halves(found, events, versions)


def _in_halves(keys: Sequence[UUID], events: Fragment, versions: Sequence[MeterVersion]) -> None:
    error = _failure(keys, events, versions)
    if error is None:
        return
    if len(keys) > 1:
        middle = len(keys) // 2
        _in_halves(keys[:middle], events, versions)
        _in_halves(keys[middle:], events, versions)
    elif len(versions) > 1:
        for version in versions:
            _in_halves(keys, events, [version])
    else:
        _set_aside(keys[0], events, versions[0], error)


def _failure(keys: Sequence[UUID], events: Fragment, versions: Sequence[MeterVersion]) -> Exception | None:
    """Adds the events of the keys; nothing of them, and the error, where that fails because of them."""
    some = sql("select * from ({events}) e where key = any({keys})", events=events, keys=list(keys))
    try:
        with transaction.atomic():
            merging.merge(events=some, versions=versions)
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        if not repeating.is_of_the_batch(error):
            raise
        return error
    return None


def _set_aside(key: UUID, events: Fragment, version: MeterVersion, error: Exception) -> None:
    one = sql("select time, subject from ({events}) e where key = {key}", events=events, key=key)
    with connection.cursor() as cursor:
        cursor.execute(one.sql, one.params)
        time, subject = cursor.fetchone()
    reason = f"unmeterable: {type(error).__name__}: {error}"[:REASON_LENGTH_MAX]
    UncountedEvent.objects.update_or_create(
        meter_version=version,
        key=key,
        defaults={"time": time, "subject": subject, "reason": reason, "is_set_aside": True},
    )
    log.error("event set aside, it is not billed", key=str(key), meter=str(version), error=reason)
