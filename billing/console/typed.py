"""What people type into forms, as the documents of requests take it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from metering.documents import DocumentError

_GROUPED = re.compile(r"[0-9]{1,3}(?:[, _][0-9]{3})+(?:\.[0-9]+)?")
_SCALED = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([KMBT])", re.IGNORECASE)
_POWERS = {"K": 3, "M": 6, "B": 9, "T": 12}
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_PLACE = re.compile(r"\[[0-9]+\]")


def number(text: str) -> str:
    """The number without thousands separators, a trailing K, M, B or T written out; other text as it is.

    "70.6B" is "70600000000", "1,000" is "1000"; "1,5" stays, for whoever reads the request to refuse.
    """
    stripped = text.strip()
    if _GROUPED.fullmatch(stripped):
        return re.sub(r"[, _]", "", stripped)
    scaled = _SCALED.fullmatch(stripped)
    if scaled is None:
        return stripped
    return f"{Decimal(scaled[1]).scaleb(_POWERS[scaled[2].upper()]):f}"


class NumberField(forms.CharField):
    """A number as people write it, as text; "" where nothing is typed. Its bounds are checked elsewhere."""

    def __init__(self, *, placeholder: str = "", **options: Any) -> None:
        attributes = {"class": "c-input", "inputmode": "decimal", "autocomplete": "off"}
        if placeholder:
            attributes["placeholder"] = placeholder
        super().__init__(required=False, max_length=40, widget=forms.TextInput(attrs=attributes), **options)

    def clean(self, value: Any) -> str:
        return number(super().clean(value))


class MonthField(forms.CharField):
    """A month such as 2020-05, as its first day; None where nothing is typed."""

    def __init__(self, **options: Any) -> None:
        picker = forms.TextInput(attrs={"class": "c-input", "type": "month", "placeholder": "2020-05"})
        super().__init__(widget=picker, **options)

    def clean(self, value: Any) -> date | None:
        text = super().clean(value)
        if not text:
            return None
        match = _MONTH.fullmatch(text)
        if match is None:
            raise forms.ValidationError("Write a month such as 2020-05.")
        return date(int(match[1]), int(match[2]), 1)


def tell(form: forms.Form, error: DocumentError, places: Mapping[str, str]) -> None:
    """Says an error of a request beside the field that it is about, or above the form.

    ``places``: the form's field of each path of the request. An error of what lies inside or around such a
    path is told beside its field, too.
    """
    path = _PLACE.sub("", error.field)
    inside = [known for known in places if path == known or path.startswith(f"{known}.")]
    around = [known for known in places if path and known.startswith(f"{path}.")]
    nearest = max(inside, key=len, default=None) or next(iter(around), None)
    if nearest is None:
        form.add_error(None, str(error))
    else:
        message = error.message
        form.add_error(places[nearest], f"{message[:1].upper()}{message[1:]}.")
