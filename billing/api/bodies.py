"""Bodies of requests that are documents: JSON in which no number loses a digit."""

from __future__ import annotations

from http import HTTPStatus
from typing import IO, Any

from rest_framework import exceptions
from rest_framework.parsers import BaseParser

from metering.documents import DocumentError, load_text

BYTES_MAX = 5_000_000


class BodyTooLarge(exceptions.APIException):
    """The body has more bytes than are read."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body may have at most {BYTES_MAX:,} bytes. Send less at once."
    default_code = "too_large"


class DocumentParser(BaseParser):
    """application/json, read as documents are: duplicate keys are refused, no number becomes a float.

    A text that is no JSON is the transport's fault (a ParseError); everything else a DocumentError.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: dict | None = None
    ) -> Any:
        body = stream.read(BYTES_MAX + 1)
        if len(body) > BYTES_MAX:
            raise BodyTooLarge
        try:
            text = body.decode()
        except UnicodeDecodeError as error:
            raise exceptions.ParseError(f"The body is no UTF-8: byte {error.start} cannot be read.") from None
        try:
            return load_text(text, "body.json")
        except DocumentError as error:
            if error.field:
                raise
            raise exceptions.ParseError(error.message) from None
