"""An own price beside the market's, day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing import versions
from billing.models import Plan
from billing.trends import history, own
from billing.trends.history import Chosen, Point
from metering import numbers

DAYS_MAX = 3_700
RATIO_PLACES = 4
MILLION = Decimal(1_000_000)


class NotComparable(ValueError):
    """The own price and the market's have nothing in common; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which prices are compared. ``path``: of the own price in its component; None: its first price.

    ``per``: how many of the meter's units the market's unit is: a million, for tokens.
    """

    plan: str
    component: str
    chosen: Chosen
    first: date
    last: date
    path: str | None = None
    per: Decimal = MILLION


def answer(asked: Asked) -> dict[str, Any]:
    """The own and the market's price of each day as JSON, each null where there is none.

    The own price is that of the version in force when the day ends in UTC; the market's is the last one seen
    of the chosen model, of the source that the chart names. Raises NotComparable.
    """
    if not asked.first <= asked.last:
        raise NotComparable("the last day is before the first")
    if (asked.last - asked.first).days >= DAYS_MAX:
        raise NotComparable(f"at most {DAYS_MAX:,} days are compared at once")
    plan = Plan.objects.filter(code=asked.plan).first()
    if plan is None:
        raise NotComparable(f"there is no plan {asked.plan}")
    if plan.currency != "USD":
        raise NotComparable(f"market prices are in USD, and {asked.plan} is in {plan.currency}")
    found = history.points(asked.chosen)
    if not found:
        raise NotComparable("the market has no such price")
    prices = _own(plan, asked)
    return {
        "plan": asked.plan,
        "component": asked.component,
        "kind": asked.chosen.kind,
        "unit": history.UNIT,
        "days": [_day(day, prices, found) for day in _days(asked.first, asked.last)],
        "note": history.NOTE,
    }


def _own(plan: Plan, asked: Asked) -> list[tuple[datetime, Decimal | None]]:
    """From when on the price is which, by time; None where a version has no such price."""
    found: list[tuple[datetime, Decimal | None]] = []
    for version in versions.of(plan):
        amounts = [
            each.amount
            for each in own.of(version)
            if each.component == asked.component and asked.path in (None, each.path)
        ]
        with numbers.exact():
            found.append((versions.effective_from(version), amounts[0] * asked.per if amounts else None))
    if all(amount is None for _, amount in found):
        raise NotComparable(f"{asked.plan} has no component {asked.component} with such a price")
    return found


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _day(
    day: date, prices: Sequence[tuple[datetime, Decimal | None]], found: Sequence[Point]
) -> dict[str, Any]:
    ends_at = datetime.combine(day + timedelta(days=1), time(), UTC)
    mine = next((amount for since, amount in reversed(prices) if since < ends_at), None)
    seen = next((point for point in reversed(found) if point.at <= day), None)
    ratio = None
    if mine is not None and seen is not None:
        share = Fraction(mine) / Fraction(seen.price)
        ratio = numbers.text(numbers.round_half_up(share, RATIO_PLACES))
    return {
        "date": day.isoformat(),
        "own": None if mine is None else numbers.text(mine),
        "market": None if seen is None else numbers.text(seen.price),
        "ratio": ratio,
        "source": None if seen is None else seen.source,
    }
