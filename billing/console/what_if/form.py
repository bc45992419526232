"""What a comparison is asked: a draft plan, past months, and whose invoices."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms

from billing.advising.what_if import Question
from billing.console import documents
from billing.console.typed import MonthField
from metering import documents as texts
from metering import periods
from metering.periods import Period

MONTHS_MAX = 60


class WhatIfForm(forms.Form):
    """A plan's document, the months that it is compared with, and whose."""

    first_month = MonthField(label="Invoices of service that began in")
    last_month = MonthField(label="To the month", required=False, help_text="Empty: the first one alone.")
    customer = forms.CharField(
        required=False,
        max_length=100,
        label="Customer’s key",
        help_text="Empty: all customers.",
        widget=forms.TextInput(attrs={"class": "c-input", "list": "customers", "autocomplete": "off"}),
    )
    is_move = forms.ChoiceField(
        required=False,
        label="It takes the place of",
        choices=[("", "the plan of its code"), ("yes", "every plan, as if they moved to it")],
        widget=forms.Select(attrs={"class": "c-input"}),
    )
    text = forms.CharField(
        strip=False,
        label="The plan’s document, YAML or JSON",
        error_messages={"required": "Paste the plan’s document, or choose an existing plan above."},
        widget=forms.Textarea(attrs={"class": "c-input", "rows": 18, "spellcheck": "false"}),
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        if len(text) > documents.BYTES_MAX:
            raise forms.ValidationError(
                f"The text is longer than {documents.BYTES_MAX // 1024:,} thousand characters."
            )
        return text

    def clean(self) -> dict[str, Any]:
        first = self.cleaned_data.get("first_month")
        last = self.cleaned_data.get("last_month") or first
        if first and last:
            count = (last.year - first.year) * 12 + last.month - first.month + 1
            if not 1 <= count <= MONTHS_MAX:
                self.add_error(
                    "last_month", f"Choose the first month or one of the {MONTHS_MAX - 1} months after it."
                )
        return self.cleaned_data

    def question(self) -> Question:
        """The question of a valid form. Raises DocumentError for a text that is no document."""
        asked = self.cleaned_data
        document = texts.load_text(asked["text"], "")
        return Question(
            documents=document if isinstance(document, list) else [document],
            period=Period(_start(asked["first_month"]), _end(asked["last_month"] or asked["first_month"])),
            customer=asked["customer"].strip() or None,
            is_move=asked["is_move"] == "yes",
        )


def _start(first: date) -> datetime:
    return periods.month_period(first.year, first.month).start


def _end(first: date) -> datetime:
    return periods.month_period(first.year, first.month).end
