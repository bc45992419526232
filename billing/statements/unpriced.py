"""Says of usage that no component prices how much of it there is, and since when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from metering.documents import DocumentError

_ROW = re.compile(r"usage\[(\d+)\]")


def told(error: DocumentError, *, rows: Sequence[Mapping[str, Any]]) -> DocumentError:
    """The error of rating ``rows``; one about usage without a price with its count, and when it was.

    Dates are those of the rows, in UTC: the days in which the first and the last event fell, or for a meter
    that does not add up the first day of what was measured.
    """
    match = _ROW.match(error.field)
    if error.code != "unpriced" or match is None or int(match[1]) >= len(rows):
        return error
    row = rows[int(match[1])]
    alike = [
        each for each in rows if (each["meter"], each["dimensions"]) == (row["meter"], row["dimensions"])
    ]
    count = sum(each["count"] for each in alike)
    days = sorted(each["at"].partition("T")[0] for each in alike)
    events = "1 event" if count == 1 else f"{count} events"
    when = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    return DocumentError(error.code, f"{error.message} ({events}, {when})", error.field)
