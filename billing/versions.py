"""Which version of a plan holds when: for everybody, and for a subscription that joined at some instant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billing.cycles import Cycle, Cycles
from billing.documents import plan as plans
from billing.documents.nodes import PlanDocument
from billing.models import Plan, PlanVersion
from metering.periods import Period

BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)


class PlanNotInForce(Exception):
    """A plan has no version that is effective at the instant."""

    field = "plan"


@dataclass(frozen=True)
class Stretch:
    """A part of a period in which one version holds."""

    version: PlanVersion
    period: Period


class Published:
    """The versions of some plans, read with one SQL statement, and their documents, each parsed once."""

    def __init__(self, plan_ids: Collection[int]) -> None:
        self._by_plan: dict[int, list[PlanVersion]] = defaultdict(list)
        self._documents: dict[int, PlanDocument] = {}
        rows = PlanVersion.objects.filter(plan_id__in=plan_ids).select_related("plan")
        for version in rows.order_by("plan_id", "number"):
            self._by_plan[version.plan_id].append(version)

    def of(self, plan_id: int) -> list[PlanVersion]:
        """The plan's versions by number."""
        return self._by_plan[plan_id]

    def document(self, version: PlanVersion, overrides: Mapping[str, Any] | None = None) -> PlanDocument:
        """The document of a version, with overrides. Raises DocumentError where they do not fit."""
        if version.pk not in self._documents:
            self._documents[version.pk] = document(version)
        found = self._documents[version.pk]
        return plans.apply_overrides(found, overrides) if overrides else found


def of(plan: Plan) -> list[PlanVersion]:
    """The plan's versions by number, which is the order of their effective instants, too."""
    return list(plan.versions.order_by("number"))


def document(version: PlanVersion) -> PlanDocument:
    """The parsed document of a version, with fixed prices where it names market prices."""
    return plans.parse(rated_document(version))


def rated_document(version: PlanVersion) -> dict[str, Any]:
    """The document that usage is rated by: as written, but with the market prices of its publishing."""
    found: dict[str, Any] = version.resolved_document or version.document
    return found


def meters(plan: Plan) -> frozenset[str]:
    """The slugs of the meters that any version of the plan prices."""
    return frozenset().union(*(document(version).meters() for version in of(plan)))


def effective_from(version: PlanVersion) -> datetime:
    """The instant from which a version is in force; the beginning of time where none is written."""
    return version.effective_at or BEGINNING_OF_TIME


def in_force(*, versions: Sequence[PlanVersion], at: datetime) -> PlanVersion:
    """The version that somebody gets who subscribes at the instant. Raises PlanNotInForce."""
    for version in reversed(versions):
        if effective_from(version) <= at:
            return version
    raise PlanNotInForce(f"The plan has no version that is in force at {at:%Y-%m-%d %H:%M} UTC.")


def followed(
    *, versions: Sequence[PlanVersion], joined_at: datetime, period: Period, cycle: Cycle | Cycles
) -> list[Stretch]:
    """The versions that a subscription follows during a period, in order of time, without gap or overlap.

    ``joined_at``: since when it has been on this plan; the version of that instant is its first. A later
    version takes over as its ``migration`` says: AT_ONCE from its effective instant, NEXT_PERIOD from the
    first billing period that starts then or later, NEVER not at all. Of two that have taken over, the later
    published one holds. Raises PlanNotInForce.
    """
    first = in_force(versions=versions, at=joined_at)
    moves = [(joined_at, first)]
    for version in versions:
        moved_at = _moved_at(version, cycle) if version.number > first.number else None
        if moved_at is not None:
            moves.append((moved_at, version))
    bounds = sorted({period.start, *(at for at, _version in moves if period.start < at < period.end)})
    stretches: list[Stretch] = []
    for start, end in zip(bounds, [*bounds[1:], period.end], strict=True):
        version = _newest(moves, start)
        if stretches and stretches[-1].version == version:
            start = stretches.pop().period.start
        stretches.append(Stretch(version, Period(start, end)))
    return stretches


def _moved_at(version: PlanVersion, cycle: Cycle | Cycles) -> datetime | None:
    if version.migration == PlanVersion.Migration.NEVER:
        return None
    if version.migration == PlanVersion.Migration.AT_ONCE:
        return effective_from(version)
    return cycle.start_from(effective_from(version))


def _newest(moves: list[tuple[datetime, PlanVersion]], at: datetime) -> PlanVersion:
    return max((version for moved_at, version in moves if moved_at <= at), key=lambda version: version.number)
