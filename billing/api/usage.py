"""``/api/v1/customers/{key}/usage``: what a customer's invoice would be now."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import previews
from billing.api import amounts, customers, shapes
from billing.api.views import View
from billing.previews import Preview
from metering import numbers, periods
from metering.api import parameters
from metering.api.parameters import Parameters


class Closing(Parameters):
    """``is_final``: as if nothing more came, with minimums and fees of the whole period, or without."""

    is_final = serializers.BooleanField(default=True)


class Usage(View):
    """What a customer has used in the running periods, priced."""

    @extend_schema(operation_id="get_customer_usage", parameters=[Closing], responses=shapes.CustomerNow)
    def get(self, request: Request, key: str) -> Response:
        """What the invoice would be now, by subscription and by piece of its billing period on one plan.

        Minimums and fees of the whole period are in it, unless `is_final` is false. Before tax.
        """
        asked = parameters.read(Closing, request)
        customer = customers.of_key(key)
        at = timezone.now()
        found = previews.of(customer=customer, at=at, is_final=asked["is_final"])
        return Response(
            shapes.CustomerNow(
                customer=customer.key,
                as_of=periods.format_instant(at),
                currency=customer.currency,
                pieces=[_piece(each) for each in found],
                total=_total(found, customer.currency),
            )
        )


def _piece(preview: Preview) -> shapes.PieceNow:
    statement = preview.statement
    return shapes.PieceNow(
        subscription=preview.subscription.key,
        start_at=periods.format_instant(preview.billed.start),
        end_at=periods.format_instant(preview.billed.end),
        statement=msgspec.convert(statement.answer(), shapes.Statement) if statement else None,
        blocked_reason=preview.reason,
    )


def _total(found: Sequence[Preview], currency: str) -> str | None:
    statements = [each.statement for each in found]
    with numbers.exact():
        totals = [each.total for each in statements if each is not None]
        return amounts.text(sum(totals, Decimal(0)), currency) if len(totals) == len(found) else None
