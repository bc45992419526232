"""``POST /api/v1/advice``: what a workload costs under every plan. See the reference of advice."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from billing.advising import advice, answers
from billing.advising import request as requests
from billing.api import shapes
from billing.api.answered import LargeParser, answered
from metering.models import ApiKey

# A few seconds of one core, and about as many for break-even points; see `billing.rating.work`.
WORK_MAX = 1_000_000


class Advice(APIView):
    """Advice, which has no effect: nothing is stored."""

    scope = ApiKey.Scope.READ.value
    parser_classes = [LargeParser]

    @extend_schema(
        operation_id="advise",
        request={"application/json": requests.schema()},
        responses={200: answers.schema(), 400: shapes.QuoteRefused},
    )
    def post(self, request: Request) -> HttpResponse:
        """The workload of the request under every plan, the cheapest one, and where that changes."""
        now = timezone.now()
        return answered(request, lambda document: advice.advise(document, at=now, work_max=WORK_MAX))
