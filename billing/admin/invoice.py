"""The list of invoices. One invoice has a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from unfold.decorators import display
from unfold.views import ChangeList

from billing import formats
from billing.models import Invoice, ServicePeriod
from metering.admin.reading import ReadOnlyAdmin


class InvoiceList(ChangeList):
    """Its rows lead to the invoices' own pages."""

    def url_for_result(self, result: Invoice) -> str:
        return reverse("console:invoice", args=[result.pk])


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    """The newest first; a row leads to the invoice's page."""

    list_display = (
        "number_shown",
        "customer_name",
        "state_shown",
        "periods",
        "total_shown",
        "finalized_on",
        "due_date",
    )
    list_select_related = ("customer",)
    list_filter = ("state", "currency")
    search_fields = ("number", "customer__name", "customer__key")
    ordering = ("-pk",)
    empty_title = "No invoices yet"
    empty_hint = (
        "An invoice is made when a subscription's billing period has ended: by the worker within minutes, "
        "or at once by “python manage.py invoice_run --as-of INSTANT”."
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        periods = (
            ServicePeriod.objects.defer("rating_input").select_related("subscription").order_by("start_at")
        )
        return super().get_queryset(request).prefetch_related(Prefetch("service_periods", periods))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return InvoiceList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        return redirect("console:invoice", pk=int(object_id)) if object_id.isdigit() else redirect("..")

    @display(description="number", ordering="number")
    def number_shown(self, invoice: Invoice) -> str:
        return format_html('<span class="c-row-link c-nowrap">{}</span>', invoice.number or "Draft")

    @display(description="customer", ordering="customer__name")
    def customer_name(self, invoice: Invoice) -> str:
        return format_html('<span class="c-name">{}</span>', invoice.customer.name)

    @display(
        description="state",
        ordering="state",
        label={
            "Draft": "info",
            "Blocked draft": "warning",
            "Finalized": "success",
            "Paid": "success",
            "Void": "danger",
        },
    )
    def state_shown(self, invoice: Invoice) -> str:
        return "Blocked draft" if invoice.blocked_reason else invoice.get_state_display()

    @display(description="service period")
    def periods(self, invoice: Invoice) -> str:
        shown = [
            formats.period(period.start_at, period.end_at, period.subscription.timezone)
            for period in invoice.service_periods.all()
        ]
        texts = ((text,) for text in dict.fromkeys(shown))
        return format_html_join(mark_safe("<br>"), '<span class="c-nowrap">{}</span>', texts)

    @display(description="total", ordering="total")
    def total_shown(self, invoice: Invoice) -> str:
        return format_html('<span class="c-nowrap">{}</span>', formats.money(invoice.total, invoice.currency))

    @display(description="finalized", ordering="finalized_at")
    def finalized_on(self, invoice: Invoice) -> str:
        day = f"{invoice.finalized_at:%Y-%m-%d}" if invoice.finalized_at else ""
        return format_html('<span class="c-nowrap">{}</span>', day)
