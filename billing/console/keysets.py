"""Pages of a long table by key: as fast on the last page as on the first, and steady while rows are added."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from metering import periods

ROWS = 50
OLDER = "older_than"
NEWER = "newer_than"


@dataclasses.dataclass(frozen=True)
class Page:
    """Rows, newest first, and the query strings of the pages beside it ("" where there is none)."""

    rows: Sequence[Any]
    newer: str
    older: str


def by_time_and_key(rows: QuerySet, *, query: QueryDict) -> Page:
    """The page of ``rows`` that the address asks for, by the composite key (time, key), descending.

    A cursor that cannot be read means the first page.
    """
    older_than, newer_than = _cursor(query.get(OLDER)), _cursor(query.get(NEWER))
    if newer_than is not None:
        # The bound on time alone looks redundant, but lets the database leave out partitions.
        later = rows.filter(pk__gt=newer_than, time__gte=newer_than[0]).order_by("time", "key")
        found = list(later[: ROWS + 1])
        has_newer, has_older = len(found) > ROWS, True
        found = found[:ROWS][::-1]
    else:
        if older_than is not None:
            rows = rows.filter(pk__lt=older_than, time__lte=older_than[0])
        found = list(rows.order_by("-time", "-key")[: ROWS + 1])
        has_newer, has_older = older_than is not None, len(found) > ROWS
        found = found[:ROWS]
    return Page(
        rows=found,
        newer=_address(query, NEWER, found[0]) if found and has_newer else "",
        older=_address(query, OLDER, found[-1]) if found and has_older else "",
    )


def by_id(rows: QuerySet, *, query: QueryDict) -> Page:
    """The page of ``rows`` that the address asks for, by id, descending. Cursors as in `by_time_and_key`."""
    older_than, newer_than = _number(query.get(OLDER)), _number(query.get(NEWER))
    if newer_than is not None:
        found = list(rows.filter(pk__gt=newer_than).order_by("pk")[: ROWS + 1])
        has_newer, has_older = len(found) > ROWS, True
        found = found[:ROWS][::-1]
    else:
        if older_than is not None:
            rows = rows.filter(pk__lt=older_than)
        found = list(rows.order_by("-pk")[: ROWS + 1])
        has_newer, has_older = older_than is not None, len(found) > ROWS
        found = found[:ROWS]
    return Page(
        rows=found,
        newer=_turned(query, NEWER, str(found[0].pk)) if found and has_newer else "",
        older=_turned(query, OLDER, str(found[-1].pk)) if found and has_older else "",
    )


def kept_query(kept: Mapping[str, str]) -> str:
    """What is kept of an address, to be put behind its first parameter; "" for nothing."""
    return f"&{urlencode(kept)}" if kept else ""


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def _cursor(text: str | None) -> tuple[datetime, uuid.UUID] | None:
    time, _, key = (text or "").partition("_")
    try:
        return periods.parse_instant(time), uuid.UUID(key)
    except ValueError:
        return None


def _address(query: QueryDict, direction: str, row: Any) -> str:
    return _turned(query, direction, f"{periods.format_instant(row.time)}_{row.key}")


def _turned(query: QueryDict, direction: str, cursor: str) -> str:
    kept = query.copy()
    kept.pop(OLDER, None)
    kept.pop(NEWER, None)
    kept[direction] = cursor
    return kept.urlencode()
