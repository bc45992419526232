"""Exports of a month: rows a second of each format, and the memory that a large month takes."""

from __future__ import annotations

import csv
import functools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.shape import MeasurementWrong, Result, Row, Run

MAY = date(2020, 5, 1)
# So many times fewer invoices than an invoice run is measured with tell as much: each has 160 rows of usage.
SHARE, PDF_SHARE, MEMORY_SHARE = 10, 50, 4
MEMORY_MAX_MB = 400.0
FORMATS = ("csv", "xlsx", "jsonl", "parquet", "focus", "journal")

# The one invoice that was rated, many times over; numbers and keys differ.
COPIES: tuple[tuple[str, dict[str, str]], ...] = (
    ("billing_subscription", {"key": "'copy-' || s.n"}),
    ("billing_invoice", {}),
    (
        "billing_serviceperiod",
        {
            "invoice_id": "(select min(id) from billing_invoice) + s.n - 1",
            "subscription_id": "(select min(id) from billing_subscription) + s.n - 1",
        },
    ),
    (
        "billing_invoiceline",
        {"service_period_id": "(select min(id) from billing_serviceperiod) + s.n - 1"},
    ),
)
FINALIZE = """
update billing_invoice set state = 'FINALIZED', number = 'INV-' || lpad(id::text, 8, '0'),
    finalized_at = '2020-06-03', due_date = '2020-07-03', seller = '{"name": "Seller"}',
    buyer = '{"key": "acme", "name": "Acme"}'
"""
MEASURED = """
import resource, sys
import django
django.setup()
from datetime import date
from pathlib import Path
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[2]
from billing.exports import month
month.files(month=date(2020, 5, 1), formats=sys.argv[3:], folder=Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def speed(name: str) -> Callable[[Run], Result]:
    """Rows a second of a format; the baseline writes as many rows that are ready with the csv module."""

    def measure(run: Run) -> Result:
        from billing.exports import month

        invoices = max(1, run.size.invoices // (PDF_SHARE if name == "pdf" else SHARE))
        _fill(run, invoices)
        rounds = []
        for _ in range(min(run.size.rounds, 2)):
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                manifest = month.files(month=MAY, formats=[name], folder=Path(folder))
                seconds = time.perf_counter() - began
                if manifest["invoices"] != invoices:
                    raise MeasurementWrong(f"{manifest['invoices']} invoices of {invoices} were exported")
                rows = sum(entry["rows"] for entry in manifest["files"])
                rounds.append((rows / seconds, rows / _bare(Path(folder) / "bare.csv", rows)))
        return Result(rounds, [f"{rows:,} rows of {invoices:,} invoices with 6 lines"])

    return measure


def memory(run: Run) -> Result:
    """The most megabytes that a process held which exports a month in every format of tables."""
    invoices = max(1, run.size.invoices // MEMORY_SHARE)
    _fill(run, invoices)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MEASURED, folder, run.database.name, *FORMATS]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementWrong(f"the export failed: {done.stderr.strip().splitlines()[-1]}")
    return Result([(float(done.stdout), MEMORY_MAX_MB)], [f"{invoices:,} invoices"])


def _bare(path: Path, rows: int) -> float:
    """Seconds in which the csv module writes so many rows of lines.csv's width, texts that are there."""
    row = ["INV-00000001", "acme", "2020-05-01T00:00:00Z", "1322.85"] * 7
    began = time.perf_counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for _ in range(rows):
            writer.writerow(row)
    return time.perf_counter() - began


@functools.lru_cache(maxsize=1)
def _fill(run: Run, invoices: int) -> None:
    """A month of so many finalized invoices, each rated over 31 days of usage by four models."""
    from tests.billing.exports import rated

    run.database.empty()
    models = [f"m{n}" for n in range(1, 5)]
    usage = [
        ("input_tokens", str(600 + day), day, {"model": name}) for day in range(1, 32) for name in models
    ]
    usage += [("gpu_hours", "10/3", day, {}) for day in range(1, 32)]
    rated.draft(usage=usage, document=rated.plan(discounts=[{"percent": "10", "name": "Launch"}]))
    with run.database.connect() as direct:
        for table, changed in COPIES:
            columns = [name for name in _columns(direct, table) if name != "id"]
            values = ", ".join(changed.get(name, f't."{name}"') for name in columns)
            names = ", ".join(f'"{name}"' for name in columns)
            direct.execute(
                f"insert into {table} ({names}) select {values} from {table} t,"
                f" generate_series(2, {invoices}) s(n) order by s.n, t.id"
            )
            direct.execute(f"analyze {table}")
        direct.execute(FINALIZE)
        direct.execute("vacuum analyze billing_invoice, billing_serviceperiod, billing_invoiceline")


def _columns(direct: psycopg.Connection[Any], table: str) -> list[str]:
    rows = direct.execute(
        "select column_name from information_schema.columns where table_schema = 'public' and table_name = %s"
        " order by ordinal_position",
        [table],
    ).fetchall()
    return [name for (name,) in rows]


ROWS = (
    *(
        Row(
            name=f"export-{name}",
            title=f"export of a month as {name}, one process",
            unit="rows/s",
            against="the csv module writing as many rows that are ready",
            least=None,
            run=speed(name),
        )
        for name in (*FORMATS, "pdf")
    ),
    Row(
        name="export-memory",
        title="memory of an export in every format of tables",
        unit="MB",
        against=f"{MEMORY_MAX_MB:.0f} MB",
        least=1.0,
        run=memory,
        is_less_better=True,
    ),
)
