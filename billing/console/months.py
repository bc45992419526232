"""The month that a page is about: the one in its address, else the last month with usage."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime

from django.db.models import Max
from django.http import QueryDict

from billing.models import ServicePeriod
from metering import periods
from metering.models import UsageRevision

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
FIRST = date(2000, 1, 1)  # events are not accepted from before


@dataclasses.dataclass(frozen=True)
class Month:
    """A calendar month in UTC, and its neighbours as they stand in an address ("" where there is none)."""

    first: date
    previous: str
    next: str

    @property
    def text(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def title(self) -> str:
        return f"{self.first:%B %Y}"

    @property
    def period(self) -> periods.Period:
        return periods.month_period(self.first.year, self.first.month)


def chosen(query: QueryDict, *, at: datetime) -> Month:
    """The month of ``?month=2020-05``; where it is absent or no month, the last one with usage."""
    match = _MONTH.fullmatch(query.get("month", ""))
    return of(date(int(match[1]), int(match[2]), 1) if match else last_with_usage(at=at), at=at)


def of(first: date, *, at: datetime) -> Month:
    """The month that begins on ``first``. After the month of ``at`` there is no next one."""
    before = _shifted(first, -1)
    after = _shifted(first, 1)
    return Month(
        first=first,
        previous=f"{before:%Y-%m}" if before >= FIRST else "",
        next=f"{after:%Y-%m}" if after <= at.astimezone(UTC).date() else "",
    )


def start_of(day: date) -> datetime:
    """The first instant of a day in UTC."""
    return periods.midnight(day, "UTC")


def last_with_usage(*, at: datetime) -> date:
    """The first day of the last month with rolled-up usage, else with an invoiced period, else ``at``'s.

    Events may be a day ahead of the clock; such a month is not shown before it begins.
    """
    today = at.astimezone(UTC).date()
    used: date | None = UsageRevision.objects.filter(month__lte=today).aggregate(last=Max("month"))["last"]
    if used is None:
        start = ServicePeriod.objects.filter(start_at__lte=at).aggregate(last=Max("start_at"))["last"]
        used = start.astimezone(UTC).date() if start else today
    return used.replace(day=1)


def _shifted(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)
