"""The members of a JSON object, read one by one so that numbers keep every digit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from metering.ingesting import contents

Members = Mapping[str, msgspec.Raw]
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


class EventUnreadable(Exception):
    """A JSON text that is no event of a format; the message says why."""


def of(text: bytes | msgspec.Raw) -> Members:
    """The members of an object. Raises `EventUnreadable`."""
    try:
        return _OBJECT.decode(text)
    except msgspec.ValidationError:
        raise EventUnreadable("an event must be a JSON object in braces") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EventUnreadable(f"the event cannot be read as JSON: {error}") from None


def value(members: Members, name: str) -> Any:
    """The value of a member, None where it is missing or null; its numbers are int or Decimal."""
    text = members.get(name)
    if text is None:
        return None
    try:
        return contents.read(bytes(text))
    except contents.ContentInvalid as error:
        raise EventUnreadable(f"{name}: {error}") from None


def inner(members: Members, name: str) -> Members:
    """The members of an object inside; none where it is missing, null or no object."""
    found = text(members, name)
    return of(found) if found is not None and found[:1] == b"{" else {}


def text(members: Members, name: str) -> bytes | None:
    """The JSON text of a member, None where it is missing or null."""
    found = members.get(name)
    return None if found is None or bytes(found) == b"null" else bytes(found)
