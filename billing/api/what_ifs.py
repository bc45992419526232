"""``/api/v1/what-ifs``: draft plans against the invoices of past months, compared by a worker."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing import waking
from billing.advising import asking
from billing.advising.what_if import Question
from billing.api.answered import LargeParser
from billing.api.shapes import Amount
from billing.api.views import View, actor, found, location
from billing.models import WhatIf, WhatIfDifference
from metering import periods
from metering.api import bodies, pages, parameters
from metering.api.bodies import Body, MappingField, TextField
from metering.api.csv_rendering import CsvRenderer
from metering.api.effects import once
from metering.api.parameters import InstantField
from metering.api.shapes import Cursor, Instant, Shape
from metering.periods import Period

PLANS_MAX = 50


class WhatIfJob(Shape):
    """A comparison: how far it is, and what it was asked.

    ``customers`` and their sums are of the service periods compared so far.
    """

    id: int
    state: str
    done: int
    total: int
    plans: list[str]
    start_at: Instant
    end_at: Instant
    customer: str | None
    is_move: bool
    requested_at: Instant
    requested_by: str
    ended_at: Instant | None
    failure: str
    customers: list[WhatIfCustomer]


class WhatIfCustomer(Shape):
    """What a customer paid, before tax, and would have paid, in one currency.

    Sums leave out periods that the plan could not price: ``unpriced`` counts them.
    """

    customer: str
    currency: str
    old: Amount
    new: Amount
    difference: Amount
    periods: int
    unpriced: int
    not_reproduced: int


class WhatIfRow(Shape):
    """A subscription's service period. ``new`` and ``difference`` are null where ``note`` says why."""

    customer: str
    subscription: str
    invoices: list[str]
    start_at: Instant
    end_at: Instant
    plan: str
    currency: str
    old: Amount
    new: Amount | None
    difference: Amount | None
    is_reproduced: bool
    read_anew: list[str]
    note: str
    components: list[list[str]]


class WhatIfJobs(Shape):
    """Comparisons, the latest first."""

    what_ifs: list[WhatIfJob]
    next: Cursor | None


class WhatIfRows(Shape):
    """The differences of a comparison, by customer, subscription and time."""

    differences: list[WhatIfRow]
    next: Cursor | None


class NewWhatIf(Body):
    """``plans``: documents; each takes the place of the plan of its code in periods of [start_at, end_at).

    With ``is_move`` there is one, and it takes the place of every plan. Without ``customer`` all customers.
    """

    plans = serializers.ListField(child=MappingField(), min_length=1, max_length=PLANS_MAX)
    start_at = InstantField()
    end_at = InstantField()
    customer = TextField(required=False, allow_null=True)
    is_move = serializers.BooleanField(default=False)


class WhatIfs(View):
    """The comparisons."""

    parser_classes = [LargeParser]

    @extend_schema(operation_id="list_what_ifs", parameters=[pages.PagesByNumber], responses=WhatIfJobs)
    def get(self, request: Request) -> Response:
        """A page of comparisons, the latest first."""
        asked = parameters.read(pages.PagesByNumber, request)
        page = pages.page(WhatIf.objects.all(), by="pk", asked=asked, is_descending=True)
        return Response(WhatIfJobs(what_ifs=[_job(each) for each in page.rows], next=page.next))

    @extend_schema(operation_id="ask_what_if", request=NewWhatIf, responses={201: WhatIfJob})
    @once
    def post(self, request: Request) -> Response:
        """The comparison, queued for a worker. Nothing is written to plans or subscriptions."""
        asked = bodies.read(NewWhatIf, request.data)
        if asked["end_at"] <= asked["start_at"]:
            raise exceptions.ValidationError({"end_at": ["it is not after start_at"]})
        question = Question(
            documents=asked["plans"],
            period=Period(asked["start_at"], asked["end_at"]),
            customer=asked.get("customer"),
            is_move=asked["is_move"],
        )
        job = asking.ask(question=question, at=timezone.now(), by=actor(request))
        waking.answer_what_ifs()
        return Response(_job(job), status=status.HTTP_201_CREATED, headers=location(request, str(job.pk)))


class OneWhatIf(View):
    """A comparison."""

    @extend_schema(operation_id="get_what_if", responses=WhatIfJob)
    def get(self, request: Request, id: int) -> Response:
        """How far the comparison is, and the difference by customer."""
        parameters.read(parameters.NoParameters, request)
        return Response(_job(_of(id)))


class Cancel(View):
    """The end of a comparison before its time."""

    @extend_schema(operation_id="cancel_what_if", request=bodies.NothingToSay, responses=WhatIfJob)
    @once
    def post(self, request: Request, id: int) -> Response:
        """The comparison, cancelled; what was compared stands."""
        bodies.read(bodies.NothingToSay, request.data or {})
        job = _of(id)
        try:
            asking.cancel(job=job, at=timezone.now())
        except asking.WhatIfEnded as error:
            raise Ended(str(error)) from None
        return Response(_job(_of(id)))


class Ended(exceptions.APIException):
    """The comparison is over already."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "what_if_ended"


class WhatIfDifferences(View):
    """The rows of a comparison."""

    @extend_schema(
        operation_id="list_what_if_differences",
        parameters=[pages.PagesByNumber],
        responses=WhatIfRows,
    )
    def get(self, request: Request, id: int) -> Response:
        """A page of differences."""
        asked = parameters.read(pages.PagesByNumber, request)
        page = pages.page(_of(id).differences.all(), by="position", asked=asked)
        return Response(WhatIfRows(differences=[_row(each) for each in page.rows], next=page.next))


class Table(View):
    """All rows of a comparison as a file."""

    renderer_classes = [CsvRenderer]

    @extend_schema(
        operation_id="what_if_table", responses={(200, "text/csv"): {"type": "string", "format": "binary"}}
    )
    def get(self, request: Request, id: int) -> Response:
        """The differences as CSV (UTF-8, CRLF), a heading first."""
        parameters.read(parameters.NoParameters, request)
        return Response(asking.table(job=_of(id)))


def _of(id: int) -> WhatIf:
    job: WhatIf = found(WhatIf.objects.all(), "comparison", pk=id)
    return job


def _job(job: WhatIf) -> WhatIfJob:
    return WhatIfJob(
        id=job.pk,
        state=job.state,
        done=job.done,
        total=job.total,
        plans=[str(document.get("code", "")) for document in job.documents],
        start_at=periods.format_instant(job.start_at),
        end_at=periods.format_instant(job.end_at),
        customer=job.customer or None,
        is_move=job.is_move,
        requested_at=periods.format_instant(job.requested_at),
        requested_by=job.requested_by,
        ended_at=periods.format_instant(job.ended_at) if job.ended_at else None,
        failure=job.failure,
        customers=[_customer(each) for each in asking.by_customer(job=job)],
    )


def _customer(sums: dict[str, Any]) -> WhatIfCustomer:
    return WhatIfCustomer(
        customer=sums["customer"],
        currency=sums["currency"],
        old=f"{sums['old_total']:f}",
        new=f"{sums['new_total']:f}",
        difference=f"{sums['difference_total']:f}",
        periods=sums["periods"],
        unpriced=sums["unpriced"],
        not_reproduced=sums["not_reproduced"],
    )


def _row(row: WhatIfDifference) -> WhatIfRow:
    return WhatIfRow(
        customer=row.customer,
        subscription=row.subscription,
        invoices=row.invoices,
        start_at=periods.format_instant(row.start_at),
        end_at=periods.format_instant(row.end_at),
        plan=row.plan,
        currency=row.currency,
        old=f"{row.old:f}",
        new=None if row.new is None else f"{row.new:f}",
        difference=None if row.difference is None else f"{row.difference:f}",
        is_reproduced=row.is_reproduced,
        read_anew=row.read_anew,
        note=row.note,
        components=row.components,
    )
