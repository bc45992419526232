"""Pages of rejected events by key: as fast on the last page as on the first, steady while events arrive."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.http import QueryDict

from metering import periods
from metering.models import RejectedEvent

ROWS = 50
OLDER = "older_than"
NEWER = "newer_than"


class _Place(NamedTuple):
    last_at: datetime
    id: int


@dataclasses.dataclass(frozen=True)
class Page:
    """Rows, the last seen first, and the query strings of the pages beside it ("" where there is none)."""

    rows: Sequence[RejectedEvent]
    newer: str
    older: str


def of(rows: QuerySet[RejectedEvent], *, query: QueryDict) -> Page:
    """The page of ``rows`` that the address asks for. A cursor that cannot be read means the first page."""
    older_than, newer_than = _place(query.get(OLDER)), _place(query.get(NEWER))
    if newer_than is not None:
        after = Q(last_at=newer_than.last_at, id__gt=newer_than.id) | Q(last_at__gt=newer_than.last_at)
        later = rows.filter(after, last_at__gte=newer_than.last_at).order_by("last_at", "id")
        found = list(later[: ROWS + 1])
        has_newer, has_older = len(found) > ROWS, True
        found = found[:ROWS][::-1]
    else:
        if older_than is not None:
            before = Q(last_at=older_than.last_at, id__lt=older_than.id) | Q(last_at__lt=older_than.last_at)
            rows = rows.filter(before, last_at__lte=older_than.last_at)
        found = list(rows.order_by("-last_at", "-id")[: ROWS + 1])
        has_newer, has_older = older_than is not None, len(found) > ROWS
        found = found[:ROWS]
    return Page(
        rows=found,
        newer=_address(query, NEWER, found[0]) if found and has_newer else "",
        older=_address(query, OLDER, found[-1]) if found and has_older else "",
    )


def _place(text: str | None) -> _Place | None:
    time, _, id = (text or "").partition("_")
    try:
        return _Place(periods.parse_instant(time), int(id))
    except ValueError:
        return None


def _address(query: QueryDict, direction: str, row: RejectedEvent) -> str:
    kept = query.copy()
    kept.pop(OLDER, None)
    kept.pop(NEWER, None)
    kept[direction] = f"{periods.format_instant(row.last_at)}_{row.pk}"
    return kept.urlencode()
