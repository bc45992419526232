"""The stored events as Parquet, read by DuckDB: what an analyst would have instead of buckets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow
from pyarrow import parquet

_ROWS = 50_000
_COLUMNS = ("subject", "type", "time", "model", "input_tokens")
_SCHEMA = pyarrow.schema(
    [
        ("subject", pyarrow.string()),
        ("type", pyarrow.string()),
        ("time", pyarrow.timestamp("us", tz="UTC")),
        ("model", pyarrow.string()),
        ("input_tokens", pyarrow.decimal128(38, 0)),
    ]
)
_STORED = """
select subject, type, time, data ->> 'model', (data ->> 'input_tokens')::numeric
from metering_event order by time
"""
_MONTH = """
select subject, model, sum(input_tokens), count(*) from read_parquet(?)
where type = 'llm.call' and time >= ? and time < ?
group by subject, model order by subject, model
"""


def write(direct: psycopg.Connection[Any], path: Path) -> None:
    """Writes the stored events to a file, in order of time."""
    with parquet.ParquetWriter(path, _SCHEMA) as writer, direct.transaction():
        with direct.cursor(name="events") as cursor:
            cursor.execute(_STORED)
            while rows := cursor.fetchmany(_ROWS):
                columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
                writer.write_table(pyarrow.table(columns, schema=_SCHEMA))


def analyst() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own in memory."""
    made = duckdb.connect()
    made.execute("set TimeZone = 'UTC'")
    return made


def month(
    analyst: duckdb.DuckDBPyConnection, path: Path, start: datetime, end: datetime
) -> list[tuple[str, str, Fraction, int]]:
    """Input tokens and number of the events in ``[start, end)`` by subject and model, sorted by both."""
    rows = analyst.execute(_MONTH, [str(path), start, end]).fetchall()
    return [(subject, model, Fraction(Decimal(total)), count) for subject, model, total, count in rows]
