"""Customers with the subjects they pay for and their subscriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from billing import formats, subscribing
from billing.documents import currencies
from billing.models import Customer, CustomerSubject, Subscription
from metering.admin.reading import ReadOnlyInline


class SubjectInline(ReadOnlyInline):
    """Which subjects' usage the customer pays for, and when."""

    model = CustomerSubject
    verbose_name_plural = "subjects that the customer pays for"
    fields = ("subject", "when", "subscription")
    readonly_fields = fields
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("subscription")

    @display(description="when (UTC)")
    def when(self, row: CustomerSubject) -> str:
        return formats.validity(row.validity.lower, row.validity.upper)


class SubscriptionInline(ReadOnlyInline):
    """The customer's subscriptions, each linked to its page."""

    model = Subscription
    fields = ("link", "start_at", "end_at", "next_billing_at")
    readonly_fields = fields
    ordering = ("-start_at",)
    hide_title = True

    @display(description="subscription")
    def link(self, row: Subscription) -> str:
        return format_html(
            '<a class="c-row-link" href="{}">{}</a>',
            reverse("console:subscription", args=[row.key]),
            row.key,
        )


class CustomerForm(ModelForm):
    """The currency may be typed in small letters."""

    def clean_currency(self) -> str:
        code = self.cleaned_data["currency"].upper()
        try:
            currencies.digits(code)
        except currencies.CurrencyUnknown as error:
            raise ValidationError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
        return code


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    """Who is invoiced. The key and the currency stay as they are once chosen: invoices are made out in it."""

    list_display = ("page", "key", "currency", "timezone", "tax_id", "created_at")
    search_fields = ("name", "key", "legal_name")
    ordering = ("name", "pk")
    list_display_links = None
    list_per_page = 50
    actions = None
    form = CustomerForm
    inlines = (SubjectInline, SubscriptionInline)
    fieldsets = (
        (None, {"fields": (("key", "name"), ("currency", "timezone"))}),
        ("Invoices", {"fields": (("grace_hours", "due_days"),)}),
        ("As printed on invoices", {"fields": ("legal_name", ("tax_id", "email"), "address", "locale")}),
    )
    actions_detail = ("assign_subject", "subscribe", "invoices")
    empty_title = "No customers yet"
    empty_hint = "A customer pays for the usage of one or more subjects, the names that events carry."

    @display(description="customer", ordering="name")
    def page(self, customer: Customer) -> str:
        address = reverse("console:customer", args=[customer.key])
        return format_html('<a class="c-row-link" href="{}">{}</a>', address, customer.name)

    def get_readonly_fields(self, request: HttpRequest, obj: Customer | None = None) -> tuple[str, ...]:
        return ("key", "currency") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Customer | None) -> tuple[type, ...]:
        return self.inlines if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Customer, form: ModelForm, change: bool) -> None:
        now = timezone.now()
        if not change:
            obj.created_at = now
        elif "timezone" in form.changed_data:
            self._change_timezone(request, obj, form.initial["timezone"], now)
        super().save_model(request, obj, form, change)

    def _change_timezone(self, request: HttpRequest, customer: Customer, before: str, at: datetime) -> None:
        """Billing periods follow from the next one of each subscription on, or nothing changes."""
        try:
            subscribing.change_timezone(customer=customer, timezone=customer.timezone, at=at)
        except subscribing.SubscriptionRefused as error:
            customer.timezone = before
            messages.error(request, f"The time zone stays {before}. {error}")

    @action(description="Assign a subject", url_path="assign-subject", permissions=["assign_subject"])
    def assign_subject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('console:assign_subject')}?customer={int(object_id)}")

    @action(description="Add a subscription", url_path="subscribe", permissions=["subscribe"])
    def subscribe(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('console:subscribe')}?customer={int(object_id)}")

    @action(description="Invoices", url_path="invoices", permissions=["invoices"])
    def invoices(self, request: HttpRequest, object_id: str) -> HttpResponse:
        customer = get_object_or_404(Customer, pk=object_id)
        return redirect(f"{reverse('console:invoices')}?{urlencode({'every': 'on', 'text': customer.key})}")

    # By method, not by name: unfold looks names up in the database when the process starts.
    def has_assign_subject_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("billing.add_customersubject")

    def has_subscribe_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("billing.add_subscription")

    def has_invoices_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("billing.view_invoice")
