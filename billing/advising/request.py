"""The request for advice: a workload, the plans that might suit it, and what a month may cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing import estimating
from billing.documents import quote as quotes
from billing.documents.nodes import PlanDocument
from billing.documents.quote import QuoteRow
from metering.documents.errors import DocumentError, invalid, joined
from metering.documents.fields import Field, ListOf, MapOf, Shape
from metering.documents.kinds import CODE, NOT_NEGATIVE, SLUG, Choice, Count, Text, Zone
from metering.documents.meter import MeterDefinition
from metering.periods import Period

PLANS_MAX, MONTHS_MAX, VARIED_MAX, ROWS_MAX = 50, 60, 10, 100_000
# What the estimator calls a month's usage, and the meters that count it unless the request says otherwise.
USUAL_METERS = {
    "calls": "model_calls",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "run_minutes": "run_minutes",
    "gpu_hours": "gpu_hours",
    "storage_gb_months": "storage_gb_months",
}
_QUOTE = quotes.SHAPE.fields


class WorkloadRefused(DocumentError):
    """The workload itself cannot be had, whatever the plan."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plan, or the code of a stored one, with what a subscription would override.

    `document`: as it was given, None for a stored one.
    """

    plan: PlanDocument | str
    number: int | None
    overrides: Any
    document: Any


@dataclass(frozen=True, slots=True)
class TypedMonth:
    """Usage that the request brings; the period None is the month of the request."""

    period: Period | None
    usage: tuple[QuoteRow, ...]


@dataclass(frozen=True, slots=True)
class PastUsage:
    """What a customer really used, from the first month to the last, both included."""

    customer: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Varied:
    """What is varied to find break-even points: a meter's quantity, or (None) all usage by a factor.

    `to` None: twice what the workload has.
    """

    meter: str | None
    start: Fraction
    to: Fraction | None


@dataclass(frozen=True, slots=True)
class Request:
    """A request, parsed. One of `months` and `past` is filled."""

    months: tuple[TypedMonth, ...]
    past: PastUsage | None
    estimate: Any
    candidates: tuple[Candidate, ...]
    meters: Mapping[str, MeterDefinition]
    period: Period | None
    timezone: str | None
    budget: Decimal | None
    vary: tuple[Varied, ...]


def parse(document: Any, path: str = "") -> Request:
    """The request of a document. Raises DocumentError."""
    request: Request = SHAPE.read(document, path)
    return request


def schema() -> dict[str, Any]:
    """The JSON Schema of a request."""
    return SHAPE.schema()


class _Month:
    """A month such as 2026-10, as its first day."""

    _text = Text(pattern=r"2[0-9]{3}-(0[1-9]|1[0-2])", hint="a month such as 2026-10")

    def read(self, value: Any, path: str) -> date:
        return date.fromisoformat(f"{self._text.read(value, path)}-01")

    def canonical(self, value: Any, path: str) -> Any:
        return self._text.read(value, path)

    def schema(self) -> dict[str, Any]:
        return self._text.schema()


class _Estimate:
    """A request for an estimate, answered when it is read."""

    def read(self, value: Any, path: str) -> Any:
        return estimating.estimate(value, path)

    def canonical(self, value: Any, path: str) -> Any:
        return value

    def schema(self) -> dict[str, Any]:
        return estimating.request_schema()


def _candidate(values: dict[str, Any], _given: frozenset[str], _path: str) -> Candidate:
    return Candidate(values["plan"], values["plan_version"], values["overrides"], None)


class _Candidate:
    """A plan's document, the code of a stored plan, or {plan, plan_version, overrides}."""

    def read(self, value: Any, path: str) -> Candidate:
        if isinstance(value, dict) and "plan" in value:
            found: Candidate = _WITH_OVERRIDES.read(value, path)
            given = value["plan"] if isinstance(value["plan"], dict) else None
            return Candidate(found.plan, found.number, found.overrides, given)
        plan = _QUOTE["plan"].kind.read(value, path)
        return Candidate(plan, None, None, value if isinstance(value, dict) else None)

    def canonical(self, value: Any, path: str) -> Any:
        return value

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [CODE.schema(), {"type": "object"}]}


def _months(values: dict[str, Any], path: str) -> tuple[TypedMonth, ...]:
    """The months of a typed workload, or of an estimate."""
    if values["estimate"] is not None:
        return (TypedMonth(None, _of_estimate(values, path)),)
    if values["usage"]:
        return (TypedMonth(None, values["usage"]),)
    months: tuple[TypedMonth, ...] = values["months"]
    return months


def _of_estimate(values: dict[str, Any], path: str) -> tuple[QuoteRow, ...]:
    gpus = values["estimate"]["gpus"]
    gpu = next((each for each in gpus if values["gpu"] in (None, each["gpu"])), None)
    if gpu is None:
        names = ", ".join(each["gpu"] for each in gpus)
        raise invalid(f"the estimate has no such GPU; it has {names}", joined(path, "gpu"))
    if not gpu["usage"]:
        raise invalid("is needed to price the estimate", joined(path, "estimate.workload"))
    names_of = {**USUAL_METERS, **values["meters"]}
    return tuple(
        QuoteRow(names_of[key], Fraction(Decimal(quantity)), None, None, {}, 1, None)
        for key, quantity in gpu["usage"].items()
    )


def _workload(values: dict[str, Any], given: frozenset[str], path: str) -> dict[str, Any]:
    ways = ("usage", "months", "estimate", "customer")
    if len(given & set(ways)) != 1:
        raise invalid(f"give exactly one of {', '.join(ways)}", path)
    values["past"] = None
    if values["customer"] is not None:
        first, last = values["first_month"], values["last_month"]
        if first is None:
            raise invalid("a customer's usage needs its first month", joined(path, "first_month"))
        last = last or first
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        if not 1 <= count <= MONTHS_MAX:
            raise invalid(
                f"must be the first month or one of {MONTHS_MAX} after it", joined(path, "last_month")
            )
        values["past"] = PastUsage(values["customer"], first, last)
    values["typed"] = () if values["past"] else _months(values, path)
    return values


def _request(values: dict[str, Any], _given: frozenset[str], path: str) -> Request:
    workload = values["workload"]
    meters: dict[str, MeterDefinition] = {}
    for place, definition in enumerate(values["meters"]):
        if definition.slug in meters:
            raise invalid("is given twice", joined(path, f"meters[{place}].slug"))
        meters[definition.slug] = definition
    return Request(
        months=workload["typed"],
        past=workload["past"],
        estimate=workload["estimate"],
        candidates=values["plans"],
        meters=meters,
        period=values["period"],
        timezone=values["timezone"],
        budget=values["budget"],
        vary=values["vary"],
    )


def _varied(values: dict[str, Any], _given: frozenset[str], path: str) -> Varied:
    start, to = values["from"], values["to"]
    if to is not None and to <= start:
        raise invalid("must be more than from", joined(path, "to"))
    return Varied(values["meter"], Fraction(start), None if to is None else Fraction(to))


_USAGE = ListOf(_QUOTE["usage"].kind.kind, 0, ROWS_MAX)  # type: ignore[attr-defined]
_MONTH = Shape(
    "a month of a workload",
    {"period": Field(_QUOTE["period"].kind), "usage": Field(_USAGE)},
    lambda values, _given, _path: TypedMonth(**values),
)
_WORKLOAD = Shape(
    "a workload",
    {
        "usage": Field(_USAGE, ()),
        "months": Field(ListOf(_MONTH, 1, MONTHS_MAX), ()),
        "estimate": Field(_Estimate(), None),
        "gpu": Field(Text(), None),
        "meters": Field(MapOf(Choice(tuple(USUAL_METERS)), SLUG), {}),
        "customer": Field(Text(), None),
        "first_month": Field(_Month(), None),
        "last_month": Field(_Month(), None),
    },
    _workload,
)
_WITH_OVERRIDES = Shape(
    "a candidate",
    {
        "plan": Field(_QUOTE["plan"].kind),
        "plan_version": Field(Count(1, 10**9), None),
        "overrides": Field(_QUOTE["overrides"].kind, None),
    },
    _candidate,
)
_VARIED = Shape(
    "what is varied",
    {
        "meter": Field(SLUG, None),
        "from": Field(NOT_NEGATIVE, Decimal(0)),
        "to": Field(NOT_NEGATIVE, None),
    },
    _varied,
)
SHAPE = Shape(
    "a request for advice",
    {
        "workload": Field(_WORKLOAD),
        "plans": Field(ListOf(_Candidate(), 1, PLANS_MAX)),
        "meters": Field(_QUOTE["meters"].kind, ()),
        "period": Field(_QUOTE["period"].kind, None),
        "timezone": Field(Zone(), None),
        "budget": Field(NOT_NEGATIVE, None),
        "vary": Field(ListOf(_VARIED, 0, VARIED_MAX), ()),
    },
    _request,
)
