"""``/api/v1/trends/...``: how prices moved, of the own plans, of models and of rented GPUs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.views import View
from billing.trends import answers, beside, gpus, history, market, own
from billing.trends.beside import Asked
from billing.trends.history import Chosen
from metering.api import parameters
from metering.api.parameters import Parameters, text

PER_MAX = Decimal(10**12)


class MarketPrices(Parameters):
    """``family``: what a model's name begins with, such as gpt-4o; ``from`` and ``to`` are days."""

    kind = serializers.ChoiceField(choices=list(history.KINDS), default="output")
    provider = text()
    model = text()
    family = text()

    def get_fields(self) -> dict[str, Any]:
        days = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **days}


class GpuPrices(Parameters):
    """``gpu``: a family such as H100. ``source_kind``: how the price was found."""

    gpu = text()
    source_kind = serializers.ChoiceField(choices=list(gpus.SOURCE_KINDS), required=False)


class OwnPrices(Parameters):
    """``plan``: only its prices, by code."""

    plan = text()


class PricesBeside(MarketPrices):
    """An own price and the market price that stands beside it. ``price``: its place in the component.

    ``per``: how many of the meter's units are one of the market's: a million, for tokens.
    """

    plan = serializers.CharField()
    component = serializers.CharField()
    price = text()
    per = serializers.DecimalField(
        max_digits=30, decimal_places=12, min_value=Decimal(0), max_value=PER_MAX, default=beside.MILLION
    )

    def get_fields(self) -> dict[str, Any]:
        days = {name: serializers.DateField() for name in ("from", "to")}
        return {**super().get_fields(), **days}


class Market(View):
    """Market prices of models."""

    @extend_schema(operation_id="market_trend", parameters=[MarketPrices], responses={200: answers.market()})
    def get(self, request: Request) -> Response:
        """The prices of models by day, and the factor by which they fell in a year."""
        asked = parameters.read(MarketPrices, request)
        try:
            return Response(market.answer(_chosen(asked)))
        except market.PointsTooMany as error:
            raise exceptions.ValidationError({"family": [str(error)]}) from None


class Gpus(View):
    """Prices of rented GPUs."""

    @extend_schema(operation_id="gpu_trend", parameters=[GpuPrices], responses={200: answers.gpus()})
    def get(self, request: Request) -> Response:
        """The prices of GPU-hours by day, told apart by how they were found."""
        asked = parameters.read(GpuPrices, request)
        family = asked.get("gpu")
        if family is not None and family not in gpus.families():
            known = ", ".join(gpus.families())
            raise exceptions.ValidationError({"gpu": [f"there are no prices of it; there are of {known}"]})
        return Response(gpus.answer(family=family, source_kind=asked.get("source_kind")))


class Plans(View):
    """The own plans' prices."""

    @extend_schema(operation_id="plan_trend", parameters=[OwnPrices], responses={200: answers.own()})
    def get(self, request: Request) -> Response:
        """Every price of every version of the plans."""
        asked = parameters.read(OwnPrices, request)
        return Response(own.answer(plan=asked.get("plan")))


class Beside(View):
    """An own price beside the market's."""

    @extend_schema(
        operation_id="price_beside_market",
        parameters=[PricesBeside],
        responses={200: answers.beside()},
    )
    def get(self, request: Request) -> Response:
        """Both prices of each day, and the own one as a multiple of the market's."""
        asked = parameters.read(PricesBeside, request)
        first, last = asked.pop("from"), asked.pop("to")
        try:
            return Response(
                beside.answer(
                    Asked(
                        plan=asked["plan"],
                        component=asked["component"],
                        chosen=_chosen(asked),
                        first=first,
                        last=last,
                        path=asked.get("price"),
                        per=asked["per"],
                    )
                )
            )
        except beside.NotComparable as error:
            raise exceptions.ValidationError({"non_field_errors": [str(error)]}) from None


def _chosen(asked: dict[str, Any]) -> Chosen:
    return Chosen(
        kind=asked["kind"],
        provider=asked.get("provider"),
        model=asked.get("model"),
        family=asked.get("family"),
        first=asked.get("from"),
        last=asked.get("to"),
    )
