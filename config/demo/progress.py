"""How far a long step is: a bar that redraws itself on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 28
_REDRAW_S = 0.05


class Progress:
    """One step of known length. Call `advance` as often as you like and `finish` once.

    ``stream`` defaults to standard output. Elsewhere than on a terminal a line is written at each quarter.
    """

    def __init__(self, *, name: str, total: int, unit: str, stream: TextIO | None = None) -> None:
        self._name = name
        self._total = total
        self._unit = unit
        self._stream = stream or sys.stdout
        self._is_terminal = self._stream.isatty()
        self._done = 0
        self._quarters = 0
        self._drawn_at = 0.0

    def advance(self, count: int) -> None:
        """Adds ``count`` to what is done."""
        self._done += count
        if self._is_terminal:
            if time.monotonic() - self._drawn_at >= _REDRAW_S:
                self._draw()
        elif self._total and self._done * 4 // self._total > self._quarters and self._done < self._total:
            self._quarters = self._done * 4 // self._total
            self._stream.write(f"  {self._counted()}\n")
            self._stream.flush()

    def finish(self, note: str = "") -> None:
        """Ends the step with its last state, and ``note`` behind it."""
        behind = f"  {note}" if note else ""
        if self._is_terminal:
            self._draw()
            self._stream.write(f"{behind}\n")
        else:
            self._stream.write(f"  {self._counted()}{behind}\n")
        self._stream.flush()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        filled = _WIDTH * self._done // self._total if self._total else _WIDTH
        bar = "#" * filled + "." * (_WIDTH - filled)
        self._stream.write(f"\r  {self._counted()}  [{bar}]")
        self._stream.flush()

    def _counted(self) -> str:
        width = len(f"{self._total:,}")
        return f"{self._name:<15} {self._done:>{width},} of {self._total:,} {self._unit}"
