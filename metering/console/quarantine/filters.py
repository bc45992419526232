"""What the list of rejected events can be narrowed down by."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from metering.models import ApiKey, RejectedEvent, WebhookSource

SENDERS_MAX = 500
_KEY, _WEBHOOK = "key", "webhook"


class Filters(forms.Form):
    """Reason, sender, type, and the time in which an event was seen, in UTC."""

    code = forms.ChoiceField(
        label="Reason", required=False, choices=[("", "Any"), *RejectedEvent.Code.choices]
    )
    sender = forms.ChoiceField(required=False)
    type = forms.CharField(
        required=False, max_length=1024, widget=forms.TextInput(attrs={"class": "c-input"})
    )
    seen_from = forms.DateTimeField(label="Seen from (UTC)", required=False)
    seen_until = forms.DateTimeField(label="Seen until (UTC)", required=False)
    state = forms.ChoiceField(required=False, choices=RejectedEvent.State.choices, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sender = self.fields["sender"]
        assert isinstance(sender, forms.ChoiceField)
        sender.choices = [("", "Any"), *_senders()]
        for name in ("seen_from", "seen_until"):
            self.fields[name].widget = forms.DateTimeInput(
                attrs={"class": "c-input", "type": "datetime-local"}
            )

    def clean(self) -> dict[str, Any]:
        start, end = self.cleaned_data.get("seen_from"), self.cleaned_data.get("seen_until")
        if start and end and start >= end:
            raise forms.ValidationError("“Seen until” must be later than “Seen from”.")
        return self.cleaned_data

    @property
    def chosen_state(self) -> str:
        return self.cleaned_data.get("state") or RejectedEvent.State.OPEN.value

    @property
    def is_narrowed(self) -> bool:
        return any(self.cleaned_data.get(name) for name in self.fields if name != "state")


def apply(filters: Filters) -> QuerySet[RejectedEvent]:
    """The rejected events that pass the filters."""
    chosen = filters.cleaned_data
    rows = RejectedEvent.objects.filter(state=filters.chosen_state)
    for name in ("code", "type"):
        if chosen[name]:
            rows = rows.filter(**{name: chosen[name]})
    if chosen["sender"]:
        kind, _, pk = chosen["sender"].partition("-")
        rows = rows.filter(api_key_id=pk) if kind == _KEY else rows.filter(webhook_source_id=pk)
    # Seen once or more often in that time: the last time is not before it, the first is not behind it.
    if chosen["seen_from"]:
        rows = rows.filter(last_at__gte=chosen["seen_from"])
    if chosen["seen_until"]:
        rows = rows.filter(first_at__lt=chosen["seen_until"])
    return rows.select_related("api_key", "webhook_source")


def _senders() -> list[tuple[str, str]]:
    sources = WebhookSource.objects.order_by("name")[:SENDERS_MAX]
    keys = ApiKey.objects.order_by("name", "pk")[:SENDERS_MAX]
    return [
        *((f"{_WEBHOOK}-{source.pk}", f"Webhook {source.name}") for source in sources),
        *((f"{_KEY}-{key.pk}", str(key)) for key in keys),
    ]
