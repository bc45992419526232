"""Answers as CSV: RFC 4180, UTF-8 without byte order mark, CRLF."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer


class CsvRenderer(BaseRenderer):
    """text/csv for views that answer rows of texts, the header first. Errors stay the JSON that they are."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: dict | None = None
    ) -> bytes:
        answer = (renderer_context or {}).get("response")
        if answer is not None and answer.status_code >= 400:
            return msgspec.json.encode(data)
        return written(data)


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """The rows as a CSV file. They are for programs: nothing is put before names that look like formulas."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()
