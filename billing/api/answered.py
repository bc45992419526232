"""Answers to documents that have no effect: as on the command line, an error is an answer, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.request import Request

from metering.api.bodies import DocumentParser
from metering.documents import DocumentError

BODY_BYTES_MAX = 5_000_000


class LargeParser(DocumentParser):
    """A request may bring plans, meters and months of usage along."""

    bytes_max = BODY_BYTES_MAX


def answered(request: Request, to: Callable[[Any], dict[str, Any]]) -> HttpResponse:
    """The answer to the document in the body; status 400 and {"error": ...} where it cannot be answered."""
    if request.stream is None:
        raise exceptions.ParseError("The body is empty: send the request as JSON.")
    try:
        return _json(to(request.data), HTTPStatus.OK)
    except DocumentError as error:
        return _json(error.answer(), HTTPStatus.BAD_REQUEST)


def _json(answer: dict[str, Any], status: HTTPStatus) -> HttpResponse:
    text = json.dumps(answer, ensure_ascii=False)
    return HttpResponse(text, status=status, content_type="application/json")
