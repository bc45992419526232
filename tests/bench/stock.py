"""Stored events in any number, written straight into the tables: sending 10 million would take long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from tests.bench.shape import MeasurementWrong

START = datetime(2025, 1, 1, tzinfo=UTC)
BATCH = 1_000
_CHUNK = 100_000
_DAY_S = 86_400

FILL = """
with event as materialized (
    select n, md5('stock-' || n)::uuid as key, n / {batch} + 1 as batch_id,
        timestamptz '{start}' + n / {a_month} * interval '1 month'
            + n % {a_month} * interval '1 s' * {month_s} / {a_month} as time,
        'customer-' || lpad((n % {a_month} * 31 % {subjects})::text, 5, '0') as subject
    from generate_series({first}::bigint, {last} - 1) n
), keyed as (
    insert into metering_eventkey (key, content, time, batch_id)
    select key, md5(n::text)::uuid, time, batch_id from event
)
insert into metering_event (key, time, batch_id, source, event_id, type, subject, data)
select key, time, batch_id, 'gateway-1', 'stock-' || n, 'llm.call', subject, jsonb_build_object(
    'model', (array['gpt-4o', 'gpt-4o-mini', 'claude-sonnet', 'qwen-max'])[1 + n * 7 / 5 % 4],
    'provider', (array['openai', 'openai', 'anthropic', 'alibaba'])[1 + n * 7 / 5 % 4],
    'input_tokens', 1 + n * 7919 % 8000, 'output_tokens', 1 + n * 104729 % 2000, 'cached_input_tokens', 0,
    'duration_ms', 80 + n * 1299709 % 9000, 'status', 'success')
from event
"""

BATCHES = """
insert into metering_eventbatch
    (id, api_key_id, received_at, accepted, duplicates, rejected, requests, time_min, time_max, attempts,
    last_error)
select batch_id, {api_key_id}, max(time), count(*), 0, 0, '[]', min(time), max(time), 0, ''
from metering_event where event_id like 'stock-%' group by batch_id
"""


@dataclass(frozen=True, slots=True)
class Stock:
    """Events of some subjects, the same number in each month, over its first ``month_s`` seconds."""

    events: int
    subjects: int
    months: int
    month_s: int

    def starts(self) -> Iterator[datetime]:
        """The first instant of each month."""
        for n in range(self.months):
            yield START.replace(year=START.year + n // 12, month=1 + n % 12)


def busy_day(events: int) -> Stock:
    """All events on one day, of 50 subjects."""
    return Stock(events=events, subjects=50, months=1, month_s=_DAY_S)


def years(events: int) -> Stock:
    """1,000 events a subject and month: what grows with the stock is the number of subjects and of months."""
    months = max(1, events // 1_000_000)
    return Stock(events=events, subjects=events // months // 1_000, months=months, month_s=28 * _DAY_S)


def fill(direct: psycopg.Connection[Any], stock: Stock) -> None:
    """Stores the events in batches of 1,000 that are still to be rolled up; the database in use is empty."""
    from metering import issuing
    from metering.models import partitions

    if stock.events % (stock.months * stock.subjects) or stock.subjects % 31 == 0:
        raise MeasurementWrong(f"the stock cannot be shared out evenly: {stock}")
    partitions.forget()
    partitions.ensure(start.date() for start in stock.starts())
    key, _ = issuing.issue_api_key(name="stock", scopes=["ingest"], at=START)
    for first in range(0, stock.events, _CHUNK):
        direct.execute(
            FILL.format(
                first=first,
                last=min(first + _CHUNK, stock.events),
                batch=BATCH,
                start=START.isoformat(),
                a_month=stock.events // stock.months,
                month_s=stock.month_s,
                subjects=stock.subjects,
            )
        )
    direct.execute(BATCHES.format(api_key_id=key.pk))
    direct.execute(
        "select setval(pg_get_serial_sequence('metering_eventbatch', 'id'), max(id)) from metering_eventbatch"
    )
    direct.execute("vacuum analyze metering_event, metering_eventkey, metering_eventbatch")
