"""Advice: what a workload costs under every plan, which is cheapest and why, and where that changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from billing import quotes
from billing.advising import break_evens, candidates, outcomes, pricing, workloads
from billing.advising import request as requests
from billing.advising.candidates import Compared
from billing.advising.outcomes import Outcome
from billing.advising.request import Request, Varied
from billing.documents.nodes import PlanDocument
from billing.rating import MeterFacts
from metering import numbers, periods
from metering.documents.errors import DocumentError, invalid
from metering.documents.meter import MeterDefinition

VARIED_UNASKED_MAX = 4
# Of break-even points where nobody says how much: about a minute of one core. A price at a fraction of the
# usage takes several times longer than one of the usage itself.
WORK_MAX = 2_000_000
CURVES_SHARE = 5
TWICE = 2


class RequestTooLarge(requests.WorkloadRefused):
    """More would have to be done than whoever answers is ready to do."""


@dataclass(frozen=True, slots=True)
class _Case:
    """All that the parts of an answer are made of."""

    request: Request
    outcomes: Sequence[Outcome]
    definitions: Mapping[str, MeterDefinition]
    facts: Mapping[str, MeterFacts]
    currency: str
    at: datetime
    work_max: int

    @property
    def compared(self) -> dict[int, Outcome]:
        """The plans that have a price in the currency of the comparison, by place."""
        return {
            place: each
            for place, each in enumerate(self.outcomes)
            if each.is_priced and each.compared.plan.currency == self.currency
        }


def advise(
    document: Any,
    *,
    at: datetime,
    opened: quotes.Store = quotes.store,
    work_max: int | None = None,
    path: str = "",
) -> dict[str, Any]:
    """The answer to a request for advice, JSON-ready.

    `at`: when stored plans, meters and market prices are in force, and which month a typed workload without
    period is in. `opened` is called only for what the request names and does not bring. Nothing is written.
    `work_max` bounds how much there may be to do (see `billing.rating.work`) for all plans together, and a
    fifth of it bounds break-even points; None bounds only these. Raises DocumentError.
    """
    request = requests.parse(document, path)
    compared = candidates.of(request, at=at, opened=opened)
    definitions = candidates.meters(request, compared, at=at, opened=opened)
    facts = {slug: MeterFacts.of(definition) for slug, definition in definitions.items()}
    found = [
        _outcome(request, each, place, definitions, facts, at=at, work_max=work_max)
        for place, each in enumerate(compared)
    ]
    currency = next((each.compared.plan.currency for each in found if each.is_priced), None)
    return _answer(
        _Case(
            request,
            found,
            definitions,
            facts,
            currency or found[0].compared.plan.currency,
            at,
            WORK_MAX if work_max is None else work_max // CURVES_SHARE,
        )
    )


def _outcome(
    request: Request,
    each: Compared,
    place: int,
    definitions: Mapping[str, MeterDefinition],
    facts: Mapping[str, MeterFacts],
    *,
    at: datetime,
    work_max: int | None,
) -> Outcome:
    months: Sequence[pricing.Month] = ()
    try:
        plan = candidates.fixed(each, definitions, at=at, path=f"plans[{place}]")
        months = workloads.months(request, plan, at=at)
        _check_work(pricing.work_of(plan, months) * len(request.candidates), work_max)
        priced = pricing.of(plan, months, facts=facts, timezone=request.timezone)
    except requests.WorkloadRefused:
        raise
    except DocumentError as error:
        month = months[0] if months else workloads.NOTHING
        return Outcome(each, each.plan, months, pricing.Priced((), pricing.Unpriced(error, month, None)))
    return Outcome(each, plan, months, priced)


def _check_work(amount: int, work_max: int | None) -> None:
    if work_max is not None and amount > work_max:
        raise RequestTooLarge(
            "invalid",
            f"is too much for one request: about {amount:,} prices would have to be looked at, and at most "
            f"{work_max:,} are; ask for fewer plans, months or rows at once",
            "workload",
        )


def _answer(case: _Case) -> dict[str, Any]:
    compared = case.compared
    best = min(compared, key=lambda place: (compared[place].total, place), default=None)
    lowest = compared[best].total if best is not None else None
    return {
        "currency": case.currency,
        "months": [
            {"start": each["start"], "end": each["end"]} for each in outcomes.periods_of(case.outcomes)
        ],
        "workload": _workload(case),
        "plans": [
            each.answer(
                lowest=lowest if place in compared else None,
                budget=case.request.budget,
                is_compared=place in compared,
            )
            for place, each in enumerate(case.outcomes)
        ],
        "cheapest": None if best is None else compared[best].compared.label,
        "why": outcomes.why(compared, best),
        "budget": _budget(case, compared),
        "break_evens": [_break_even(case, varied) for varied in _varied(case)],
        "estimate": case.request.estimate,
        "documents": None if best is None else _documents(case, compared[best].compared),
    }


def _workload(case: _Case) -> list[dict[str, Any]]:
    """What is used in all months together, by meter."""
    shown = max(case.outcomes, key=lambda each: len(each.months))
    sums: dict[str, Fraction] = {}
    for month in shown.months:
        for row in month.usage:
            sums[row.meter] = sums.get(row.meter, Fraction(0)) + row.quantity
    return [
        {"meter": meter, "unit": _unit(case, meter), **outcomes.exact("quantity", quantity)}
        for meter, quantity in sums.items()
    ]


def _unit(case: _Case, meter: str) -> str:
    return case.facts[meter].unit if meter in case.facts else ""


def _budget(case: _Case, compared: Mapping[int, Outcome]) -> dict[str, Any] | None:
    budget = case.request.budget
    if budget is None:
        return None
    return {
        "amount": numbers.text(budget),
        "plans": [
            {
                "plan": each.compared.label,
                "months_within": each.months_within(budget),
                "months": len(each.priced.statements),
            }
            for each in compared.values()
        ],
    }


def _varied(case: _Case) -> list[Varied]:
    """What is varied: what was asked for, else all usage together and each meter that a plan prices."""
    if case.request.vary:
        return list(case.request.vary)
    if len(case.compared) < TWICE:
        return []
    priced = frozenset().union(*(each.plan.meters() for each in case.compared.values()))
    used = [each["meter"] for each in _workload(case) if each["meter"] in priced]
    # one that never adds up has no share of its own to be varied by
    alone = [meter for meter in used if meter not in case.facts or case.facts[meter].additive]
    return [Varied(meter, Fraction(0), None) for meter in [None, *alone][: 1 + VARIED_UNASKED_MAX]]


def _break_even(case: _Case, varied: Varied) -> dict[str, Any]:
    plans = {place: (each.plan, each.months[-1]) for place, each in case.compared.items()}
    high = varied.to if varied.to is not None else _twice(plans, varied)
    traced = break_evens.trace(
        plans,
        meter=varied.meter,
        low=varied.start,
        high=high,
        facts=case.facts,
        timezone=case.request.timezone,
        work_max=case.work_max // (len(_varied(case)) * max(1, len(plans))),
    )
    labels = [each.compared.label for each in case.outcomes]
    return {
        "meter": varied.meter,
        "unit": "times the usage" if varied.meter is None else _unit(case, varied.meter),
        "from": numbers.shown(varied.start)[0],
        "to": numbers.shown(high)[0],
        "now": numbers.shown(_now(plans, varied))[0],
        "points": [_point(each, labels) for each in break_evens.between(traced)],
        "cheapest": [
            {
                **outcomes.exact("from", each.start),
                **outcomes.exact("to", each.end),
                "plan": labels[each.place],
            }
            for each in break_evens.cheapest(traced)
        ],
        "curves": [_curve(each, labels) for each in traced],
    }


def _now(plans: Mapping[int, tuple[PlanDocument, pricing.Month]], varied: Varied) -> Fraction:
    if varied.meter is None:
        return Fraction(1)
    meter = varied.meter
    return max((pricing.total_of(month, meter) for _, month in plans.values()), default=Fraction(0))


def _twice(plans: Mapping[int, tuple[PlanDocument, pricing.Month]], varied: Varied) -> Fraction:
    high = TWICE * max(_now(plans, varied), varied.start)
    if not high:
        raise invalid(f"is needed: the workload has no {varied.meter} to take twice of", "vary.to")
    return high


def _point(each: break_evens.BreakEven, labels: Sequence[str]) -> dict[str, Any]:
    return {
        **outcomes.exact("at", each.at),
        **outcomes.exact("until", each.until),
        "below": labels[each.below],
        "above": labels[each.above],
        **({"amount": None} if each.amount is None else outcomes.exact("amount", each.amount)),
        "is_exact": each.is_exact,
    }


def _curve(each: break_evens.Traced, labels: Sequence[str]) -> dict[str, Any]:
    """The corners of a curve, as a chart draws them: a jump is two corners at one quantity."""
    corners: list[tuple[Fraction, Fraction]] = []
    if each.curve is not None:
        corners.append((each.curve.pieces[0].start, each.curve.first))
        for piece in each.curve.pieces:
            corners += [(piece.start, piece.value), (piece.end, piece.at(piece.end))]
    unique = [corner for place, corner in enumerate(corners) if place == 0 or corner != corners[place - 1]]
    return {
        "plan": labels[each.place],
        "is_exact": each.curve is not None and each.curve.is_exact,
        "reason": each.reason,
        "corners": [[numbers.shown(x)[0], numbers.shown(amount)[0]] for x, amount in unique],
    }


def _documents(case: _Case, best: Compared) -> dict[str, Any]:
    """What to publish (None where the plan is stored), and the subscription to it from next month on.

    Without a customer the subscription still needs one, and a key.
    """
    past = case.request.past
    customer = past.customer if past else None
    following = periods.month_period(case.at.year, case.at.month).end
    return {
        "plan": best.document,
        "subscription": {
            "key": customer and f"{customer}-{best.plan.code}",
            "customer": customer,
            "plan": best.plan.code,
            "start_at": periods.format_instant(following),
            "overrides": best.overrides or {},
        },
    }
