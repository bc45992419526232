"""Answers of the database that may be a little old, so that not every request has to ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

ENTRIES_MAX = 10_000

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Remembers what ``load(key)`` returned for ``ttl_s`` seconds; None, which means unknown, not at all.

    Safe to use from several threads: two that ask at once may both load.
    """

    def __init__(self, load: Callable[[Key], Value | None], *, ttl_s: float) -> None:
        self._load = load
        self._ttl_s = ttl_s
        self._entries: dict[Key, tuple[Value, float]] = {}

    def get(self, key: Key) -> Value | None:
        entry = self._entries.get(key)
        if entry is not None and time.monotonic() < entry[1]:
            return entry[0]
        expires = time.monotonic() + self._ttl_s  # from before the question: the answer is never older
        value = self._load(key)
        if value is None:
            self._entries.pop(key, None)
            return None
        if len(self._entries) >= ENTRIES_MAX:
            self._entries.clear()
        self._entries[key] = (value, expires)
        return value
