"""``POST /api/v1/quotes``: what a request would cost. See the reference of quotes."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.views import APIView

from billing import quotes
from billing.api import shapes
from metering.api.bodies import DocumentParser
from metering.documents import DocumentError
from metering.models import ApiKey

# A few seconds of one core; see `billing.rating.work`.
WORK_MAX = 500_000
BODY_BYTES_MAX = 5_000_000


class QuoteParser(DocumentParser):
    """A request brings its usage along, which may be much."""

    bytes_max = BODY_BYTES_MAX


class Quotes(APIView):
    """Quotes, which have no effect: nothing is stored, and the same request has the same answer."""

    scope = ApiKey.Scope.READ.value
    parser_classes = [QuoteParser]

    @extend_schema(
        operation_id="quote",
        request={"application/json": {"type": "object", "additionalProperties": True}},
        responses={200: shapes.Statement, 400: shapes.QuoteRefused},
    )
    def post(self, request: Request) -> HttpResponse:
        """The statement of a request; status 400 and an error with the field where it cannot be answered."""
        if request.stream is None:
            raise exceptions.ParseError("The body is empty: send the request as JSON.")
        try:
            answered = quotes.answer(request=request.data, at=timezone.now(), work_max=WORK_MAX)
        except DocumentError as error:
            return _json(error.answer(), HTTPStatus.BAD_REQUEST)
        return _json(answered, HTTPStatus.OK)


def _json(answered: dict[str, Any], status: HTTPStatus) -> HttpResponse:
    # Not the API's renderer: an error of a quote is an answer of the contract, and no problem+json.
    text = json.dumps(answered, ensure_ascii=False)
    return HttpResponse(text, status=status, content_type="application/json")
