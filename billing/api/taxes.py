"""``/api/v1/tax-rates`` and ``/api/v1/customers/{key}/tax``: which taxes are due from whom."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import taxing
from billing.api import customers, shapes
from billing.api.amounts import DecimalField
from billing.api.views import View, found, location, named
from billing.models import Customer, CustomerTax, TaxRate
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body, TextField
from metering.api.effects import once

RATES_MAX = 20


class TaxRateChange(Body):
    """What may be changed of a rate: its name as printed, and the percentage of the amount before tax."""

    name = TextField(required=False, max_length=100)
    percent = DecimalField(required=False)


class NewTaxRate(Body):
    """A rate: its code inside the system, its name as printed, and the percentage."""

    code = serializers.SlugField(max_length=50)
    name = TextField(max_length=100)
    percent = DecimalField()


class Taxation(Body):
    """How a customer is taxed: TAXED at ``rates``, by their codes, or not.

    ``note``: printed for one that is exempt, or owes the tax themselves, such as the law that it rests on.
    """

    treatment = serializers.ChoiceField(choices=CustomerTax.Treatment.values)
    rates = serializers.ListField(child=TextField(), max_length=RATES_MAX, default=list)
    note = TextField(required=False, allow_blank=True, default="", max_length=1000)


class TaxRates(View):
    """The tax rates."""

    @extend_schema(operation_id="list_tax_rates", parameters=[pages.PagesByText], responses=shapes.TaxRates)
    def get(self, request: Request) -> Response:
        """A page of rates by code."""
        asked = parameters.read(pages.PagesByText, request)
        page = pages.page(TaxRate.objects.all(), by="code", asked=asked)
        return Response(shapes.TaxRates(tax_rates=[_rate(each) for each in page.rows], next=page.next))

    @extend_schema(operation_id="create_tax_rate", request=NewTaxRate, responses={201: shapes.TaxRate})
    @once
    def post(self, request: Request) -> Response:
        """The new rate, which nobody bears yet."""
        rate = taxing.new_rate(**bodies.read(NewTaxRate, request.data))
        return Response(_rate(rate), status=status.HTTP_201_CREATED, headers=location(request, rate.code))


class OneTaxRate(View):
    """A tax rate."""

    @extend_schema(operation_id="get_tax_rate", responses=shapes.TaxRate)
    def get(self, request: Request, code: str) -> Response:
        """The rate of that code."""
        parameters.read(parameters.NoParameters, request)
        return Response(_rate(_of_code(code)))

    @extend_schema(operation_id="change_tax_rate", request=TaxRateChange, responses=shapes.TaxRate)
    def patch(self, request: Request, code: str) -> Response:
        """The rate with the members of the body changed. Drafts follow it, what is finalized does not."""
        changed = bodies.read(TaxRateChange, request.data)
        if not changed:
            raise exceptions.ParseError("The body names nothing to change.")
        return Response(_rate(taxing.change_rate(rate=_of_code(code), **changed)))


class TaxOfCustomer(View):
    """How a customer is taxed."""

    @extend_schema(operation_id="get_customer_tax", responses=shapes.CustomerTax)
    def get(self, request: Request, key: str) -> Response:
        """The treatment and the rates of the customer."""
        parameters.read(parameters.NoParameters, request)
        return Response(_tax(customers.of_key(key)))

    @extend_schema(operation_id="set_customer_tax", request=Taxation, responses=shapes.CustomerTax)
    def put(self, request: Request, key: str) -> Response:
        """The customer's taxation, all of it, from the next draft on; drafts that stand follow it too."""
        customer, asked = customers.of_key(key), bodies.read(Taxation, request.data)
        rates = [
            named(TaxRate.objects.all(), "tax rate", f"rates[{place}]", code=code)
            for place, code in enumerate(asked["rates"])
        ]
        taxing.assign(customer=customer, treatment=asked["treatment"], rates=rates, note=asked["note"])
        return Response(_tax(customer))


def _of_code(code: str) -> TaxRate:
    rate: TaxRate = found(TaxRate.objects.all(), "tax rate", code=code)
    return rate


def _rate(rate: TaxRate) -> shapes.TaxRate:
    return shapes.TaxRate(code=rate.code, name=rate.name, percent=f"{rate.percent:f}")


def _tax(customer: Customer) -> shapes.CustomerTax:
    said = CustomerTax.objects.filter(customer=customer).first()
    if said is None:
        return shapes.CustomerTax(treatment=None, rates=[], note="")
    rates = [_rate(each) for each in said.rates.order_by("code")]
    return shapes.CustomerTax(treatment=said.treatment, rates=rates, note=said.note)
