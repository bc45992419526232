"""The door: events over HTTP, durable and deduplicated when they are answered, through one web process."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.bench import baselines, singles, traffic, web
from tests.bench.shape import MeasurementWrong, Result, Row, Run

BATCH = 1_000
CONNECTIONS = 8
LARGE_BATCH = 10_000
MEMORY_MAX_BYTES = 300_000_000
_WARM_BATCHES = 10


def batches(run: Run) -> Result:
    """Events a second in batches over 8 connections; the baseline copies the rows that were stored."""
    run.database.empty()
    key = api_key()
    rounds = []
    with web.running(run) as server, run.database.connect() as direct:
        direct.execute("drop table if exists bench_raw")
        direct.execute(baselines.RAW_TABLE)
        warm_up(server, key)
        for number in range(run.size.rounds):
            prefix = f"batches-{number}"
            bodies = traffic.batches(prefix=prefix, events=run.size.door_events, size=BATCH)
            elapsed_s = traffic.send(server, key=key, bodies=bodies, connections=CONNECTIONS)
            texts = baselines.stored_rows(direct, prefix=prefix, rows_a_commit=BATCH)
            if sum(text.count(b"\n") for text in texts) != run.size.door_events:
                raise MeasurementWrong("not every event that was answered is stored")
            copied_s = baselines.copy(direct, texts)
            rounds.append((run.size.door_events / elapsed_s, run.size.door_events / copied_s))
        direct.execute("drop table bench_raw")
    return Result(rounds)


def single_events(run: Run) -> Result:
    """Requests of one event a second over 64 connections; the baseline does nothing with them."""
    run.database.empty()
    key = api_key()
    rounds, latencies, bare_latencies = [], [], []
    with web.running(run) as server, web.running(run, web.BARE) as bare:
        for number in range(run.size.rounds + 1):
            ours = singles.measure(server, key=key, prefix=f"single-{number}", seconds=run.size.door_seconds)
            theirs = singles.measure(bare, key=key, prefix="bare", seconds=run.size.door_seconds)
            if number:  # the first round warms both up
                rounds.append((ours.rate, theirs.rate))
                latencies.append(ours.p99_ms)
                bare_latencies.append(theirs.p99_ms)
    with run.database.connect() as direct:
        row = direct.execute("select sum(accepted) from metering_eventbatch").fetchone()
    if (
        row is None
        or row[0] is None
        or row[0] < sum(rate for rate, _ in rounds) * run.size.door_seconds * 0.99
    ):
        raise MeasurementWrong("not every event that was answered is stored")
    notes = [f"99 of 100 answered within {max(latencies):.0f} ms, bare {max(bare_latencies):.0f} ms"]
    if not singles.has_wrk():
        notes.append("wrk is not installed: our own client limits the bare callable, the ratio flatters")
    return Result(rounds, notes)


def memory(run: Run) -> Result:
    """The most memory of a fresh web process under batches of 10,000 events over 8 connections."""
    run.database.empty()
    key = api_key()
    with web.running(run) as server:
        at_rest = server.memory_peak_bytes()
        for number in range(0, run.size.memory_batches, CONNECTIONS):
            bodies = traffic.batches(
                prefix=f"memory-{number}", events=CONNECTIONS * LARGE_BATCH, size=LARGE_BATCH
            )
            traffic.send(server, key=key, bodies=bodies, connections=CONNECTIONS)
        peak = server.memory_peak_bytes()
    megabytes = 1_000_000
    return Result(
        [(peak / megabytes, MEMORY_MAX_BYTES / megabytes)],
        [f"{at_rest / megabytes:.0f} MB before the first event"],
    )


def api_key() -> str:
    """The text of a new API key in the database in use."""
    from metering import issuing

    return issuing.issue_api_key(name="bench", scopes=["ingest"], at=datetime.now(UTC))[1]


def warm_up(server: web.Web, key: str, *, prefix: str = "warm") -> None:
    """A few batches, so that every connection of the process is open and every table known."""
    bodies = traffic.batches(prefix=prefix, events=_WARM_BATCHES * BATCH, size=BATCH)
    traffic.send(server, key=key, bodies=bodies, connections=CONNECTIONS)


ROWS = (
    Row(
        name="batches",
        title="batches of 1,000 events, 8 connections",
        unit="events/s",
        against="raw COPY of the same rows, 1,000 a commit",
        least=0.4,
        run=batches,
    ),
    Row(
        name="singles",
        title="requests of one event, 64 connections",
        unit="requests/s",
        against="bare WSGI callable, same server",
        least=0.12,
        run=single_events,
    ),
    Row(
        name="memory",
        title="memory of the web process, batches of 10,000",
        unit="MB",
        against="limit",
        least=1.0,
        run=memory,
        is_less_better=True,
    ),
)
