"""The output of several processes on one terminal, each line with the name of its process before it."""

from __future__ import annotations

import sys
import threading
from typing import IO

_lock = threading.Lock()


def follow(source: IO[bytes], name: str) -> None:
    """Copy the lines of ``source`` to standard output until it ends, in a thread of its own."""
    threading.Thread(target=_copy, args=(source, f"{name:<8} | ".encode()), daemon=True).start()


def say(text: str) -> None:
    """One line of our own; a reader who has gone away is no failure."""
    _write(f"{text}\n".encode("utf-8", "backslashreplace"))


def _copy(source: IO[bytes], prefix: bytes) -> None:
    with source:
        for line in source:
            _write(prefix + line if line.endswith(b"\n") else prefix + line + b"\n")


def _write(line: bytes) -> None:
    with _lock:
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        except (BrokenPipeError, ValueError):
            pass
