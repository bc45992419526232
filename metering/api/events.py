"""``GET /api/v1/events``: the events that were accepted, newest first, a page at a time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering import periods
from metering.api import parameters, shapes
from metering.api.parameters import (
    LIMIT_MAX,
    LIMIT_USUAL,
    CursorField,
    InstantField,
    Parameters,
    text,
)
from metering.ingesting import contents
from metering.models import ApiKey, Event
from metering.models.patience import TooSlow
from metering.usage import events


class SearchTookTooLong(exceptions.APIException):
    """The filters leave too much to look through."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = (
        "The events could not be found in time. Narrow the search: name a shorter time with `from` and `to`, "
        "or give both `source` and `id`."
    )
    default_code = "too_slow"


class EventFilters(Parameters):
    """``from`` and ``to`` bound the event's time, ``to`` is exclusive; texts are compared exactly."""

    subject = text()
    type = text()
    source = text()
    id = text()
    to = InstantField(required=False)
    limit = serializers.IntegerField(default=LIMIT_USUAL, min_value=1, max_value=LIMIT_MAX)
    cursor = CursorField(required=False)

    def get_fields(self) -> dict[str, Any]:
        # A word of Python's own cannot name an attribute.
        return {**super().get_fields(), "from": InstantField(required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "from" in attrs and "to" in attrs and attrs["from"] >= attrs["to"]:
            raise serializers.ValidationError({"to": ["it must be later than `from`"]})
        return attrs


class Events(APIView):
    """The accepted events."""

    scope = ApiKey.Scope.READ.value

    @extend_schema(operation_id="list_events", parameters=[EventFilters], responses=shapes.Events)
    def get(self, request: Request) -> Response:
        """A page of events, newest first, and in ``next`` the cursor of the page behind it, or null."""
        asked = parameters.read(EventFilters, request)
        try:
            found = events.page(filters=_filters(asked), after=asked.get("cursor"), limit=asked["limit"])
        except TooSlow:
            raise SearchTookTooLong from None
        following = CursorField().to_representation(found.next) if found.next else None
        return Response(shapes.Events(events=[_shown(event) for event in found.events], next=following))


def _filters(asked: dict[str, Any]) -> events.Filters:
    source, id = asked.get("source"), asked.get("id")
    is_exact = source is not None and id is not None
    return events.Filters(
        subject=asked.get("subject"),
        type=asked.get("type"),
        source=source,
        event_id=id,
        start=asked.get("from"),
        end=asked.get("to"),
        key=UUID(bytes=contents.key(source=source, id=id)) if is_exact else None,
    )


def _shown(event: Event) -> shapes.Event:
    """The event under CloudEvents' names. JSON as the database wrote it: no number of it becomes a float."""
    return shapes.Event(
        id=event.event_id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=periods.format_instant(event.time),
        data=msgspec.Raw(event.data_text.encode()),
        extensions=msgspec.Raw((event.extensions_text or "{}").encode()),
        batch=str(event.batch_id),
    )
