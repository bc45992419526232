"""A month as two Excel workbooks, invoices.xlsx and lines.xlsx: one sheet each, more where a sheet is full.

Text is written as text, never as a formula or a link. Numbers and dates are Excel's own where Excel keeps
every digit; a number of more than 15 digits is written as text, and instants as in the CSV.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from billing.documents import currencies
from billing.exports import csv, tables
from billing.exports.shape import Column, Table, Type, Written
from billing.exports.totals import Totals
from billing.exports.vouchers import Voucher

NAME = "xlsx"
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
IS_FILE_PER_INVOICE = False
READS_INPUTS = False

ROWS_MAX = 1_048_575  # that a sheet of Excel holds below its head
CELL_LENGTH_MAX = 32_767  # characters of a cell, as Excel counts them
DIGITS_MAX = 15  # that Excel keeps of a number
CUT = "…"
_WIDTHS = {Type.TEXT: 22, Type.JSON: 30, Type.INSTANT: 21, Type.DATE: 12, Type.DECIMAL: 14, Type.INTEGER: 8}
# Columns of money; they show their currency's digits.
_MONEY = frozenset(
    (
        "subtotal",
        "discount_total",
        "tax_total",
        "total",
        "void_total",
        "amount",
        "compute",
        "storage",
        "would_be",
    )
)


def writer(*, folder: Path, month: date) -> Writer:
    """A writer of both workbooks."""
    return Writer(folder, month)


def tally(*, folder: Path, path: str) -> Written:
    """Rows and totals counted again from a written file. Raises ValueError for one that is none of ours."""
    table = next((table for table in tables.ALL if f"{table.name}.xlsx" == path), None)
    if table is None:
        raise ValueError(f"{path} is no file of this format")
    rows, totals = 0, Totals()
    try:
        for row in _read(folder / path):
            rows += 1
            totals.add(str(row["currency"]), Decimal(str(row[table.amount])))
    except (KeyError, TypeError, ArithmeticError, zipfile.BadZipFile) as error:
        raise ValueError(f"row {rows} of {path} has no currency or amount") from error
    return Written(path, rows, totals)


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of all sheets by the names of the columns."""
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        for sheet in book.worksheets:
            found = sheet.iter_rows(values_only=True)
            names = [str(name) for name in next(found)]
            for row in found:
                yield dict(zip(names, row, strict=False))
    finally:
        book.close()


class Writer:
    """Writes each table's rows as they come."""

    def __init__(self, folder: Path, month: date) -> None:
        self._books = [Book(table, folder, month) for table in tables.ALL]

    def add(self, voucher: Voucher) -> None:
        for book in self._books:
            book.add(voucher)

    def finish(self) -> Sequence[Written]:
        self.close()
        return [Written(book.path, book.rows, book.totals) for book in self._books]

    def close(self) -> None:
        for book in self._books:
            book.close()


class Book:
    """One open workbook of one table. A row once written is no longer in memory."""

    def __init__(self, table: Table, folder: Path, month: date) -> None:
        self.path = f"{table.name}.xlsx"
        self.rows = 0
        self.totals = Totals()
        self._table = table
        self._is_open = True
        self._book = xlsxwriter.Workbook(
            folder / self.path,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": str(folder),
            },
        )
        self._book.use_zip64()
        # Else the time of writing stands in the file.
        self._book.set_properties({"created": datetime(month.year, month.month, 1, tzinfo=UTC)})
        self._head = self._book.add_format({"bold": True, "bottom": 1})
        self._formats: dict[str, Any] = {}
        self._sheet = self._next_sheet()

    def add(self, voucher: Voucher) -> None:
        for row in self._table.rows(voucher):
            place = self.rows % ROWS_MAX
            if self.rows and not place:
                self._sheet = self._next_sheet()
            for number, column in enumerate(self._table.columns):
                value = column.value(row)
                if value is not None:
                    self._write(place + 1, number, column, value, voucher.currency)
            self.rows += 1
            amount = self._table.amount_of(row)
            if amount is not None:
                self.totals.add(voucher.currency, amount)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._book.close()

    def _next_sheet(self) -> Worksheet:
        number = self.rows // ROWS_MAX + 1
        sheet = self._book.add_worksheet(self._table.name + (f" {number}" if number > 1 else ""))
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(self._table.columns):
            sheet.set_column(place, place, _WIDTHS[column.type])
        for place, column in enumerate(self._table.columns):
            sheet.write_string(0, place, column.name, self._head)
        return sheet

    def _write(self, place: int, number: int, column: Column, value: Any, currency: str) -> None:
        if column.type == Type.DATE:
            self._sheet.write_datetime(place, number, value, self._format("yyyy-mm-dd"))
        elif column.type in (Type.DECIMAL, Type.INTEGER) and _is_kept(Decimal(value)):
            is_money = column.name in _MONEY
            shown = self._format(_money_format(currency)) if is_money else None
            self._sheet.write_number(place, number, Decimal(value), shown)
        else:
            self._sheet.write_string(place, number, fitting(csv.text(column.type, value)))

    def _format(self, pattern: str) -> Any:
        if pattern not in self._formats:
            self._formats[pattern] = self._book.add_format({"num_format": pattern})
        return self._formats[pattern]


def fitting(text: str) -> str:
    """The text as long as a cell can hold it; one that is cut ends with an ellipsis."""
    if len(text) * 2 <= CELL_LENGTH_MAX:
        return text
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * CELL_LENGTH_MAX:
        return text
    return encoded[: 2 * (CELL_LENGTH_MAX - 1)].decode("utf-16-le", errors="ignore") + CUT


def _is_kept(value: Decimal) -> bool:
    """Whether Excel shows the number as it is."""
    digits = value.normalize().as_tuple().digits
    return len(digits) <= DIGITS_MAX and abs(value.adjusted()) < 2 * DIGITS_MAX


def _money_format(currency: str) -> str:
    digits = currencies.digits(currency)
    return "#,##0" + ("." + "0" * digits if digits else "")
