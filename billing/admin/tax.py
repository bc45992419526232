"""Tax rates. Who pays which is said on the customer's page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.models import TaxRate

PERCENT_DIGITS_MAX = 6


class TaxRateForm(forms.ModelForm):
    """The percentage is typed as a plain number."""

    percent = forms.DecimalField(
        min_value=0,
        max_value=100,
        decimal_places=PERCENT_DIGITS_MAX,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="Of the amount before tax, such as 19 or 8.875.",
    )

    class Meta:
        model = TaxRate
        fields = ("code", "name", "percent")


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    """Drafts follow a changed rate; what is finalized keeps the one that it was finalized with."""

    form = TaxRateForm
    list_display = ("name", "code", "percent", "customers_count")
    search_fields = ("name", "code")
    ordering = ("code",)
    list_per_page = 50
    actions = None
    empty_title = "No tax rates yet"
    empty_hint = "A rate is assigned to customers on their pages. Without one, invoices bear no tax."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(customers_number=Count("customers"))

    def get_readonly_fields(self, request: HttpRequest, obj: TaxRate | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()

    @admin.display(description="customers")
    def customers_count(self, rate: Any) -> int:
        number: int = rate.customers_number
        return number

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and not obj.customers.exists() and super().has_delete_permission(request, obj)
