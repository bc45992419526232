"""Answers of the database that may be a little old, so that not every request has to ask."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

ENTRIES_MAX = 10_000
# From this part of its time on an answer is asked for again, by one thread while the others go on with it.
RENEWED_FROM = 0.5

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Remembers what ``load(key)`` returned for ``ttl_s`` seconds; None, which means unknown, not at all.

    Safe to use from several threads: two that ask for what is not known yet may both load.
    """

    def __init__(self, load: Callable[[Key], Value | None], *, ttl_s: float) -> None:
        self._load = load
        self._ttl_s = ttl_s
        self._entries: dict[Key, tuple[Value, float]] = {}
        self._renewing = threading.Lock()

    def get(self, key: Key) -> Value | None:
        entry = self._entries.get(key)
        now_s = time.monotonic()
        if entry is None or now_s >= entry[1]:
            return self._loaded(key)
        if entry[1] - now_s < self._ttl_s * (1 - RENEWED_FROM) and self._renewing.acquire(blocking=False):
            try:
                return self._loaded(key)
            finally:
                self._renewing.release()
        return entry[0]

    def _loaded(self, key: Key) -> Value | None:
        expires = time.monotonic() + self._ttl_s  # from before the question: the answer is never older
        value = self._load(key)
        if value is None:
            self._entries.pop(key, None)
            return None
        if len(self._entries) >= ENTRIES_MAX:
            self._entries.clear()
        self._entries[key] = (value, expires)
        return value
