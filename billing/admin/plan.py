"""Plans with their versions. A version is published by its document, on a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.decorators import action, display

from billing import formats
from billing.models import Plan, PlanVersion
from metering.admin.reading import ReadOnlyAdmin, ReadOnlyInline


class PlanVersionInline(ReadOnlyInline):
    """The plan's versions, newest first, each linked to its page."""

    model = PlanVersion
    fields = ("link", "effective", "migration", "published_at", "published_by", "market")
    readonly_fields = fields
    ordering = ("-number",)
    hide_title = True

    @display(description="version")
    def link(self, version: PlanVersion) -> str:
        address = reverse("console:plan_version", args=[version.plan.code, version.number])
        return format_html('<a class="c-row-link" href="{}">Version {}</a>', address, version.number)

    @display(description="takes effect")
    def effective(self, version: PlanVersion) -> str:
        return (
            f"{version.effective_at:%Y-%m-%d %H:%M} UTC" if version.effective_at else "the beginning of time"
        )

    @display(description="market prices")
    def market(self, version: PlanVersion) -> str:
        sources = {formats.market_source(each) for each in (version.price_sources or {}).values()}
        return "; ".join(sorted(sources)) or "-"


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """What is sold. Everything about a plan comes from its documents."""

    list_display = ("name", "code", "currency", "interval", "newest", "published")
    search_fields = ("name", "code")
    ordering = ("name", "pk")
    fieldsets = ((None, {"fields": (("code", "name"), ("currency", "interval"), "created_at")}),)
    inlines = (PlanVersionInline,)
    actions_detail = ("publish",)
    empty_title = "No plans yet"
    empty_hint = "A plan prices the quantities of meters. Upload or paste its document to publish it."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("versions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.add_planversion")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        return redirect("console:plan_upload")

    @action(description="Publish a new version", url_path="publish", permissions=["publish"])
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        plan = get_object_or_404(Plan, pk=object_id)
        return redirect(f"{reverse('console:plan_upload')}?{urlencode({'plan': plan.code})}")

    # By method, not by name: unfold looks names up in the database when the process starts.
    def has_publish_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("billing.add_planversion")

    @display(description="newest version")
    def newest(self, plan: Plan) -> int | None:
        return max((version.number for version in plan.versions.all()), default=None)

    @display(description="published")
    def published(self, plan: Plan) -> Any:
        return max((version.published_at for version in plan.versions.all()), default=None)
