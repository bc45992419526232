"""The list of subscriptions. One subscription has a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.views import ChangeList

from billing import formats
from billing.models import Subscription
from metering.admin.reading import ReadOnlyAdmin


class SubscriptionList(ChangeList):
    """Its rows lead to the subscriptions' own pages."""

    def url_for_result(self, result: Subscription) -> str:
        return reverse("console:subscription", args=[result.key])


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """The newest first, with the plan of each one's last phase."""

    list_display = ("key", "customer_name", "plan_name", "runs", "next_billing_at")
    list_select_related = ("customer",)
    search_fields = ("key", "customer__name", "customer__key")
    ordering = ("-pk",)
    empty_title = "No subscriptions yet"
    empty_hint = (
        "A subscription puts a customer on a plan. It needs a customer and a plan of the same currency."
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SubscriptionList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        subscription = get_object_or_404(Subscription, pk=object_id if object_id.isdigit() else 0)
        return redirect("console:subscription", key=subscription.key)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("phases__plan")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.add_subscription")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        return redirect("console:subscribe")

    @display(description="customer", ordering="customer__name")
    def customer_name(self, subscription: Subscription) -> str:
        return format_html('<span class="c-name">{}</span>', subscription.customer.name)

    @display(description="plan")
    def plan_name(self, subscription: Subscription) -> str:
        phases = sorted(subscription.phases.all(), key=lambda phase: phase.validity.lower)
        return format_html('<span class="c-name">{}</span>', phases[-1].plan.name if phases else "")

    @display(description="runs (UTC)", ordering="start_at")
    def runs(self, subscription: Subscription) -> str:
        return formats.validity(subscription.start_at, subscription.end_at)
