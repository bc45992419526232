"""CloudEvents 1.0 in JSON, alone or in an array: the format of our own."""

from __future__ import annotations

import msgspec

from metering import ingesting
from metering.door.formats import members as member
from metering.door.formats.members import EventUnreadable, Members
from metering.door.formats.usual import answer, keepable

__all__ = ["answer", "draft", "drafts", "keepable", "recognizes"]

SPECVERSION = "1.0"
# The members that are no extensions. The data's schema has no column of its own and is kept beside those.
NAMED = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", "data_base64"}
)
# An event whose data is longer may be too large as a whole, which only its own text can tell.
_PLAINLY_SMALL = ingesting.EVENT_BYTES_MAX - 8 * 1024


class _Usual(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event without extensions, as nearly all are: read in one go, thousands at a time."""

    id: str
    source: str
    type: str
    subject: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    time: str | None = None
    specversion: str = SPECVERSION
    datacontenttype: str | None = None


_USUAL = msgspec.json.Decoder(list[_Usual])


def drafts(body: bytes) -> list[ingesting.Draft] | None:
    """All events of an array, or None if one of them needs a closer look."""
    try:
        events = _USUAL.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    read = []
    for event in events:
        data = bytes(event.data)
        if event.specversion != SPECVERSION or len(data) > _PLAINLY_SMALL:
            return None
        read.append(
            ingesting.Draft(
                source=event.source,
                id=event.id,
                type=event.type,
                subject=event.subject,
                time=event.time,
                data=b"{}" if data == b"null" else data,
            )
        )
    return read


def recognizes(members: Members) -> bool:
    """Every object that no other format knows is taken for a CloudEvent, so that its faults can be named."""
    return "specversion" in members


def draft(members: Members) -> ingesting.Draft:
    """The event of one JSON object; members that CloudEvents does not name are its extensions."""
    version = member.value(members, "specversion")
    if version not in (None, SPECVERSION):
        raise EventUnreadable(f'specversion must be "{SPECVERSION}"')
    if member.text(members, "data_base64") is not None:
        raise EventUnreadable("data_base64 is not taken: usage is counted from data, a JSON object")
    return ingesting.Draft(
        source=member.value(members, "source"),
        id=member.value(members, "id"),
        type=member.value(members, "type"),
        subject=member.value(members, "subject"),
        time=member.value(members, "time"),
        data=member.text(members, "data") or b"{}",
        extensions={name: bytes(text) for name, text in members.items() if name not in NAMED} or None,
    )
