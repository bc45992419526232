"""A month as Parquet: lines.parquet, the lines, and usage.parquet, quantities and amounts by the day in UTC.

Decimals are decimal(38, 18): numbers are exact to 18 places, and a text column beside a quantity says it
exactly where that is not enough. Instants are microseconds in UTC. Both files add up to the month's totals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from billing.exports import charges, csv, inputs, tables
from billing.exports.charges import Charge
from billing.exports.shape import Column, Table, Type, Written
from billing.exports.totals import Totals, to_places
from billing.exports.vouchers import Voucher
from metering import numbers

NAME = "parquet"
CONTENT_TYPE = "application/vnd.apache.parquet"
IS_FILE_PER_INVOICE = False
READS_INPUTS = True

DIGITS, PLACES = 38, 18
ROWS_A_GROUP = 20_000  # that are in memory at once
_UNIT = Decimal(1).scaleb(-PLACES)
_ROUNDING = Context(prec=DIGITS, rounding=ROUND_HALF_UP)

_TYPES: dict[Type, pa.DataType] = {
    Type.TEXT: pa.string(),
    Type.INTEGER: pa.int64(),
    Type.DECIMAL: pa.decimal128(DIGITS, PLACES),
    Type.DATE: pa.date32(),
    Type.INSTANT: pa.timestamp("us", tz="UTC"),
    Type.JSON: pa.string(),
}
_VALUES: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: str,
    Type.DECIMAL: lambda value: _ROUNDING.quantize(Decimal(value), _UNIT),
    Type.JSON: lambda value: csv.text(Type.JSON, value),
}


class Row(NamedTuple):
    """What stands behind a row of usage."""

    voucher: Voucher
    charge: Charge


def _line(name: str) -> Callable[[Row], Any]:
    return lambda row: getattr(row.charge.entry.line, name)


def _subscription(row: Row) -> Any:
    period = row.charge.entry.period
    return period.subscription.key if period else None


def _meter(row: Row) -> Any:
    entry = row.charge.entry
    component = inputs.of(entry.period).component(entry.line.component) if entry.period else None
    return component.meter if component else None


USAGE = Table(
    name="usage",
    rows=lambda voucher: [Row(voucher, charge) for charge in charges.of(voucher)],
    amount="amount",
    columns=(
        Column("invoice", Type.TEXT, lambda row: row.voucher.number),
        Column("customer", Type.TEXT, lambda row: row.voucher.buyer["key"]),
        Column("subscription", Type.TEXT, _subscription),
        Column("day", Type.DATE, lambda row: row.charge.start.date()),
        Column("start", Type.INSTANT, lambda row: row.charge.start),
        Column("end", Type.INSTANT, lambda row: row.charge.end),
        Column("kind", Type.TEXT, _line("kind")),
        Column("group", Type.TEXT, _line("group")),
        Column("component", Type.TEXT, _line("component")),
        Column("name", Type.TEXT, _line("name")),
        Column("mode", Type.TEXT, _line("mode")),
        Column("meter", Type.TEXT, _meter),
        Column("dimensions", Type.JSON, _line("dimensions")),
        Column("quantity", Type.DECIMAL, lambda row: row.charge.quantity),
        Column("unit", Type.TEXT, _line("unit")),
        Column("currency", Type.TEXT, lambda row: row.voucher.currency),
        Column("amount", Type.DECIMAL, lambda row: to_places(row.voucher.currency, row.charge.billed)),
        Column("discount", Type.DECIMAL, lambda row: to_places(row.voucher.currency, row.charge.discount)),
    ),
)
ALL = (tables.LINES, USAGE)


def writer(*, folder: Path, month: date) -> Writer:
    """A writer of both files."""
    return Writer(folder)


def tally(*, folder: Path, path: str) -> Written:
    """Rows and totals counted again from a written file. Raises ValueError for one that is none of ours."""
    rows, totals = 0, Totals()
    try:
        with pq.ParquetFile(folder / path) as file:
            for batch in file.iter_batches(columns=["currency", "amount"], batch_size=ROWS_A_GROUP):
                rows += batch.num_rows
                sums = pa.table(batch).group_by("currency").aggregate([("amount", "sum")])
                for row in sums.to_pylist():
                    totals.add(row["currency"], _without_zeros(row["amount_sum"], row["currency"]))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    return Written(path, rows, totals)


class Writer:
    """Writes each table's rows as they come, a group of rows at a time."""

    def __init__(self, folder: Path) -> None:
        self._files = [File(table, folder) for table in ALL]

    def add(self, voucher: Voucher) -> None:
        for file in self._files:
            file.add(voucher)

    def finish(self) -> Sequence[Written]:
        for file in self._files:
            file.finish()
        return [Written(file.path, file.rows, file.totals) for file in self._files]

    def close(self) -> None:
        for file in self._files:
            file.close()


class File:
    """One open file of one table."""

    def __init__(self, table: Table, folder: Path) -> None:
        self.path = f"{table.name}.parquet"
        self.rows = 0
        self.totals = Totals()
        self._table = table
        self._schema = pa.schema([(column.name, _TYPES[column.type]) for column in table.columns])
        self._file = pq.ParquetWriter(folder / self.path, self._schema, compression="zstd")
        self._waiting: list[list[Any]] = [[] for _ in table.columns]

    def add(self, voucher: Voucher) -> None:
        for row in self._table.rows(voucher):
            for column, values in zip(self._table.columns, self._waiting, strict=True):
                value = column.value(row)
                convert = _VALUES.get(column.type)
                values.append(convert(value) if convert and value is not None else value)
            self.rows += 1
            amount = self._table.amount_of(row)
            if amount is not None:
                self.totals.add(voucher.currency, amount)
            if len(self._waiting[0]) == ROWS_A_GROUP:
                self._write()

    def finish(self) -> None:
        if self._waiting[0]:
            self._write()
        self.close()

    def close(self) -> None:
        self._file.close()

    def _write(self) -> None:
        arrays = [
            pa.array(values, type=field.type)
            for values, field in zip(self._waiting, self._schema, strict=True)
        ]
        self._file.write_batch(pa.record_batch(arrays, schema=self._schema), row_group_size=ROWS_A_GROUP)
        self._waiting = [[] for _ in self._table.columns]


def _without_zeros(amount: Decimal, currency: str) -> Decimal:
    """The amount without the places that only the column's type added."""
    return to_places(currency, numbers.trimmed(amount))
