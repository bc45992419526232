"""The plans that advice compares: of the request or stored, with market prices fixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import market, quotes
from billing.advising.request import Candidate, Request
from billing.documents import plan as plans
from billing.documents import plan_checks
from billing.documents.nodes import PlanDocument
from metering.documents.errors import invalid
from metering.documents.meter import MeterDefinition


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan as it is rated. `label` tells it from the others; `document` None: it is a stored one."""

    label: str
    plan: PlanDocument
    overrides: Any
    document: Any


def of(request: Request, *, at: datetime, opened: quotes.Store) -> list[Compared]:
    """The request's plans in its order. Raises DocumentError for unknown codes and overrides that do not fit.

    `opened`: the stored plans, called only where one is named.
    """
    found: list[Compared] = []
    for place, each in enumerate(request.candidates):
        path = f"plans[{place}]"
        plan = plans.apply_overrides(_plan(each, at, opened, path), each.overrides, f"{path}.overrides")
        earlier = sum(1 for other in found if other.plan.code == plan.code)
        label = plan.code if not earlier else f"{plan.code} ({earlier + 1})"
        found.append(Compared(label, plan, each.overrides, each.document))
    return found


def meters(
    request: Request, compared: Sequence[Compared], *, at: datetime, opened: quotes.Store
) -> Mapping[str, MeterDefinition]:
    """The meters that the request brings, and the stored ones where it names something stored."""
    if request.past is None and all(isinstance(each.plan, PlanDocument) for each in request.candidates):
        return request.meters
    slugs = frozenset().union(*(each.plan.meters() for each in compared))
    slugs |= {row.meter for month in request.months for row in month.usage}
    return {**opened().meters(slugs=slugs - request.meters.keys(), at=at), **request.meters}


def fixed(
    each: Compared, definitions: Mapping[str, MeterDefinition], *, at: datetime, path: str
) -> PlanDocument:
    """The plan with market prices as of the instant. Raises DocumentError for what its meters cannot give."""
    plan_checks.check_meters(each.plan, definitions, path)
    return market.resolve(each.plan, definitions, at, path)


def _plan(each: Candidate, at: datetime, opened: quotes.Store, path: str) -> PlanDocument:
    if isinstance(each.plan, PlanDocument):
        return each.plan
    found: PlanDocument | None = opened().plan(code=each.plan, number=each.number, at=at)
    if found is None:
        which = f"{each.plan}, version {each.number}" if each.number else each.plan
        raise invalid(f"there is no published plan {which}", path)
    return found
