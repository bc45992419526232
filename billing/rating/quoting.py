"""Quotes: a request in, an answer out, with nothing but what the request brings and what the caller looks
up.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from billing.documents import plan as plans
from billing.documents import plan_checks
from billing.documents import quote as requests
from billing.documents.nodes import PlanDocument
from billing.documents.quote import QuoteRequest
from billing.rating import counting, work
from billing.rating.inputs import Billed, MeterFacts, Segment, UsageRow
from billing.rating.rating import rate
from billing.rating.statement import Unbilled
from metering.documents.errors import DocumentError, invalid
from metering.documents.meter import MeterDefinition

StoredPlan = Callable[[str, int | None], PlanDocument | None]
StoredMeters = Callable[[frozenset[str]], Mapping[str, MeterDefinition]]
Resolve = Callable[[PlanDocument, Mapping[str, MeterDefinition], datetime, str], PlanDocument]


def quote(
    request: Any,
    *,
    stored_plan: StoredPlan | None = None,
    stored_meters: StoredMeters | None = None,
    resolve: Resolve | None = None,
    work_max: int | None = None,
) -> dict[str, Any]:
    """The answer to a quote request, JSON-ready: a statement.

    `stored_plan` finds a plan by code and version (None: the published one), `stored_meters` definitions by
    slug, `resolve` turns catalogue prices into fixed ones. They are asked only for what the request does not
    bring itself. `work_max` bounds how much there may be to do (see `work`), None does not. Raises
    DocumentError with the field of the request.
    """
    parsed = requests.parse(request)
    segments = _segments(parsed, stored_plan)
    slugs = frozenset(slug for segment in segments for slug in segment.plan.meters()) | {
        row.meter for row in parsed.usage
    }
    meters = _meters(parsed, slugs, stored_meters)
    paths = [f"segments[{place}].plan" if parsed.segments else "plan" for place in range(len(segments))]
    for segment, path in zip(segments, paths, strict=True):
        plan_checks.check_meters(segment.plan, meters, path)
        if parsed.events:
            plan_checks.check_dimensions(segment.plan, meters, path)
    if resolve is not None:
        segments = [
            replace(each, plan=resolve(each.plan, meters, parsed.billed_period.start, path))
            for each, path in zip(segments, paths, strict=True)
        ]
    _check_work(len(parsed.events) * len(meters), work_max, "events")
    rows, unbilled = _rows(parsed, meters, segments[-1].plan)
    field = "events" if parsed.events else "usage"
    _check_work(work.of(rows, segments), work_max, field)
    if work_max is not None and not work.has_common_denominator(rows):
        raise invalid(
            "the quantities are fractions of too many kinds to be added up; round some of them", field
        )
    statement = rate(
        segments=segments,
        period=parsed.period,
        billed_period=parsed.billed_period,
        usage=rows,
        meters={slug: MeterFacts.of(definition) for slug, definition in meters.items()},
        timezone=parsed.timezone or segments[-1].plan.timezone,
        billed=[Billed(e.component, e.group, e.dimensions, e.kind, e.amount) for e in parsed.billed],
        as_of=parsed.as_of,
        is_final=parsed.is_final,
    )
    return replace(statement, unbilled=(*statement.unbilled, *unbilled)).answer()


def _segments(request: QuoteRequest, stored_plan: StoredPlan | None) -> list[Segment]:
    period = request.billed_period
    if not request.segments:
        assert request.plan is not None  # the request's reader saw to it
        plan = _plan(request.plan, request.plan_version, stored_plan, "plan")
        plan = plans.apply_overrides(plan, request.overrides)
        return [Segment(plan, period.start, period.end)]
    starts = [segment.start for segment in request.segments]
    ends = [*starts[1:], max(period.end, starts[-1])]
    found = []
    for place, (segment, end) in enumerate(zip(request.segments, ends, strict=True)):
        if end < segment.start:
            raise invalid("segments must ascend", f"segments[{place + 1}].from")
        plan = _plan(segment.plan, None, stored_plan, f"segments[{place}].plan")
        plan = plans.apply_overrides(plan, request.overrides)
        found.append(Segment(plan, segment.start, end, f"v{place + 1}"))
    return found


def _plan(
    given: PlanDocument | str, version: int | None, stored_plan: StoredPlan | None, path: str
) -> PlanDocument:
    if isinstance(given, PlanDocument):
        return given
    found = stored_plan(given, version) if stored_plan is not None else None
    if found is None:
        which = f"{given}, version {version}" if version else given
        raise invalid(f"there is no published plan {which}", path)
    return found


def _meters(
    request: QuoteRequest, slugs: frozenset[str], stored_meters: StoredMeters | None
) -> dict[str, MeterDefinition]:
    missing = slugs - request.meters.keys()
    stored = dict(stored_meters(missing)) if missing and stored_meters is not None else {}
    return {**stored, **request.meters}


def _rows(
    request: QuoteRequest, meters: Mapping[str, MeterDefinition], plan: PlanDocument
) -> tuple[list[UsageRow], list[Unbilled]]:
    if request.events:
        _check_known(plan, meters)
        return counting.rows_of(
            request.events,
            meters,
            plan=plan,
            period=request.billed_period,
            as_of=request.as_of,
            reset_at=request.period.start,
        )
    rows = [
        UsageRow(
            row.meter,
            row.quantity,
            row.at,
            row.until,
            row.dimensions,
            row.count,
            data=row.data,
            field=f"usage[{n}]",
        )
        for n, row in enumerate(request.usage)
    ]
    return rows, []


def _check_work(amount: int, limit: int | None, field: str) -> None:
    if limit is not None and amount > limit:
        raise invalid(
            f"is too much for one quote: about {amount:,} prices would have to be looked at, and at most "
            f"{limit:,} are; quote fewer rows, a shorter time or fewer components at once",
            field,
        )


def _check_known(plan: PlanDocument, meters: Mapping[str, MeterDefinition]) -> None:
    """Events are counted by meters: one that a component names and nobody knows would count nothing."""
    for slug in sorted(plan.meters() - meters.keys()):
        raise DocumentError("invalid", f"the meter {slug} is neither given here nor stored", "meters")
