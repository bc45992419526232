"""Amounts as bodies and answers have them: texts, in answers with the digits of their currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.documents import currencies
from metering import numbers


@extend_schema_field({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"})
class DecimalField(serializers.Field):
    """A decimal as a text, such as "12.50", so that no reader on the way makes a float of it."""

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            raise serializers.ValidationError('it is a text, such as "12.50"')
        try:
            return numbers.parse_decimal(data)
        except numbers.NumberInvalid as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: Decimal) -> str:
        return f"{value:f}"


def text(amount: Decimal, currency: str) -> str:
    """A rounded amount with its currency's digits. One that has more raises decimal.Inexact."""
    with numbers.exact():
        return f"{amount.quantize(Decimal(1).scaleb(-currencies.digits(currency))):f}"
