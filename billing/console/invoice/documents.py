"""What a service period was rated from."""

from __future__ import annotations

from typing import Any

from billing import evidence
from billing.models import ServicePeriod

NOTHING: dict[str, Any] = {"segments": [], "spans": {}}


def rating_input(period: ServicePeriod) -> dict[str, Any]:
    """The period's stored rating input; without segments where its amounts are not known.

    Raises evidence.EvidenceTampered where it is not what was stored.
    """
    if not period.rating_sha256:
        return NOTHING
    return evidence.unpack(evidence.Packed(bytes(period.rating_input), period.rating_sha256))
