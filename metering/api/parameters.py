"""What may stand in the address of a request, checked."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from metering import periods
from metering.usage.events import Place

LIMIT_MAX = 1000
LIMIT_USUAL = 100
TEXT_LENGTH_MAX = 1024
_TIME_BYTES = 8
_KEY_BYTES = 16
# In an address a plus sign stands for a space: that of an offset may have become one.
_LOST_PLUS = re.compile(r"(?<=\d) (\d\d:\d\d)$")


@extend_schema_field({"type": "string", "format": "date-time"})
class InstantField(serializers.Field):
    """An instant in RFC 3339; without an offset it is UTC."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return periods.parse_instant(_LOST_PLUS.sub(r"+\1", str(data)), naive_is_utc=True)
        except periods.InstantInvalid as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: datetime) -> str:
        return periods.format_instant(value)


@extend_schema_field({"type": "string"})
class CursorField(serializers.Field):
    """The place behind which a page begins, as the page before gave it in ``next``."""

    def to_internal_value(self, data: Any) -> Place:
        try:
            raw = base64.b64decode(str(data).encode("ascii"), altchars=b"-_", validate=True)
            if len(raw) != _TIME_BYTES + _KEY_BYTES:
                raise ValueError
            microseconds = int.from_bytes(raw[:_TIME_BYTES], signed=True)
            time = periods.EPOCH + microseconds * periods.MICROSECOND
        except (ValueError, binascii.Error, OverflowError):
            raise serializers.ValidationError("take the value of `next` as it stands in a page") from None
        return Place(time, UUID(bytes=raw[_TIME_BYTES:]))

    def to_representation(self, value: Place) -> str:
        microseconds = (value.time - periods.EPOCH) // periods.MICROSECOND
        raw = microseconds.to_bytes(_TIME_BYTES, signed=True) + value.key.bytes
        return base64.urlsafe_b64encode(raw).decode()


class Parameters(serializers.Serializer):
    """Named parameters, each at most once.

    One that nobody knows is a fault: a typo in a filter would widen the answer.
    """

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        wrong = {name: ["there is no such parameter"] for name in data if name not in self.fields}
        wrong |= {name: ["it stands there twice"] for name in data if len(data.getlist(name)) > 1}
        if wrong:
            raise serializers.ValidationError(wrong)
        # As a plain mapping: of a form, which this is not, an empty text would count as absent.
        return super().to_internal_value(data.dict())


def read(parameters: type[Parameters], request: Request) -> dict[str, Any]:
    """The parameters of a request's address, checked. Raises ValidationError with each that is wrong."""
    asked = parameters(data=request.query_params)
    asked.is_valid(raise_exception=True)
    found: dict[str, Any] = asked.validated_data
    return found


class NoParameters(Parameters):
    """Of an address that takes none."""


def text() -> serializers.CharField:
    """A text that is compared exactly."""
    return serializers.CharField(required=False, max_length=TEXT_LENGTH_MAX, trim_whitespace=False)
