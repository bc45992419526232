"""Answers what a request would cost, with stored plans and meters where it brings none of its own.

Nothing here needs Django until a request names something stored, so that a quote of what is given inline is
answered without starting it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import ModuleType
from typing import Any

from billing import market
from billing.documents.nodes import PlanDocument
from billing.rating import quoting
from metering.documents.meter import MeterDefinition

Store = Callable[[], ModuleType]


def store() -> ModuleType:
    """`billing.stored`, in a process in which Django is set up."""
    from billing import stored

    return stored


def answer(
    *, request: Any, at: datetime, opened: Store = store, work_max: int | None = None
) -> dict[str, Any]:
    """The answer to a quote request, JSON-ready. ``at``: when stored plans and meters are in force.

    ``opened`` is called only for what the request names and does not bring. ``work_max``: see
    `billing.rating.work`. Raises DocumentError.
    """

    def stored_plan(code: str, number: int | None) -> PlanDocument | None:
        found: PlanDocument | None = opened().plan(code=code, number=number, at=at)
        return found

    def stored_meters(slugs: frozenset[str]) -> Mapping[str, MeterDefinition]:
        found: Mapping[str, MeterDefinition] = opened().meters(slugs=slugs, at=at)
        return found

    return quoting.quote(
        request,
        stored_plan=stored_plan,
        stored_meters=stored_meters,
        resolve=market.resolve,
        work_max=work_max,
    )
