"""Event batches: what came in together, and whether it is rolled up."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from metering.admin.reading import EndlessAdmin, part
from metering.models import EventBatch


class StateFilter(admin.SimpleListFilter):
    """Pending batches are found by their index; those that failed before are among them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("pending", "Pending"), ("failing", "Pending, and failed before")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[EventBatch]) -> QuerySet[EventBatch]:
        if self.value() in ("pending", "failing"):
            queryset = queryset.filter(rolled_epoch__isnull=True)
        return queryset.filter(attempts__gt=0) if self.value() == "failing" else queryset


@admin.register(EventBatch)
class EventBatchAdmin(EndlessAdmin):
    """Newest first, with the counts of their receipts."""

    list_display = (
        "id",
        "received_at",
        "sender",
        "accepted_shown",
        "duplicates_shown",
        "rejected_shown",
        "state",
    )
    list_select_related = ("api_key", "webhook_source")
    list_filter = (StateFilter,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("received_at", "sender"),
                    ("accepted_shown", "duplicates_shown", "rejected_shown"),
                    ("time_min", "time_max"),
                    ("state", "rolled_at", "attempts"),
                    "last_error",
                    "events",
                    "requests_made",
                )
            },
        ),
    )
    empty_title = "No event batches yet"
    empty_hint = (
        "Events that arrive together are committed as one batch. "
        "Make an API key and send the first event; the dashboard shows the command."
    )

    @display(description="sender")
    def sender(self, batch: EventBatch) -> str:
        return str(batch.api_key or batch.webhook_source)

    @display(description="accepted")
    def accepted_shown(self, batch: EventBatch) -> str:
        return f"{batch.accepted:,}"

    @display(description="duplicates")
    def duplicates_shown(self, batch: EventBatch) -> str:
        return f"{batch.duplicates:,}"

    @display(description="rejected")
    def rejected_shown(self, batch: EventBatch) -> str:
        return f"{batch.rejected:,}"

    @display(description="state", label={"pending": "warning", "failing": "danger", "rolled up": "success"})
    def state(self, batch: EventBatch) -> str:
        if batch.is_pending:
            return "failing" if batch.attempts else "pending"
        return "rolled up"

    @display(description="events")
    def events(self, batch: EventBatch) -> str:
        if batch.time_min is None:
            return "none was accepted"
        return format_html(
            '<a class="c-row-link" href="{}?batch={}">See the accepted events</a>',
            reverse("console:events"),
            batch.pk,
        )

    @display(description="requests")
    def requests_made(self, batch: EventBatch) -> str:
        return part("requests.html", requests=batch.requests)
