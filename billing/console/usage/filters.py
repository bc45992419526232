"""What the usage explorer can be asked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from billing.console.fields import CustomerField
from billing.models import Customer
from metering import periods
from metering.documents.meter import RESERVED_DIMENSION, MeterDefinition
from metering.usage import Windows

WINDOWS = [
    ("QUARTER", "Quarter hour"),
    ("HOUR", "Hour"),
    ("DAY", "Day"),
    ("WEEK", "Week"),
    ("MONTH", "Month"),
]
# Calendars and time zones end somewhere; usage does long before.
YEARS = range(1970, 2201)
DEFAULTS = {"window": "DAY", "zone": "UTC"}


class OptionalCustomerField(CustomerField):
    """A customer by key, or None."""

    def clean(self, value: Any) -> Customer | None:
        return super().clean(value) if value and value.strip() else None


class Question(forms.Form):
    """A meter, of whom, when, by which windows, and split by what."""

    meter = forms.ChoiceField(widget=forms.Select(attrs={"data-resubmits": ""}))
    customer = OptionalCustomerField(required=False, label="Customer’s key")
    subject = forms.CharField(required=False, max_length=1000)
    window = forms.ChoiceField(choices=WINDOWS)
    split = forms.ChoiceField(
        required=False,
        label="Split by",
        error_messages={"invalid_choice": "This meter has no dimension “%(value)s”."},
    )
    time_from = forms.DateTimeField(
        required=False, label="From (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    time_until = forms.DateTimeField(
        required=False, label="Until (UTC)", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    zone = forms.CharField(max_length=64, label="Time zone of windows")

    def __init__(self, asked: Any, *, meters: Collection[str], definition: MeterDefinition) -> None:
        super().__init__(asked)
        names = [*definition.dimension_names, RESERVED_DIMENSION]
        self.fields["meter"].choices = [(slug, slug) for slug in meters]
        self.fields["split"].choices = [("", "nothing"), *((name, name) for name in names)]
        for field in self.fields.values():
            field.widget.attrs["class"] = "c-input"

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        try:
            periods.named_zone(zone)
        except periods.ZoneUnknown as error:
            raise forms.ValidationError(f"{error}.") from None
        return zone

    def clean(self) -> dict[str, Any]:
        start, end = self.cleaned_data.get("time_from"), self.cleaned_data.get("time_until")
        if bool(start) != bool(end):
            raise forms.ValidationError("Give both “From” and “Until”, or neither.")
        if start and end and start >= end:
            raise forms.ValidationError("“Until” must be later than “From”.")
        if start and end and not YEARS[0] <= start.year <= end.year <= YEARS[-1]:
            raise forms.ValidationError(f"Choose years from {YEARS[0]} to {YEARS[-1]}.")
        return self.cleaned_data

    @property
    def has_bounds(self) -> bool:
        """Whether the times were typed; without them the page is about a month."""
        return bool(self.data.get("time_from") or self.data.get("time_until"))

    @property
    def by(self) -> list[str]:
        return [self.cleaned_data["split"]] if self.cleaned_data["split"] else []

    @property
    def windows(self) -> Windows:
        return Windows(self.cleaned_data["window"], self.cleaned_data["zone"])
