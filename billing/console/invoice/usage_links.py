"""Where a person sees the usage behind a line: by day, with the events behind each day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict

from billing.models import InvoiceLine, ServicePeriod
from metering.documents.meter import RESERVED_DIMENSION

_PICKED = "%Y-%m-%dT%H:%M"


def of(period: ServicePeriod, *, rating_input: Mapping[str, Any]) -> dict[str, str]:
    """Query strings of the usage explorer by the codes of the components that count something.

    They ask for the subjects that were charged: the one, or else all of the customer's.
    """
    meters: dict[str, str] = {}
    for segment in rating_input["segments"]:
        _walk(segment["document"].get("components", []), meters)
    return {code: _query(period, slug, rating_input) for code, slug in meters.items()}


def split_by(line: InvoiceLine) -> str:
    """The dimension by which the line's usage is told from that of its neighbours, as a part of a query."""
    names = [name for name in line.dimensions if name != RESERVED_DIMENSION]
    return f"&split={names[0]}" if names else ""


def _walk(components: Iterable[Mapping[str, Any]], meters: dict[str, str]) -> None:
    for component in components:
        _walk(component.get("components", []), meters)
        if component.get("meter"):
            meters[component["code"]] = component["meter"]


def _query(period: ServicePeriod, slug: str, rating_input: Mapping[str, Any]) -> str:
    query = QueryDict(mutable=True)
    query["meter"] = slug
    subjects = {span["subject"] for span in rating_input["spans"].get(slug, [])}
    if len(subjects) == 1:
        query["subject"] = subjects.pop()
    else:
        query["customer"] = period.subscription.customer.key
    query["window"] = "DAY"
    query["zone"] = period.subscription.timezone
    query["time_from"], query["time_until"] = _picked(period.start_at), _picked(period.end_at)
    return query.urlencode()


def _picked(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_PICKED)
