"""What workers do for exports. The rows say what is to be made: a lost or repeated call harms nothing."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date, datetime

import structlog
from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerGone

from billing.exports import making, month_ends
from billing.models import Export

# A large month takes its time: 500 pages of PDF each, or a hundred thousand invoices.
SECONDS_MAX = 6 * 3600

log = structlog.get_logger(__name__)


@shared_task(
    name="billing.exports.tasks.make",
    ignore_result=True,
    soft_time_limit=SECONDS_MAX,
    time_limit=SECONDS_MAX + 60,
)
def make(*, export_id: int) -> None:
    """Makes an export that was asked for."""
    export = making.make(export_id=export_id, at=timezone.now)
    if export is not None:
        log.info(
            "export", export=export.pk, month=str(export), state=export.state, reason=export.failed_reason
        )


@shared_task(name="billing.exports.tasks.make_unfinished", ignore_result=True)
def make_unfinished() -> None:
    """Calls a worker for each export that waits, or whose worker was killed."""
    for export_id in making.unfinished():
        call_worker(export_id=export_id)


@shared_task(name="billing.exports.tasks.export_ended_months", ignore_result=True)
def export_ended_months() -> None:
    """Asks for exports of ended months, from EXPORT_DAY of the month after on; never where it is 0."""
    for export in month_ends.request(day=settings.EXPORT_DAY, at=timezone.now()):
        log.info("export_of_ended_month", export=export.pk, month=str(export))
        call_worker(export_id=export.pk)


def ask(*, month: date, formats: Sequence[str], by: str, at: datetime) -> Export:
    """The record of an export that a worker is called for as soon as the record is committed.

    See `making.request`. Raises formats.FormatUnknown.
    """
    export = making.request(month=month, formats=formats, by=by, at=at)
    transaction.on_commit(functools.partial(call_worker, export_id=export.pk))
    return export


def call_worker(*, export_id: int) -> None:
    """Has a worker make the export soon. Where no broker answers the next tick makes up for it."""
    try:
        make.delay(export_id=export_id)
    except BrokerGone as error:
        log.warning("worker_not_called", export=export_id, error=str(error))
