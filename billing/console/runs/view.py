"""Invoice runs: what they did, what they could not do, and the buttons that start and repeat them."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing import waking
from billing.invoicing import running
from billing.models import InvoiceRun, InvoiceRunFailure
from metering.console import pages

RUNS_MAX = 30
FAILURES_MAX = 100


@pages.needs("billing.view_invoicerun")
def listing(request: HttpRequest) -> HttpResponse:
    """The latest runs with their counts, and what is left of the newest one that has failures."""
    runs = list(InvoiceRun.objects.all()[:RUNS_MAX])
    failures = InvoiceRunFailure.objects.select_related("customer", "invoice")
    troubled = InvoiceRun.objects.filter(failures__isnull=False).prefetch_related(
        Prefetch("failures", failures)
    )
    return pages.render(
        request,
        "runs.html",
        title="Invoice runs",
        runs=runs,
        troubled=troubled.order_by("-pk").distinct().first(),
        failures_max=FAILURES_MAX,
    )


@require_POST
@pages.needs("billing.add_invoicerun")
def start(request: HttpRequest) -> HttpResponse:
    """Starts a run over everything that is due now, or goes on with the one that is under way."""
    at = timezone.now()
    run = running.resume(as_of=at, at=at, by=request.user.get_username())
    if run is None:
        messages.info(request, "Nothing is due: no period has ended that is not invoiced.")
    else:
        waking.bill(run_id=run.pk)
        messages.success(request, "The run has begun. Reload this page to see how far it is.")
    return redirect("console:runs")


@require_POST
@pages.needs("billing.change_invoicerun")
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Tries once more what a run could not do."""
    run = InvoiceRun.objects.filter(pk=pk).first()
    if run is None:
        raise Http404("There is no such run.")
    try:
        waking.bill(run_id=running.retry(run=run).pk)
        messages.success(request, "What failed is tried once more. Reload this page to see how far it is.")
    except running.RunNotEnded as refusal:
        messages.error(request, str(refusal))
    return redirect("console:runs")
