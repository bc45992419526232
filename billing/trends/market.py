"""Market prices of models as an answer: their points and the factor by which they fell."""

from __future__ import annotations

from typing import Any

from billing.trends import gpus, history
from billing.trends.history import Chosen

POINTS_MAX = 2_000


class PointsTooMany(ValueError):
    """More points than anyone reads; the message says how to narrow the question."""


def answer(chosen: Chosen) -> dict[str, Any]:
    """The prices asked for as JSON, with one fit over all of them. Raises PointsTooMany."""
    found = history.points(chosen)
    if len(found) > POINTS_MAX:
        raise PointsTooMany(
            f"{len(found):,} prices are asked for, and at most {POINTS_MAX:,} are answered: name a provider, "
            "a model, a family or a shorter time"
        )
    sources = [source for source in history.SOURCES if any(each.source == source for each in found)]
    return {
        "kind": chosen.kind,
        "unit": history.UNIT,
        "points": [each.answer() for each in found],
        **gpus.fit_of([(each.at, each.price) for each in found]),
        "sources": sources,
        "note": history.NOTE,
    }
