"""A month as two CSV files, invoices.csv and lines.csv: RFC 4180, UTF-8 without byte order mark, CRLF.

Decimals are plain (no exponent, no thousands separators), instants RFC 3339 in UTC, None an empty cell.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.exports import tables
from billing.exports.shape import Table, Type, Written
from billing.exports.totals import Totals
from billing.exports.vouchers import Voucher
from metering import periods

NAME = "csv"
CONTENT_TYPE = "text/csv; charset=utf-8"
IS_FILE_PER_INVOICE = False
READS_INPUTS = False

# A spreadsheet takes a cell that begins so for a formula and runs it; names come from outside. The apostrophe
# makes it text. It is put before an apostrophe too, so that taking one off always gives the text back.
GUARD = "'"
_GUARDED = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", GUARD)


def writer(*, folder: Path, month: date) -> Writer:
    """A writer of both files."""
    return Writer(folder, tables.ALL)


def tally(*, folder: Path, path: str) -> Written:
    """Rows and totals counted again from a written file. Raises ValueError for one that is none of ours."""
    return tally_of(tables.ALL, folder=folder, path=path)


def tally_of(known: Sequence[Table], *, folder: Path, path: str, currency: str = "currency") -> Written:
    """Rows and totals of a file of one of the tables, whose column ``currency`` says in what amounts are.

    Raises ValueError for a file that is none of theirs.
    """
    table = next((table for table in known if f"{table.name}.csv" == path), None)
    if table is None:
        raise ValueError(f"{path} is no file of this format")
    rows, totals = 0, Totals()
    for row in read(folder / path):
        rows += 1
        try:
            totals.add(row[currency], Decimal(row[table.amount] or 0))
        except (KeyError, TypeError, ArithmeticError) as error:
            raise ValueError(f"row {rows} of {path} has no currency or amount") from error
    return Written(path, rows, totals)


def read(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a file by the names of the columns, guards included."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, strict=True)


def guard(text: str) -> str:
    """The text so that no spreadsheet runs it as a formula; `unguard` gives it back."""
    return GUARD + text if text.startswith(_GUARDED) else text


def unguard(cell: str) -> str:
    """The text that `guard` got."""
    return cell.removeprefix(GUARD)


class Writer:
    """Writes each table's rows as they come."""

    def __init__(self, folder: Path, written: Sequence[Table]) -> None:
        self._stack = ExitStack()
        self._sheets = [Sheet(table, folder, self._stack) for table in written]

    def add(self, voucher: Voucher) -> None:
        for sheet in self._sheets:
            sheet.add(voucher)

    def finish(self) -> Sequence[Written]:
        self.close()
        return [Written(sheet.path, sheet.rows, sheet.totals) for sheet in self._sheets]

    def close(self) -> None:
        self._stack.close()


class Sheet:
    """One open file of one table, its header written."""

    def __init__(self, table: Table, folder: Path, stack: ExitStack) -> None:
        self.path = f"{table.name}.csv"
        self.rows = 0
        self.totals = Totals()
        self._table = table
        (folder / self.path).parent.mkdir(exist_ok=True)
        file = stack.enter_context((folder / self.path).open("w", encoding="utf-8", newline=""))
        self._csv = csv.writer(file, lineterminator="\r\n")
        self._csv.writerow(column.name for column in table.columns)

    def write(self, row: Any) -> None:
        """Writes a row that is of no voucher; the totals do not change."""
        self._csv.writerow([_cell(column.type, column.value(row)) for column in self._table.columns])
        self.rows += 1

    def add(self, voucher: Voucher) -> None:
        for row in self._table.rows(voucher):
            self.write(row)
            amount = self._table.amount_of(row)
            if amount is not None:
                self.totals.add(voucher.currency, amount)


def text(kind: Type, value: Any) -> str:
    """The value as the file has it, without the guard."""
    return _TEXTS[kind](value)


_TEXTS: dict[Type, Callable[[Any], str]] = {
    Type.TEXT: str,
    Type.INTEGER: str,
    Type.DECIMAL: lambda value: f"{Decimal(value):f}",
    Type.DATE: lambda value: value.isoformat(),
    Type.INSTANT: periods.format_instant,
    Type.JSON: lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
}


def _cell(kind: Type, value: Any) -> str:
    if value is None:
        return ""
    return guard(str(value)) if kind == Type.TEXT else text(kind, value)
