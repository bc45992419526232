"""``GET/POST /api/v1/meters/{slug}/query``: what a meter measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from metering import numbers, periods, usage
from metering.api import questions, shapes
from metering.api.bodies import DocumentParser
from metering.api.csv_rendering import CsvRenderer
from metering.api.meters import newest_version
from metering.documents.meter import RESERVED_DIMENSION
from metering.models import ApiKey, MeterVersion
from metering.models.patience import TooSlow, answer_in_time
from metering.usage import Usage, tables

ROWS_MAX = 10_000


_FILTER = OpenApiParameter(
    "filterGroupBy",
    {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    description="only usage with one of the values of a dimension: `filterGroupBy[model]=gpt`, repeated",
    style="deepObject",
    explode=True,
)


class NotToBeAnswered(exceptions.APIException):
    """The question is well formed, and its answer too large or too slow."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = (
        "The usage could not be read in time. Ask for a shorter time with `from` and `to`, longer windows, "
        "or fewer subjects at once."
    )
    default_code = "too_much"


class Query(APIView):
    """The quantities of a meter, by windows of time, subjects and dimensions."""

    scope = ApiKey.Scope.READ.value
    parser_classes = [DocumentParser]
    renderer_classes = [*api_settings.DEFAULT_RENDERER_CLASSES, CsvRenderer]

    @extend_schema(
        operation_id="query_meter",
        parameters=[questions.Asked, _FILTER],
        responses={(200, "application/json"): shapes.UsageAnswer, (200, "text/csv"): str},
    )
    def get(self, request: Request, slug: str) -> Response:
        """The rows of the question in the address."""
        return self._answer(slug, questions.of_address(request.query_params))

    @extend_schema(
        operation_id="query_meter_by_body",
        request=questions.Asked,
        responses={(200, "application/json"): shapes.UsageAnswer, (200, "text/csv"): str},
    )
    def post(self, request: Request, slug: str) -> Response:
        """The rows of the question in the body."""
        return self._answer(slug, request.data)

    def _answer(self, slug: str, asked: Any) -> Response:
        version = newest_version(slug)
        question = questions.Question(asked=asked, definition=usage.definition(version), at=timezone.now())
        question.is_valid(raise_exception=True)
        try:
            with answer_in_time():
                rows = _rows(version, question)
        except TooSlow:
            raise NotToBeAnswered from None
        except (tables.RowsTooMany, usage.WindowsTooMany, usage.SpansTooMany) as error:
            raise NotToBeAnswered(f"{_sentence(error)}.") from None
        except tables.FilterDoesNotAdd as error:
            raise exceptions.ValidationError({"filterGroupBy": [str(error)]}) from None
        if self.request.accepted_renderer.format == CsvRenderer.format:
            return Response(_lines(rows, question))
        return Response(_shown(rows, question))


def _rows(version: MeterVersion, question: questions.Question) -> Sequence[Usage]:
    asked = question.validated_data
    period = asked["period"]
    subjects = asked.get("subject")
    if subjects is None:
        subjects = usage.subjects(versions=[version], period=period)
    return tables.rows(
        meter=version,
        spans=[(subject, period) for subject in subjects],
        by=question.by,
        windows=question.windows,
        only=asked["filterGroupBy"],
        rows_max=ROWS_MAX,
    )


def _shown(rows: Sequence[Usage], question: questions.Question) -> shapes.UsageAnswer:
    asked = question.validated_data
    return shapes.UsageAnswer(
        from_=periods.format_instant(asked["period"].start),
        to=periods.format_instant(asked["period"].end),
        window_size=asked.get("windowSize"),
        data=[_row(row, question) for row in rows],
    )


def _row(row: Usage, question: questions.Question) -> shapes.UsageRow:
    asked = question.validated_data
    window = row.window or asked["period"]
    text, fraction = numbers.shown(row.quantity)
    is_number = asked["numbers"] == questions.NUMBER
    return shapes.UsageRow(
        # The digits as they are: no number becomes a float on the way.
        value=msgspec.Raw(text.encode() if is_number else msgspec.json.encode(text)),
        window_start=periods.format_instant(window.start),
        window_end=periods.format_instant(window.end),
        subject=row.dimensions.get(RESERVED_DIMENSION),
        group_by={name: value for name, value in row.dimensions.items() if name != RESERVED_DIMENSION},
        value_exact=msgspec.UNSET if fraction is None else fraction,
    )


def _lines(rows: Sequence[Usage], question: questions.Question) -> Iterator[Sequence[str]]:
    yield ("window_start", "window_end", *question.by, "value", "value_exact")
    for row in rows:
        window = row.window or question.validated_data["period"]
        text, fraction = numbers.shown(row.quantity)
        bounds = periods.format_instant(window.start), periods.format_instant(window.end)
        yield (*bounds, *(row.dimensions[name] for name in question.by), text, fraction or "")


def _sentence(error: ValueError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
