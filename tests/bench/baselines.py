"""What the product is measured against: the least that PostgreSQL or a web server must do for the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import psycopg

# The columns of an event and of its key together, with the one index that makes "once" possible.
RAW_TABLE = """
create table if not exists bench_raw (
    key uuid primary key, content uuid not null, time timestamptz not null, batch_id bigint not null,
    source text not null, event_id text not null, type text not null, subject text not null,
    data jsonb not null, extensions jsonb
)
"""
# The rows that the product has just stored. By their ids: the keys are then in no order, as they come in.
RAW_ROWS = """
copy (
    select e.key, k.content, e.time, e.batch_id, e.source, e.event_id, e.type, e.subject, e.data, e.extensions
    from metering_event e join metering_eventkey k using (key)
    where e.event_id like '{prefix}%' order by e.event_id
) to stdout
"""
RAW_COPY = "copy bench_raw from stdin"

# One bucket of each meter for every subject, model, provider and quarter hour, in one pass over the events.
BUCKET_TABLE = """
create table if not exists bench_bucket (
    meter integer, subject text, model text, provider text, start timestamptz, quantity numeric, count bigint,
    primary key (meter, subject, model, provider, start)
)
"""
BUCKETS = """
insert into bench_bucket
select m.meter, g.subject, g.model, g.provider, g.start, m.quantity, g.count
from (
    select subject, data->>'model' as model, data->>'provider' as provider,
        date_bin('15 minutes', time, timestamptz '2000-01-01 00:00Z') as start,
        count(*) as count,
        sum((data->>'input_tokens')::numeric) as input_tokens,
        sum((data->>'output_tokens')::numeric) as output_tokens,
        sum((data->>'duration_ms')::numeric) as duration_ms
    from metering_event
    where type = 'llm.call'
    group by 1, 2, 3, 4
) g
cross join lateral (
    values (1, g.count::numeric), (2, g.input_tokens), (3, g.output_tokens), (4, g.duration_ms)
) as m (meter, quantity)
"""


def stored_rows(direct: psycopg.Connection[Any], *, prefix: str, rows_a_commit: int) -> list[bytes]:
    """The stored events whose ids begin with a prefix, as texts for COPY of so many rows each."""
    with direct.cursor().copy(RAW_ROWS.format(prefix=prefix)) as copied:
        rows = [bytes(row) for row in copied]
    return [b"".join(rows[n : n + rows_a_commit]) for n in range(0, len(rows), rows_a_commit)]


def copy(direct: psycopg.Connection[Any], texts: Sequence[bytes]) -> float:
    """Seconds in which the texts were copied into the raw table, each in a commit of its own."""
    began = time.perf_counter()
    for text in texts:
        with direct.cursor().copy(RAW_COPY) as copied:
            copied.write(text)
    return time.perf_counter() - began


def group(direct: psycopg.Connection[Any]) -> float:
    """Seconds in which one statement adds up all stored events to the buckets of the four meters."""
    direct.execute("truncate bench_bucket")
    began = time.perf_counter()
    direct.execute(BUCKETS)
    return time.perf_counter() - began


_ANSWER = b'{"batch":"1","sha256":"' + b"0" * 64 + b'","accepted":1,"duplicates":0,"rejected":[]}'
_HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(_ANSWER)))]


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI callable that reads the body, answers as much as the door does, and does nothing else."""
    environ["wsgi.input"].read()
    start_response("200 OK", _HEADERS)
    return [_ANSWER]
