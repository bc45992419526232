"""What the usage explorer shows, read through the usage door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from billing.models import Customer, CustomerSubject
from metering import usage
from metering.models import MeterVersion
from metering.periods import Period
from metering.usage import Usage, Windows, tables, windows

ROWS_MAX = 100_000
WINDOWS_MAX = 3000
LONGEST = timedelta(days=3660)
LONGEST_WORDS = "ten years"

Spans = Sequence[tuple[str, Period]]


class TimeTooLong(Exception):
    """A time that has more windows than a page shows."""


@dataclass(frozen=True)
class Answer:
    """``rows`` by window and value of the split; ``total`` of the whole time, None without usage.

    ``windows``: all of the time, those without usage too. ``subjects``: whose usage was asked for.
    """

    rows: Sequence[Usage]
    total: Fraction | None
    events: int
    windows: Sequence[Period]
    subjects: Sequence[str]


def meters() -> dict[str, MeterVersion]:
    """The newest version of each meter by slug, archived ones too."""
    versions = MeterVersion.objects.select_related("meter").order_by("meter__slug", "number")
    return {version.meter.slug: version for version in versions}


def spans(
    *, version: MeterVersion, period: Period, customer: Customer | None, subject: str
) -> list[tuple[str, Period]]:
    """Whose usage is meant, and when: of a customer while they paid for it, of a subject, or of everybody."""
    if customer is not None:
        return _of_customer(customer, period, subject)
    if subject:
        return [(subject, period)]
    return [(each, period) for each in usage.subjects(versions=[version], period=period)]


def answer(*, version: MeterVersion, period: Period, spans: Spans, by: Sequence[str], cut: Windows) -> Answer:
    """The usage of the spans. Raises TimeTooLong and RowsTooMany."""
    every = _windows(cut, period)
    rows = tables.rows(meter=version, spans=spans, by=by, windows=cut, rows_max=ROWS_MAX)
    return Answer(
        rows=rows,
        total=_total(version, spans, rows),
        events=sum(row.count for row in rows),
        windows=every,
        subjects=sorted({subject for subject, _period in spans}),
    )


def _windows(cut: Windows, period: Period) -> Sequence[Period]:
    if period.end - period.start > LONGEST:
        raise TimeTooLong(f"That is longer than {LONGEST_WORDS}: choose a shorter time.")
    try:
        found = windows.covering(cut, period)
    except usage.WindowsTooMany:
        found = []
    if not 0 < len(found) <= WINDOWS_MAX:
        raise TimeTooLong(
            f"That time has more than {WINDOWS_MAX:,} windows: choose a longer window or a shorter time."
        )
    return found


def _total(version: MeterVersion, spans: Spans, rows: Sequence[Usage]) -> Fraction | None:
    if not rows:
        return None
    if usage.definition(version).additive:
        return sum((row.quantity for row in rows), Fraction(0))
    whole = usage.quantities(meter=version, spans=spans).rows
    return whole[0].quantity if whole else None


def _of_customer(customer: Customer, period: Period, subject: str) -> list[tuple[str, Period]]:
    during = DateTimeTZRange(period.start, period.end)
    rows = CustomerSubject.objects.filter(customer=customer, validity__overlap=during)
    if subject:
        rows = rows.filter(subject=subject)
    return [(row.subject, _cut(row.validity, period)) for row in rows.order_by("subject", "validity")]


def _cut(validity: DateTimeTZRange, period: Period) -> Period:
    start = period.start if validity.lower is None else max(validity.lower, period.start)
    end = period.end if validity.upper is None else min(validity.upper, period.end)
    return Period(start, end)
