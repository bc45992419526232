"""``/api/v1/unbilled``: usage that no invoice has, and why."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import unbilled
from billing.api.views import View
from billing.unbilled import Reason
from metering import periods
from metering.api import pages, parameters
from metering.api.parameters import LIMIT_MAX, LIMIT_USUAL, InstantField, Parameters
from metering.api.query import NotToBeAnswered
from metering.api.shapes import Cursor, Instant, Shape
from metering.models.patience import TooSlow
from metering.periods import Period
from metering.usage import Unmetered

SPAN_MAX = timedelta(days=366)
# What the page shows where nobody asks for something else: this one is the rule, not an oversight.
USUAL = [each.value for each in Reason if each is not Reason.NOT_IN_PLAN]


class UnbilledUsage(Shape):
    """Usage that a meter counted for a subject and nobody is charged for; times to the quarter hour."""

    subject: str
    meter: str
    reason: Annotated[str, Meta(description="NO_PAYER, NO_SUBSCRIPTION, PAUSED or NOT_IN_PLAN")]
    count: int
    first_at: Instant
    last_at: Instant


class UnbilledUsages(Shape):
    """By subject, meter and reason."""

    usage: list[UnbilledUsage]
    next: Cursor | None


class UncountedEvents(Shape):
    """Events of a type. ``meter`` and ``reason`` are empty where no meter counts this type."""

    type: str
    meter: str
    reason: str
    count: int
    first_at: Instant
    last_at: Instant


class UncountedPage(Shape):
    """By type, or by meter and reason."""

    events: list[UncountedEvents]
    next: Cursor | None


class Obstacle(Shape):
    """What keeps a draft from being finalized, or an invoiced period from being rated again.

    ``invoice``: the id of the draft; null for an invoiced period.
    """

    customer: str
    invoice: int | None
    reason: str


class Obstacles(Shape):
    """By age, the oldest first."""

    obstacles: list[Obstacle]
    next: Cursor | None


class Placed(Parameters):
    """``start`` and ``end``: of the usage; without them since the first day of last month (UTC)."""

    start = InstantField(required=False)
    end = InstantField(required=False)
    limit = serializers.IntegerField(default=LIMIT_USUAL, min_value=1, max_value=LIMIT_MAX)
    cursor = parameters.text()

    def validate_cursor(self, cursor: str) -> list[str]:
        try:
            place = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        except (ValueError, binascii.Error):
            place = None
        if not isinstance(place, list) or not all(isinstance(each, str) for each in place):
            raise serializers.ValidationError("take the value of `next` as it stands in a page")
        return place


class UsageQuestion(Placed):
    """``reason``: only usage that is unbilled for it. Without it all but NOT_IN_PLAN, which is the rule."""

    reason = serializers.ChoiceField(choices=[each.value for each in Reason], required=False)


class EventsQuestion(Placed):
    """``kind``: UNMATCHED, events of types that no meter counts; UNUSABLE, those that a meter cannot use."""

    kind = serializers.ChoiceField(choices=["UNMATCHED", "UNUSABLE"], default="UNMATCHED")


class ObstaclesQuestion(pages.PagesByNumber):
    """``kind``: DRAFT, drafts that cannot be finalized; INVOICED, periods that cannot be adjusted."""

    kind = serializers.ChoiceField(choices=["DRAFT", "INVOICED"], default="DRAFT")


class Usage(View):
    """Measured usage that nobody is charged for."""

    @extend_schema(operation_id="list_unbilled_usage", parameters=[UsageQuestion], responses=UnbilledUsages)
    def get(self, request: Request) -> Response:
        """Usage by subject and meter that is on no invoice: without payer, subscription, or in a pause."""
        asked, at = parameters.read(UsageQuestion, request), timezone.now()
        reasons = [Reason(each) for each in ([asked["reason"]] if "reason" in asked else USUAL)]
        after = _place(asked, 3)
        try:
            found = unbilled.measured(
                reasons=reasons,
                period=_period(asked, at),
                after=(after[0], after[1], after[2]),
                limit=asked["limit"] + 1,
                at=at,
            )
        except TooSlow:
            raise NotToBeAnswered from None
        rows = [
            UnbilledUsage(
                subject=each.subject,
                meter=each.meter,
                reason=each.reason,
                count=each.count,
                first_at=periods.format_instant(each.first_at),
                last_at=periods.format_instant(each.last_at),
            )
            for each in found
        ]
        shown = rows[: asked["limit"]]
        last = [shown[-1].subject, shown[-1].meter, shown[-1].reason] if shown else []
        return Response(UnbilledUsages(usage=shown, next=_next(rows, shown, last)))


class Events(View):
    """Stored events that no meter counts."""

    @extend_schema(operation_id="list_uncounted_events", parameters=[EventsQuestion], responses=UncountedPage)
    def get(self, request: Request) -> Response:
        """Types of events that no meter counts, or events that a meter of their type cannot use."""
        asked, at = parameters.read(EventsQuestion, request), timezone.now()
        try:
            found = _uncounted(asked, at)
        except TooSlow:
            raise NotToBeAnswered from None
        rows = [
            UncountedEvents(
                type=each.type,
                meter=each.meter,
                reason=each.reason,
                count=each.count,
                first_at=periods.format_instant(each.first_at),
                last_at=periods.format_instant(each.last_at),
            )
            for each in found
        ]
        shown = rows[: asked["limit"]]
        of_type = asked["kind"] == "UNMATCHED"
        last = ([shown[-1].type] if of_type else [shown[-1].meter, shown[-1].reason]) if shown else []
        return Response(UncountedPage(events=shown, next=_next(rows, shown, last)))


class ObstaclesView(View):
    """What keeps usage that has arrived from being invoiced."""

    @extend_schema(operation_id="list_billing_obstacles", parameters=[ObstaclesQuestion], responses=Obstacles)
    def get(self, request: Request) -> Response:
        """Drafts with usage that has no price, and the like; invoiced periods that cannot be adjusted."""
        asked = parameters.read(ObstaclesQuestion, request)
        read = unbilled.blocked if asked["kind"] == "DRAFT" else unbilled.unadjusted
        found = read(after=int(asked.get("cursor", 0)), limit=asked["limit"] + 1)
        shown = found[: asked["limit"]]
        rows = [Obstacle(each.customer_key, each.invoice_id, each.reason) for _id, each in shown]
        return Response(
            Obstacles(obstacles=rows, next=str(shown[-1][0]) if len(found) > len(shown) else None)
        )


def _uncounted(asked: dict[str, Any], at: datetime) -> Sequence[Unmetered]:
    period, limit = _period(asked, at), asked["limit"] + 1
    if asked["kind"] == "UNMATCHED":
        return unbilled.unmatched(period=period, after=_place(asked, 1)[0], limit=limit, at=at)
    slug, reason = _place(asked, 2)
    return unbilled.unusable(period=period, after=(slug, reason), limit=limit)


def _period(asked: dict[str, Any], at: datetime) -> Period:
    last_month = (at.astimezone(UTC).replace(day=1) - timedelta(days=1)).replace(day=1)
    start = asked.get("start", last_month.replace(hour=0, minute=0, second=0, microsecond=0))
    end = asked.get("end", max(at, start))
    if not start <= end <= start + SPAN_MAX:
        raise serializers.ValidationError(
            {"end": [f"it is at or after `start`, by at most {SPAN_MAX.days} days"]}
        )
    return Period(start, end)


def _place(asked: dict[str, Any], length: int) -> list[str]:
    place: list[str] = asked.get("cursor", [""] * length)
    if len(place) != length:
        raise serializers.ValidationError({"cursor": ["take the value of `next` as it stands in a page"]})
    return place


def _next(found: Sequence[Any], shown: Sequence[Any], last: list[str]) -> str | None:
    if len(found) == len(shown):
        return None
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode()
