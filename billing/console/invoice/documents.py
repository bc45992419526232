"""The plan documents that a service period was rated with."""

from __future__ import annotations

from typing import Any

from billing import evidence
from billing.models import ServicePeriod


def plans(period: ServicePeriod) -> list[dict[str, Any]]:
    """The documents of the period's segments in order of time, as its stored rating input holds them.

    Raises evidence.EvidenceTampered where it is not what was stored.
    """
    packed = evidence.Packed(bytes(period.rating_input), period.rating_sha256)
    return [segment["document"] for segment in evidence.unpack(packed)["segments"]]
