"""Writes comparisons that a worker makes: asked, run with progress, cancelled, and read as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q, QuerySet, Sum

from billing.advising import what_if
from billing.advising.what_if import Difference, Question
from billing.documents import plan as plans
from billing.models import Customer, WhatIf, WhatIfDifference
from metering import periods
from metering.documents import DocumentError
from metering.documents.errors import invalid
from metering.periods import Period

# A worker that has not advanced for so long is gone: another one begins again.
SILENCE_MAX = timedelta(minutes=15)
log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
_OPEN = (WhatIf.State.QUEUED, WhatIf.State.RUNNING)
COLUMNS = (
    *("customer", "subscription", "invoices", "period_start", "period_end", "plan", "currency"),
    *("old", "new", "difference", "is_reproduced", "read_anew", "note"),
)


class WhatIfEnded(Exception):
    """A comparison that is over cannot be cancelled."""


def ask(*, question: Question, at: datetime, by: str = "") -> WhatIf:
    """The comparison, queued for a worker. Raises DocumentError for what could not be compared anyway."""
    if question.is_move and len(question.documents) != 1:
        raise invalid("a move needs exactly one plan", "plans")
    if not question.documents:
        raise invalid("needs at least one plan", "plans")
    for place, document in enumerate(question.documents):
        plans.parse(document, f"plans[{place}]")
    if question.customer and not Customer.objects.filter(key=question.customer).exists():
        raise invalid(f"there is no customer {question.customer}", "customer")
    return WhatIf.objects.create(
        documents=list(question.documents),
        start_at=question.period.start,
        end_at=question.period.end,
        customer=question.customer or "",
        is_move=question.is_move,
        requested_at=at,
        requested_by=by,
    )


def cancel(*, job: WhatIf, at: datetime) -> None:
    """Stops the comparison: one that runs sees it after its present row. Raises WhatIfEnded."""
    stopped = WhatIf.objects.filter(pk=job.pk, state__in=_OPEN).update(
        state=WhatIf.State.CANCELLED, ended_at=at
    )
    if not stopped:
        raise WhatIfEnded(f"{job} is over already.")


def claim(*, at: datetime) -> WhatIf | None:
    """The next comparison to run, marked as running; one whose worker fell silent goes on where it stood."""
    silent = Q(state=WhatIf.State.RUNNING, advanced_at__lt=at - SILENCE_MAX)
    with transaction.atomic():
        free = WhatIf.objects.filter(Q(state=WhatIf.State.QUEUED) | silent).order_by("pk")
        job = free.select_for_update(skip_locked=True).first()
        if job is None:
            return None
        job.state, job.advanced_at = WhatIf.State.RUNNING, at
        job.save(update_fields=["state", "advanced_at"])
    return job


def run(*, job: WhatIf, clock: Clock, seconds_max: float | None = None) -> WhatIf:
    """The comparison that was claimed, run to its end, until it is cancelled, or until its time is over.

    Its rows are kept as they come, so that a person can watch; out of time it is queued again. A plan that
    cannot be compared fails the job, with the reason on it.
    """
    question = Question(
        documents=job.documents,
        period=Period(job.start_at, job.end_at),
        customer=job.customer or None,
        is_move=job.is_move,
    )
    started_at = clock()
    try:
        for step in what_if.compare(question, skipped=job.done):
            now = clock()
            if not _advance(job, step, now):
                break
            if seconds_max is not None and (now - started_at).total_seconds() >= seconds_max:
                _leave(job, WhatIf.State.QUEUED)
                break
        else:
            _leave(job, WhatIf.State.DONE, ended_at=clock())
    except DocumentError as error:
        _leave(job, WhatIf.State.FAILED, ended_at=clock(), failure=str(error))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # A fault of ours: said on the job, for the next worker would only meet it again.
        log.exception("what_if_failed", job=job.pk)
        _leave(job, WhatIf.State.FAILED, ended_at=clock(), failure=f"{type(error).__name__}: {error}")
    job.refresh_from_db()
    return job


def run_next(*, clock: Clock, seconds_max: float | None = None) -> WhatIf | None:
    """The next comparison, run as far as its time goes; None where none waits."""
    job = claim(at=clock())
    return None if job is None else run(job=job, clock=clock, seconds_max=seconds_max)


@transaction.atomic
def _advance(job: WhatIf, step: what_if.Step, at: datetime) -> bool:
    """Keeps a row and how far the job is; False, and nothing kept, where somebody cancelled it."""
    running = WhatIf.objects.filter(pk=job.pk, state=WhatIf.State.RUNNING)
    if not running.update(done=step.done, total=step.total, advanced_at=at):
        return False
    if step.difference is not None:
        _row(job, step.done, step.difference).save()
    return True


def _leave(job: WhatIf, state: str, **columns: Any) -> None:
    """Ends the work on a job, unless it was cancelled meanwhile."""
    WhatIf.objects.filter(pk=job.pk, state=WhatIf.State.RUNNING).update(state=state, **columns)


def _row(job: WhatIf, position: int, found: Difference) -> WhatIfDifference:
    return WhatIfDifference(
        what_if=job,
        position=position,
        customer=found.customer,
        subscription=found.subscription,
        invoices=list(found.invoices),
        start_at=found.period.start,
        end_at=found.period.end,
        plan=found.plan,
        currency=found.currency,
        old=found.old,
        new=found.new,
        difference=found.difference,
        is_reproduced=found.is_reproduced,
        note=found.note,
        read_anew=list(found.read_anew),
        components=[[code, f"{old:f}", f"{new:f}"] for code, old, new in found.components],
    )


def by_customer(*, job: WhatIf) -> Sequence[dict[str, Any]]:
    """Old, new and difference of each customer and currency, and how many periods have no new amount.

    Sums are of the periods that have one.
    """
    rows: QuerySet[WhatIfDifference] = job.differences.all()
    priced = Q(new__isnull=False)
    return list(
        rows.values("customer", "currency")
        .annotate(
            old_total=Sum("old", filter=priced, default=Decimal(0)),
            new_total=Sum("new", filter=priced, default=Decimal(0)),
            difference_total=Sum("difference", filter=priced, default=Decimal(0)),
            periods=Count("pk"),
            unpriced=Count("pk", filter=~priced),
            not_reproduced=Count("pk", filter=Q(is_reproduced=False)),
        )
        .order_by("customer", "currency")
    )


def table(*, job: WhatIf) -> Iterator[Sequence[str]]:
    """The rows as a table of texts: a heading, then one service period each."""
    yield COLUMNS
    for row in job.differences.order_by("position").iterator(1000):
        yield (
            row.customer,
            row.subscription,
            " ".join(row.invoices),
            periods.format_instant(row.start_at),
            periods.format_instant(row.end_at),
            row.plan,
            row.currency,
            f"{row.old:f}",
            "" if row.new is None else f"{row.new:f}",
            "" if row.difference is None else f"{row.difference:f}",
            "true" if row.is_reproduced else "false",
            " ".join(row.read_anew),
            row.note,
        )
