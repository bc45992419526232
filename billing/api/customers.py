"""``/api/v1/customers``: who is invoiced."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import registering, subscribing
from billing.api import shapes
from billing.api.views import View, found, location, named
from billing.api.whens import WhenField, instant
from billing.models import Customer
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body, TextField
from metering.api.effects import once

# Of an address: a slash would end it, and dots and spaces at an end get lost on the way.
KEY_PATTERN = r"^(?![.\s])[^/\x00-\x1f\x7f]+(?<![.\s])$"
_DAYS_MAX = 3650


def key_field() -> serializers.RegexField:
    """A name that the seller chooses and that stands in addresses."""
    return serializers.RegexField(
        KEY_PATTERN,
        max_length=100,
        trim_whitespace=False,
        error_messages={
            "invalid": "a key has no slash, no control characters, and no dot or space at its ends"
        },
    )


class CustomerChange(Body):
    """What may be changed of a customer. The key and the currency stay: invoices are made out in it."""

    name = TextField(required=False, max_length=200)
    legal_name = TextField(required=False, allow_blank=True, max_length=300)
    tax_id = TextField(required=False, allow_blank=True, max_length=50)
    address = TextField(required=False, allow_blank=True, max_length=2000)
    email = TextField(required=False, allow_blank=True, max_length=254)
    timezone = TextField(required=False, max_length=64)
    locale = TextField(required=False, max_length=20)
    grace_hours = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=_DAYS_MAX * 24
    )
    due_days = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=_DAYS_MAX)


class NewCustomer(CustomerChange):
    """A customer. Without a time zone it is UTC."""

    key = key_field()
    name = TextField(max_length=200)
    currency = TextField(max_length=3, help_text="ISO 4217")


class Customers(View):
    """The customers."""

    @extend_schema(operation_id="list_customers", parameters=[pages.PagesByText], responses=shapes.Customers)
    def get(self, request: Request) -> Response:
        """A page of customers by key."""
        asked = parameters.read(pages.PagesByText, request)
        page = pages.page(Customer.objects.select_related("merged_into"), by="key", asked=asked)
        return Response(shapes.Customers(customers=[shown(each) for each in page.rows], next=page.next))

    @extend_schema(operation_id="create_customer", request=NewCustomer, responses={201: shapes.Customer})
    @once
    def post(self, request: Request) -> Response:
        """The new customer."""
        customer = registering.customer(**bodies.read(NewCustomer, request.data), at=timezone.now())
        return Response(
            shown(customer), status=status.HTTP_201_CREATED, headers=location(request, customer.key)
        )


class OneCustomer(View):
    """A customer."""

    @extend_schema(operation_id="get_customer", responses=shapes.Customer)
    def get(self, request: Request, key: str) -> Response:
        """The customer of that key."""
        parameters.read(parameters.NoParameters, request)
        return Response(shown(of_key(key)))

    @extend_schema(operation_id="change_customer", request=CustomerChange, responses=shapes.Customer)
    def patch(self, request: Request, key: str) -> Response:
        """The customer with the members of the body changed; the others stay as they are.

        Invoices that were finalized stay as they were printed. In another time zone billing periods are
        counted from the next one of each subscription on.
        """
        changed = bodies.read(CustomerChange, request.data)
        if not changed:
            raise exceptions.ParseError("The body names nothing to change.")
        customer = of_key(key)
        zone = changed.pop("timezone", customer.timezone)
        with transaction.atomic():
            if zone != customer.timezone:
                subscribing.change_timezone(customer=customer, timezone=zone, at=timezone.now())
            if changed:
                registering.change(customer=customer, **changed)
        return Response(shown(of_key(key)))


class Merger(Body):
    """Who takes everything over, by key, and from when on.

    ``subscription``: which of theirs is charged for the subjects; needed where several price the same meter.
    """

    into = TextField()
    effective_at = WhenField()
    subscription = TextField(required=False, allow_null=True, default=None)


class Merge(View):
    """The end of a customer who has become another one."""

    @extend_schema(operation_id="merge_customer", request=Merger, responses=shapes.Customer)
    @once
    def post(self, request: Request, key: str) -> Response:
        """The customer, merged into another one, who pays for all its subjects from the instant on.

        Its subscriptions end then. Invoices stay with whom they were made out to.
        """
        customer = of_key(key)
        asked = bodies.read(Merger, request.data)
        into = named(Customer.objects.all(), "customer", "into", key=asked["into"])
        charged = asked["subscription"]
        subscribing.merge(
            customer=customer,
            into=into,
            effective_at=instant(asked["effective_at"], at=timezone.now()),
            subscription=charged and named(into.subscriptions, "subscription", "subscription", key=charged),
        )
        return Response(shown(of_key(key)))


def of_key(key: str) -> Customer:
    """The customer of an address. Raises NotFound."""
    customer: Customer = found(Customer.objects.select_related("merged_into"), "customer", key=key)
    return customer


def shown(customer: Customer) -> shapes.Customer:
    """The customer as the API answers it."""
    return shapes.Customer(
        key=customer.key,
        name=customer.name,
        legal_name=customer.legal_name,
        tax_id=customer.tax_id,
        address=customer.address,
        email=customer.email,
        currency=customer.currency,
        timezone=customer.timezone,
        locale=customer.locale,
        grace_hours=customer.grace_hours,
        due_days=customer.due_days,
        merged_into=customer.merged_into.key if customer.merged_into else None,
        created_at=periods.format_instant(customer.created_at),
    )
