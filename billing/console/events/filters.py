"""What the list of events can be narrowed down by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import F, Func, QuerySet, TextField
from django.db.models.fields.json import KeyTransform

from billing.console import months
from metering.models import Event, EventBatch
from metering.periods import Period

AHEAD = timedelta(days=2)  # events may be a day ahead of the clock


class Filters(forms.Form):
    """Exact subject, type and id, a batch, the bounds of the event's time in UTC, and one value of its data.

    The value is compared as dimensions of meters are: 8 and 8.0 are one text, a missing value an empty one.
    """

    subject = forms.CharField(required=False, max_length=1000)
    type = forms.CharField(required=False, max_length=1000)
    event_id = forms.CharField(required=False, max_length=1000, label="Id")
    time_from = forms.DateTimeField(
        required=False, label="From (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    time_until = forms.DateTimeField(
        required=False, label="Until (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    data_path = forms.CharField(required=False, max_length=200, label="Path in data")
    data_value = forms.CharField(required=False, max_length=200, label="Value there", strip=False)
    batch = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "c-input"

    def clean(self) -> dict[str, Any]:
        start, end = self.cleaned_data.get("time_from"), self.cleaned_data.get("time_until")
        if start and end and start >= end:
            raise forms.ValidationError("“Until” must be later than “From”.")
        return self.cleaned_data

    @property
    def batch_id(self) -> int | None:
        return self.cleaned_data.get("batch")

    @property
    def has_bounds(self) -> bool:
        """Whether the times were typed; without them the page is about a month."""
        return bool(self.cleaned_data.get("time_from") or self.cleaned_data.get("time_until"))

    @property
    def is_narrowed(self) -> bool:
        return any(self.cleaned_data.get(name) for name in self.fields)


def apply(filters: Filters, *, month: months.Month, at: Any) -> QuerySet[Event]:
    """The events that pass the filters: of the typed times, of the batch, or else of the month."""
    chosen = filters.cleaned_data
    events = Event.objects.all()
    if filters.batch_id:
        events = _of_batch(filters.batch_id)
    elif filters.has_bounds:
        start = chosen["time_from"] or months.start_of(months.FIRST)
        events = _within(events, Period(start, max(start, chosen["time_until"] or at + AHEAD)))
    else:
        events = _within(events, month.period)
    for name in ("subject", "type", "event_id"):
        if chosen[name]:
            events = events.filter(**{name: chosen[name]})
    if chosen["data_path"]:
        word = Func(_at(chosen["data_path"]), function="metering_text", output_field=TextField())
        events = events.alias(word=word).filter(word=chosen["data_value"])
    return events


def _at(path: str) -> Any:
    """The value at a dotted path of the data."""
    found: Any = F("data")
    for name in path.split("."):
        found = KeyTransform(name, found)
    return found


def _of_batch(pk: int) -> QuerySet[Event]:
    batch = EventBatch.objects.filter(pk=pk, time_min__isnull=False).first()
    if batch is None:
        return Event.objects.none()
    return Event.objects.filter(batch_id=pk, time__gte=batch.time_min, time__lte=batch.time_max)


def _within(events: QuerySet[Event], period: Period) -> QuerySet[Event]:
    return events.filter(time__gte=period.start, time__lt=period.end)
