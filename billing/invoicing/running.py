"""The invoice run: bills every period that has ended. Safe to repeat, and to run several times at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef, Q

from billing import statements
from billing.invoicing import drafting, finalizing, locking
from billing.models import Invoice, ServicePeriod, Subscription
from metering.periods import MICROSECOND

CHUNK = 100  # rows read at a time; each invoice has a transaction of its own

log = structlog.get_logger(__name__)


class AsOfInTheFuture(Exception):
    """Periods that have not ended yet would be billed as if they were empty."""


@dataclass
class Summary:
    """What a run did. ``failed``: by subscription key (or "draft 12"), what went wrong there."""

    finalized: list[Invoice] = field(default_factory=list)
    blocked: list[Invoice] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was due."""
        return not (self.finalized or self.blocked or self.failed)

    def note(self, invoice: Invoice) -> None:
        """Takes up an invoice that is finalized now, or blocked."""
        (self.blocked if invoice.blocked_reason else self.finalized).append(invoice)


class _Due(NamedTuple):
    """A subscription whose period ended at ``at``."""

    at: datetime
    pk: int
    key: str


def run(*, as_of: datetime, at: datetime) -> Summary:
    """Drafts and finalizes an invoice for each period, of each subscription, that ended by ``as_of``.

    ``at``: now, the date of the invoices. Each invoice is a transaction of its own. Drafts that were
    blocked are tried again first. Raises AsOfInTheFuture, and finalizing.SellerMissing when there is
    something to finalize.
    """
    if as_of > at:
        raise AsOfInTheFuture(f"{as_of:%Y-%m-%d %H:%M} UTC is in the future: only ended periods are billed.")
    summary = Summary()
    for pk in _drafts(as_of):
        _finalize(pk, at, summary)
    busy = [due for due in _due(as_of) if not _bill(due, as_of, at, summary, is_waiting=False)]
    # Another run has billed these meanwhile, or somebody was changing them: now their locks are waited for.
    for due in busy:
        _bill(due, as_of, at, summary, is_waiting=True)
    return summary


def _finalize(invoice_id: int, at: datetime, summary: Summary) -> None:
    """Tries a draft again. One that another transaction holds is being finalized there."""
    with _noting_failure(f"draft {invoice_id}", summary):
        with transaction.atomic():
            invoice = locking.invoice(invoice_id=invoice_id, is_waiting=False)
            if invoice is None or invoice.state != Invoice.State.DRAFT:
                return
            drafting.redraft(invoice=invoice, at=at)
            if not invoice.blocked_reason:
                finalizing.freeze(invoice=invoice, at=at)
        summary.note(invoice)


def _bill(due: _Due, as_of: datetime, at: datetime, summary: Summary, *, is_waiting: bool) -> bool:
    """Bills the subscription's ended periods one by one; False where another transaction holds it."""
    is_due, is_free = True, True
    with _noting_failure(due.key, summary):
        while is_due and is_free:
            with transaction.atomic():
                subscription = locking.subscription(subscription_id=due.pk, is_waiting=is_waiting)
                is_free = subscription is not None
                is_due = is_free and _is_due(subscription, as_of)
                invoice = _bill_period(subscription, at) if is_due else None
            if invoice is not None:
                summary.note(invoice)
    return is_free


def _is_due(subscription: Subscription, as_of: datetime) -> bool:
    return subscription.next_billing_at is not None and subscription.next_billing_at <= as_of


def _bill_period(subscription: Subscription, at: datetime) -> Invoice | None:
    """Invoices the period that is due, taking the number last; None where it was invoiced by hand."""
    period = statements.period_holding(
        subscription=subscription, at=subscription.next_billing_at - MICROSECOND
    )
    try:
        invoice = drafting.write(subscription=subscription, period=period, at=at)
    except drafting.PeriodAlreadyInvoiced:
        invoice = None
    subscription.next_billing_at = _next_billing_at(subscription)
    subscription.save(update_fields=["next_billing_at"])
    if invoice is None or invoice.blocked_reason:
        return invoice
    return finalizing.freeze(invoice=invoice, at=at)


def _next_billing_at(subscription: Subscription) -> datetime | None:
    """The end of the period after the one that is due; None where that is the subscription's last."""
    reached, end_at = subscription.next_billing_at, subscription.end_at
    if reached == end_at:
        return None
    following = statements.period_holding(subscription=subscription, at=reached).end
    return following if end_at is None else min(following, end_at)


@contextmanager
def _noting_failure(what: str, summary: Summary) -> Iterator[None]:
    """One fault must not keep others from their invoices: it goes to the summary and the log."""
    try:
        yield
    except (OperationalError, InterfaceError, finalizing.SellerMissing):
        raise
    except Exception as error:
        log.exception("invoice_run_failed", what=what)
        summary.failed[what] = f"{type(error).__name__}: {error}"


def _drafts(as_of: datetime) -> Iterator[int]:
    """Drafts whose periods have all ended, by id, a chunk at a time."""
    drafts = Invoice.objects.filter(state=Invoice.State.DRAFT).order_by("pk").values_list("pk", flat=True)
    open_ones = ServicePeriod.objects.filter(invoice=OuterRef("pk"), end_at__gt=as_of)
    chunk = list(drafts.exclude(Exists(open_ones))[:CHUNK])
    while chunk:
        yield from chunk
        chunk = list(drafts.exclude(Exists(open_ones)).filter(pk__gt=chunk[-1])[:CHUNK])


def _due(as_of: datetime) -> Iterator[_Due]:
    """Subscriptions with an ended period, longest due first, a chunk at a time."""
    due = Subscription.objects.filter(next_billing_at__lte=as_of).order_by("next_billing_at", "pk")
    rows = due.values_list("next_billing_at", "pk", "key")
    chunk = [_Due(*row) for row in rows[:CHUNK]]
    while chunk:
        yield from chunk
        last = chunk[-1]
        after = Q(next_billing_at__gt=last.at) | Q(next_billing_at=last.at, pk__gt=last.pk)
        chunk = [_Due(*row) for row in rows.filter(after, next_billing_at__gte=last.at)[:CHUNK]]
