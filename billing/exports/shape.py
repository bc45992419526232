"""What every export format looks like, so that another one is added without reading the others."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from billing.exports.vouchers import Voucher


class Type(enum.Enum):
    """What a column holds; each format writes it in its own way."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    INSTANT = "instant"
    JSON = "JSON"


@dataclass(frozen=True)
class Column:
    """A named value of a row. ``value`` takes the row and returns what ``type`` says, or None."""

    name: str
    type: Type
    value: Callable[[Any], Any]


@dataclass(frozen=True)
class Table:
    """Rows of one kind. ``rows``: what one voucher adds; ``amount``: the column that totals add up."""

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Voucher], Sequence[Any]]
    amount: str

    @property
    def amount_of(self) -> Callable[[Any], Decimal | None]:
        """The value of the column that totals add up."""
        return next(column.value for column in self.columns if column.name == self.amount)


@dataclass(frozen=True)
class Written:
    """A file of an export: its path below the export's folder, its rows, and its totals by currency."""

    path: str
    rows: int
    totals: Mapping[str, Decimal]


class Writer(Protocol):
    """Takes the vouchers of a month, one after the other and in order, and never holds more than a few."""

    def add(self, voucher: Voucher) -> None: ...

    def finish(self) -> Sequence[Written]:
        """Completes the files and says what was written."""

    def close(self) -> None:
        """Lets go of open files; called once, also after a failure."""


class Format(Protocol):
    """A module of this folder that is listed in `formats.ALL`."""

    NAME: str
    CONTENT_TYPE: str
    IS_FILE_PER_INVOICE: bool  # else each file holds the whole month
    READS_INPUTS: bool  # whether it needs what the invoices were computed from, see `inputs`

    def writer(self, *, folder: Path, month: date) -> Writer:
        """A writer of files below ``folder``, which exists. ``month``: its first day."""

    def tally(self, *, folder: Path, path: str) -> Written | None:
        """Rows and totals counted again from a written file; None for a format that cannot be read back."""
