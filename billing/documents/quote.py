"""A request for a quote: a plan, meters, and usage or raw events, all inline or partly stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.documents import plan
from billing.documents.nodes import PlanDocument
from metering import numbers, periods
from metering.documents import meter
from metering.documents.errors import DocumentError, invalid, joined
from metering.documents.fields import Field, ListOf, MapOf, Shape, as_mapping
from metering.documents.kinds import CODE, DIMENSION, SLUG, Count, Flag, Instant, Number, Text, Word, Zone
from metering.documents.meter import MeterDefinition
from metering.measures.events import Event
from metering.periods import Period

ROWS_MAX = 1_000_000
DIGITS_MAX, EXPONENT_MAX = 40, 30


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """A row of usage as the request gives it; `at` None is the start of the billed period."""

    meter: str
    quantity: Fraction
    at: datetime | None
    until: datetime | None
    dimensions: Mapping[str, str]
    count: int
    data: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class QuoteSegment:
    """A plan, or the code of a stored one, and the instant from which it is in force."""

    start: datetime
    plan: PlanDocument | str


@dataclass(frozen=True, slots=True)
class BilledLine:
    """What an earlier invoice of the same service period carries."""

    component: str | None
    group: str | None
    dimensions: Mapping[str, str]
    kind: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """A request, parsed. Either `plan` or `segments`, either `usage` or `events` is filled."""

    plan: PlanDocument | str | None
    plan_version: int | None
    segments: tuple[QuoteSegment, ...]
    meters: Mapping[str, MeterDefinition]
    overrides: Any
    period: Period
    billed_period: Period
    timezone: str | None
    usage: tuple[QuoteRow, ...]
    events: tuple[Event, ...]
    billed: tuple[BilledLine, ...]
    as_of: datetime | None
    is_final: bool


def parse(document: Any, path: str = "") -> QuoteRequest:
    """The request of a document. Raises DocumentError."""
    request: QuoteRequest = SHAPE.read(document, path)
    return request


class _Quantity:
    """A decimal, or a fraction p/q."""

    def read(self, value: Any, path: str) -> Fraction:
        if isinstance(value, Decimal):
            raise invalid(f'a number with a fraction is written as text: "{value}"', path)
        try:
            return numbers.parse_quantity(value)
        except numbers.NumberInvalid as error:
            raise invalid(str(error), path) from None

    def canonical(self, value: Any, path: str) -> Any:
        return str(self.read(value, path))

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "integer"]}


class _Plan:
    """A plan's document, or the code of a stored plan."""

    def read(self, value: Any, path: str) -> PlanDocument | str:
        return CODE.read(value, path) if isinstance(value, str) else plan.parse(value, path)

    def canonical(self, value: Any, path: str) -> Any:
        return CODE.canonical(value, path) if isinstance(value, str) else plan.canonical(value, path)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [CODE.schema(), plan.schema()]}


class _Json:
    """An object of JSON as it is, its numbers of bounded length."""

    def read(self, value: Any, path: str) -> Mapping[str, Any]:
        mapping = as_mapping(value, path)
        _check_numbers(mapping, path)
        return mapping

    def canonical(self, value: Any, path: str) -> Any:
        return self.read(value, path)

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}


def _check_numbers(value: Any, path: str) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _check_numbers(each, joined(path, key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            _check_numbers(each, f"{path}[{place}]")
    elif isinstance(value, float):
        raise invalid("a number was read as a float and may have lost digits", path)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if len(number.as_tuple().digits) > DIGITS_MAX or abs(number.adjusted()) > EXPONENT_MAX:
            raise invalid(
                f"a number has more than {DIGITS_MAX} digits or an exponent beyond {EXPONENT_MAX}", path
            )


class _Event:
    """An event; members that it does not know are extensions, and left alone."""

    def read(self, value: Any, path: str) -> dict[str, Any]:
        known = {key: each for key, each in as_mapping(value, path).items() if key in _EVENT.fields}
        values: dict[str, Any] = _EVENT.read(known, path)
        return values

    def canonical(self, value: Any, path: str) -> Any:
        return as_mapping(value, path)

    def schema(self) -> dict[str, Any]:
        return _EVENT.schema() | {"additionalProperties": True}


class _EventTime:
    """An instant; one without offset is in UTC."""

    def read(self, value: Any, path: str) -> datetime:
        try:
            return periods.parse_instant(Text().read(value, path), naive_is_utc=True)
        except periods.InstantInvalid as error:
            raise invalid(str(error), path) from None

    def canonical(self, value: Any, path: str) -> Any:
        return periods.format_instant(self.read(value, path))

    def schema(self) -> dict[str, Any]:
        return Instant().schema()


def _period(values: dict[str, Any], _given: frozenset[str], path: str) -> Period:
    if values["end"] <= values["start"]:
        raise DocumentError("period", "must end after it starts", path)
    return Period(**values)


def _request(values: dict[str, Any], given: frozenset[str], path: str) -> QuoteRequest:
    if ("plan" in given) == ("segments" in given):
        raise invalid("give either a plan or segments", joined(path, "plan"))
    if "usage" in given and "events" in given:
        raise invalid("give either usage or events", joined(path, "events"))
    values["billed_period"] = values["billed_period"] or values["period"]
    start = values["billed_period"].start
    values["events"] = tuple(Event(**{**each, "time": each["time"] or start}) for each in values["events"])
    values["meters"] = _by_slug(values["meters"], joined(path, "meters"))
    return QuoteRequest(**values)


def _by_slug(meters: tuple[MeterDefinition, ...], path: str) -> dict[str, MeterDefinition]:
    found: dict[str, MeterDefinition] = {}
    for place, definition in enumerate(meters):
        if definition.slug in found:
            raise invalid(f"the meter {definition.slug} is given twice", f"{path}[{place}].slug")
        found[definition.slug] = definition
    return found


_ID = Text(hint="text")
_EVENT = Shape(
    "an event",
    {
        "id": Field(_ID),
        "source": Field(_ID),
        "type": Field(_ID),
        "subject": Field(_ID),
        "time": Field(_EventTime(), None),
        "data": Field(_Json(), {}),
    },
)
_ROW = Shape(
    "a row of usage",
    {
        "meter": Field(SLUG),
        "quantity": Field(_Quantity()),
        "at": Field(Instant(), None),
        "until": Field(Instant(), None),
        "dimensions": Field(MapOf(DIMENSION, Word()), {}),
        "count": Field(Count(0, 10**18), 1),
        "data": Field(_Json(), None),
    },
    lambda values, _given, _path: QuoteRow(**values),
)
_BILLED = Shape(
    "a billed line",
    {
        "component": Field(CODE, None),
        "group": Field(CODE, None),
        "dimensions": Field(MapOf(DIMENSION, Word()), {}),
        "kind": Field(SLUG),
        "amount": Field(Number()),
    },
    lambda values, _given, _path: BilledLine(**values),
)
_SEGMENT = Shape(
    "a segment",
    {"from": Field(Instant()), "plan": Field(_Plan())},
    lambda values, _given, _path: QuoteSegment(values["from"], values["plan"]),
)
_PERIOD = Shape("a period", {"start": Field(Instant()), "end": Field(Instant())}, _period)
SHAPE = Shape(
    "a quote",
    {
        "plan": Field(_Plan(), None),
        "plan_version": Field(Count(1, 10**9), None),
        "segments": Field(ListOf(_SEGMENT, 1, 1000), ()),
        "meters": Field(ListOf(meter.SHAPE), ()),
        "overrides": Field(_Json(), None),
        "period": Field(_PERIOD),
        "billed_period": Field(_PERIOD, None),
        "timezone": Field(Zone(), None),
        "usage": Field(ListOf(_ROW, 0, ROWS_MAX), ()),
        "events": Field(ListOf(_Event(), 0, ROWS_MAX), ()),
        "billed": Field(ListOf(_BILLED), ()),
        "as_of": Field(Instant(), None),
        "is_final": Field(Flag(), True),
    },
    _request,
)
