"""What Celery is woken up for on the price side. The rows say what is due: running twice changes nothing."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from billing.invoicing import running

log = structlog.get_logger(__name__)


@shared_task(name="billing.tasks.invoice_due_subscriptions")
def invoice_due_subscriptions() -> None:
    """Invoices every period that has ended by now. What was missed meanwhile is billed late, not never."""
    now = timezone.now()
    summary = running.run(as_of=now, at=now)
    if not summary.is_empty:
        log.info(
            "invoice_run",
            finalized=len(summary.finalized),
            blocked=[invoice.blocked_reason for invoice in summary.blocked],
            failed=summary.failed,
        )
