"""Room for requests that are worked on at the same time, so that large ones cannot fill the memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Of decompressed bodies. What becomes of a body while it is read, screened and committed takes several times
# its size.
BYTES_MAX = 6 * 1024 * 1024
# Smaller ones go through: there are at most as many of them as the process has threads.
SMALL_BYTES_MAX = 64 * 1024


class Room:
    """So many bytes, taken and given back. Those who wait for room are let in in turn."""

    def __init__(self, size: int = BYTES_MAX) -> None:
        self._size = size
        self._free = size
        self._changed = threading.Condition()
        self._turn = threading.Lock()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Waits for room of a size, free again afterwards. What is larger than all of it comes alone."""
        if size <= SMALL_BYTES_MAX:
            yield
            return
        taken = min(size, self._size)
        with self._turn, self._changed:
            while self._free < taken:
                self._changed.wait()
            self._free -= taken
        try:
            yield
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify()
