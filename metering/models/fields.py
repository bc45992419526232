"""The column type of quantities and amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class ExactDecimalField(models.Field):
    """A plain ``numeric`` column: any number of digits, nothing rounded, and only Decimal (or int) goes in.

    Django's DecimalField rounds to its places without a word and takes floats; both would lose money.
    """

    description = "Exact decimal"

    def db_type(self, connection: Any) -> str:
        return "numeric"

    def get_prep_value(self, value: Any) -> Decimal | None:
        value = super().get_prep_value(value)
        if value is None or isinstance(value, Decimal):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return Decimal(value)
        raise TypeError(f"{self.name} takes Decimal, not {type(value).__name__}")

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        if isinstance(value, float):
            raise ValidationError(f"{self.name} takes no float")
        try:
            return Decimal(value)
        except ArithmeticError as error:
            raise ValidationError(f"{value!r} is not a decimal number") from error

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else format(value, "f")
