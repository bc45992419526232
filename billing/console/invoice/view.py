"""The page of one invoice, and its PDF."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, date
from typing import Any

from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from billing import evidence
from billing.console import actions
from billing.console.invoice import documents, outline, usage_links
from billing.console.invoice.actions import ACTIONS
from billing.exports import parties
from billing.exports import pdf as invoice_pdf
from billing.invoicing import comparison, paying
from billing.models import Invoice, InvoiceLine, ServicePeriod
from metering.console import pages

LINES_MAX = 2000
AGAINST_NOW = "now"


@dataclasses.dataclass(frozen=True)
class Section:
    """A service period with its lines under their groups."""

    service_period: ServicePeriod
    rows: list[outline.Row]
    is_tampered: bool
    has_parts: bool
    is_cut: bool


@pages.needs("billing.view_invoice")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The invoice: who, when, each line with its steps, and how the total comes about."""
    invoice = _invoice(pk)
    sections = [_section(period) for period in _service_periods(invoice)]
    return pages.render(
        request,
        "invoice.html",
        title=f"Invoice {invoice.number}" if invoice.number else f"Draft for {invoice.customer.name}",
        invoice=invoice,
        sections=sections,
        issued=_issued(invoice, sections),
        buyer=parties.buyer(invoice),
        seller=parties.seller(invoice),
        lines_max=LINES_MAX,
        actions=actions.possible(ACTIONS, invoice, user=request.user, at=timezone.now()),
        **_aftermath(invoice),
        **_against_now(request, invoice),
    )


@pages.needs("billing.view_invoice")
def pdf(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The invoice as a PDF to download, with ``?steps=1`` every step. That of a draft says that it is one."""
    invoice = _invoice(pk)
    rendered = io.BytesIO(invoice_pdf.render(invoice, has_steps=request.GET.get("steps") == "1"))
    return FileResponse(
        rendered,
        as_attachment=True,
        filename=invoice_pdf.file_name(str(invoice)),
        content_type=invoice_pdf.CONTENT_TYPE,
    )


def _invoice(pk: int) -> Invoice:
    invoice = Invoice.objects.select_related("customer").filter(pk=pk).first()
    if invoice is None:
        raise Http404(
            "There is no such invoice. A draft is made anew at each run and may have another address now."
        )
    return invoice


def _aftermath(invoice: Invoice) -> dict[str, Any]:
    """What became of the invoice since it was finalized, for the template."""
    if invoice.state == Invoice.State.VOID:
        return {"replacement": invoice.replacements.exclude(state=Invoice.State.VOID).first()}
    if invoice.state == Invoice.State.DRAFT:
        return {}
    return {
        "standing": paying.standing(invoice=invoice),
        "payments": invoice.payments.order_by("received_at", "pk"),
        "credit_notes": invoice.credit_notes.order_by("pk"),
    }


def _against_now(request: HttpRequest, invoice: Invoice) -> dict[str, Any]:
    """What a draft made now would say otherwise: than the void invoice in whose place a draft stands, or,
    where somebody asks, than an issued invoice."""
    if invoice.state == Invoice.State.DRAFT:
        compared = invoice.replaces
    else:
        compared = invoice if AGAINST_NOW in request.GET else None
    if compared is None:
        return {}
    return {"compared": compared, "comparison": comparison.of(invoice=compared, at=timezone.now())}


def _service_periods(invoice: Invoice) -> list[ServicePeriod]:
    lines = InvoiceLine.objects.order_by("position")[: LINES_MAX + 1]
    return list(
        invoice.service_periods.select_related("subscription__customer")
        .prefetch_related(Prefetch("lines", queryset=lines, to_attr="first_lines"))
        .order_by("start_at", "pk")
    )


def _section(period: ServicePeriod) -> Section:
    shown = period.first_lines[:LINES_MAX]
    try:
        rated_from, is_tampered = documents.rating_input(period), False
    except evidence.EvidenceTampered:
        rated_from, is_tampered = documents.NOTHING, True
    rows = outline.rows(shown, plans=[segment["document"] for segment in rated_from["segments"]])
    links = usage_links.of(period, rating_input=rated_from)
    for row in rows:
        if row.line is not None and row.line.component in links:
            row.line.usage_query = links[row.line.component] + usage_links.split_by(row.line)
    return Section(
        service_period=period,
        rows=rows,
        is_tampered=is_tampered,
        has_parts=any(line.compute is not None for line in shown),
        is_cut=len(period.first_lines) > LINES_MAX,
    )


def _issued(invoice: Invoice, sections: list[Section]) -> date | None:
    """The invoice's date, by the clock of its (first) subscription, as it is printed."""
    if invoice.finalized_at is None:
        return None
    zone = parties.zone(sections[0].service_period) if sections else UTC
    return invoice.finalized_at.astimezone(zone).date()
