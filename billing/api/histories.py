"""``/api/v1/.../history``: who changed what of a customer, a subscription or a plan, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import histories
from billing.api import customers, shapes, subscriptions
from billing.api.views import View, found
from billing.histories import Change, Place
from billing.models import Plan
from metering import periods
from metering.api import parameters
from metering.api.parameters import LIMIT_MAX, LIMIT_USUAL, Parameters


@extend_schema_field({"type": "string"})
class PlaceField(serializers.Field):
    """The place behind which a page begins, as the page before gave it in ``next``."""

    def to_internal_value(self, data: Any) -> Place:
        try:
            at, source, id = str(data).split("_")
            place = Place(periods.parse_instant(at), int(source), int(id))
        except ValueError:
            place = None
        if place is None or not 0 <= place.source < 10 or not 0 <= place.id < 10**10:
            raise serializers.ValidationError("take the value of `next` as it stands in a page")
        return place

    def to_representation(self, value: Place) -> str:
        return f"{periods.format_instant(value.at)}_{value.source}_{value.id}"


class HistoryPages(Parameters):
    """``cursor``: the value of ``next`` of the page before."""

    limit = serializers.IntegerField(default=LIMIT_USUAL, min_value=1, max_value=LIMIT_MAX)
    cursor = PlaceField(required=False)


class CustomerHistory(View):
    """What happened to a customer."""

    @extend_schema(operation_id="get_customer_history", parameters=[HistoryPages], responses=shapes.History)
    def get(self, request: Request, key: str) -> Response:
        """A page of the changes of the customer and its subjects, the latest first."""
        customer = customers.of_key(key)
        return _page(request, lambda **page: histories.of_customer(customer=customer, **page))


class SubscriptionHistory(View):
    """What happened to a subscription."""

    @extend_schema(
        operation_id="get_subscription_history", parameters=[HistoryPages], responses=shapes.History
    )
    def get(self, request: Request, key: str) -> Response:
        """A page of the changes of the subscription, its phases and pauses, the latest first."""
        subscription = subscriptions.of_key(key)
        return _page(request, lambda **page: histories.of_subscription(subscription=subscription, **page))


class PlanHistory(View):
    """What happened to a plan."""

    @extend_schema(operation_id="get_plan_history", parameters=[HistoryPages], responses=shapes.History)
    def get(self, request: Request, code: str) -> Response:
        """A page of the changes of the plan and the versions published, the latest first."""
        plan = found(Plan.objects.all(), "plan", code=code)
        return _page(request, lambda **page: histories.of_plan(plan=plan, **page))


def _page(request: Request, read: Callable[..., list[Change]]) -> Response:
    asked = parameters.read(HistoryPages, request)
    rows = read(after=asked.get("cursor"), limit=asked["limit"] + 1)
    page = rows[: asked["limit"]]
    following = PlaceField().to_representation(page[-1].place) if len(rows) > len(page) else None
    return Response(shapes.History(history=[_shown(each) for each in page], next=following))


def _shown(change: Change) -> shapes.PastChange:
    return shapes.PastChange(
        at=periods.format_instant(change.place.at),
        by=change.by,
        through=change.through,
        what=change.what,
        kind=change.kind,
        values=[shapes.PastValue(field=name, old=old, new=new) for name, (old, new) in change.values.items()],
    )
