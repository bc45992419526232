"""Usage and the door at 10 million stored events against 100,000: what must not grow with history."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from tests.bench import databases, stock, traffic, web
from tests.bench.rows import door, rolling
from tests.bench.shape import MeasurementWrong, Result, Row, Run

SMALL_EVENTS = 100_000
QUERIES = 40
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
