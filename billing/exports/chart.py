"""The chart on a printed invoice: what usage cost on each day."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from billing.exports import charges
from billing.exports.display import Display
from billing.exports.vouchers import Voucher
from metering import numbers

DAYS_MIN, DAYS_MAX = 3, 100  # with fewer there is nothing to see, and more do not fit
_DAY = timedelta(days=1)


def of(voucher: Voucher, show: Display) -> dict[str, Any] | None:
    """``bars`` by day in UTC, each ``{share}`` of the highest, ``most`` in money, ``first`` and ``last`` day.

    None where the days of usage are not known, where they are few or too many, and where nothing was to pay.
    """
    if voucher.credit_note is not None:
        return None
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for charge in charges.of(voucher):
        if charge.entry.line.kind == "usage" and charge.end - charge.start <= _DAY:
            with numbers.exact():
                sums[charge.start.date()] += charge.billed
    most = max(sums.values(), default=Decimal(0))
    if most <= 0 or len(sums) < DAYS_MIN:
        return None
    first, last = _bounds(voucher, sums)
    count = (last - first).days + 1
    if count > DAYS_MAX:
        return None
    days = [first + n * _DAY for n in range(count)]
    return {
        "bars": [f"{max(float(sums.get(day, 0) / most), 0):.4f}" for day in days],
        "most": show.money(most, voucher.currency),
        "first": show.day(first),
        "last": show.day(last),
    }


def _bounds(voucher: Voucher, sums: dict[date, Decimal]) -> tuple[date, date]:
    """From the first day that is billed to the last one, those without usage included."""
    starts = [period.start_at.date() for period in voucher.periods]
    ends = [(period.end_at - timedelta(microseconds=1)).date() for period in voucher.periods]
    return min(*starts, *sums), max(*ends, *sums)
