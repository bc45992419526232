"""How results are told: a table for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.shape import Result, Row, Size

HEADINGS = ("row", "figure", "baseline", "ratio", "least", "")
_WIDTHS = (52, 22, 12, 7, 6, 5)


def heading() -> str:
    """The first line of the table."""
    return _line(HEADINGS)


def lines(row: Row, result: Result) -> list[str]:
    """A row of the table, with what it was measured against and its notes below."""
    least = "" if row.least is None else f"{row.least:.2f}"
    cells = (
        row.title,
        f"{_number(result.figure)} {row.unit}",
        _number(result.baseline),
        f"{row.ratio(result):.3f}",
        least,
        _verdict(row, result),
    )
    return [_line(cells), *(f"    {text}" for text in (f"{row.name}: against {row.against}", *result.notes))]


def document(
    results: Sequence[tuple[Row, Result]], *, size: Size, postgres: str, began_at: datetime, seconds: float
) -> dict[str, Any]:
    """The results as JSON, with all rounds: ``[figure, baseline]`` each."""
    return {
        "began_at": began_at.isoformat(),
        "seconds": round(seconds, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "postgres": postgres,
        "stored_events": size.stored_events,
        "rows": [
            {
                "name": row.name,
                "title": row.title,
                "unit": row.unit,
                "against": row.against,
                "figure": result.figure,
                "baseline": result.baseline,
                "ratio": row.ratio(result),
                "least": row.least,
                "passed": row.has_passed(result),
                "rounds": [list(each) for each in result.rounds],
                "notes": list(result.notes),
            }
            for row, result in results
        ],
    }


def write(path: Path, document: dict[str, Any]) -> None:
    """Writes the document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _verdict(row: Row, result: Result) -> str:
    if row.least is None:
        return "shown"
    return "pass" if row.has_passed(result) else "BELOW"


def _line(cells: Sequence[str]) -> str:
    """The first and the last cell on the left of their columns, numbers on the right."""
    padded = [
        cell.ljust(width) if place in (0, len(cells) - 1) else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
