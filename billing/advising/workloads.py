"""The months of a workload: as typed, from an estimate, or what a customer really used."""

from collections.abc import Sequence
from datetime import UTC, datetime

from billing.advising.pricing import Month
from billing.advising.request import Request, TypedMonth
from billing.documents.nodes import PlanDocument
from billing.rating import UsageRow
from metering import periods
from metering.periods import Period

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
NOTHING = Month(Period(_BEGINNING, _BEGINNING), ())


def months(request: Request, plan: PlanDocument, *, at: datetime) -> Sequence[Month]:
    """The months in order; those of a customer are read as the plan needs them. Raises DocumentError."""
    if request.past is None:
        return [_typed(each, request, at) for each in request.months]
    from billing.advising import past  # only real usage needs a database

    return past.months(usage=request.past, plan=plan, at=at)


def _typed(month: TypedMonth, request: Request, at: datetime) -> Month:
    period = month.period or request.period or periods.month_period(at.year, at.month)
    rows = tuple(
        UsageRow(row.meter, row.quantity, row.at, row.until, row.dimensions, row.count, data=row.data)
        for row in month.usage
    )
    return Month(period, rows)
