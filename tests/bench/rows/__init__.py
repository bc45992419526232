"""The rows of the table, one file for each subject; every file has ``ROWS``."""

from __future__ import annotations

from tests.bench.rows import door, exports, invoicing, rating, rolling, usage
from tests.bench.shape import Row

ROWS: tuple[Row, ...] = (*door.ROWS, *rating.ROWS, *rolling.ROWS, *usage.ROWS, *invoicing.ROWS, *exports.ROWS)
