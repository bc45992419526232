"""The statements of a commit. They run inside a transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from psycopg.types.json import Json

from metering.ingesting import arrays
from metering.ingesting.screening import EVENT_BYTES_MAX, Fact, Refusal
from metering.ingesting.submissions import Sender

# Keys go in in their order, so that two commits with the same keys wait for each other and do not deadlock.
_STORE = """
with sent as materialized (
    select * from unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        as sent (key, content, time, batch_id, source, event_id, type, subject, data, extensions)
),
taken as (
    insert into metering_eventkey (key, content, time, batch_id)
    select key, content, time, batch_id from sent order by key
    on conflict do nothing
    returning key
),
stored as (
    insert into metering_event (key, time, batch_id, source, event_id, type, subject, data, extensions)
    select key, time, batch_id, source, event_id, type, subject, data, extensions
    from sent join taken using (key)
    returning 1
)
select (select count(*) from stored), array(select key from sent where key not in (select key from taken))
"""

# A statement of its own, after the insert: what a parallel commit wrote is visible only to a new snapshot.
_STANDING = "select key, content from metering_eventkey where key = any(%s)"

_BATCH_IDS = "select nextval(pg_get_serial_sequence('metering_eventbatch', 'id')) from generate_series(1, %s)"

_REFUSE = """
insert into metering_rejectedevent
    (batch_id, api_key_id, webhook_source_id, key, content, code, message, body, count, first_at, last_at)
select batch_id, api_key_id, webhook_source_id, key, content, code, message, body, count,
    received_at, received_at
from json_to_recordset(%s) as refused (
    batch_id bigint, api_key_id bigint, webhook_source_id bigint, key uuid, content uuid, code text,
    message text, body text, count bigint, received_at timestamptz
)
order by key, content, code
on conflict (key, content, code) do update
    set count = metering_rejectedevent.count + excluded.count,
        message = excluded.message,
        last_at = greatest(metering_rejectedevent.last_at, excluded.last_at)
"""


class Turned(NamedTuple):
    """A refusal with the batch, sender and instant it came with."""

    refusal: Refusal
    batch_id: int
    sender: Sender
    received_at: datetime


def batch_ids(count: int) -> list[int]:
    """New ids of batches, ascending: events carry theirs before the row with the counts can be written."""
    return [row[0] for row in _execute(_BATCH_IDS, [count])]


def store(facts: Sequence[tuple[Fact, int]]) -> set[bytes]:
    """Inserts the facts whose keys are new, each with its batch's id; returns the keys that were not.

    The keys must differ from each other.
    """
    if not facts:
        return set()
    parameters = [
        arrays.uuids([fact.key for fact, _ in facts]),
        arrays.uuids([fact.content for fact, _ in facts]),
        arrays.timestamps([fact.time for fact, _ in facts]),
        arrays.bigints([batch_id for _, batch_id in facts]),
        arrays.texts([fact.source for fact, _ in facts]),
        arrays.texts([fact.id for fact, _ in facts]),
        arrays.texts([fact.type for fact, _ in facts]),
        arrays.texts([fact.subject for fact, _ in facts]),
        arrays.jsonbs([fact.data for fact, _ in facts]),
        arrays.jsonbs([fact.extensions for fact, _ in facts]),
    ]
    [(stored, present)] = _execute(_STORE, parameters)
    assert stored + len(present) == len(facts), "every key is either new or was there before"
    return {key.bytes for key in present}


def standing(keys: Iterable[bytes]) -> dict[bytes, bytes]:
    """The contents of those of the keys that are stored."""
    wanted = list(keys)
    if not wanted:
        return {}
    return {key.bytes: content.bytes for key, content in _execute(_STANDING, [arrays.uuids(wanted)])}


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
