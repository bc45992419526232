"""Who changed what, and when."""

from __future__ import annotations

from typing import Any

from metering.api.shapes import Cursor, Instant, Shape


class PastValue(Shape):
    """What a field was, and what it became; null for none."""

    field: str
    old: Any
    new: Any


class PastChange(Shape):
    """What was added, changed or removed, when, by whom and through what.

    ``by`` is the name of a user, an API key or a command, and empty where the product did it by itself.
    """

    at: Instant
    by: str
    through: str
    what: str
    kind: str
    values: list[PastValue]


class History(Shape):
    """Changes, the latest first."""

    history: list[PastChange]
    next: Cursor | None
