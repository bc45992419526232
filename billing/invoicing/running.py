"""The invoice run: bills every period that has ended. Safe to repeat, and to run several times at once.

What is due stands on the subscriptions and on the drafts themselves. A run is a row on which workers count
what they did; however many share it, and whatever becomes of one, nothing is billed twice or left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from billing.invoicing import chunking, finalizing, terms
from billing.invoicing.chunking import Outcome
from billing.invoicing.claiming import CUSTOMERS_MAX, REFRESH_AFTER, Claim
from billing.models import InvoiceRun

RETRY_AFTER = timedelta(hours=1)  # what failed or is blocked is not worth a run of its own any sooner
LANES_MAX = 8  # workers that share a run

_Bill = Callable[..., tuple[Claim, Outcome]]
_WORKS: Final[tuple[_Bill, ...]] = (chunking.bill_drafts, chunking.bill_periods)

# The customers of whom something is due. What was tried lately, without success, does not count until
# `retry_at`, which is an instant in the past.
_DUE = """
select count(*) from (
    select s.customer_id from billing_subscription s
    where (s.next_billing_at <= %(as_of)s or s.next_advance_at <= %(as_of)s)
    union
    select i.customer_id from billing_invoice i
    where i.state = 'DRAFT' and i.finalize_at is not null
        and (i.finalize_at <= %(as_of)s and (i.blocked_reason = '' or i.drafted_at <= %(retry_at)s)
            or i.drafted_at <= %(stale_at)s)
) due
where not exists (
    select from billing_invoicerunfailure f
    where f.customer_id = due.customer_id and f.invoice_id is null and f.failed_at > %(retry_at)s)
"""


class AsOfInTheFuture(Exception):
    """Periods that have not ended yet would be billed as if they were empty."""


class RunNotEnded(Exception):
    """A run tries what failed once more only after it has tried everything else."""


class Summary(Outcome):
    """What a run did. ``failed``: by subscription key (or "draft 12"), what went wrong there."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was due."""
        return not (self.finalized or self.drafted or self.blocked or self.failed)


def run(*, as_of: datetime, at: datetime, by: str = "") -> Summary:
    """Drafts an invoice for whatever of a customer fell due together, for all that was due by ``as_of``.

    Drafts whose grace period was over by then are finalized; those that were blocked are tried again.
    ``at``: now, the date of the invoices. Everything is done here and now, in chunks that are a transaction
    each, also beside workers that do the same. Raises AsOfInTheFuture, and finalizing.SellerMissing when
    there is something to finalize.
    """
    summary = Summary()
    started = start(as_of=as_of, at=at, by=by, is_patient=False)
    if started is not None:
        try:
            for outcome in chunks(run=started, at=at):
                summary.add(outcome)
        except finalizing.SellerMissing as error:
            end(run=started, at=at, stopped_reason=str(error))
            raise
        end(run=started, at=at)
    return summary


def start(*, as_of: datetime, at: datetime, by: str = "", is_patient: bool = True) -> InvoiceRun | None:
    """A new run, of which nothing is done yet; None where nothing is due.

    ``is_patient``: what was tried within `RETRY_AFTER`, without success, is no reason for a run. Raises
    AsOfInTheFuture.
    """
    if as_of > at:
        raise AsOfInTheFuture(f"{as_of:%Y-%m-%d %H:%M} UTC is in the future: only ended periods are billed.")
    due = _due(as_of, at, RETRY_AFTER if is_patient else timedelta(0))
    if not due:
        return None
    return InvoiceRun.objects.create(as_of=as_of, started_at=at, started_by=by, due=due)


def resume(*, as_of: datetime, at: datetime, by: str = "") -> InvoiceRun | None:
    """The oldest run that has not ended, such as one whose workers died; else as `start`.

    None, too, while there is no seller: no invoice could be finalized.
    """
    if terms.seller() is None:
        return None
    left_behind = InvoiceRun.objects.filter(state=InvoiceRun.State.RUNNING).order_by("pk").first()
    return left_behind or start(as_of=as_of, at=at, by=by)


def chunks(*, run: InvoiceRun, at: datetime) -> Iterator[Outcome]:
    """Does what is left of a run, a chunk at a time; to stop in between is safe.

    Customers whom somebody else has locked are passed by as long as there are others, then waited for.
    Raises finalizing.SellerMissing, and what the connection to the database raises.
    """
    is_waiting, has_seen = False, True
    while has_seen:
        has_seen = has_worked = False
        for work in _WORKS:
            for claim, outcome in _pass(work, run, at, is_waiting):
                has_seen, has_worked = True, has_worked or bool(claim.customer_ids)
                yield outcome
        is_waiting = not has_worked


def end(*, run: InvoiceRun, at: datetime, stopped_reason: str = "") -> None:
    """Notes that everything was tried, or why that was stopped. The second time it changes nothing."""
    state = InvoiceRun.State.STOPPED if stopped_reason else InvoiceRun.State.DONE
    InvoiceRun.objects.filter(pk=run.pk, state=InvoiceRun.State.RUNNING).update(
        state=state, ended_at=at, stopped_reason=stopped_reason
    )


@transaction.atomic
def retry(*, run: InvoiceRun) -> InvoiceRun:
    """The run, under way again to try what it could not do. Raises RunNotEnded."""
    run = InvoiceRun.objects.select_for_update().get(pk=run.pk)
    if run.state == InvoiceRun.State.RUNNING:
        raise RunNotEnded(f"The {run} is still under way.")
    run.failures.all().delete()
    run.state, run.ended_at, run.stopped_reason = InvoiceRun.State.RUNNING, None, ""
    run.blocked = run.failed = 0
    run.save()
    return run


def lanes(run: InvoiceRun) -> int:
    """How many workers may share the run with profit."""
    return min(LANES_MAX, -(-run.due // CUSTOMERS_MAX))


def _pass(work: _Bill, run: InvoiceRun, at: datetime, is_waiting: bool) -> Iterator[tuple[Claim, Outcome]]:
    """One pass over all customers of whom something is due, by id."""
    after: int | None = 0
    while after is not None:
        claim, outcome = work(run=run, after=after, at=at, is_waiting=is_waiting)
        after = claim.reached
        if after is not None:
            yield claim, outcome


def _due(as_of: datetime, at: datetime, patience: timedelta) -> int:
    values = {"as_of": as_of, "retry_at": at - patience, "stale_at": at - REFRESH_AFTER}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        (due,) = cursor.fetchone()
    return due
