"""A month as FOCUS 1.4, the FinOps Open Cost and Usage Specification: three CSV files in one folder.

focus/cost_and_usage.csv: amounts by line and day; focus/invoice_detail.csv: one row a line;
focus/billing_period.csv: the month. The columns and what stands in them: docs/exports.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.exports import csv, focus_columns, invoices
from billing.exports.shape import Column, Table, Type, Written
from billing.exports.totals import Totals, texts
from billing.exports.vouchers import Voucher

NAME = "focus"
CONTENT_TYPE = "text/csv; charset=utf-8"
IS_FILE_PER_INVOICE = False
READS_INPUTS = True

PERIODS = "focus/billing_period"
PERIODS_PATH = f"{PERIODS}.csv"


def writer(*, folder: Path, month: date) -> Writer:
    """A writer of the three files."""
    return Writer(folder, month)


def tally(*, folder: Path, path: str) -> Written:
    """Rows and totals counted again from a written file. Raises ValueError for one that is none of ours."""
    if path == PERIODS_PATH:
        return _tally_periods(folder)
    return csv.tally_of(focus_columns.of(date.min), folder=folder, path=path, currency="BillingCurrency")


class Writer:
    """Writes the rows of both tables as they come, and the month's own at the end."""

    def __init__(self, folder: Path, month: date) -> None:
        self._folder = folder
        self._month = month
        self._rows = csv.Writer(folder, focus_columns.of(month))
        self._latest: dict[str, datetime] = {}
        self._totals: dict[str, Totals] = {}

    def add(self, voucher: Voucher) -> None:
        self._rows.add(voucher)
        issuer = focus_columns.issuer(voucher)
        assert voucher.issued_at is not None  # drafts are not exported
        self._latest[issuer] = max(voucher.issued_at, self._latest.get(issuer, voucher.issued_at))
        self._totals.setdefault(issuer, Totals()).add(voucher.currency, voucher.total)

    def finish(self) -> Sequence[Written]:
        return [*self._rows.finish(), self._write_periods()]

    def close(self) -> None:
        self._rows.close()

    def _write_periods(self) -> Written:
        """A row for each name under which the month's invoices were issued: mostly one."""
        start, end = focus_columns.bounds(self._month)
        status = "Open" if invoices.is_open(month=self._month) else "Closed"
        with ExitStack() as stack:
            sheet = csv.Sheet(_periods(start, end, status), self._folder, stack)
            for issuer, latest in sorted(self._latest.items()):
                sheet.write((issuer, max(latest, start), self._totals[issuer]))
        return Written(sheet.path, sheet.rows, Totals().merge(self._totals.values()))


def _periods(start: datetime, end: datetime, status: str) -> Table:
    return Table(
        name=PERIODS,
        rows=lambda voucher: (),
        amount="x_Totals",
        columns=(
            Column("BillingPeriodStart", Type.INSTANT, lambda row: start),
            Column("BillingPeriodEnd", Type.INSTANT, lambda row: end),
            Column("BillingPeriodCreated", Type.INSTANT, lambda row: start),
            Column("BillingPeriodLastUpdated", Type.INSTANT, lambda row: row[1]),
            Column("BillingPeriodStatus", Type.TEXT, lambda row: status),
            Column("InvoiceIssuerName", Type.TEXT, lambda row: row[0]),
            Column("x_Totals", Type.JSON, lambda row: texts(row[2])),
        ),
    )


def _tally_periods(folder: Path) -> Written:
    rows, totals = 0, Totals()
    for row in csv.read(folder / PERIODS_PATH):
        rows += 1
        try:
            sums: dict[str, Any] = json.loads(row["x_Totals"])
            for currency, amount in sums.items():
                totals.add(currency, Decimal(amount))
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"row {rows} of {PERIODS_PATH} has no totals") from error
    return Written(PERIODS_PATH, rows, totals)
