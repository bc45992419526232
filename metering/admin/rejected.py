"""Rejected events: what was turned away, why, and how often."""

from __future__ import annotations

from django.contrib import admin
from django.utils.text import Truncator
from unfold.decorators import display

from metering.admin.reading import EndlessAdmin, part
from metering.models import RejectedEvent

MESSAGE_SHOWN = 120


@admin.register(RejectedEvent)
class RejectedEventAdmin(EndlessAdmin):
    """Newest first. The body is shown as it arrived."""

    list_display = ("id", "last_at", "reason", "message_shown", "sender", "count_shown")
    list_select_related = ("api_key", "webhook_source")
    list_filter = ("code",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "reason",
                    "message",
                    ("sender", "batch"),
                    ("first_at", "last_at", "count_shown"),
                    "body_shown",
                )
            },
        ),
    )
    empty_title = "No rejected events"
    empty_hint = (
        "Every event that arrived was accepted. One that cannot be taken is kept here with its reason."
    )

    @display(
        description="reason",
        label={
            "Invalid": "danger",
            "Same id, other content": "warning",
            "No meter can use it": "warning",
            "Too large": "danger",
            "Time out of bounds": "danger",
        },
    )
    def reason(self, event: RejectedEvent) -> str:
        return event.get_code_display()

    @display(description="message")
    def message_shown(self, event: RejectedEvent) -> str:
        return Truncator(event.message).chars(MESSAGE_SHOWN)

    @display(description="sender")
    def sender(self, event: RejectedEvent) -> str:
        return str(event.api_key or event.webhook_source)

    @display(description="times")
    def count_shown(self, event: RejectedEvent) -> str:
        return f"{event.count:,}"

    @display(description="body")
    def body_shown(self, event: RejectedEvent) -> str:
        return part("body.html", body=event.body)
