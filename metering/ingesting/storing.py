"""The statements of a commit. They run inside a transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from psycopg.types.json import Json

from metering.ingesting import arrays, rows
from metering.ingesting.screening import EVENT_BYTES_MAX, TEXT_BYTES_MAX, Refusal
from metering.ingesting.submissions import Sender

# Keys go in in their order, so that two commits with the same keys wait for each other and do not deadlock.
_TAKE = """
insert into metering_eventkey (key, content, time, batch_id)
select key, content, time, batch_id
from unnest(%s, %s, %s, %s) as sent (key, content, time, batch_id) order by key
on conflict do nothing
"""

# A statement of its own, after the insert: what a parallel commit wrote is visible only to a new snapshot.
_STANDING = "select key, content from metering_eventkey where key = any(%s) and batch_id <> all(%s)"

# Rows that are copied are written by the page, those that are inserted one by one.
_COPY = f"copy metering_event ({rows.COLUMNS}) from stdin (format binary)"

_BATCH_IDS = "select nextval(pg_get_serial_sequence('metering_eventbatch', 'id')) from generate_series(1, %s)"

_ADD_BATCHES = """
insert into metering_eventbatch
    (id, api_key_id, webhook_source_id, received_at, accepted, duplicates, rejected, requests,
    time_min, time_max, attempts, last_error)
select id, api_key_id, webhook_source_id, received_at, accepted, duplicates, rejected, requests,
    time_min, time_max, 0, ''
from json_to_recordset(%s) as added (
    id bigint, api_key_id bigint, webhook_source_id bigint, received_at timestamptz, accepted integer,
    duplicates integer, rejected integer, requests jsonb, time_min timestamptz, time_max timestamptz
)
"""

_REFUSE = """
insert into metering_rejectedevent
    (batch_id, api_key_id, webhook_source_id, key, content, code, message, type, body, count,
    first_at, last_at)
select batch_id, api_key_id, webhook_source_id, key, content, code, message, type, body, count,
    received_at, received_at
from json_to_recordset(%s) as refused (
    batch_id bigint, api_key_id bigint, webhook_source_id bigint, key uuid, content uuid, code text,
    message text, type text, body text, count bigint, received_at timestamptz
)
order by key, content, code
on conflict (key, content, code) do update
    set count = metering_rejectedevent.count + excluded.count,
        message = excluded.message,
        last_at = greatest(metering_rejectedevent.last_at, excluded.last_at)
"""


class Batch(msgspec.Struct):
    """A row of `metering.models.EventBatch`: what it says of the events of one sender in a commit."""

    id: int
    api_key_id: int | None
    webhook_source_id: int | None
    received_at: datetime
    accepted: int
    duplicates: int
    rejected: int
    requests: list[dict[str, object]]
    time_min: datetime | None
    time_max: datetime | None


class Turned(NamedTuple):
    """A refusal with the batch, sender and instant it came with."""

    refusal: Refusal
    batch_id: int
    sender: Sender
    received_at: datetime


def batch_ids(count: int) -> list[int]:
    """New ids of batches, ascending: events carry theirs before the row with the counts can be written."""
    return [row[0] for row in _execute(_BATCH_IDS, [count])]


def add_batches(batches: Sequence[Batch]) -> None:
    """Inserts the rows of batches, whose ids are those of `batch_ids`."""
    _execute(_ADD_BATCHES, [Json(batches, dumps=msgspec.json.encode)])


def store(parts: Sequence[tuple[rows.Rows, int]]) -> dict[bytes, bytes]:
    """Inserts the rows whose keys are new, each with the id of its batch, which no row has yet.

    The keys must differ from each other. Returns the contents of those that were there before.
    """
    keys = [key for part, _ in parts for key in part.keys]
    if not keys:
        return {}
    count = len(keys)
    parameters = [
        arrays.uuids(keys),
        arrays.array(arrays.Uuids, [part.content_elements for part, _ in parts], count=count),
        arrays.array(arrays.Timestamps, [part.time_elements for part, _ in parts], count=count),
        arrays.array(
            arrays.Bigints,
            [arrays.bigint_element(batch_id) * len(part.keys) for part, batch_id in parts],
            count=count,
        ),
    ]
    taken = _take(parameters)
    present = {} if taken == count else standing(keys, but_of=[batch_id for _, batch_id in parts])
    assert taken + len(present) == count, "every key is either new or was there before"
    if taken:
        _copy(rows.copied(parts, but=present))
    return present


def standing(keys: Iterable[bytes], *, but_of: Sequence[int] = ()) -> dict[bytes, bytes]:
    """The contents of those of the keys that are stored, except those of some batches."""
    wanted = list(keys)
    if not wanted:
        return {}
    found = _execute(_STANDING, [arrays.uuids(wanted), arrays.bigints(but_of)])
    return {key.bytes: content.bytes for key, content in found}


def refuse(turned: Sequence[Turned]) -> None:
    """Keeps the refused events; one that is refused again for the same reason is counted, not added."""
    unique: dict[tuple[bytes, bytes, str], tuple[Turned, int]] = {}
    for each in turned:
        identity = (each.refusal.key, each.refusal.content, each.refusal.code)
        first, count = unique.get(identity, (each, 0))
        unique[identity] = (first, count + 1)
    rows = [_row(each, count) for each, count in unique.values()]
    if rows:
        _execute(_REFUSE, [Json(rows, dumps=msgspec.json.encode)])


def _row(turned: Turned, count: int) -> dict[str, object]:
    refusal = turned.refusal
    return {
        "batch_id": turned.batch_id,
        "api_key_id": turned.sender.api_key_id,
        "webhook_source_id": turned.sender.webhook_source_id,
        "key": refusal.key.hex(),
        "content": refusal.content.hex(),
        "code": refusal.code,
        "message": _storable(refusal.message),
        "type": _storable(refusal.type[:TEXT_BYTES_MAX]),
        "body": _storable(refusal.body[:EVENT_BYTES_MAX].decode(errors="ignore")),
        "count": count,
        "received_at": turned.received_at,
    }


def _storable(text: str) -> str:
    """The text with NUL, which PostgreSQL cannot store, in its written form."""
    return text.replace("\0", "\\u0000")


def _execute(statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """The rows of a statement on Django's connection, whose own cursors cannot take binary parameters."""
    connection.ensure_connection()
    with connection.wrap_database_errors, arrays.cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def _take(parameters: Sequence[object]) -> int:
    """How many keys were new."""
    connection.ensure_connection()
    with connection.wrap_database_errors, arrays.cursor(connection.connection) as cursor:
        cursor.execute(_TAKE, parameters)
        return cursor.rowcount


def _copy(text: Iterable[bytes]) -> None:
    connection.ensure_connection()
    with connection.wrap_database_errors, arrays.cursor(connection.connection) as cursor:
        with cursor.copy(_COPY) as copying:
            for part in text:
                copying.write(part)
