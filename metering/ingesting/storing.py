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

# Batches and keys in one statement: every round trip delays the commit, and all who wait for it. Keys go in
# in their order, so that two commits with the same keys wait for each other and do not deadlock.
_TAKE = """
with added as materialized (
    select nextval(pg_get_serial_sequence('metering_eventbatch', 'id')) as id, given.*
    from json_to_recordset(%s) as given (
        place bigint, api_key_id bigint, webhook_source_id bigint, received_at timestamptz,
        accepted integer, duplicates integer, rejected integer, requests jsonb,
        time_min timestamptz, time_max timestamptz
    )
), batch as (
    insert into metering_eventbatch
        (id, api_key_id, webhook_source_id, received_at, accepted, duplicates, rejected, requests,
        time_min, time_max, attempts, last_error)
    select id, api_key_id, webhook_source_id, received_at, accepted, duplicates, rejected, requests,
        time_min, time_max, 0, ''
    from added
), taken as (
    insert into metering_eventkey (key, content, time, batch_id)
    select key, content, time, added.id
    from unnest(%s, %s, %s, %s) as sent (key, content, time, place) join added using (place)
    order by key
    on conflict do nothing
    returning 1
)
select id, (select count(*) from taken) from added order by place
"""

# A statement of its own, after the insert: what a parallel commit wrote is visible only to a new snapshot.
_STANDING = "select key, content from metering_eventkey where key = any(%s) and batch_id <> all(%s)"

# Rows that are copied are written by the page, those that are inserted one by one.
_COPY = f"copy metering_event ({rows.COLUMNS}) from stdin (format binary)"

# Of the batches that hold events which were there before; the others were added with the right counts.
_CORRECT = """
update metering_eventbatch as batch
set accepted = given.accepted, duplicates = given.duplicates, rejected = given.rejected,
    time_min = given.time_min, time_max = given.time_max
from json_to_recordset(%s) as given (
    id bigint, accepted integer, duplicates integer, rejected integer,
    time_min timestamptz, time_max timestamptz
)
where batch.id = given.id
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
    """A row of `metering.models.EventBatch`: what it says of the events of one sender in a commit.

    ``place``: its place among those of the commit, by which rows name it before it has an id.
    """

    place: int
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


def store(
    batches: Sequence[Batch], parts: Sequence[tuple[rows.Rows, int]]
) -> tuple[list[int], dict[bytes, bytes]]:
    """Adds batches, and the rows whose keys are new, each with the place of its batch.

    The keys must differ from each other. Returns the ids of the batches, and the contents of those keys that
    were there before.
    """
    keys = [key for part, _ in parts for key in part.keys]
    count = len(keys)
    places = [arrays.bigint_element(place) * len(part.keys) for part, place in parts]
    batch_ids, new = _take(
        [
            Json(batches, dumps=msgspec.json.encode),
            arrays.uuids(keys),
            arrays.array(arrays.Uuids, [part.content_elements for part, _ in parts], count=count),
            arrays.array(arrays.Timestamps, [part.time_elements for part, _ in parts], count=count),
            arrays.array(arrays.Bigints, places, count=count),
        ]
    )
    present = {} if new == count else standing(keys, but_of=batch_ids)
    assert new + len(present) == count, "every key is either new or was there before"
    if new:
        _copy(rows.copied([(part, batch_ids[place]) for part, place in parts], but=present))
    return batch_ids, present


def correct(batches: Sequence[Batch], batch_ids: Sequence[int]) -> None:
    """Changes what was said of batches to what turned out."""
    changed = [
        {"id": id, **msgspec.structs.asdict(batch)} for batch, id in zip(batches, batch_ids, strict=True)
    ]
    _execute(_CORRECT, [Json(changed, dumps=msgspec.json.encode)])


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
        cursor.execute(statement, parameters, prepare=True)  # to plan them takes as long as they do
        return cursor.fetchall() if cursor.description else []


def _take(parameters: Sequence[object]) -> tuple[list[int], int]:
    """The ids of the batches, and how many keys were new."""
    rows = _execute(_TAKE, parameters)
    return [id for id, _ in rows], rows[0][1]


def _copy(texts: Iterable[bytes]) -> None:
    connection.ensure_connection()
    with connection.wrap_database_errors, arrays.cursor(connection.connection) as cursor:
        with cursor.copy(_COPY) as copying:
            for text in texts:
                copying.write(text)
