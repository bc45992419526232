"""Meters with their versions. A meter is defined by its document, on a page of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import StackedInline
from unfold.decorators import display

from metering import usage
from metering.admin.reading import ReadOnlyAdmin, ReadOnlyInline, part
from metering.models import Meter, MeterVersion
from metering.usage import previews


class MeterVersionInline(ReadOnlyInline, StackedInline):
    """The definitions of a meter, newest first."""

    model = MeterVersion
    fields = ("definition", "effective_at", "earlier_events", "created_at")
    readonly_fields = fields
    ordering = ("-number",)
    template = StackedInline.template

    @display(description="earlier events")
    def earlier_events(self, version: MeterVersion) -> str:
        return "counted" if version.is_built else "still being counted"

    @display(description="definition")
    def definition(self, version: MeterVersion) -> str:
        return part("meter.html", document=version.document)


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin):
    """The list shows what the newest version of each meter says; a meter's page, what it does to events."""

    list_display = ("slug", "name", "event_type", "aggregation", "unit", "archived_at", "versions_made")
    search_fields = ("slug",)
    ordering = ("slug",)
    fields = ("slug", "created_at", "archived_at")
    inlines = (MeterVersionInline,)
    change_form_outer_after_template = "console/parts/preview.html"
    empty_title = "No meters yet"
    empty_hint = (
        "A meter says which events count, and how: the number of calls, the sum of their tokens, "
        "the hours of a GPU. Upload its document to begin."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meter]:
        return super().get_queryset(request).prefetch_related("versions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("metering.add_meterversion")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        return redirect("console:meter_upload")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        context = extra_context or {}
        versions = MeterVersion.objects.filter(meter=object_id) if object_id.isdecimal() else None
        version = versions and versions.order_by("number").last()
        if version and request.user.has_perms(["metering.view_meter", "metering.view_event"]):
            context = {**context, **_previewed(version)}
        return super().change_view(request, object_id, form_url, context)

    @display(description="name")
    def name(self, meter: Meter) -> str:
        return _newest(meter).get("name", "")

    @display(description="event type")
    def event_type(self, meter: Meter) -> str:
        return _newest(meter).get("event_type", "")

    @display(description="aggregation")
    def aggregation(self, meter: Meter) -> str:
        return _newest(meter).get("aggregation", "")

    @display(description="unit")
    def unit(self, meter: Meter) -> str:
        return _newest(meter).get("unit", "")

    @display(description="versions")
    def versions_made(self, meter: Meter) -> int:
        return len(meter.versions.all())


def _previewed(version: MeterVersion) -> dict[str, Any]:
    """What the template of the preview needs."""
    definition, preview = usage.definition(version), previews.latest(version)
    names = definition.dimension_names
    return {
        "preview": preview,
        "dimension_names": names,
        "unit": definition.unit,
        "rows": [
            {
                "taken": taken,
                "values": [{"name": name, "text": taken.dimensions.get(name)} for name in names],
            }
            for taken in preview.rows
        ],
    }


def _newest(meter: Meter) -> dict:
    """The document of the newest version; the versions are loaded with the list."""
    versions = sorted(meter.versions.all(), key=lambda version: version.number)
    return versions[-1].document if versions else {}
