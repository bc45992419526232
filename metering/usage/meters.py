"""The meters that there are, and what their versions say."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

from metering.documents import meter
from metering.documents.meter import MeterDefinition
from metering.models import MeterVersion


def definition(version: MeterVersion) -> MeterDefinition:
    """The parsed document of a meter version."""
    return _parsed(json.dumps(version.document, sort_keys=True))


@lru_cache(maxsize=1024)
def _parsed(document: str) -> MeterDefinition:
    return meter.parse(json.loads(document))


def versions(
    *, at: datetime, slugs: Collection[str] | None = None, is_archived_too: bool = False
) -> dict[str, MeterVersion]:
    """The version of each meter that counts usage at an instant, by slug; of all meters without `slugs`.

    A meter that is not effective yet is left out; unknown slugs are, too. So is an archived one, which
    nothing new may use, unless `is_archived_too`: it goes on counting for whoever used it before.
    """
    stored = MeterVersion.objects.select_related("meter").order_by("meter__slug", "number")
    if slugs is not None:
        stored = stored.filter(meter__slug__in=slugs)
    return {
        version.meter.slug: version
        for version in stored
        if (version.effective_at is None or version.effective_at <= at)
        and (is_archived_too or version.meter.archived_at is None or version.meter.archived_at > at)
    }
