"""``/api/v1/invoices``: what was charged, with its lines and the steps to each amount."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from msgspec import UNSET
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import amounts, shapes
from billing.api.views import View, find
from billing.exports import invoices as months
from billing.exports import month as exported_month
from billing.models import Invoice, InvoiceLine, ServicePeriod
from metering import periods
from metering.api import pages, parameters
from metering.api.parameters import text


@extend_schema_field({"type": "string", "pattern": "^2[0-9]{3}-(0[1-9]|1[0-2])$"})
class MonthField(serializers.Field):
    """A month as 2026-10."""

    def to_internal_value(self, data: Any) -> date:
        try:
            return exported_month.parse(str(data))
        except exported_month.MonthInvalid as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: date) -> str:
        return f"{value:%Y-%m}"


class InvoiceFilters(pages.PagesByNumber):
    """``month``: in which the service ended, as exports have it; ``customer``: by key."""

    month = MonthField(required=False)
    customer = text()
    state = serializers.ChoiceField(choices=Invoice.State.values, required=False)


class Invoices(View):
    """The invoices."""

    @extend_schema(operation_id="list_invoices", parameters=[InvoiceFilters], responses=shapes.Invoices)
    def get(self, request: Request) -> Response:
        """A page of invoices, drafts too, the latest first."""
        asked = parameters.read(InvoiceFilters, request)
        rows = months.of_month(asked["month"]) if "month" in asked else Invoice.objects.all()
        if "customer" in asked:
            rows = rows.filter(customer__key=asked["customer"])
        if "state" in asked:
            rows = rows.filter(state=asked["state"])
        rows = rows.select_related("customer", "replaces")
        page = pages.page(rows, by="id", asked=asked, is_descending=True)
        return Response(shapes.Invoices(invoices=[_shown(each) for each in page.rows], next=page.next))


class OneInvoice(View):
    """An invoice."""

    @extend_schema(operation_id="get_invoice", responses=shapes.FullInvoice)
    def get(self, request: Request, name: str) -> Response:
        """The invoice of that number, or id, with its lines and the steps to each amount."""
        parameters.read(parameters.NoParameters, request)
        return Response(_shown_in_full(of_name(name, _with_lines())))


def of_name(name: str, rows: QuerySet[Invoice] | None = None) -> Invoice:
    """The invoice of an address: its number, or, as drafts have none, its id. Raises NotFound.

    ``rows``: among which it is looked for, by default all, without their lines.
    """
    rows = Invoice.objects.select_related("customer") if rows is None else rows
    invoice = find(rows, number=name)
    if invoice is None and name.isascii() and name.isdigit() and len(name) < 19:
        invoice = find(rows, pk=int(name))
    if invoice is None:
        raise exceptions.NotFound(f"There is no invoice {name[:100]}.")
    assert isinstance(invoice, Invoice)
    return invoice


def shown_anew(invoice: Invoice) -> shapes.FullInvoice:
    """The invoice as the API answers it, read again with its service periods and lines."""
    return _shown_in_full(_with_lines().get(pk=invoice.pk))


def _shown_in_full(invoice: Invoice) -> shapes.FullInvoice:
    return shapes.FullInvoice(
        **_head(invoice),
        seller=invoice.seller,
        buyer=invoice.buyer,
        service_periods=[_service_period(each) for each in invoice.service_periods.all()],
    )


def _shown(invoice: Invoice) -> shapes.Invoice:
    return shapes.Invoice(**_head(invoice))


def _with_lines() -> QuerySet[Invoice]:
    # What a period was rated from may be large, and is not shown.
    stretches = ServicePeriod.objects.defer("rating_input").select_related("subscription")
    return Invoice.objects.select_related("customer", "replaces").prefetch_related(
        Prefetch("service_periods", stretches.order_by("start_at", "id")),
        Prefetch("service_periods__lines", InvoiceLine.objects.order_by("position")),
    )


def _head(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": invoice.pk,
        "number": invoice.number,
        "customer": invoice.customer.key,
        "state": invoice.state,
        "currency": invoice.currency,
        "subtotal": amounts.text(invoice.subtotal, invoice.currency),
        "discount_total": amounts.text(invoice.discount_total, invoice.currency),
        "tax_total": amounts.text(invoice.tax_total, invoice.currency),
        "taxes": invoice.taxes,
        "total": amounts.text(invoice.total, invoice.currency),
        "drafted_at": _instant(invoice.drafted_at),
        "finalize_at": _instant(invoice.finalize_at),
        "finalized_at": _instant(invoice.finalized_at),
        "voided_at": _instant(invoice.voided_at),
        "due_date": invoice.due_date.isoformat() if invoice.due_date else None,
        "replaces": invoice.replaces.number if invoice.replaces else None,
        "blocked_reason": invoice.blocked_reason,
    }


def _service_period(period: ServicePeriod) -> shapes.ServicePeriod:
    return shapes.ServicePeriod(
        subscription=period.subscription.key,
        start_at=periods.format_instant(period.start_at),
        end_at=periods.format_instant(period.end_at),
        part=period.part,
        sequence=period.sequence,
        subtotal=_text(period.subtotal),
        discounts=period.discounts,
        total=_text(period.total),
        lines=[_line(each) for each in period.lines.all()],
        unbilled=period.unbilled,
    )


def _line(row: InvoiceLine) -> shapes.ChargedLine:
    content = {name: _text(getattr(row, name)) for name in shapes.ChargedLine.__struct_fields__}
    for name in ("quantity_exact", "unrounded_exact"):
        content[name] = content[name] or UNSET
    return shapes.ChargedLine(**content)


def _text(value: Any) -> Any:
    """An amount with all its digits; anything else as it is."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def _instant(at: datetime | None) -> str | None:
    return periods.format_instant(at) if at else None
