"""Facts as the rows that are stored, in PostgreSQL's binary forms.

They are made by the thread of a request, while another one commits: what is left for that one is joining.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from struct import Struct

from metering.ingesting import arrays
from metering.ingesting.screening import Fact

# The id of the batch is the first, for it is known last; see `copied`.
COLUMNS = "batch_id, time, key, source, event_id, type, subject, data, extensions"
_COLUMN_COUNT = COLUMNS.count(",") + 1

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_beginning = Struct("!hiq").pack
_time_and_key = Struct("!iqi16s").pack
_length = Struct("!i").pack


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of some facts. Elements are those of arrays, events rows of COPY behind their first column.

    ``time_min``, ``time_max``: of the facts, in microseconds since 1970; both 0 where there is none.
    """

    keys: Sequence[bytes]
    content_elements: bytes
    time_elements: bytes
    events: Sequence[bytes]
    time_min: int
    time_max: int


def of(facts: Sequence[Fact]) -> Rows:
    """The rows of the facts, in their order."""
    times = [fact.time for fact in facts]
    words: dict[str, bytes] = {}
    return Rows(
        keys=[fact.key for fact in facts],
        content_elements=arrays.uuid_elements([fact.content for fact in facts]),
        time_elements=arrays.timestamp_elements(times),
        events=[_event(fact, words) for fact in facts],
        time_min=min(times, default=0),
        time_max=max(times, default=0),
    )


def copied(parts: Iterable[tuple[Rows, int]], *, but: Container[bytes]) -> list[bytes]:
    """The rows with the ids of their batches, as COPY takes them, except those of some keys."""
    of_batch: dict[int, list[bytes]] = {}
    for rows, batch_id in parts:
        events = rows.events
        if but:
            events = [event for key, event in zip(rows.keys, events, strict=True) if key not in but]
        of_batch.setdefault(batch_id, [b""]).extend(events)
    # One long text a batch: each that is written costs a call, and a copy of all of them would cost memory.
    beginnings = {batch_id: _beginning(_COLUMN_COUNT, 8, batch_id) for batch_id in of_batch}
    return [_HEAD, *(beginnings[batch_id].join(events) for batch_id, events in of_batch.items()), _END]


def _event(fact: Fact, words: dict[str, bytes]) -> bytes:
    """``words`` remembers the few texts of which most events have the same."""
    source, type_ = words.get(fact.source), words.get(fact.type)
    if source is None:
        source = words[fact.source] = _sized(fact.source.encode())
    if type_ is None:
        type_ = words[fact.type] = _sized(fact.type.encode())
    id, subject, extensions = fact.id.encode(), fact.subject.encode(), fact.extensions
    return b"".join(
        (
            _time_and_key(8, fact.time - arrays.POSTGRES_EPOCH, 16, fact.key),
            source,
            _length(len(id)),
            id,
            type_,
            _length(len(subject)),
            subject,
            _length(len(fact.data) + 1),
            b"\x01",  # the version of jsonb's form, in which it travels as text
            fact.data,
            _NULL if extensions is None else _sized(b"\x01" + extensions),
        )
    )


def _sized(text: bytes) -> bytes:
    return _length(len(text)) + text
