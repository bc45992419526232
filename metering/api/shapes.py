"""The shapes of answers. The API's schema is made from them, and answers are written from them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Object = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": "object"})]
Cursor = Annotated[str, Meta(description="the `cursor` of the page behind this one; null: it is the last")]


class Shape(msgspec.Struct, frozen=True):
    """A JSON object with these members, all of them always there unless one has a default."""


class Event(Shape):
    """An event as it was accepted, under the names of CloudEvents."""

    id: str
    source: str
    type: str
    subject: str
    time: Instant
    data: Object
    extensions: Object
    batch: Annotated[str, Meta(description="what was stored together")]


class Events(Shape):
    """Events, the latest first."""

    events: list[Event]
    next: Cursor | None


class Meter(Shape):
    """A meter with its definition.

    ``is_built``: whether the events that were stored before the meter are in its buckets already; queries are
    exact in any case.
    """

    slug: str
    version: int
    document: Annotated[dict[str, Any], Meta(description="the meter document as it was sent")]
    created_at: Instant
    archived_at: Instant | None
    is_built: bool


class Meters(Shape):
    """Meters by slug."""

    meters: list[Meter]
    next: Cursor | None


Value = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": ["number", "string"]})]
ValueExact = Annotated[str, Meta(description="the fraction, where no decimal equals the value")]


class UsageRow(Shape, rename="camel"):
    """What was measured in a window, of a subject and of values of dimensions.

    ``value`` is a number, with ``numbers=string`` a text.
    """

    value: Value
    window_start: Instant
    window_end: Instant
    subject: str | None
    group_by: dict[str, str]
    value_exact: ValueExact | msgspec.UnsetType = msgspec.UNSET


class UsageAnswer(Shape):
    """The rows of a question about a meter."""

    from_: Instant = msgspec.field(name="from")
    to: Instant
    window_size: str | None = msgspec.field(name="windowSize")
    data: list[UsageRow]
