"""Stored events without the door: rows as it would write them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from metering.measures import Event
from metering.models import ApiKey, EventBatch, partitions

RECEIVED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def event(
    n: int, time: datetime, data: dict[str, Any], *, subject: str = "acme", type: str = "llm.call"
) -> Event:
    """An event with a number for its id."""
    return Event(id=f"e{n}", source="test", type=type, subject=subject, time=time, data=data)


def store(events: Sequence[Event], *, received_at: datetime = RECEIVED_AT) -> EventBatch:
    """Stores the events as one pending batch. Numbers of the data may be Decimal."""
    partitions.ensure({each.time.astimezone(UTC).date() for each in events})
    times = [each.time for each in events]
    batch = EventBatch.objects.create(
        api_key=_sender(),
        received_at=received_at,
        accepted=len(events),
        duplicates=0,
        rejected=0,
        requests=[],
        time_min=min(times, default=None),
        time_max=max(times, default=None),
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into metering_eventkey (key, content, time, batch_id) values (%s, %s, %s, %s)",
            [(key_of(each), key_of(each), each.time, batch.pk) for each in events],
        )
        cursor.executemany(
            "insert into metering_event (key, time, batch_id, source, event_id, type, subject, data)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s::jsonb)",
            [
                (
                    key_of(each),
                    each.time,
                    batch.pk,
                    each.source,
                    each.id,
                    each.type,
                    each.subject,
                    dumps(each.data),
                )
                for each in events
            ],
        )
    return batch


def store_in_batches(events: Iterable[Event], size: int) -> list[EventBatch]:
    """Stores the events as pending batches of at most `size`."""
    each = list(events)
    return [store(each[start : start + size]) for start in range(0, len(each), size)]


def key_of(each: Event) -> UUID:
    """The key of an event: of its source and id."""
    return UUID(bytes=hashlib.sha256(json.dumps([each.source, each.id]).encode()).digest()[:16])


def dumps(value: Any) -> str:
    """JSON text in which a Decimal is a number with all its digits."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {dumps(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _sender() -> ApiKey:
    return ApiKey.objects.get_or_create(
        prefix="test",
        defaults={"name": "test", "key_hash": b"", "scopes": ["ingest"], "created_at": RECEIVED_AT},
    )[0]
