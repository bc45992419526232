"""A workload priced under one plan, by the one rating function."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from billing import rating
from billing.advising import fine_prices
from billing.cycles import Cycle
from billing.documents.nodes import Component, PlanDocument
from billing.documents.prices import Matrix
from billing.rating import MeterFacts, Segment, Statement, UsageRow, work
from metering import periods
from metering.documents.errors import DocumentError
from metering.periods import Period

_ROW = re.compile(r"usage\[([0-9]+)\]")


@dataclass(frozen=True, slots=True)
class Month:
    """A stretch of time and what is used in it."""

    period: Period
    usage: tuple[UsageRow, ...]


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Why a plan cannot price a month: the error, and the row of usage that it is about, if it is about."""

    error: DocumentError
    month: Month
    row: UsageRow | None


@dataclass(frozen=True, slots=True)
class Priced:
    """The statement of each month, or why there is none."""

    statements: tuple[Statement, ...]
    unpriced: Unpriced | None = None


def of(
    plan: PlanDocument, months: Sequence[Month], *, facts: Mapping[str, MeterFacts], timezone: str | None
) -> Priced:
    """What each month costs under the plan; the first month that it cannot price ends it."""
    statements = []
    for month in months:
        try:
            statements.append(statement(plan, month, facts=facts, timezone=timezone))
        except DocumentError as error:
            return Priced((), Unpriced(error, month, _row(month, error.field)))
    return Priced(tuple(statements))


def statement(
    plan: PlanDocument, month: Month, *, facts: Mapping[str, MeterFacts], timezone: str | None
) -> Statement:
    """What is due for a month: all of it, fees in advance too. Raises DocumentError as rating does.

    A plan billed by longer periods is billed for the month's part of one; shorter ones are refused.
    """
    return rating.rate(
        segments=[Segment(plan, month.period.start, month.period.end)],
        period=_period(plan, month.period),
        billed_period=month.period,
        usage=month.usage,
        meters=facts,
        timezone=timezone or plan.timezone,
    )


def cost(
    fine: PlanDocument, month: Month, *, facts: Mapping[str, MeterFacts], timezone: str | None
) -> Fraction:
    """The month's total under a plan of `fine_prices`, in the plan's currency, not rounded."""
    total = statement(fine, month, facts=facts, timezone=timezone).total
    return Fraction(total) * Fraction(1, 10**fine_prices.SCALE)


def work_of(plan: PlanDocument, months: Sequence[Month]) -> int:
    """About how much there is to do to price the months under the plan; see `billing.rating.work`."""
    return sum(
        1 + work.of(month.usage, [Segment(plan, month.period.start, month.period.end)]) for month in months
    )


def condensed(month: Month, plan: PlanDocument) -> Month:
    """The month with as few rows as the plan tells apart: of the same total, and faster to price.

    Rows of a meter are added up where no price of the plan looks at their time or at single events.
    """
    looked_at = {each.meter for each in plan.all_components() if _looks_closely(each)}
    sums: dict[tuple[str, tuple[tuple[str, str], ...]], Fraction] = {}
    kept = []
    for row in month.usage:
        if row.meter in looked_at or row.component or row.data is not None:
            kept.append(row)
        elif row.meter in plan.meters():
            key = (row.meter, tuple(sorted(row.dimensions.items())))
            sums[key] = sums.get(key, Fraction(0)) + row.quantity
    added = [
        UsageRow(meter, quantity, at=month.period.start, until=month.period.end, dimensions=dict(dimensions))
        for (meter, dimensions), quantity in sums.items()
    ]
    return replace(month, usage=(*kept, *added))


def _looks_closely(component: Component) -> bool:
    orders_free_units = component.included is not None and isinstance(component.price, Matrix)
    return rating.needs_quarters(component) or rating.needs_events(component) or orders_free_units


def total_of(month: Month, meter: str) -> Fraction:
    """The quantity of a meter in the month."""
    return sum((row.quantity for row in month.usage if row.meter == meter), Fraction(0))


def varied(month: Month, meter: str | None, x: Fraction) -> Month:
    """The month with so much of a meter, split as its own quantity is; None: all usage times `x`."""
    if meter is None:
        return replace(month, usage=tuple(replace(row, quantity=row.quantity * x) for row in month.usage))
    own = total_of(month, meter)
    if own == 0:
        rest = tuple(row for row in month.usage if row.meter != meter)
        added = UsageRow(meter, x, at=month.period.start, until=month.period.end)
        return replace(month, usage=(*rest, added))
    return replace(
        month,
        usage=tuple(
            replace(row, quantity=row.quantity * x / own) if row.meter == meter else row
            for row in month.usage
        ),
    )


def _period(plan: PlanDocument, billed: Period) -> Period:
    if (plan.interval, plan.interval_count) == ("MONTH", 1):
        return billed
    day = billed.start.date()
    anchor = periods.calendar_anchor(day, plan.interval)
    whole = Cycle(anchor, plan.interval, plan.interval_count, "UTC").holding(billed.start)
    if not whole.covers(billed):
        raise DocumentError(
            "period", "its billing periods do not cover the months of the workload", "interval"
        )
    return whole


def _row(month: Month, field: str) -> UsageRow | None:
    match = _ROW.match(field)
    return month.usage[int(match.group(1))] if match else None
