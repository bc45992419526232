"""The lines of an invoice as rows, from a statement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from billing.models import InvoiceLine
from billing.rating import Line, Statement

_MONEY = ("amount", "compute", "storage", "would_be")
_CONTENT = (
    *(
        "position",
        "kind",
        "adjusts",
        "component",
        "group",
        "name",
        "mode",
        "timing",
        "dimensions",
        "quantity",
        "quantity_exact",
    ),
    *("unit", "amount", "unrounded", "unrounded_exact", "compute", "storage", "would_be", "note", "steps"),
)


def of(statement: Statement) -> list[InvoiceLine]:
    """Rows for the lines of a statement, in its order, not saved and without a service period."""
    return [_row(position, line) for position, line in enumerate(statement.lines, start=1)]


def content(row: InvoiceLine) -> dict[str, Any]:
    """What a line says, whatever invoice it stands on: two lines with equal content are the same line."""
    return {column: getattr(row, column) for column in _CONTENT}


def _row(position: int, line: Line) -> InvoiceLine:
    written = line.answer()
    for key in _MONEY:
        written[key] = None if written[key] is None else Decimal(written[key])
    return InvoiceLine(position=position, **written)
