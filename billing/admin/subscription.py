"""Subscriptions with their phases."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from billing import formats
from billing.models import Subscription, SubscriptionPhase
from metering.admin.reading import ReadOnlyAdmin, ReadOnlyInline


class PhaseInline(ReadOnlyInline):
    """On which plan, when, and with which overrides."""

    model = SubscriptionPhase
    verbose_name_plural = "phases"
    fields = ("plan_link", "when", "overrides_shown")
    readonly_fields = fields
    ordering = ("validity",)
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("plan")

    @display(description="plan")
    def plan_link(self, phase: SubscriptionPhase) -> str:
        address = reverse("admin:billing_plan_change", args=[phase.plan_id])
        return format_html('<a class="c-row-link" href="{}">{}</a>', address, phase.plan.name)

    @display(description="when (UTC)")
    def when(self, phase: SubscriptionPhase) -> str:
        return formats.validity(phase.validity.lower, phase.validity.upper)

    @display(description="overrides")
    def overrides_shown(self, phase: SubscriptionPhase) -> str:
        return json.dumps(phase.overrides, ensure_ascii=False) if phase.overrides else "none"


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """The newest first, with the plan of each one's last phase."""

    list_display = ("key", "customer_name", "plan_name", "runs", "next_billing_at")
    list_select_related = ("customer",)
    search_fields = ("key", "customer__name", "customer__key")
    ordering = ("-pk",)
    inlines = (PhaseInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("key", "customer"),
                    ("start_at", "end_at"),
                    ("anchor_date", "timezone"),
                    ("next_billing_at", "created_at"),
                )
            },
        ),
    )
    empty_title = "No subscriptions yet"
    empty_hint = (
        "A subscription puts a customer on a plan. It needs a customer and a plan of the same currency."
    )

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
