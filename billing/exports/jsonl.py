"""A month as JSON Lines, invoices.jsonl: a voucher a line, with its service periods, lines and steps.

Members are sorted, numbers are decimal texts, instants RFC 3339 in UTC: the same bytes for the same invoice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.exports import parties, tables
from billing.exports.shape import Type, Written
from billing.exports.totals import Totals, to_places
from billing.exports.vouchers import Entry, Voucher
from metering import periods

NAME = "jsonl"
CONTENT_TYPE = "application/x-ndjson"
IS_FILE_PER_INVOICE = False
READS_INPUTS = False
PATH = "invoices.jsonl"

_PARTY = ("key", *parties.PARTY_FIELDS)
_LINE = (
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
    "unit",
)
_EXPLAINED = ("unrounded", "unrounded_exact", "note", "steps")
_MONEY = ("amount", "compute", "storage", "would_be")
# What the other tables say of an invoice is said in the same words.
_HEAD = tuple(
    column for column in tables.INVOICES.columns if not column.name.startswith(("customer", "lines"))
)


def writer(*, folder: Path, month: date) -> Writer:
    """A writer of the file."""
    return Writer(folder)


def tally(*, folder: Path, path: str) -> Written:
    """Rows and totals counted again from a written file. Raises ValueError for one that is none of ours."""
    rows, totals = 0, Totals()
    with (folder / path).open(encoding="utf-8") as file:
        for text in file:
            rows += 1
            try:
                voucher = json.loads(text)
                totals.add(voucher["currency"], Decimal(voucher["total"]))
            except (KeyError, TypeError, ValueError, ArithmeticError) as error:
                raise ValueError(f"row {rows} of {path} has no currency or total") from error
    return Written(path, rows, totals)


class Writer:
    """Writes a line for each voucher."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / PATH).open("w", encoding="utf-8", newline="\n")
        self._rows = 0
        self._totals = Totals()

    def add(self, voucher: Voucher) -> None:
        text = json.dumps(of(voucher), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        # JSON leaves these two as they are, and some readers of lines break at them.
        self._file.write(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + "\n")
        self._rows += 1
        self._totals.add(voucher.currency, voucher.total)

    def finish(self) -> Sequence[Written]:
        self.close()
        return [Written(PATH, self._rows, self._totals)]

    def close(self) -> None:
        self._file.close()


def of(voucher: Voucher) -> dict[str, Any]:
    """The voucher as JSON: the columns of invoices.csv, the customer, and ``service_periods`` with ``lines``.

    What belongs to no service period stands in ``lines`` beside them: taxes, and credit given freely.
    """
    buyer = voucher.buyer
    head = {column.name: _plain(column.type, column.value(voucher)) for column in _HEAD}
    by_period: dict[int | None, list[Entry]] = {}
    for entry in voucher.entries:
        by_period.setdefault(entry.period.pk if entry.period else None, []).append(entry)
    served = {entry.period.pk: entry.period for entry in voucher.entries if entry.period is not None}
    return head | {
        "customer": {name: buyer[name] for name in _PARTY},
        "reason": voucher.credit_note.reason if voucher.credit_note else None,
        "taxes": voucher.taxes,
        "service_periods": [
            {
                "subscription": period.subscription.key,
                "period_start": periods.format_instant(period.start_at),
                "period_end": periods.format_instant(period.end_at),
                "timezone": period.subscription.timezone,
                "part": period.part,
                "unbilled": [] if voucher.credit_note else period.unbilled,
                "lines": [_line(entry, voucher.currency) for entry in by_period[pk]],
            }
            for pk, period in served.items()
        ],
        "lines": [_line(entry, voucher.currency) for entry in by_period.get(None, [])],
    }


def _line(entry: Entry, currency: str) -> dict[str, Any]:
    line = entry.line
    money = {name: getattr(line, name) for name in _MONEY}
    return {
        "position": line.position,
        **{name: getattr(line, name) for name in (*_LINE, *_EXPLAINED)},
        **{
            name: None if value is None else f"{to_places(currency, value):f}"
            for name, value in money.items()
        },
    }


def _plain(kind: Type, value: Any) -> Any:
    return None if value is None else _PLAIN[kind](value)


_PLAIN: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: str,
    Type.INTEGER: int,
    Type.DECIMAL: lambda value: f"{Decimal(value):f}",
    Type.DATE: lambda value: value.isoformat(),
    Type.INSTANT: periods.format_instant,
    Type.JSON: lambda value: value,
}
