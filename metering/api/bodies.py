"""Bodies of requests: JSON in which no number loses a digit, and no member goes unread."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.parsers import BaseParser
from rest_framework.settings import api_settings

from metering.documents import DocumentError, load_text
from metering.documents.errors import suggestion

BYTES_MAX = 512_000


class BodyTooLarge(exceptions.APIException):
    """The body has more bytes than are read."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        super().__init__(f"The body may have at most {bytes_max:,} bytes. Send less at once.")


class DocumentParser(BaseParser):
    """application/json, read as documents are: duplicate keys are refused, no number becomes a float.

    A text that is no JSON is the transport's fault (a ParseError); everything else a DocumentError.
    """

    media_type = "application/json"
    bytes_max = BYTES_MAX

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: dict | None = None
    ) -> Any:
        body = stream.read(self.bytes_max + 1)
        if len(body) > self.bytes_max:
            raise BodyTooLarge(self.bytes_max)
        try:
            return load_text(body.decode(), "body.json")
        except UnicodeDecodeError as error:
            raise exceptions.ParseError(f"The body is no UTF-8: byte {error.start} cannot be read.") from None
        except DocumentError as error:
            if error.field:
                raise
            raise exceptions.ParseError(error.message) from None


class Body(serializers.Serializer):
    """The members of a JSON object, checked. One that nobody knows is a fault: a typo must not be dropped."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: ["The body is a JSON object."]}
            )
        known = list(self.fields)
        wrong = {
            name: [f"there is no such member{suggestion(name, known)}"] for name in data if name not in known
        }
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A text. A number is none: whether 007 was meant nobody could tell."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("it is a text")
        return super().to_internal_value(data)


class NothingToSay(Body):
    """The body of a request whose address says it all: none, or an empty object."""


@extend_schema_field({"type": "object", "additionalProperties": True})
class MappingField(serializers.Field):
    """A JSON object. What it may hold is checked where it is used."""

    def to_internal_value(self, data: Any) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("it is a JSON object")
        return data

    def to_representation(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return value


def read(body: type[Body], data: Any, *, is_partial: bool = False) -> dict[str, Any]:
    """The members of a request's body, checked. Raises ValidationError with each that is wrong."""
    members = body(data=data, partial=is_partial)
    members.is_valid(raise_exception=True)
    found: dict[str, Any] = members.validated_data
    return found
