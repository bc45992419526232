"""``/api/v1/customers/{key}/subjects``: whose usage a customer pays for, and when."""

from __future__ import annotations

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import subscribing
from billing.api import customers, shapes
from billing.api.views import View, found, location, named
from billing.api.whens import WhenField, instant
from billing.models import Customer, CustomerSubject, Subscription
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body, TextField
from metering.api.effects import once
from metering.api.parameters import InstantField


class NewSubject(Body):
    """A subject, as events carry it, and when the customer pays for it: [start_at, end_at).

    ``subscription``: the key of the one that is charged; needed where several price the same meter.
    """

    subject = TextField(max_length=1024, trim_whitespace=False)
    start_at = InstantField()
    end_at = InstantField(required=False, allow_null=True, default=None)
    subscription = TextField(required=False, allow_null=True, default=None)


class Ending(Body):
    """From when on the customer does not pay any more."""

    effective_at = WhenField()


class Moving(Body):
    """Who pays from when on, by key, and which of their subscriptions is charged."""

    customer = TextField()
    effective_at = WhenField()
    subscription = TextField(required=False, allow_null=True, default=None)


class Charging(Body):
    """Which of the customer's subscriptions is charged, by key."""

    subscription = TextField()


class Subjects(View):
    """The subjects of a customer."""

    @extend_schema(operation_id="list_subjects", parameters=[pages.PagesByNumber], responses=shapes.Subjects)
    def get(self, request: Request, key: str) -> Response:
        """A page of subjects, in the order in which they were assigned."""
        asked = parameters.read(pages.PagesByNumber, request)
        rows = customers.of_key(key).subjects.select_related("subscription")
        page = pages.page(rows, by="id", asked=asked)
        return Response(shapes.Subjects(subjects=[shown(each) for each in page.rows], next=page.next))

    @extend_schema(operation_id="assign_subject", request=NewSubject, responses={201: shapes.Subject})
    @once
    def post(self, request: Request, key: str) -> Response:
        """The subject, for which the customer now pays. Usage from before counts by its own time, too."""
        customer = customers.of_key(key)
        asked = bodies.read(NewSubject, request.data)
        assigned = subscribing.assign_subject(
            customer=customer,
            subject=asked["subject"],
            validity=DateTimeTZRange(asked["start_at"], asked["end_at"]),
            subscription=_subscription(customer, asked["subscription"]),
        )
        return Response(
            shown(assigned), status=status.HTTP_201_CREATED, headers=location(request, str(assigned.pk))
        )


class OneSubject(View):
    """A subject of a customer."""

    @extend_schema(operation_id="get_subject", responses=shapes.Subject)
    def get(self, request: Request, key: str, id: int) -> Response:
        """The subject of that id."""
        parameters.read(parameters.NoParameters, request)
        return Response(shown(_of_id(key, id)))


class Charge(View):
    """Whom a subject is charged to."""

    @extend_schema(operation_id="charge_subject", request=Charging, responses=shapes.Subject)
    @once
    def post(self, request: Request, key: str, id: int) -> Response:
        """The subject, charged to the subscription that the body names."""
        row = _of_id(key, id)
        subscription = _subscription(row.customer, bodies.read(Charging, request.data)["subscription"])
        return Response(shown(subscribing.charge_subject(customer_subject=row, subscription=subscription)))


class End(View):
    """The end of a customer's paying for a subject."""

    members = {"validity": "effective_at"}

    @extend_schema(operation_id="end_subject", request=Ending, responses=shapes.Subject)
    @once
    def post(self, request: Request, key: str, id: int) -> Response:
        """The subject, for which the customer pays until the instant only."""
        row = _of_id(key, id)
        effective_at = instant(bodies.read(Ending, request.data)["effective_at"], at=timezone.now())
        return Response(shown(subscribing.release_subject(customer_subject=row, effective_at=effective_at)))


class Move(View):
    """Another payer of a subject."""

    @extend_schema(operation_id="move_subject", request=Moving, responses=shapes.Subject)
    @once
    def post(self, request: Request, key: str, id: int) -> Response:
        """The subject as it is paid for from the instant on, by another customer or another subscription."""
        row = _of_id(key, id)
        asked = bodies.read(Moving, request.data)
        payer = named(Customer.objects.all(), "customer", "customer", key=asked["customer"])
        moved = subscribing.move_subject(
            subject=row.subject,
            customer=payer,
            effective_at=instant(asked["effective_at"], at=timezone.now()),
            subscription=_subscription(payer, asked["subscription"]),
        )
        return Response(shown(moved))


def _of_id(key: str, id: int) -> CustomerSubject:
    rows = customers.of_key(key).subjects.select_related("subscription", "customer")
    subject: CustomerSubject = found(rows, "subject with the id", pk=id)
    return subject


def _subscription(customer: Customer, key: str | None) -> Subscription | None:
    if key is None:
        return None
    subscription: Subscription = named(customer.subscriptions, "subscription", "subscription", key=key)
    return subscription


def shown(row: CustomerSubject) -> shapes.Subject:
    """The subject as the API answers it."""
    lower, upper = row.validity.lower, row.validity.upper
    return shapes.Subject(
        id=row.pk,
        subject=row.subject,
        start_at=periods.format_instant(lower),
        end_at=periods.format_instant(upper) if upper else None,
        subscription=row.subscription.key if row.subscription else None,
    )
