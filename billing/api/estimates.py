"""``POST /api/v1/estimates``: what a model needs. See the reference of estimates."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from billing import estimating
from billing.api import shapes
from billing.api.answered import LargeParser, answered
from metering.models import ApiKey


class Estimates(APIView):
    """Estimates, which have no effect: nothing is read but the request."""

    scope = ApiKey.Scope.READ.value
    parser_classes = [LargeParser]

    @extend_schema(
        operation_id="estimate",
        request={"application/json": estimating.request_schema()},
        responses={200: estimating.answer_schema(), 400: shapes.QuoteRefused},
    )
    def post(self, request: Request) -> HttpResponse:
        """What the model of the request needs: memory, compute, GPUs and their hours."""
        return answered(request, estimating.estimate)
