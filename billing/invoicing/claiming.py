"""Claims customers for an invoice run, a chunk at a time: each is locked by one worker until it commits.

Nothing is remembered of a claim but the locks: what a worker that died had claimed is due for the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from billing.models import InvoiceRun

CUSTOMERS_MAX = 50
REFRESH_AFTER = timedelta(hours=1)  # so old the amounts of a draft that waits may become

# Left out is what this run has tried already: it would go round and round; and drafts without an instant at
# which they are due: their adjustments go onto the customer's next one.
_WITH_PERIODS = """
    select distinct s.customer_id from billing_subscription s
    where s.customer_id > %(after)s and (s.next_billing_at <= %(as_of)s or s.next_advance_at <= %(as_of)s)
        and not exists (
            select from billing_invoicerunfailure f
            where f.run_id = %(run_id)s and f.customer_id = s.customer_id and f.invoice_id is null)
    order by s.customer_id limit %(limit)s
"""
_WITH_DRAFTS = """
    select distinct i.customer_id from billing_invoice i
    where i.state = 'DRAFT' and i.customer_id > %(after)s
        and i.finalize_at is not null and (i.finalize_at <= %(as_of)s or i.drafted_at <= %(stale_at)s)
        and not exists (
            select from billing_invoicerunfailure f
            where f.run_id = %(run_id)s and f.customer_id = i.customer_id
                and (f.invoice_id = i.id or f.invoice_id is null))
    order by i.customer_id limit %(limit)s
"""
_DRAFTS = """
select distinct on (i.customer_id) i.id from billing_invoice i
where i.state = 'DRAFT' and i.customer_id = any(%(customer_ids)s)
    and i.finalize_at is not null and (i.finalize_at <= %(as_of)s or i.drafted_at <= %(stale_at)s)
    and not exists (
        select from billing_invoicerunfailure f where f.run_id = %(run_id)s and f.invoice_id = i.id)
order by i.customer_id, i.id
"""
_CLAIM = """
with due as materialized ({due}),
locked as materialized (
    select id from billing_customer where id in (select customer_id from due)
    order by id for no key update {waiting}
)
select array(select id from locked order by id), (select max(customer_id) from due)
"""


@dataclass(frozen=True)
class Claim:
    """Customers that are locked now, by id, and how far they were looked through; None: to the end."""

    customer_ids: Sequence[int]
    reached: int | None


def with_periods(*, run: InvoiceRun, after: int, is_waiting: bool) -> Claim:
    """The next customers, by id, of whose subscriptions something is due."""
    return _claim(_WITH_PERIODS, run, after, is_waiting, run.started_at)


def with_drafts(*, run: InvoiceRun, after: int, is_waiting: bool, at: datetime) -> Claim:
    """The next customers, by id, who have a draft whose grace is over, or whose amounts have become old."""
    return _claim(_WITH_DRAFTS, run, after, is_waiting, at)


def drafts(*, run: InvoiceRun, customer_ids: Sequence[int], at: datetime) -> list[int]:
    """The id of the oldest such draft of each of the customers, who are locked."""
    values = {**_values(run, at), "customer_ids": list(customer_ids)}
    with connection.cursor() as cursor:
        cursor.execute(_DRAFTS, values)
        return [pk for (pk,) in cursor.fetchall()]


def _claim(due: str, run: InvoiceRun, after: int, is_waiting: bool, at: datetime) -> Claim:
    """Locks customers; those that somebody else has are passed by, unless they are waited for."""
    statement = _CLAIM.format(due=due, waiting="" if is_waiting else "skip locked")
    with connection.cursor() as cursor:
        cursor.execute(statement, {**_values(run, at), "after": after, "limit": CUSTOMERS_MAX})
        customer_ids, reached = cursor.fetchone()
    return Claim(customer_ids, reached)


def _values(run: InvoiceRun, at: datetime) -> dict[str, object]:
    return {"run_id": run.pk, "as_of": run.as_of, "stale_at": at - REFRESH_AFTER}
