"""The page of one invoice, and its PDF."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, date

from django.db.models import Prefetch
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from billing import evidence
from billing.console.invoice import documents, outline
from billing.exports import invoices
from billing.exports import pdf as invoice_pdf
from billing.models import Invoice, InvoiceLine, ServicePeriod
from metering.console import pages

LINES_MAX = 2000


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
        buyer=invoices.buyer(invoice),
        seller=invoices.seller(invoice),
        lines_max=LINES_MAX,
    )


@pages.needs("billing.view_invoice")
def pdf(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The invoice as a PDF to download. That of a draft says that it is one."""
    invoice = _invoice(pk)
    rendered = io.BytesIO(invoice_pdf.render(invoice))
    return FileResponse(
        rendered,
        as_attachment=True,
        filename=invoice_pdf.file_name(invoice),
        content_type=invoice_pdf.CONTENT_TYPE,
    )


def _invoice(pk: int) -> Invoice:
    invoice = Invoice.objects.select_related("customer").filter(pk=pk).first()
    if invoice is None:
        raise Http404(
            "There is no such invoice. A draft is made anew at each run and may have another address now."
        )
    return invoice


def _service_periods(invoice: Invoice) -> list[ServicePeriod]:
    lines = InvoiceLine.objects.order_by("position")[: LINES_MAX + 1]
    return list(
        invoice.service_periods.select_related("subscription")
        .prefetch_related(Prefetch("lines", queryset=lines, to_attr="first_lines"))
        .order_by("start_at", "pk")
    )


def _section(period: ServicePeriod) -> Section:
    shown = period.first_lines[:LINES_MAX]
    try:
        plans, is_tampered = documents.plans(period), False
    except evidence.EvidenceTampered:
        plans, is_tampered = [], True
    return Section(
        service_period=period,
        rows=outline.rows(shown, plans=plans),
        is_tampered=is_tampered,
        has_parts=any(line.compute is not None for line in shown),
        is_cut=len(period.first_lines) > LINES_MAX,
    )


def _issued(invoice: Invoice, sections: list[Section]) -> date | None:
    """The invoice's date, by the clock of its (first) subscription, as it is printed."""
    if invoice.finalized_at is None:
        return None
    zone = invoices.zone(sections[0].service_period) if sections else UTC
    return invoice.finalized_at.astimezone(zone).date()
