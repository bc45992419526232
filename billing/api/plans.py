"""``/api/v1/plans``: what is sold at which price. A plan's versions are published, read and compared."""

from __future__ import annotations

from typing import Any

from django.db.models import Max, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import publishing
from billing.api import shapes, versions
from billing.api.views import View, actor, found
from billing.models import Plan
from metering import periods
from metering.api import pages, parameters
from metering.api.effects import once
from metering.models import ApiKey

# Described where the whole schema is put together.
PLAN_DOCUMENT = {"application/json": {"$ref": "#/components/schemas/PlanDocument"}}


class Plans(View):
    """The plans."""

    @extend_schema(operation_id="list_plans", parameters=[pages.PagesByText], responses=shapes.Plans)
    def get(self, request: Request) -> Response:
        """A page of plans by code."""
        asked = parameters.read(pages.PagesByText, request)
        page = pages.page(rows(), by="code", asked=asked)
        return Response(shapes.Plans(plans=[shown(each) for each in page.rows], next=page.next))

    @extend_schema(
        operation_id="apply_plan",
        request=PLAN_DOCUMENT,
        responses={200: shapes.Applied, 201: shapes.Applied},
    )
    @once
    def post(self, request: Request) -> Response:
        """What became of the document in the body: 201 where a plan or a version of it was made of it.

        200 where what is sold has not changed. The document is that of the reference of plans.
        """
        applied = publishing.apply(document=document(request), at=timezone.now(), by=actor(request))
        is_new = applied.outcome != publishing.UNCHANGED
        address = f"{request.path.rstrip('/')}/{applied.code}/versions/{applied.version.number}"
        return Response(
            shapes.Applied(outcome=applied.outcome, version=versions.shown_in_full(applied.version)),
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
            headers={"Location": address} if is_new else None,
        )


class OnePlan(View):
    """A plan."""

    @extend_schema(operation_id="get_plan", responses=shapes.Plan)
    def get(self, request: Request, code: str) -> Response:
        """The plan of that code."""
        parameters.read(parameters.NoParameters, request)
        return Response(shown(found(rows(), "plan", code=code)))


class Differences(View):
    """What a document would change."""

    scope = ApiKey.Scope.READ.value

    @extend_schema(operation_id="diff_plan", request=PLAN_DOCUMENT, responses=shapes.Difference)
    def post(self, request: Request) -> Response:
        """What applying the document in the body would do, with each change in words and amounts.

        Nothing is stored. The document is compared with the last version of its plan.
        """
        difference = publishing.difference(document=document(request), at=timezone.now())
        return Response(
            shapes.Difference(
                plan=difference.plan.code,
                outcome=difference.outcome,
                currency=difference.plan.currency,
                changes=versions.shown_changes(difference.changes),
            )
        )


def document(request: Request) -> dict[str, Any]:
    """The plan document in the body. Raises ParseError."""
    if not isinstance(request.data, dict):
        raise exceptions.ParseError("The body is the document of one plan, a JSON object.")
    return request.data


def rows() -> QuerySet[Plan]:
    """Plans with the number of their last version."""
    return Plan.objects.annotate(version=Max("versions__number"))


def shown(plan: Any) -> shapes.Plan:
    """The plan as the API answers it."""
    return shapes.Plan(
        code=plan.code,
        name=plan.name,
        currency=plan.currency,
        interval=plan.interval,
        interval_count=plan.interval_count,
        version=plan.version,
        created_at=periods.format_instant(plan.created_at),
    )
