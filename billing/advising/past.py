"""What a customer really used, month by month, in the rows that a plan needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing.advising.pricing import Month
from billing.advising.request import PastUsage, WorkloadRefused
from billing.documents.nodes import PlanDocument
from billing.models import Customer, CustomerSubject, PlanVersion
from billing.rating import UsageRow
from billing.statements.phases import Stretch
from billing.statements.reading import Want, read
from metering import periods
from metering import usage as usage_door
from metering.documents.errors import DocumentError
from metering.periods import Period

Span = tuple[str, Period]


def months(*, usage: PastUsage, plan: PlanDocument, at: datetime) -> list[Month]:
    """The customer's months in their time zone, with the usage of all their subjects up to ``at``.

    Raises DocumentError for an unknown customer, and a meter that does not count.
    """
    customer = Customer.objects.filter(key=usage.customer).first()
    if customer is None:
        raise WorkloadRefused("invalid", f"there is no customer {usage.customer}", "workload.customer")
    found = []
    for first in _firsts(usage.first, usage.last):
        period = periods.month_period(first.year, first.month, customer.timezone)
        if period.start >= at:
            raise WorkloadRefused("invalid", "is in the future", "workload.last_month")
        written = rows(
            plan=plan, spans=spans(customer_id=customer.pk, period=period), period=period, as_of=at
        )
        found.append(Month(period, tuple(usage_row(each) for each in written)))
    return found


def spans(*, customer_id: int, period: Period) -> list[Span]:
    """The subjects that a customer pays for in a period, and when."""
    paid = CustomerSubject.objects.filter(
        customer_id=customer_id, validity__overlap=DateTimeTZRange(period.start, period.end)
    ).order_by("subject", "validity")
    return [
        (
            each.subject,
            Period(
                max(each.validity.lower, period.start),
                min(each.validity.upper or period.end, period.end),
            ),
        )
        for each in paid
    ]


def rows(
    *,
    plan: PlanDocument,
    spans: Sequence[Span],
    period: Period,
    as_of: datetime,
    meters: frozenset[str] | None = None,
) -> list[dict[str, Any]]:
    """The usage that a plan prices, as a rating input has it; of these meters only, where they are given.

    Raises DocumentError for a meter that does not count at ``as_of``.
    """
    slugs = sorted(plan.meters() if meters is None else meters)
    found = usage_door.versions(at=as_of, slugs=slugs, is_archived_too=True)
    missing = [slug for slug in slugs if slug not in found]
    if missing:
        raise DocumentError("unpriced", f"there is no meter {missing[0]}", "components")
    want = Want(
        spans=dict.fromkeys(slugs, spans),
        # Reading looks at the plan alone: a draft has no version yet.
        stretches=[Stretch(version=PlanVersion(), overrides={}, plan=plan, period=period)],
        meters={slug: found[slug] for slug in slugs},
        billed=period,
        as_of=as_of,
    )
    (reading,) = read([want])
    return reading.rows


def usage_row(written: Mapping[str, Any]) -> UsageRow:
    """A row of a rating input as rating takes it."""
    return UsageRow(
        meter=written["meter"],
        quantity=Fraction(written["quantity"]),
        at=periods.parse_instant(written["at"]),
        dimensions=written["dimensions"],
        count=written["count"],
        component=written.get("component") or "",
    )


def _firsts(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    months = [first.year * 12 + first.month - 1 + place for place in range(count)]
    return [date(month // 12, month % 12 + 1, 1) for month in months]
