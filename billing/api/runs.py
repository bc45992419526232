"""``/api/v1/invoice-runs``: billing of everything that is due, by workers."""

from __future__ import annotations

import functools

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing import waking
from billing.api import shapes
from billing.api.views import View, actor, found, location
from billing.invoicing import finalizing, running, terms
from billing.models import InvoiceRun
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.effects import once


class InvoiceRuns(View):
    """The invoice runs."""

    @extend_schema(
        operation_id="list_invoice_runs", parameters=[pages.PagesByNumber], responses=shapes.InvoiceRuns
    )
    def get(self, request: Request) -> Response:
        """A page of runs with their counts, the latest first."""
        asked = parameters.read(pages.PagesByNumber, request)
        page = pages.page(InvoiceRun.objects.all(), by="id", asked=asked, is_descending=True)
        return Response(shapes.InvoiceRuns(invoice_runs=[_shown(each) for each in page.rows], next=page.next))

    @extend_schema(operation_id="start_invoice_run", request=None, responses=shapes.StartedRun)
    @once
    def post(self, request: Request) -> Response:
        """The run over everything that is due now, which workers do; one that is under way goes on instead.

        Nothing is billed twice, however often this is asked. ``invoice_run`` is null where nothing is due.
        """
        bodies.read(bodies.NothingToSay, request.data)
        if terms.seller() is None:
            raise finalizing.SellerMissing(
                "Nothing can be invoiced yet: enter the seller in the console first."
            )
        at = timezone.now()
        run = running.resume(as_of=at, at=at, by=actor(request))
        if run is None:
            return Response(shapes.StartedRun(invoice_run=None))
        _wake(run)
        headers = location(request, str(run.pk))
        return Response(shapes.StartedRun(invoice_run=_shown(run)), headers=headers)


class OneInvoiceRun(View):
    """An invoice run."""

    @extend_schema(operation_id="get_invoice_run", responses=shapes.InvoiceRun)
    def get(self, request: Request, id: int) -> Response:
        """How far the run is."""
        parameters.read(parameters.NoParameters, request)
        return Response(_shown(_of(id)))


class Failures(View):
    """What a run could not do."""

    @extend_schema(
        operation_id="list_invoice_run_failures",
        parameters=[pages.PagesByNumber],
        responses=shapes.RunFailures,
    )
    def get(self, request: Request, id: int) -> Response:
        """A page of customers whose billing failed and of drafts that are blocked, with the reasons."""
        asked = parameters.read(pages.PagesByNumber, request)
        page = pages.page(_of(id).failures.select_related("customer"), by="id", asked=asked)
        failures = [
            shapes.RunFailure(
                customer=each.customer.key,
                invoice=each.invoice_id,
                what=each.what,
                reason=each.reason,
                failed_at=periods.format_instant(each.failed_at),
            )
            for each in page.rows
        ]
        return Response(shapes.RunFailures(failures=failures, next=page.next))


class Retry(View):
    """A run that tries once more."""

    @extend_schema(operation_id="retry_invoice_run", request=None, responses=shapes.InvoiceRun)
    @once
    def post(self, request: Request, id: int) -> Response:
        """The run, under way again to try what it could not do."""
        bodies.read(bodies.NothingToSay, request.data)
        run = running.retry(run=_of(id))
        _wake(run)
        return Response(_shown(run))


def _wake(run: InvoiceRun) -> None:
    """Calls a worker once the run can be seen: with an Idempotency-Key it is not committed yet."""
    transaction.on_commit(functools.partial(waking.bill, run_id=run.pk))


def _of(id: int) -> InvoiceRun:
    run: InvoiceRun = found(InvoiceRun.objects.all(), "invoice run", pk=id)
    return run


def _shown(run: InvoiceRun) -> shapes.InvoiceRun:
    return shapes.InvoiceRun(
        id=run.pk,
        state=run.state,
        as_of=periods.format_instant(run.as_of),
        started_at=periods.format_instant(run.started_at),
        started_by=run.started_by,
        ended_at=periods.format_instant(run.ended_at) if run.ended_at else None,
        stopped_reason=run.stopped_reason,
        due=run.due,
        finalized=run.finalized,
        drafted=run.drafted,
        blocked=run.blocked,
        failed=run.failed,
    )
