"""Rating: how many statements a second one core makes, and how long a command takes that makes one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.bench.shape import MeasurementWrong, Result, Row, Run

CHECKOUT = Path(__file__).resolve().parent.parent.parent.parent
MONTH_START, MONTH_END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
QUOTE_MAX_S = 0.5

PLAN: dict[str, Any] = {
    "code": "bench",
    "name": "Bench",
    "currency": "USD",
    "interval": "MONTH",
    "components": [
        {"code": "calls", "meter": "calls", "price": {"model": "per_unit", "unit_amount": "0.0015"}},
        {
            "code": "tokens",
            "meter": "tokens",
            "price": {
                "model": "graduated",
                "tiers": [
                    {"up_to": "1000000", "unit_amount": {"compute": "0.000002", "storage": "0.0000005"}},
                    {"up_to": "5000000", "unit_amount": {"compute": "0.0000015", "storage": "0.0000005"}},
                    {"up_to": None, "unit_amount": {"compute": "0.000001", "storage": "0.0000005"}},
                ],
            },
        },
        {
            "code": "images",
            "meter": "images",
            "price": {
                "model": "matrix",
                "by": ["size"],
                "rates": [{"when": {"size": "small"}, "unit_amount": "0.02"}],
                "otherwise": "0.04",
            },
        },
        {
            "code": "gpu",
            "meter": "gpu_hours",
            "included": {"quantity": "1", "every": "HOUR"},
            "price": {"model": "per_unit", "unit_amount": "2.50"},
        },
        {
            "code": "batch",
            "meter": "batch_hours",
            "price": {
                "model": "time_of_use",
                "timezone": "Asia/Shanghai",
                "windows": [
                    {"days": ["MON", "TUE", "WED"], "from": "00:30", "to": "08:30", "unit_amount": "0.4"}
                ],
                "otherwise": "0.8",
            },
        },
    ],
}
METER_SLUGS = ("calls", "tokens", "images", "gpu_hours", "batch_hours")


def statements(run: Run) -> Result:
    """Statements a second of a month in quarter hours; the baseline multiplies each row once and adds up."""
    from billing import rating
    from billing.documents import plan
    from metering.periods import Period

    usage = _usage()
    month = Period(MONTH_START, MONTH_END)
    segments = [rating.Segment(plan.parse(PLAN), MONTH_START, MONTH_END)]
    meters = {slug: rating.MeterFacts(slug, "unit") for slug in METER_SLUGS}
    rounds = []
    for _ in range(run.size.rounds):
        began = time.process_time()
        for _ in range(run.size.statements):
            statement = rating.rate(segments=segments, period=month, usage=usage, meters=meters)
        rated_s = (time.process_time() - began) / run.size.statements
        if len(statement.lines) != len(METER_SLUGS):
            raise MeasurementWrong(f"a statement of 5 components has {len(statement.lines)} lines")
        began = time.process_time()
        total = Fraction(0)
        for row in usage:
            total += row.quantity * _PRICE
        rounds.append((1 / rated_s, 1 / (time.process_time() - began)))
    return Result(rounds, [f"{len(usage):,} rows of usage each; computing only, none is read"])


_PRICE = Fraction(3, 2_000)


def _usage() -> list[Any]:
    from billing import rating

    found = []
    for n in range((MONTH_END - MONTH_START) // QUARTER):
        at = MONTH_START + n * QUARTER
        for place, slug in enumerate(METER_SLUGS):
            quantity = Fraction(1_000 + (n * 37 + place * 11) % 900, 1 if place < 3 else 3_600)
            size = {"size": ("small", "large")[n % 2]} if slug == "images" else {}
            found.append(rating.UsageRow(slug, quantity, at, at + QUARTER, size))
    return found


def quote(run: Run) -> Result:
    """Seconds of process time of ``manage.py quote`` where the request brings all that it needs."""
    usage = [
        {"meter": slug, "quantity": "12.5", "at": "2026-10-05T10:00:00Z", "dimensions": {}}
        for slug in METER_SLUGS
    ]
    period = {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}
    # Without them the store would be asked whether it has meters of these names.
    meters = [
        {"slug": slug, "name": slug, "event_type": "usage", "aggregation": "COUNT"} for slug in METER_SLUGS
    ]
    request = {"plan": PLAN, "period": period, "meters": meters, "usage": usage}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "quote.json")
        file.write_text(json.dumps(request))
        _quoted_s(file)  # compiles what is not compiled yet
        return Result([(_quoted_s(file), QUOTE_MAX_S) for _ in range(run.size.rounds + 2)])


def _quoted_s(file: Path) -> float:
    before = os.times()
    command = [sys.executable, "manage.py", "quote", str(file)]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    after = os.times()
    if ended.returncode != 0 or len(json.loads(ended.stdout)["lines"]) != len(METER_SLUGS):
        raise MeasurementWrong(f"the quote was not answered: {ended.stdout[-300:]} {ended.stderr[-300:]}")
    return after.children_user - before.children_user + after.children_system - before.children_system


ROWS = (
    Row(
        name="statements",
        title="rating a month of quarter hours, 5 components, one core",
        unit="statements/s",
        against="one multiplication and addition a row",
        least=None,
        run=statements,
    ),
    Row(
        name="quote",
        title="manage.py quote, all inline, process time",
        unit="s",
        against="limit",
        least=1.0,
        run=quote,
        is_less_better=True,
    ),
)
