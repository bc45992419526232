"""``/api/v1/subscriptions/{key}/...``: what may become of a subscription, each verb an address of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import subscribing
from billing.api import shapes, subscriptions
from billing.api.views import View, named
from billing.api.whens import PeriodWhenField, WhenField, instant_of
from billing.models import Plan, Subscription
from metering.api import bodies
from metering.api.bodies import Body, MappingField, TextField
from metering.api.effects import once
from metering.api.parameters import InstantField


class PlanChange(Body):
    """The plan, by code, and the overrides that hold on it; none of those before go along."""

    plan = TextField()
    overrides = MappingField(required=False, default=dict)
    effective_at = PeriodWhenField()


class Cancellation(Body):
    """When the subscription ends."""

    effective_at = PeriodWhenField()


class Pausing(Body):
    """When the subscription begins to rest, and when it goes on; without an end it is resumed by hand."""

    effective_at = PeriodWhenField()
    until_at = InstantField(required=False, allow_null=True, default=None)


class Resuming(Body):
    """When the subscription goes on."""

    effective_at = WhenField()


class OverridesChange(Body):
    """All the overrides that hold from then on, by component code; {} for none."""

    overrides = MappingField()
    effective_at = PeriodWhenField()


class QuantityChange(Body):
    """The quantity of a fixed component, which replaces the plan's."""

    component = TextField()
    quantity = TextField()
    effective_at = PeriodWhenField()


class AnchorChange(Body):
    """The local date from which billing periods are counted, from the next one on."""

    anchor_date = serializers.DateField()


class ChangePlan(View):
    """Another plan."""

    @extend_schema(operation_id="change_plan", request=PlanChange, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription on another plan from then on. Whatever was agreed for later is replaced."""
        subscription, asked, effective_at = _asked(request, key, PlanChange)
        plan = named(Plan.objects.all(), "plan", "plan", code=asked["plan"])
        subscribing.change_plan(
            subscription=subscription, plan=plan, overrides=asked["overrides"], effective_at=effective_at
        )
        return _shown(key)


class Cancel(View):
    """The end of a subscription."""

    members = {"end_at": "effective_at"}

    @extend_schema(operation_id="cancel", request=Cancellation, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription, which ends then. Fees are due for the share of its last period."""
        subscription, _asked_for, effective_at = _asked(request, key, Cancellation)
        subscribing.cancel(subscription=subscription, end_at=effective_at)
        return _shown(key)


class Keep(View):
    """A cancellation taken back."""

    @extend_schema(operation_id="keep", request=None, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription without an end: a cancellation that has not come into effect is taken back."""
        bodies.read(bodies.NothingToSay, request.data)
        subscribing.keep(subscription=subscriptions.of_key(key), at=timezone.now())
        return _shown(key)


class Pause(View):
    """A rest of a subscription."""

    @extend_schema(operation_id="pause", request=Pausing, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription, which rests from then on: no fees are due, and usage is not billed."""
        subscription, asked, effective_at = _asked(request, key, Pausing)
        subscribing.pause(subscription=subscription, effective_at=effective_at, until_at=asked["until_at"])
        return _shown(key)


class Resume(View):
    """The end of a rest."""

    @extend_schema(operation_id="resume", request=Resuming, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription, which goes on from then on. A pause that begins only then is taken back."""
        subscription, _asked_for, effective_at = _asked(request, key, Resuming)
        subscribing.resume(subscription=subscription, effective_at=effective_at)
        return _shown(key)


class Overrides(View):
    """Other terms on the same plan."""

    @extend_schema(operation_id="change_overrides", request=OverridesChange, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription on its plan with these overrides, and no others, from then on."""
        subscription, asked, effective_at = _asked(request, key, OverridesChange)
        subscribing.change_overrides(
            subscription=subscription, overrides=asked["overrides"], effective_at=effective_at
        )
        return _shown(key)


class Quantity(View):
    """More or less of a fixed component."""

    @extend_schema(operation_id="change_quantity", request=QuantityChange, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription with another quantity of a fixed component from then on, otherwise unchanged."""
        subscription, asked, effective_at = _asked(request, key, QuantityChange)
        subscribing.change_quantity(
            subscription=subscription,
            component=asked["component"],
            quantity=asked["quantity"],
            effective_at=effective_at,
        )
        return _shown(key)


class Anchor(View):
    """Other billing periods."""

    @extend_schema(operation_id="change_anchor", request=AnchorChange, responses=shapes.Subscription)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subscription, whose billing periods are counted from another date from the next one on."""
        subscription = subscriptions.of_key(key)
        asked = bodies.read(AnchorChange, request.data)
        subscribing.change_anchor(
            subscription=subscription, anchor_date=asked["anchor_date"], at=timezone.now()
        )
        return _shown(key)


def _asked(request: Request, key: str, body: type[Body]) -> tuple[Subscription, dict[str, Any], datetime]:
    """The subscription, what the body says, and the instant at which it takes effect."""
    subscription = subscriptions.of_key(key)
    asked = bodies.read(body, request.data)
    at = instant_of(asked["effective_at"], subscription=subscription, at=timezone.now())
    return subscription, asked, at


def _shown(key: str) -> Response:
    return Response(subscriptions.shown(subscriptions.of_key(key)))
