"""The roll-up: from stored events to the buckets of four meters."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from tests.bench import baselines, stock
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
)
