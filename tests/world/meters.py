"""Small meters, made as documents make them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from metering import defining
from metering.models import MeterVersion

AT = datetime(2026, 10, 1, tzinfo=UTC)


def meter(slug: str, aggregation: str = "COUNT", event_type: str = "llm.call", **fields: Any) -> MeterVersion:
    """A meter of that slug, created at the beginning of October 2026."""
    document = {"slug": slug, "name": slug, "event_type": event_type, "aggregation": aggregation, **fields}
    return defining.apply(document=document, at=AT)[0].version
