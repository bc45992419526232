"""``/api/v1/subscriptions``: which customer is on which plan, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import subscribing
from billing.api import customers, shapes
from billing.api.views import View, found, location, named
from billing.models import Customer, Plan, Subscription
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body, MappingField, TextField
from metering.api.effects import once
from metering.api.parameters import InstantField, text


class SubscriptionPages(pages.PagesByText):
    """``customer``: only theirs, by key."""

    customer = text()


class AgreedPhase(Body):
    """A phase that follows: on a plan with overrides, from ``start_at`` on."""

    plan = TextField()
    start_at = InstantField()
    overrides = MappingField(required=False, default=dict)


class NewSubscription(Body):
    """A subscription of a customer to a plan, each named by its key or code, in [start_at, end_at).

    ``anchor_date``: the local date from which billing periods are counted; without it they are those of the
    calendar. ``overrides``: by component code, see the reference of plans. Until ``trial_end_at`` usage is
    free and fees are not due. ``then``: the phases that are agreed to follow the one on ``plan``.
    """

    key = customers.key_field()
    customer = TextField()
    plan = TextField()
    start_at = InstantField()
    end_at = InstantField(required=False, allow_null=True)
    anchor_date = serializers.DateField(required=False, allow_null=True)
    trial_end_at = InstantField(required=False, allow_null=True)
    overrides = MappingField(required=False)
    then = AgreedPhase(many=True, required=False)


class Subscriptions(View):
    """The subscriptions."""

    @extend_schema(
        operation_id="list_subscriptions", parameters=[SubscriptionPages], responses=shapes.Subscriptions
    )
    def get(self, request: Request) -> Response:
        """A page of subscriptions by key."""
        asked = parameters.read(SubscriptionPages, request)
        rows = _rows()
        if "customer" in asked:
            rows = rows.filter(customer__key=asked["customer"])
        page = pages.page(rows, by="key", asked=asked)
        return Response(
            shapes.Subscriptions(subscriptions=[shown(each) for each in page.rows], next=page.next)
        )

    @extend_schema(operation_id="subscribe", request=NewSubscription, responses={201: shapes.Subscription})
    @once
    def post(self, request: Request) -> Response:
        """The new subscription."""
        asked = bodies.read(NewSubscription, request.data)
        customer = named(Customer.objects.all(), "customer", "customer", key=asked.pop("customer"))
        plan = named(Plan.objects.all(), "plan", "plan", code=asked.pop("plan"))
        then = [_agreed(each, f"then[{place}].plan") for place, each in enumerate(asked.pop("then", []))]
        made = subscribing.subscribe(customer=customer, plan=plan, then=then, at=timezone.now(), **asked)
        return Response(
            shown(of_key(made.key)), status=status.HTTP_201_CREATED, headers=location(request, made.key)
        )


class OneSubscription(View):
    """A subscription."""

    @extend_schema(operation_id="get_subscription", responses=shapes.Subscription)
    def get(self, request: Request, key: str) -> Response:
        """The subscription of that key, with its phases and pauses."""
        parameters.read(parameters.NoParameters, request)
        return Response(shown(of_key(key)))


def _agreed(asked: Mapping[str, Any], field: str) -> subscribing.Agreed:
    plan = named(Plan.objects.all(), "plan", field, code=asked["plan"])
    return subscribing.Agreed(plan, asked["start_at"], asked["overrides"])


def of_key(key: str) -> Subscription:
    """The subscription of an address. Raises NotFound."""
    subscription: Subscription = found(_rows(), "subscription", key=key)
    return subscription


def shown(subscription: Subscription) -> shapes.Subscription:
    """The subscription as the API answers it."""
    phases = sorted(subscription.phases.all(), key=lambda phase: phase.validity.lower)
    pauses = sorted(subscription.pauses.all(), key=lambda pause: pause.validity.lower)
    return shapes.Subscription(
        key=subscription.key,
        customer=subscription.customer.key,
        currency=subscription.customer.currency,
        timezone=subscription.timezone,
        anchor_date=subscription.anchor_date.isoformat(),
        start_at=periods.format_instant(subscription.start_at),
        end_at=_instant(subscription.end_at),
        trial_end_at=_instant(subscription.trial_end_at),
        next_billing_at=_instant(subscription.next_billing_at),
        created_at=periods.format_instant(subscription.created_at),
        phases=[
            shapes.Phase(
                plan=phase.plan.code,
                start_at=periods.format_instant(phase.validity.lower),
                end_at=_instant(phase.validity.upper),
                overrides=phase.overrides,
            )
            for phase in phases
        ],
        pauses=[
            shapes.Pause(
                start_at=periods.format_instant(pause.validity.lower), end_at=_instant(pause.validity.upper)
            )
            for pause in pauses
        ],
    )


def _rows() -> Any:
    return Subscription.objects.select_related("customer").prefetch_related("phases__plan", "pauses")


def _instant(at: Any) -> str | None:
    return periods.format_instant(at) if at else None
