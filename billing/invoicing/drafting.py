"""Writes drafts: what a period costs as far as is known, computed anew until it is finalized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing import evidence, statements
from billing.invoicing import lines, locking
from billing.models import Invoice, InvoiceLine, ServicePeriod, Subscription
from billing.rating import Statement
from billing.statements import Rated
from metering import numbers
from metering.documents import DocumentError
from metering.periods import Period

ZERO = Decimal(0)


class PeriodAlreadyInvoiced(Exception):
    """The subscription has an invoice or a draft for this period already."""


class PeriodNotEnded(Exception):
    """A period is invoiced once it is over."""


@dataclass(frozen=True)
class _Outcome:
    """What a period costs, or why that cannot be said."""

    rated: Rated | None
    reason: str = ""

    @property
    def statement(self) -> Statement | None:
        return self.rated.statement if self.rated else None


@transaction.atomic
def draft(*, subscription: Subscription, period: Period, at: datetime) -> Invoice:
    """A new draft for a whole billing period of the subscription, which has ended, from usage as it is now.

    Where the amounts cannot be computed it has no lines, and says why in ``blocked_reason``. Raises
    PeriodAlreadyInvoiced, PeriodNotEnded and statements.OutsideSubscription.
    """
    return write(subscription=locking.subscription(subscription_id=subscription.pk), period=period, at=at)


def write(*, subscription: Subscription, period: Period, at: datetime) -> Invoice:
    """`draft` for a subscription whose lock the caller holds."""
    (piece,) = statements.pieces(subscription=subscription, period=period)
    billed = piece.billed
    _check_ended(subscription, billed.end, at)
    _check_not_invoiced(subscription, billed)
    outcome = _computed(subscription, piece, at)
    invoice = Invoice(customer=subscription.customer, currency=subscription.customer.currency)
    _save_totals(invoice, [outcome], at)
    service_period = ServicePeriod(
        invoice=invoice, subscription=subscription, start_at=billed.start, end_at=billed.end
    )
    _save(service_period, outcome)
    return invoice


@transaction.atomic
def redraft(*, invoice: Invoice, at: datetime) -> None:
    """Computes a draft, whose lock the caller holds, anew from usage as it is now. Raises PeriodNotEnded."""
    service_periods = list(invoice.service_periods.select_related("subscription__customer").order_by("pk"))
    InvoiceLine.objects.filter(service_period__invoice=invoice).delete()
    outcomes = []
    for service_period in service_periods:
        subscription = service_period.subscription
        _check_ended(subscription, service_period.end_at, at)
        piece = statements.piece_holding(subscription=subscription, at=service_period.start_at)
        outcomes.append(_computed(subscription, piece, at))
        _save(service_period, outcomes[-1])
    _save_totals(invoice, outcomes, at)


def _check_ended(subscription: Subscription, end_at: datetime, at: datetime) -> None:
    if end_at > at:
        raise PeriodNotEnded(f"The period of {subscription.key} ends only at {end_at:%Y-%m-%d %H:%M} UTC.")


def _check_not_invoiced(subscription: Subscription, billed: Period) -> None:
    standing = (
        ServicePeriod.objects.filter(
            subscription=subscription, is_void=False, start_at__lt=billed.end, end_at__gt=billed.start
        )
        .select_related("invoice")
        .first()
    )
    if standing is not None:
        raise PeriodAlreadyInvoiced(
            f"{subscription.key} has the invoice {standing.invoice} for the period from "
            f"{standing.start_at:%Y-%m-%d}."
        )


def _computed(subscription: Subscription, piece: statements.Piece, as_of: datetime) -> _Outcome:
    try:
        return _Outcome(statements.of(subscription=subscription, piece=piece, as_of=as_of, is_final=True))
    except statements.REFUSALS as error:
        # An unpriced row's place in the usage read says nothing to anybody, the values in the message do.
        is_unpriced = isinstance(error, DocumentError) and error.code == "unpriced"
        return _Outcome(None, f"{subscription.key}: {error.message if is_unpriced else error}")


def _save(service_period: ServicePeriod, outcome: _Outcome) -> None:
    """Writes the service period and its lines; neither lines nor evidence where amounts are not known."""
    statement, rated = outcome.statement, outcome.rated
    packed = evidence.pack(rated.rating_input) if rated else evidence.Packed(b"", "")
    service_period.rating_input, service_period.rating_sha256 = packed.content, packed.sha256
    service_period.revisions = rated.revisions if rated else {}
    service_period.subtotal = statement.subtotal if statement else ZERO
    service_period.total = statement.total if statement else ZERO
    answer = statement.answer() if statement else {"discounts": [], "unbilled": []}
    service_period.discounts, service_period.unbilled = answer["discounts"], answer["unbilled"]
    service_period.save()
    rows = lines.of(statement) if statement else []
    for row in rows:
        row.service_period = service_period
    InvoiceLine.objects.bulk_create(rows)


def _save_totals(invoice: Invoice, outcomes: Sequence[_Outcome], at: datetime) -> None:
    known = [outcome.statement for outcome in outcomes if outcome.statement]
    with numbers.exact():
        invoice.subtotal = sum((statement.subtotal for statement in known), ZERO)
        invoice.total = sum((statement.total for statement in known), ZERO)
        invoice.discount_total = invoice.subtotal - invoice.total
    invoice.blocked_reason = "\n".join(outcome.reason for outcome in outcomes if outcome.reason)
    invoice.drafted_at = at
    invoice.save()
