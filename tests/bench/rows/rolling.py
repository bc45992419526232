"""The roll-up: from stored events to the buckets of four meters."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from django.db import connection

from tests.bench import baselines, stock, traffic, web
from tests.bench.rows import door
from tests.bench.shape import MeasurementWrong, Result, Row, Run


def roll_up(run: Run) -> Result:
    """Events a second through the roll-up in one process; the baseline groups them in one statement."""
    events = run.size.rolled_events
    run.database.empty()
    rounds = []
    with run.database.connect() as direct:
        stock.fill(direct, stock.busy_day(events))
        direct.execute("drop table if exists bench_bucket")
        direct.execute(baselines.BUCKET_TABLE)
        for _ in range(run.size.rounds):
            direct.execute(
                "truncate metering_usageseries, metering_usagebucket, metering_usagerevision cascade"
            )
            direct.execute("update metering_eventbatch set rolled_epoch = null, rolled_at = null")
            rolled_s = all_rolled_up_s()
            grouped_s = baselines.group(direct)
            _check(direct)
            rounds.append((events / rolled_s, events / grouped_s))
        buckets = direct.execute("select count(*) from bench_bucket").fetchone()
        direct.execute("drop table bench_bucket")
    assert buckets is not None
    return Result(rounds, [f"{events:,} events of one day become {buckets[0]:,} buckets"])


def all_rolled_up_s() -> float:
    """Seconds in which one process rolls up everything that is pending, as the task does."""
    from metering import rolling, tasks

    began = time.perf_counter()
    while rolling.roll_up(limit=tasks.BATCHES_AT_ONCE, at=datetime.now(UTC)):
        pass
    return time.perf_counter() - began


def with_the_door(run: Run) -> Result:
    """Events a second through the door and the roll-up at once; the baseline is the door in the same run.

    The rate of both ends with the last event that is rolled up, that of the door with the last answer.
    """
    run.database.empty()
    key = door.api_key()
    rounds, waits = [], []
    with web.running(run) as server:
        door.warm_up(server, key)
        all_rolled_up_s()
        for number in range(run.size.rounds):
            bodies = traffic.batches(prefix=f"both-{number}", events=run.size.door_events, size=door.BATCH)
            sent_s, both_s = _both_s(server, key, bodies)
            waits.append(both_s - sent_s)
            rounds.append((run.size.door_events / both_s, run.size.door_events / sent_s))
    with run.database.connect() as direct:
        row = direct.execute(
            "select (select sum(accepted) from metering_eventbatch), sum(b.count)"
            " from metering_usagebucket b join metering_usageseries s on s.id = b.series_id"
            " join metering_meterversion v on v.id = s.meter_version_id join metering_meter m"
            " on m.id = v.meter_id where m.slug = 'calls'"
        ).fetchone()
    if row is None or row[0] != row[1]:
        raise MeasurementWrong(f"stored and rolled up events differ: {row}")
    return Result(rounds, [f"all was rolled up at most {max(waits):.2f} s after the last answer"])


def _both_s(server: web.Web, key: str, bodies: list[bytes]) -> tuple[float, float]:
    """Seconds until all is answered, and until all of it is rolled up by a thread that never rests."""
    is_sent = threading.Event()
    failures: list[Exception] = []

    def roll() -> None:
        try:
            while not is_sent.is_set():
                all_rolled_up_s()
            all_rolled_up_s()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    began = time.perf_counter()
    roller = threading.Thread(target=roll)
    roller.start()
    try:
        sent_s = traffic.send(server, key=key, bodies=bodies, connections=door.CONNECTIONS)
    finally:
        is_sent.set()
        roller.join()
    if failures:
        raise MeasurementWrong(f"the roll-up failed: {failures[0]}")
    return sent_s, time.perf_counter() - began


def _check(direct: object) -> None:
    both = direct.execute(  # type: ignore[attr-defined]
        "select (select sum(quantity * meter) from bench_bucket),"
        " (select sum(b.quantity * v.meter_id) from metering_usagebucket b"
        " join metering_usageseries s on s.id = b.series_id"
        " join metering_meterversion v on v.id = s.meter_version_id)"
    ).fetchone()
    if both is None or both[0] != both[1]:
        raise MeasurementWrong(f"the roll-up and the baseline differ: {both}")


ROWS = (
    Row(
        name="roll-up",
        title="roll-up by 4 meters with 2 dimensions, one process",
        unit="events/s",
        against="one GROUP BY to the same buckets",
        least=0.4,
        run=roll_up,
    ),
    Row(
        name="keep-up",
        title="door and roll-up at once, until all is rolled up",
        unit="events/s",
        against="the door in the same run",
        least=0.8,
        run=with_the_door,
    ),
)
