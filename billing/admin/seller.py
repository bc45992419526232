"""The seller's own particulars, as they are printed on invoices. There is one seller."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from billing import registering
from billing.models import Seller


@admin.register(Seller)
class SellerAdmin(ModelAdmin):
    """The list leads straight to the one row, or to making it."""

    fieldsets = (
        (None, {"fields": (("name", "legal_name"), ("tax_id", "email"), "address")}),
        (
            "Invoices",
            {
                "fields": (
                    ("invoice_prefix", "due_days"),
                    ("credit_note_prefix", "grace_hours"),
                    "payment_reference",
                    ("invoice_number_last", "credit_note_number_last"),
                )
            },
        ),
    )
    readonly_fields = ("invoice_number_last", "credit_note_number_last")

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        if Seller.objects.filter(pk=registering.SELLER_ID).exists():
            return redirect("admin:billing_seller_change", registering.SELLER_ID)
        return redirect("admin:billing_seller_add")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        # Here and not among the permissions: those are asked for the menu of every page.
        if Seller.objects.filter(pk=registering.SELLER_ID).exists():
            return redirect("admin:billing_seller_change", registering.SELLER_ID)
        return super().add_view(request, form_url, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Seller, form: ModelForm, change: bool) -> None:
        obj.pk = registering.SELLER_ID
        if change:
            # Only what was typed: the invoice run counts the numbers up beside this form.
            obj.save(update_fields=[name for name in form.changed_data if name in form.cleaned_data])
        else:
            obj.save(force_insert=True)
