"""The stored events, newest first, by what people look for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import TextField
from django.db.models.functions import Cast

from metering.models import Event, EventKey
from metering.models.patience import answer_in_time


class Place(NamedTuple):
    """Where an event stands in the order of all events."""

    time: datetime
    key: UUID


@dataclass(frozen=True, slots=True)
class Filters:
    """Texts are compared exactly, None stands for any; the time is in ``[start, end)``.

    ``key`` is the event's own, of its source and id: it finds one event however many there are.
    """

    subject: str | None = None
    type: str | None = None
    source: str | None = None
    event_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    key: UUID | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Events as `metering.models.Event`, newest first, with ``data_text`` and ``extensions_text`` in JSON.

    ``next``: the place of the last one where there are more, else None.
    """

    events: Sequence[Event]
    next: Place | None


def page(*, filters: Filters, after: Place | None, limit: int) -> Page:
    """At most ``limit`` events that pass the filters, of those behind ``after`` in the order.

    The order is by time and key, descending; a page by key costs the same however far behind it is. Raises
    `metering.models.patience.TooSlow` where the database did not find them in time.
    """
    with answer_in_time(is_searching=True):
        rows = _chosen(filters)
        if rows is None:
            return Page([], None)
        if after is not None:
            # The bound on time alone looks redundant, but lets the database leave out partitions.
            rows = rows.filter(pk__lt=after, time__lte=after.time)
        texts = {f"{name}_text": Cast(name, TextField()) for name in ("data", "extensions")}
        found = list(
            rows.defer("data", "extensions").annotate(**texts).order_by("-time", "-key")[: limit + 1]
        )
    shown = found[:limit]
    return Page(shown, Place(shown[-1].time, shown[-1].key) if len(found) > limit else None)


def _chosen(filters: Filters):  # type: ignore[no-untyped-def]  # a QuerySet of Event, or None for no event at all
    exact = {
        "subject": filters.subject,
        "type": filters.type,
        "source": filters.source,
        "event_id": filters.event_id,
        "time__gte": filters.start,
        "time__lt": filters.end,
    }
    rows = Event.objects.filter(**{name: value for name, value in exact.items() if value is not None})
    if filters.key is None:
        return rows
    stored = EventKey.objects.filter(pk=filters.key).first()
    return stored and rows.filter(time=stored.time, key=stored.key)
