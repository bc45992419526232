"""Draft plans against the invoices of past months: asked, watched, cancelled, read, and fetched as a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from billing import waking
from billing.advising import asking
from billing.console import keysets, months, places
from billing.console.fields import CUSTOMERS_MAX
from billing.console.what_if.form import WhatIfForm
from billing.documents import texts
from billing.exports.csv import guard
from billing.models import Customer, Plan, PlanVersion, WhatIf
from metering import numbers
from metering.api import csv_rendering
from metering.console import pages
from metering.documents import DocumentError
from metering.periods import Period

SEE, ASK = "billing.view_invoice", "billing.add_planversion"
ROWS_MAX = 500
CUSTOMERS_SHOWN = 500
MOMENT = timedelta(microseconds=1)
DRAFT = "draft"  # what the review of a plan posts its document with
_OPEN = (WhatIf.State.QUEUED, WhatIf.State.RUNNING)


@pages.needs(SEE)
def listing(request: HttpRequest) -> HttpResponse:
    """The comparisons, the latest first, and where to ask for one."""
    rows = keysets.by_id(WhatIf.objects.all(), query=request.GET)
    return pages.render(
        request,
        "what_ifs.html",
        title="What if",
        rows=rows,
        jobs=[(job, _codes(job), _period(job)) for job in rows.rows],
        has_running=any(job.state in _OPEN for job in rows.rows),
    )


@pages.needs(ASK)
@pages.needs(SEE)
def new(request: HttpRequest) -> HttpResponse:
    """The form, with ``?plan=CODE`` or a document posted by the review of a plan in it; a POST asks."""
    if request.method != "POST" or request.POST.get("asked") == DRAFT:
        return _form(request, WhatIfForm(initial=_initial(request)))
    form = WhatIfForm(request.POST)
    if not form.is_valid():
        return _form(request, form)
    try:
        job = asking.ask(question=form.question(), at=timezone.now(), by=request.user.get_username())
    except DocumentError as error:
        _tell(form, error)
        return _form(request, form)
    waking.answer_what_ifs()
    return redirect("console:what_if", pk=job.pk)


@pages.needs(SEE)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a comparison is, the differences by customer, and each service period."""
    job = _job(pk)
    sums = asking.by_customer(job=job)
    rows = list(job.differences.order_by("position")[: ROWS_MAX + 1])
    return pages.render(
        request,
        "what_if.html",
        title=f"What if {', '.join(_codes(job))}",
        job=job,
        period=_period(job),
        months=[f"{at:%Y-%m}" for at in (job.start_at, job.end_at - MOMENT)],
        is_open=job.state in _OPEN,
        codes=_codes(job),
        document=texts.of(job.documents if len(job.documents) > 1 else job.documents[0]),
        totals=_totals(sums),
        customers=sums[:CUSTOMERS_SHOWN],
        customers_hidden=len(sums[CUSTOMERS_SHOWN:]),
        rows=[(row, Period(row.start_at, row.end_at)) for row in rows[:ROWS_MAX]],
        is_cut=len(rows) > ROWS_MAX,
        percent=100 * job.done // job.total if job.total else 0,
    )


@require_POST
@pages.needs(ASK)
@pages.needs(SEE)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stops a comparison; what was compared stands."""
    try:
        asking.cancel(job=_job(pk), at=timezone.now())
        messages.success(request, "The comparison is cancelled. What was compared stands.")
    except asking.WhatIfEnded:
        messages.info(request, "The comparison was over already.")
    return redirect("console:what_if", pk=pk)


@pages.needs(SEE)
def download(_request: HttpRequest, pk: int) -> HttpResponse:
    """All service periods of a comparison as CSV, safe to open in a spreadsheet."""
    heading, *rows = asking.table(job=_job(pk))
    guarded = [[text if _is_number(text) else guard(text) for text in row] for row in rows]
    return HttpResponse(
        csv_rendering.written([heading, *guarded]),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="what-if-{pk}.csv"'},
    )


def _form(request: HttpRequest, form: WhatIfForm) -> HttpResponse:
    return pages.render(
        request,
        "what_if_form.html",
        title="What would it have cost?",
        form=form,
        plans=Plan.objects.order_by("name", "pk").values_list("code", "name"),
        customers=Customer.objects.order_by("key").values_list("key", "name")[:CUSTOMERS_MAX],
        status=400 if form.errors else 200,
    )


def _initial(request: HttpRequest) -> dict[str, str]:
    """The last month with usage, and the document that was posted, or the newest of the plan named."""
    last = months.chosen(request.GET, at=timezone.now()).text
    code = request.GET.get("plan", "").replace("\x00", "")  # which PostgreSQL takes for no text
    version = PlanVersion.objects.filter(plan__code=code).order_by("-number").first()
    text = request.POST.get("text", "") or (texts.of(version.document) if version else "")
    kept = {name: request.POST.get(name, "") for name in ("first_month", "last_month", "customer", "is_move")}
    return {"first_month": last, "last_month": last, "text": text} | {
        name: value for name, value in kept.items() if value
    }


def _tell(form: WhatIfForm, error: DocumentError) -> None:
    """Says what is wrong beside its field, a mistake in the document with its place and its line."""
    if error.field == "customer":
        form.add_error("customer", f"There is no customer with the key “{form.cleaned_data['customer']}”.")
        return
    path = error.field.replace("plans[0]", "plan", 1)
    line = places.line(form.cleaned_data["text"], path) if path else None
    where = f"{path}{f' (line {line})' if line else ''}: " if path else ""
    form.add_error("text", f"{where}{error.message}.")


def _job(pk: int) -> WhatIf:
    job = WhatIf.objects.filter(pk=pk).first()
    if job is None:
        raise Http404("There is no such comparison.")
    return job


def _period(job: WhatIf) -> Period:
    return Period(job.start_at, job.end_at)


def _codes(job: WhatIf) -> list[str]:
    return [str(document.get("code", "")) for document in job.documents]


@numbers.exact()
def _totals(sums: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Old, new and difference of all customers together, by currency."""
    found: dict[str, dict[str, Any]] = {}
    for each in sums:
        total = found.setdefault(
            each["currency"], {"old": Decimal(0), "new": Decimal(0), "difference": Decimal(0), "unpriced": 0}
        )
        for key in ("old", "new", "difference"):
            total[key] += each[f"{key}_total"]
        total["unpriced"] += each["unpriced"]
    return [{"currency": currency, **total} for currency, total in sorted(found.items())]


def _is_number(text: str) -> bool:
    """Whether a cell is an amount, whose minus must stay one."""
    return text.replace("-", "", 1).replace(".", "", 1).isdigit()
