"""Bills a chunk of customers in one transaction, and one by one where one stands in the others' way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from billing import timelines
from billing.invoicing import claiming, drafting, due, finalizing, locking
from billing.invoicing.claiming import Claim
from billing.models import Customer, Invoice, InvoiceRun, InvoiceRunFailure, Subscription

log = structlog.get_logger(__name__)

_ADVANCE_PLANS = """
select distinct plan_id from billing_planversion
where jsonb_path_exists(document, '$.**.timing ? (@ == "IN_ADVANCE")')
    and plan_id in (
        select plan_id from billing_subscriptionphase where subscription_id = any(%s))
"""

_SAVE_DUES = """
update billing_subscription s set next_billing_at = due.next_billing_at, next_advance_at = due.next_advance_at
from unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[]) due (id, next_billing_at, next_advance_at)
where s.id = due.id
"""


@dataclass
class Outcome:
    """What became of a chunk. ``failed``: by what a person would look for, what went wrong there."""

    finalized: list[Invoice] = field(default_factory=list)
    drafted: list[Invoice] = field(default_factory=list)
    blocked: list[Invoice] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Takes up what became of another chunk."""
        self.finalized += other.finalized
        self.drafted += other.drafted
        self.blocked += other.blocked
        self.failed |= other.failed


_Work = Callable[[Sequence[int], InvoiceRun, datetime], Outcome]


def bill_periods(*, run: InvoiceRun, after: int, at: datetime, is_waiting: bool) -> tuple[Claim, Outcome]:
    """Drafts, and where no grace is given finalizes, what is due next of each customer of the next chunk.

    Raises finalizing.SellerMissing, and what the connection to the database raises.
    """

    def claim() -> Claim:
        return claiming.with_periods(run=run, after=after, is_waiting=is_waiting)

    return _chunk(claim, _bill_periods, run, at)


def bill_drafts(*, run: InvoiceRun, after: int, at: datetime, is_waiting: bool) -> tuple[Claim, Outcome]:
    """Computes a draft of each customer of the next chunk anew, and finalizes it where its grace is over.

    Raises as `bill_periods` does.
    """

    def claim() -> Claim:
        return claiming.with_drafts(run=run, after=after, is_waiting=is_waiting, at=at)

    return _chunk(claim, _bill_drafts, run, at)


def _chunk(claim: Callable[[], Claim], work: _Work, run: InvoiceRun, at: datetime) -> tuple[Claim, Outcome]:
    claimed = Claim([], None)
    try:
        with transaction.atomic():
            claimed = claim()
            return claimed, work(claimed.customer_ids, run, at) if claimed.customer_ids else Outcome()
    except (OperationalError, InterfaceError, finalizing.SellerMissing):
        raise
    except Exception:
        log.warning("invoice_chunk_failed", run=run.pk, customers=len(claimed.customer_ids), exc_info=True)
    outcome = Outcome()
    for customer_id in claimed.customer_ids:
        outcome.add(_one(customer_id, work, run, at))
    return claimed, outcome


def _one(customer_id: int, work: _Work, run: InvoiceRun, at: datetime) -> Outcome:
    """One fault must not keep others from their invoices: it is noted, and the customer left out."""
    try:
        with transaction.atomic():
            Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
            return work([customer_id], run, at)
    except (OperationalError, InterfaceError, finalizing.SellerMissing):
        raise
    except Exception as error:
        what = _what(customer_id, run, at, work)
        log.exception("invoice_run_failed", run=run.pk, what=what)
        reason = f"{type(error).__name__}: {error}"
    with transaction.atomic():
        InvoiceRunFailure.objects.bulk_create(
            [
                InvoiceRunFailure(
                    run=run, customer_id=customer_id, what=what[:200], reason=reason, failed_at=at
                )
            ],
            ignore_conflicts=True,
        )
        _count(run, failed=1)
    return Outcome(failed={what: reason})


def _what(customer_id: int, run: InvoiceRun, at: datetime, work: _Work) -> str:
    """The subscriptions that are due together, or the draft."""
    if work is _bill_drafts:
        return ", ".join(f"draft {pk}" for pk in claiming.drafts(run=run, customer_ids=[customer_id], at=at))
    own = Subscription.objects.filter(locking.is_due(run.as_of), customer=customer_id)
    return ", ".join(own.order_by("pk").values_list("key", flat=True))


def _bill_periods(customer_ids: Sequence[int], run: InvoiceRun, at: datetime) -> Outcome:
    subscriptions = locking.due_subscriptions(customer_ids=customer_ids, as_of=run.as_of)
    if not subscriptions:  # somebody else billed them while their locks were waited for
        return Outcome()
    lives = timelines.of_many(subscriptions)
    bills = due.bills(
        subscriptions=subscriptions,
        timelines=lives,
        as_of=run.as_of,
        advance_plans=_advance_plans(subscriptions),
    )
    invoices = drafting.write(bills=bills, at=at)
    for bill in bills:
        for each in bill.subscriptions:
            due.move_on(subscription=each, timeline=lives[each.pk], at=bill.at)
    _save_dues(subscriptions)
    return _settled(invoices, run, at, is_new=True)


def _bill_drafts(customer_ids: Sequence[int], run: InvoiceRun, at: datetime) -> Outcome:
    pks = claiming.drafts(run=run, customer_ids=customer_ids, at=at)
    invoices = locking.invoices(invoice_ids=pks)
    if not invoices:
        return Outcome()
    drafting.redraft_all(invoices=invoices, at=at)
    return _settled(invoices, run, at, is_new=False)


def _settled(invoices: Sequence[Invoice], run: InvoiceRun, at: datetime, *, is_new: bool) -> Outcome:
    """Finalizes those drafts that can be, and notes what became of all; taking numbers comes last."""
    blocked = [each for each in invoices if each.blocked_reason]
    waiting = [
        each
        for each in invoices
        if not each.blocked_reason and (each.finalize_at is None or each.finalize_at > run.as_of)
    ]
    ready = [each for each in invoices if each not in blocked and each not in waiting]
    InvoiceRunFailure.objects.bulk_create(
        InvoiceRunFailure(
            run=run,
            customer_id=each.customer_id,
            invoice=each,
            what=f"draft {each.pk}",
            reason=each.blocked_reason,
            failed_at=at,
        )
        for each in blocked
    )
    _count(run, finalized=len(ready), drafted=len(waiting) if is_new else 0, blocked=len(blocked))
    finalizing.freeze_all(invoices=ready, at=at)
    return Outcome(ready, waiting if is_new else [], blocked)


def _count(run: InvoiceRun, **counts: int) -> None:
    changed = {name: F(name) + count for name, count in counts.items() if count}
    if changed:
        InvoiceRun.objects.filter(pk=run.pk).update(**changed)


def _advance_plans(subscriptions: Sequence[Subscription]) -> set[int]:
    """The ids of the subscriptions' plans of which some version has fees in advance."""
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE_PLANS, [[each.pk for each in subscriptions]])
        return {plan_id for (plan_id,) in cursor.fetchall()}


def _save_dues(subscriptions: Sequence[Subscription]) -> None:
    columns = zip(
        *((each.pk, each.next_billing_at, each.next_advance_at) for each in subscriptions), strict=True
    )
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_DUES, [list(column) for column in columns])
