"""What the page of trends can be asked: market prices, GPU rents, own prices, or own beside the market's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from billing.trends import gpus, history
from billing.trends.history import Chosen

KINDS = [
    ("output", "output tokens"),
    ("input", "input tokens"),
    ("cache_read", "tokens read from a cache"),
    ("cache_write", "tokens written to a cache"),
]
PER_MAX = Decimal(10**12)
SOURCE_KINDS = {
    "transcribed": "transcribed from a vendor’s list",
    "mirror": "a mirror of a vendor’s list",
    "secondary": "secondary, told by somebody who cites it",
}


def _text(label: str, *, listed: str = "", **options: Any) -> forms.CharField:
    attributes = {"class": "c-input", "autocomplete": "off", **({"list": listed} if listed else {})}
    return forms.CharField(
        required=False, max_length=200, label=label, widget=forms.TextInput(attrs=attributes), **options
    )


def _day(label: str, **options: Any) -> forms.DateField:
    picker = forms.DateInput(attrs={"class": "c-input", "type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=picker, **options)


def _choice(choices: Sequence[tuple[str, str]], **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices, widget=forms.Select(attrs={"class": "c-input"}), **options)


class MarketForm(forms.Form):
    """Which market prices."""

    kind = _choice(KINDS, label="Price of")
    provider = _text("Provider", listed="providers")
    model = _text("Model", listed="models")
    family = _text("Models that begin with", help_text="Such as gpt-4o, claude or llama-3.")
    first = _day("From", required=False)
    last = _day("To", required=False)

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", "The last day is before the first.")
        return self.cleaned_data

    def chosen(self) -> Chosen:
        """The prices that a valid form asks for."""
        asked = self.cleaned_data
        return Chosen(
            kind=asked["kind"],
            provider=asked["provider"] or None,
            model=asked["model"] or None,
            family=asked.get("family") or None,
            first=asked["first"],
            last=asked["last"],
        )


class GpuForm(forms.Form):
    """Which rents."""

    gpu = _choice([], label="GPU", required=False)
    source_kind = _choice(
        [("", "any"), *SOURCE_KINDS.items()], label="How the price was found", required=False
    )

    def __init__(self, asked: Any) -> None:
        super().__init__(asked)
        self.fields["gpu"].choices = [("", "all"), *((name, name) for name in gpus.families())]


class PlanForm(forms.Form):
    """Whose prices."""

    plan = _choice([], label="Plan")

    def __init__(self, asked: Any, *, plans: Sequence[tuple[str, str]]) -> None:
        super().__init__(asked)
        self.fields["plan"].choices = plans


class BesideForm(MarketForm):
    """An own price, and the market price that stands beside it over the days from ``first`` to ``last``."""

    own = _choice([], label="Own price")
    per = forms.DecimalField(
        label="Own units in one of the market’s",
        min_value=Decimal(0),
        max_value=PER_MAX,
        max_digits=30,
        decimal_places=12,
        help_text="The market’s prices are for a million tokens: 1000000 for a price of a token.",
        widget=forms.TextInput(attrs={"class": "c-input", "inputmode": "decimal"}),
    )
    field_order = ("own", "per", "kind", "provider", "model", "first", "last")
    family = None  # type: ignore[assignment]  # one model is compared

    def __init__(self, asked: Any, *, owns: Sequence[tuple[str, str]], **options: Any) -> None:
        super().__init__(asked, **options)
        self.fields["own"].choices = owns
        for name in ("model", "first", "last"):
            self.fields[name].required = True
        self.fields["model"].error_messages["required"] = "Choose the market’s model, such as gpt-4o."

    def chosen(self) -> Chosen:
        """The market's prices of any day: what held on the first one was seen before."""
        return replace(super().chosen(), first=None, last=None)


def providers(kind: str) -> list[str]:
    """The providers that have prices of the kind."""
    return list(history.names(kind if kind in history.KINDS else "output"))


def models(kind: str, provider: str) -> list[str]:
    """The provider's models that have prices of the kind."""
    return history.names(kind if kind in history.KINDS else "output").get(provider, [])


def year_until(last: date) -> date:
    """The day a year before."""
    return last.replace(year=last.year - 1, day=min(last.day, 28))
