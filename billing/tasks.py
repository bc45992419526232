"""What Celery is woken up for on the price side. The rows say what is due: running twice changes nothing."""

from __future__ import annotations

from time import monotonic

import structlog
from celery import shared_task
from django.utils import timezone

from billing import reconciling, waking
from billing.advising import asking
from billing.invoicing import adjusting, finalizing, running
from billing.models import InvoiceRun, WhatIf

# A task ends after this, so that other tasks have their turn; it has itself called again.
SECONDS_MAX = 240
RECONCILE_S_MAX = 6 * 3600

log = structlog.get_logger(__name__)


@shared_task(name="billing.tasks.invoice_due_subscriptions", ignore_result=True)
def invoice_due_subscriptions() -> None:
    """Goes on with the run that is under way, or starts one where something is due, and calls more workers.

    What was missed meanwhile is billed late, not never.
    """
    now = timezone.now()
    run = running.resume(as_of=now, at=now)
    if run is not None:
        for _ in range(running.lanes(run) - 1):
            waking.bill(run_id=run.pk)
        bill_chunks(run_id=run.pk)


@shared_task(name="billing.tasks.bill_chunks", ignore_result=True)
def bill_chunks(*, run_id: int) -> None:
    """Bills what is left of a run, chunk by chunk, beside other workers that do the same."""
    run = InvoiceRun.objects.get(pk=run_id)
    if run.state != InvoiceRun.State.RUNNING:
        return
    ends_at = monotonic() + SECONDS_MAX
    try:
        for _ in running.chunks(run=run, at=timezone.now()):
            if monotonic() > ends_at:
                waking.bill(run_id=run_id)
                return
    except finalizing.SellerMissing as error:
        running.end(run=run, at=timezone.now(), stopped_reason=str(error))
        return
    running.end(run=run, at=timezone.now())
    run.refresh_from_db()
    log.info("invoice_run", run=run_id, finalized=run.finalized, blocked=run.blocked, failed=run.failed)


@shared_task(name="billing.tasks.adjust_invoiced_periods", ignore_result=True)
def adjust_invoiced_periods() -> None:
    """Bills late usage of invoiced periods, and gives back what turned out to be too much."""
    ends_at = monotonic() + SECONDS_MAX
    try:
        summary = adjusting.run(at=timezone.now(), is_enough=lambda: monotonic() > ends_at)
    except finalizing.SellerMissing as error:
        log.warning("adjusting_without_seller", error=str(error))
        return
    if not summary.is_empty:
        log.info(
            "adjusted",
            compared=summary.compared,
            pending=len(summary.pending),
            credited=[note.number for note in summary.credited],
            invoiced=[invoice.number for invoice in summary.invoiced],
            failed=summary.failed,
        )


@shared_task(
    name="billing.tasks.reconcile", ignore_result=True, time_limit=6 * 3600, soft_time_limit=6 * 3500
)
def reconcile() -> None:
    """Compares everything that was billed with its evidence and with usage, and stores what differs.

    Late usage is adjusted first: it is no difference, but what the next invoice is for.
    """
    adjust_invoiced_periods()
    found = reconciling.record(clock=timezone.now)
    if found.is_alarming:
        log.error("reconciled_with_differences", count=found.difference_count, first=found.differences[:5])


@shared_task(name="billing.tasks.answer_what_ifs", ignore_result=True)
def answer_what_ifs() -> None:
    """Compares draft plans with the past for whoever asked, for as long as a task may take."""
    ends_at = monotonic() + SECONDS_MAX
    while (left_s := ends_at - monotonic()) > 0:
        job = asking.run_next(clock=timezone.now, seconds_max=left_s)
        if job is None:
            return
        if job.state != WhatIf.State.QUEUED:
            log.info("what_if", job=job.pk, state=job.state, compared=job.done)
