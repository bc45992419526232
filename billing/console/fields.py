"""Form fields that several pages share."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from billing.models import Customer

CUSTOMERS_MAX = 1000


class InstantField(forms.DateTimeField):
    """An instant in UTC, chosen to the minute in the browser's own picker."""

    def __init__(self, **options: Any) -> None:
        picker = forms.DateTimeInput(
            attrs={"class": "c-input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        )
        super().__init__(widget=picker, **options)


class CustomerField(forms.CharField):
    """A customer by key. Gives the `Customer`; the page offers the first `CUSTOMERS_MAX` to choose from."""

    def __init__(self, **options: Any) -> None:
        typed = forms.TextInput(attrs={"class": "c-input", "list": "customers", "autocomplete": "off"})
        super().__init__(widget=typed, **options)

    def clean(self, value: Any) -> Customer:
        key = super().clean(value)
        customer = Customer.objects.filter(key=key).first()
        if customer is None:
            raise ValidationError(f"There is no customer with the key “{key}”.")
        return customer


class MappingField(forms.CharField):
    """A JSON object as text, {} where it is empty. What it may hold is checked where it is used."""

    def __init__(self, **options: Any) -> None:
        text = forms.Textarea(attrs={"class": "c-input", "rows": 5, "spellcheck": "false"})
        super().__init__(widget=text, required=False, **options)

    def clean(self, value: Any) -> dict[str, Any]:
        text = super().clean(value)
        if not text:
            return {}
        try:
            mapping = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValidationError(
                f"This is no JSON: {error.msg} in line {error.lineno}, column {error.colno}."
            ) from error
        if not isinstance(mapping, dict):
            raise ValidationError('Write a JSON object, such as {"gpu": {"quantity": "16"}}.')
        return mapping


def mapping_text(mapping: dict[str, Any]) -> str:
    """A mapping as `MappingField` takes it."""
    return json.dumps(mapping, ensure_ascii=False, indent=2) if mapping else ""
