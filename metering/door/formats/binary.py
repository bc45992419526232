"""CloudEvents in binary mode: the attributes are HTTP headers ``ce-*``, the body is the data."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from metering import ingesting
from metering.door.formats import cloudevents
from metering.door.formats.members import EventUnreadable


def recognizes_headers(headers: Mapping[str, str]) -> bool:
    """Whether a request with these headers (lower case) is in binary mode."""
    return "ce-id" in headers or "ce-specversion" in headers or "ce-type" in headers


def draft(headers: Mapping[str, str], body: bytes) -> ingesting.Draft:
    """The event of one request. Raises `EventUnreadable`."""
    attributes = {
        name.removeprefix("ce-"): _decoded(name, value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    if attributes.get("specversion", cloudevents.SPECVERSION) != cloudevents.SPECVERSION:
        raise EventUnreadable(f"the header ce-specversion must be {cloudevents.SPECVERSION}")
    extensions = {
        name: msgspec.json.encode(value)
        for name, value in attributes.items()
        if name not in cloudevents.NAMED
    }
    return ingesting.Draft(
        source=attributes.get("source"),
        id=attributes.get("id"),
        type=attributes.get("type"),
        subject=attributes.get("subject"),
        time=attributes.get("time"),
        data=body if body.strip() not in (b"", b"null") else b"{}",
        extensions=extensions or None,
        size=len(body) + sum(len(name) + len(value) for name, value in attributes.items()),
    )


def _decoded(name: str, value: str) -> str:
    """Header values are percent-encoded UTF-8; WSGI hands their bytes over as Latin-1."""
    try:
        return unquote(value.encode("latin-1").decode(), errors="strict")
    except UnicodeError:
        raise EventUnreadable(f"the header {name} is not percent-encoded UTF-8") from None
