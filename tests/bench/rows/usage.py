"""Usage and the door at 10 million stored events against 100,000: what must not grow with history."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import databases, parquet, stock, traffic, web
from tests.bench.rows import door, rolling
from tests.bench.shape import MeasurementWrong, Result, Row, Run

SMALL_EVENTS = 100_000
QUERIES = 40
CUSTOMERS, EVENTS_OF_CUSTOMERS = 1_000, 1_000_000
MONTH_START, MONTH_END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)


def door_at_size(run: Run) -> Result:
    """Events a second in batches through two web processes, one of them on the large database."""
    large = _large(run)
    _make_small(run)
    rounds = []
    run_tag = f"{time.time_ns():x}"
    keys = {}
    for database in (run.database, large):
        database.use()
        keys[database.name] = door.api_key()
    with web.running(run) as small_server, web.running(run, database_url=large.url) as large_server:
        door.warm_up(small_server, keys[run.database.name])
        door.warm_up(large_server, keys[large.name], prefix=f"warm-{run_tag}")
        for number in range(run.size.rounds):
            elapsed_s = []
            for server, name in ((large_server, large.name), (small_server, run.database.name)):
                prefix = f"size-{run_tag}-{number}"
                bodies = traffic.batches(prefix=prefix, events=run.size.door_events, size=door.BATCH)
                elapsed_s.append(
                    traffic.send(server, key=keys[name], bodies=bodies, connections=door.CONNECTIONS)
                )
            rounds.append((run.size.door_events / elapsed_s[0], run.size.door_events / elapsed_s[1]))
    return Result(rounds, [f"{run.size.stored_events:,} stored events against {SMALL_EVENTS:,}"])


def month_of_a_customer(run: Run) -> Result:
    """Milliseconds of a customer's month split by model, of 1,000 events in either database."""
    large = _large(run)
    _make_small(run)
    rounds = []
    for _ in range(run.size.rounds):
        found = []
        for database in (large, run.database):
            database.use()
            found.append(_query_ms())
        rounds.append((found[0], found[1]))
    return Result(rounds, [f"{run.size.stored_events:,} stored events against {SMALL_EVENTS:,}"])


def month_of_everybody(run: Run) -> Result:
    """Milliseconds of the month of 1,000 customers by model; DuckDB adds up the same events from Parquet."""
    run.database.empty()
    rounds, quarters_s = [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, run.database.connect() as direct:
        path = Path(folder) / "events.parquet"
        stock.fill(direct, stock.years(EVENTS_OF_CUSTOMERS))
        rolling.all_rolled_up_s()
        direct.execute("vacuum analyze")
        parquet.write(direct, path)
        analyst = parquet.analyst()
        for _ in range(run.size.rounds + 1):
            began = time.perf_counter()
            ours = _month_of_customers(by=["subject", "model"])
            between = time.perf_counter()
            theirs = parquet.month(analyst, path, MONTH_START, MONTH_END)
            rounds.append(((between - began) * 1000, (time.perf_counter() - between) * 1000))
            if [(*row.dimensions.values(), row.quantity, row.count) for row in ours] != theirs:
                raise MeasurementWrong("the usage door and DuckDB differ")
            began = time.perf_counter()
            _month_of_customers(windows="QUARTER")
            quarters_s.append(time.perf_counter() - began)
    notes = [
        f"{EVENTS_OF_CUSTOMERS:,} events, {len(theirs):,} rows",
        f"all customers together by the quarter hour: {statistics.median(quarters_s):.2f} s",
    ]
    return Result(rounds[1:], notes)  # the first round warms both up


def _month_of_customers(*, by: Sequence[str] = (), windows: str | None = None) -> Sequence[Any]:
    from metering import usage
    from metering.models import MeterVersion
    from metering.periods import Period

    month = Period(MONTH_START, MONTH_END)
    return usage.quantities(
        meter=MeterVersion.objects.get(meter__slug="input_tokens"),
        spans=[(f"customer-{n:05}", month) for n in range(CUSTOMERS)],
        by=by,
        windows=None if windows is None else usage.Windows(windows),
    ).rows


def _query_ms() -> float:
    from metering import usage
    from metering.models import MeterVersion
    from metering.periods import Period

    meter = MeterVersion.objects.get(meter__slug="input_tokens")
    month = Period(MONTH_START, MONTH_END)
    elapsed_s = []
    for n in range(QUERIES):
        spans = [(f"customer-{n:05}", month)]
        began = time.perf_counter()
        answer = usage.quantities(meter=meter, spans=spans, by=["model"])
        elapsed_s.append(time.perf_counter() - began)
        if sum(row.count for row in answer.rows) != 1_000:
            raise MeasurementWrong(
                f"customer {n} has {sum(row.count for row in answer.rows)} events, not 1,000"
            )
    return sorted(elapsed_s)[QUERIES // 2] * 1000


def _make_small(run: Run) -> None:
    run.database.empty()
    with run.database.connect() as direct:
        stock.fill(direct, stock.years(SMALL_EVENTS))
        rolling.all_rolled_up_s()
        direct.execute("vacuum analyze")


def _large(run: Run) -> databases.Database:
    """The large database, kept from run to run: filled and rolled up where it is not so yet."""
    large = databases.made(run.given_url, suffix="_bench_large", is_kept=True)
    large.use()
    with large.connect() as direct:
        row = direct.execute(
            "select coalesce(sum(accepted), 0) from metering_eventbatch b"
            " join metering_apikey k on k.id = b.api_key_id where k.name = 'stock'"
        ).fetchone()
        if row is None or row[0] != run.size.stored_events:
            large.empty()
            print(f"storing {run.size.stored_events:,} events, once for all further runs", flush=True)
            stock.fill(direct, stock.years(run.size.stored_events))
        rolling.all_rolled_up_s()
        direct.execute("vacuum analyze")
    return large


ROWS = (
    Row(
        name="usage-month",
        title="the month of 1,000 customers in one query",
        unit="ms",
        against="DuckDB over the same events as Parquet",
        least=None,
        run=month_of_everybody,
        is_less_better=True,
    ),
    Row(
        name="door-large",
        title="batches of 1,000 events at 10 million stored",
        unit="events/s",
        against="the same at 100,000 stored",
        least=0.7,
        run=door_at_size,
        is_large=True,
    ),
    Row(
        name="usage-large",
        title="a customer's month at 10 million stored",
        unit="ms",
        against="the same at 100,000 stored",
        least=round(1 / 1.5, 3),
        run=month_of_a_customer,
        is_less_better=True,
        is_large=True,
    ),
)
