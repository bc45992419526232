"""Bills late usage, and gives back what turned out to be too much, of periods that are invoiced already.

More due waits as an adjustment for the customer's next invoice, or has an invoice of its own where the
subscription has ended; less due is a credit note at once. Each piece of a period is a transaction under its
customer's lock, and what is due is always the difference to everything billed so far: doing it twice, or
twice at once, changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Exists, Max, OuterRef, Q

from billing import statements
from billing.invoicing import adjustments, finalizing, locking, pending, returning, sheets, stale
from billing.invoicing.adjustments import Adjustment
from billing.invoicing.due import ARREARS
from billing.invoicing.parts import Part
from billing.invoicing.sheets import Sheet
from billing.models import CreditNote, Customer, Invoice, Recheck, ServicePeriod, Subscription
from metering.periods import MICROSECOND

CHUNK = 200  # rows read at a time

_Place = tuple[int, datetime]  # of a piece: its subscription's id, and its start

log = structlog.get_logger(__name__)


@dataclass
class Summary:
    """What a pass over stale pieces did. ``failed``: by subscription key, why its piece cannot be rated."""

    compared: int = 0
    pending: list[ServicePeriod] = field(default_factory=list)
    credited: list[CreditNote] = field(default_factory=list)
    invoiced: list[Invoice] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was stale."""
        return not (self.compared or self.invoiced or self.failed)


def run(*, at: datetime, is_enough: Callable[[], bool] = lambda: False) -> Summary:
    """Adjusts every invoiced piece whose counters have moved, or whose payer has changed.

    Then finalizes waiting adjustments of customers who will have no next invoice. ``is_enough`` is asked
    before each piece: what is left is found again the next time. Raises what the connection to the database
    raises, and finalizing.SellerMissing.
    """
    summary = Summary()
    tried: set[_Place] = set()
    for recheck in _rechecks():
        if is_enough():
            return summary
        _follow(recheck, at, summary, tried)
    for each in stale.pieces():
        if is_enough():
            return summary
        if (each.subscription_id, each.start_at) not in tried:
            _adjust_stale(each, at, summary)
    _release(at, summary)
    return summary


@transaction.atomic
def adjust(
    *, subscription: Subscription, start_at: datetime, at: datetime, summary: Summary | None = None
) -> Adjustment | None:
    """What was due beyond what was billed of the piece that begins at the instant, and is settled now.

    None where the piece has no invoice that stands. Raises one of `statements.REFUSALS` where it cannot be
    rated, and finalizing.SellerMissing.
    """
    summary = Summary() if summary is None else summary
    locked = locking.subscription(subscription_id=subscription.pk)
    rows = list(
        ServicePeriod.objects.filter(subscription=locked, start_at=start_at, part=ARREARS, is_void=False)
        .select_related("invoice")
        .order_by("sequence")
    )
    if not any(row.sequence == 1 and row.invoice.state != Invoice.State.DRAFT for row in rows):
        return None
    drafted = [row for row in rows if row.invoice.state == Invoice.State.DRAFT]
    adjustment = adjustments.of(
        subscription=locked, start_at=start_at, at=at, without=[row.pk for row in drafted]
    )
    summary.compared += 1
    if adjustment.net > 0:
        _charge(adjustment, rows, drafted, at, summary)
        return adjustment
    for row in drafted:
        _take_away(row, at)
    finalized = [row for row in rows if row not in drafted]
    finalized[-1].revisions = adjustment.rated.revisions
    finalized[-1].save(update_fields=["revisions"])
    if adjustment.net < 0:
        summary.credited += returning.give_back(adjustment=adjustment, at=at)
    return adjustment


def _charge(
    adjustment: Adjustment,
    rows: list[ServicePeriod],
    drafted: list[ServicePeriod],
    at: datetime,
    summary: Summary,
) -> None:
    """Puts what is due more on the customer's next invoice, or on one of its own."""
    if drafted:
        (row,) = drafted
        pending.rewrite(row=row, adjustment=adjustment)
        _sum_up(row.invoice, [], at)
        summary.pending.append(row)
        return
    row = ServicePeriod(
        subscription=adjustment.subscription,
        start_at=rows[-1].start_at,
        end_at=rows[-1].end_at,
        part=ARREARS,
        sequence=rows[-1].sequence + 1,
    )
    part = Part(row, adjustment.fill(row))
    customer = adjustment.subscription.customer
    if _is_over(adjustment.subscription):
        invoice = _new_draft(customer, part, at)
        summary.invoiced.append(finalizing.freeze(invoice=invoice, at=at))
        return
    waiting = Invoice.objects.filter(
        customer=customer, state=Invoice.State.DRAFT, finalize_at=None, currency=customer.currency
    ).first()
    if waiting is None:
        _new_draft(customer, part, at)
    else:
        waiting.customer = customer
        _sum_up(waiting, [part], at)
    summary.pending.append(row)


def _is_over(subscription: Subscription) -> bool:
    return subscription.next_billing_at is None and subscription.next_advance_at is None


def _new_draft(customer: Customer, part: Part, at: datetime) -> Invoice:
    (invoice,) = sheets.write(sheets=[Sheet(sheets.blank(customer), customer, [part])], at=at)
    return invoice


def _sum_up(invoice: Invoice, parts: list[Part], at: datetime) -> None:
    """Writes new parts and the sums of a draft; one that is left without any part goes."""
    kept = list(invoice.service_periods.order_by("pk"))
    if not (kept or parts):
        invoice.delete()
    elif pending.is_waiting(invoice):
        sheets.rewrite(sheets=[Sheet(invoice, invoice.customer, parts, kept)], at=at)
    # The sums of an ordinary draft are computed with everything else on it, before it is finalized.


def _take_away(row: ServicePeriod, at: datetime) -> None:
    invoice = row.invoice
    pending.delete(row)
    _sum_up(invoice, [], at)


def _rechecks() -> Iterator[Recheck]:
    """The rechecks that there are now, oldest first."""
    after, last = 0, Recheck.objects.aggregate(last=Max("pk"))["last"]
    while last and (chunk := list(Recheck.objects.filter(pk__gt=after, pk__lte=last).order_by("pk")[:CHUNK])):
        after = chunk[-1].pk  # before they are gone
        yield from chunk


@transaction.atomic
def _follow(recheck: Recheck, at: datetime, summary: Summary, tried: set[_Place]) -> None:
    """Adjusts the invoiced pieces of a customer that lie in the time to be checked."""
    Customer.objects.select_for_update(no_key=True).get(pk=recheck.customer_id)
    failures = []
    for place in _invoiced(recheck):
        tried.add(place)
        failures.append(_failure(place, at, summary))
    if any(failures):
        Recheck.objects.filter(pk=recheck.pk).update(failure="; ".join(filter(None, failures)))
    else:
        recheck.delete()


def _adjust_stale(piece: stale.Stale, at: datetime, summary: Summary) -> None:
    failure = _failure((piece.subscription_id, piece.start_at), at, summary)
    if failure:
        Recheck.objects.create(
            customer_id=piece.customer_id,
            validity=DateTimeTZRange(piece.start_at, piece.start_at + MICROSECOND),
            reason="usage of an invoiced period has changed",
            failure=failure,
        )


def _failure(place: _Place, at: datetime, summary: Summary) -> str:
    """Adjusts a piece; answers why where it cannot be rated, which keeps nobody else from it."""
    subscription_id, start_at = place
    try:
        adjust(subscription=Subscription(pk=subscription_id), start_at=start_at, at=at, summary=summary)
    except (OperationalError, InterfaceError, finalizing.SellerMissing):
        raise
    except Exception as error:
        is_known = isinstance(error, (*statements.REFUSALS, returning.LessThanNothingDue))
        key = Subscription.objects.values_list("key", flat=True).get(pk=subscription_id)
        log.warning(
            "adjusting_failed", subscription=key, start_at=start_at.isoformat(), exc_info=not is_known
        )
        reason = str(error) if is_known else f"{type(error).__name__}: {error}"
        summary.failed[key] = reason
        return f"{key}: {reason}"
    return ""


def _invoiced(recheck: Recheck) -> list[_Place]:
    """The pieces of the customer that are invoiced and lie in the time to be checked, oldest first."""
    rows = ServicePeriod.objects.filter(
        subscription__customer=recheck.customer_id, part=ARREARS, sequence=1, is_void=False
    ).exclude(invoice__state=Invoice.State.DRAFT)
    lower, upper = recheck.validity.lower, recheck.validity.upper
    within = Q() if lower is None else Q(end_at__gt=lower)
    within &= Q() if upper is None else Q(start_at__lt=upper)
    return list(rows.filter(within).order_by("start_at", "pk").values_list("subscription_id", "start_at"))


def _release(at: datetime, summary: Summary) -> None:
    """Finalizes waiting adjustments of customers of whose subscriptions nothing will be due any more."""
    going_on = Subscription.objects.filter(customer=OuterRef("customer")).filter(
        Q(next_billing_at__isnull=False) | Q(next_advance_at__isnull=False)
    )
    waiting = Invoice.objects.filter(state=Invoice.State.DRAFT, finalize_at=None)
    for pk in list(waiting.exclude(Exists(going_on)).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            invoice = locking.invoice(invoice_id=pk)
            if pending.is_waiting(invoice) and not invoice.blocked_reason:
                summary.invoiced.append(finalizing.freeze(invoice=invoice, at=at))
