"""A meter as a document: how events become a quantity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from metering import numbers
from metering.documents.errors import invalid, joined
from metering.documents.fields import REQUIRED, Either, Field, ListOf, MapOf, Shape
from metering.documents.kinds import (
    DIMENSION,
    NOT_NEGATIVE,
    PATH,
    POSITIVE,
    SLUG,
    Choice,
    Flag,
    Instant,
    Kind,
    Number,
    Text,
    Words,
)

COUNT, SUM, MAX, MIN, AVERAGE = "COUNT", "SUM", "MAX", "MIN", "AVERAGE"
LATEST, UNIQUE, DURATION, TIME_WEIGHTED = "LATEST", "UNIQUE", "DURATION", "TIME_WEIGHTED"
AGGREGATIONS = (COUNT, SUM, MAX, MIN, AVERAGE, LATEST, UNIQUE, DURATION, TIME_WEIGHTED)
ADDITIVE = frozenset({COUNT, SUM, DURATION, TIME_WEIGHTED})
MODES = ("USAGE", "DURATION", "RESOURCE")
SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}
# so that a product of values has fewer digits than exact arithmetic holds
TIMES_MAX = 5
RESERVED_DIMENSION = "subject"
VOID_TYPE = "meterbook.void"

# Which aggregations know a key; elsewhere it would be ignored, so it is refused.
_ONLY = {
    "value": frozenset(AGGREGATIONS) - {COUNT},
    "start": frozenset({DURATION}),
    "end": frozenset({DURATION}),
    "per": frozenset({DURATION, TIME_WEIGHTED}),
    "minimum": frozenset({DURATION, SUM}),
    "increment": frozenset({DURATION, SUM}),
    "of": frozenset({TIME_WEIGHTED}),
    "delta": frozenset({TIME_WEIGHTED}),
    "expires_after": frozenset({TIME_WEIGHTED}),
    "carry_over": frozenset({TIME_WEIGHTED, LATEST, UNIQUE, MAX}),
    "optional": frozenset({SUM, MAX, MIN, AVERAGE, LATEST, UNIQUE}),
}


@dataclass(frozen=True, slots=True)
class Formula:
    """How an event's value is computed: (the sum of `plus` less that of `minus`) or the product of `times`.

    A plain path is a `plus` of one. Either `times` or `plus` is filled.
    """

    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    times: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the value is that of a single path."""
        return len(self.plus) == 1 and not self.minus


@dataclass(frozen=True, slots=True)
class Dimension:
    """What usage can be split by: the text at `path`, or with `ranges` the range that its number falls
    into.
    """

    name: str
    path: str
    ranges: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterDefinition:
    """A meter's document, parsed, with its defaults. `minimum`, `increment` and `expires_after` of time
    are in seconds.
    """

    slug: str
    name: str
    unit: str
    event_type: str
    aggregation: str
    where: tuple[tuple[str, tuple[str, ...]], ...]
    value: Formula | None
    start: str
    end: str
    per: str
    minimum: Decimal | None
    increment: Decimal | None
    of: tuple[str, ...]
    delta: bool
    expires_after: Decimal | None
    carry_over: bool
    mode: str
    optional: bool
    strict: bool
    dimensions: tuple[Dimension, ...]
    effective_at: datetime | None

    @property
    def additive(self) -> bool:
        """Whether quantities add up over time, dimensions and subjects."""
        return self.aggregation in ADDITIVE

    @property
    def per_microseconds(self) -> int:
        """What the kept integral in value x microseconds is divided by for the meter's unit; 1 where
        nothing is.
        """
        return SECONDS[self.per] * 1_000_000 if self.aggregation in (DURATION, TIME_WEIGHTED) else 1

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """The declared dimensions' names, sorted."""
        return tuple(sorted(dimension.name for dimension in self.dimensions))


def parse(document: Any, path: str = "meter") -> MeterDefinition:
    """The definition of a meter document, with every default filled in. Raises DocumentError."""
    definition: MeterDefinition = SHAPE.read(document, path)
    return definition


def canonical(document: Any, path: str = "meter") -> dict[str, Any]:
    """The document as JSON for comparing: numbers by value, null members dropped. Raises DocumentError.

    Two documents mean the same as written exactly if their canonical forms are equal.
    """
    parse(document, path)
    as_json: dict[str, Any] = SHAPE.canonical(document, path)
    return as_json


def schema() -> dict[str, Any]:
    """The JSON Schema of a meter document."""
    return SHAPE.schema()


def _formula(values: dict[str, Any], given: frozenset[str], path: str) -> Formula:
    if ("times" in given) == ("plus" in given):
        raise invalid("must have either plus (and minus) or times", path)
    if "times" in given and "minus" in given:
        raise invalid("minus goes with plus, not with times", joined(path, "minus"))
    return Formula(**values)


class _PlainPath:
    """A path on its own, read as a formula of one."""

    def read(self, value: Any, path: str) -> Formula:
        return Formula(plus=(PATH.read(value, path),))

    def canonical(self, value: Any, path: str) -> Any:
        return PATH.canonical(value, path)

    def schema(self) -> dict[str, Any]:
        return PATH.schema()


class _PlainDimension:
    """The path of a dimension on its own."""

    def read(self, value: Any, path: str) -> tuple[str, tuple[Decimal, ...]]:
        return PATH.read(value, path), ()

    def canonical(self, value: Any, path: str) -> Any:
        return PATH.canonical(value, path)

    def schema(self) -> dict[str, Any]:
        return PATH.schema()


def _ranged(values: dict[str, Any], _given: frozenset[str], path: str) -> tuple[str, tuple[Decimal, ...]]:
    bounds: tuple[Decimal, ...] = values["ranges"]
    if any(low >= high for low, high in pairwise(bounds)):
        raise invalid("bounds must ascend", joined(path, "ranges"))
    return values["path"], bounds


def _by_shape(plain: Kind, shaped: Kind) -> Either:
    return Either((plain, shaped), lambda value, _path: shaped if isinstance(value, dict) else plain)


_FORMULA = Shape(
    "a value's formula",
    {
        "plus": Field(ListOf(PATH, 1, 20), ()),
        "minus": Field(ListOf(PATH, 1, 20), ()),
        "times": Field(ListOf(PATH, 1, TIMES_MAX), ()),
    },
    _formula,
)
_RANGED = Shape("a dimension", {"path": Field(PATH), "ranges": Field(ListOf(Number(), 1, 20), ())}, _ranged)


def _definition(values: dict[str, Any], given: frozenset[str], path: str) -> MeterDefinition:
    aggregation = values["aggregation"]
    for key in given & _ONLY.keys():
        if aggregation not in _ONLY[key] and values[key] is not False:
            raise invalid(f"{key} means nothing for {aggregation}", joined(path, key))
    if values["event_type"] == VOID_TYPE:
        raise invalid("voids are no usage", joined(path, "event_type"))
    _check_value(values, path)
    _check_time(values, path)
    values["where"] = tuple(sorted(values["where"].items()))
    values["dimensions"] = _dimensions(values["dimensions"], joined(path, "dimensions"))
    values["mode"] = values["mode"] or _default_mode(aggregation, values["value"])
    if values["carry_over"] is None:
        values["carry_over"] = aggregation == TIME_WEIGHTED
    return MeterDefinition(**values)


def _check_value(values: Mapping[str, Any], path: str) -> None:
    aggregation, formula = values["aggregation"], values["value"]
    if formula is None and aggregation not in (COUNT, DURATION):
        raise invalid(f"{aggregation} needs the path of its value", joined(path, "value"))
    if aggregation == UNIQUE and not formula.is_plain:
        raise invalid("UNIQUE counts texts: its value is a single path", joined(path, "value"))


def _check_time(values: Mapping[str, Any], path: str) -> None:
    for key in ("minimum", "increment", "expires_after"):
        seconds = values[key]
        if (
            seconds is not None
            and values["aggregation"] != SUM
            and not numbers.is_within(seconds, decimal_places=6)
        ):
            raise invalid("seconds have at most 6 decimal places", joined(path, key))
    if values["delta"] and values["expires_after"] is not None:
        raise invalid(
            "a change of a level does not end by itself: leave out delta or expires_after",
            joined(path, "expires_after"),
        )


def _dimensions(declared: Mapping[str, tuple[str, tuple[Decimal, ...]]], path: str) -> tuple[Dimension, ...]:
    if RESERVED_DIMENSION in declared:
        raise invalid(
            f"the name {RESERVED_DIMENSION} is reserved for the event's subject",
            joined(path, RESERVED_DIMENSION),
        )
    return tuple(Dimension(name, *where) for name, where in sorted(declared.items()))


def _default_mode(aggregation: str, formula: Formula | None) -> str:
    if aggregation == TIME_WEIGHTED or (aggregation == DURATION and formula is not None):
        return "RESOURCE"
    return "DURATION" if aggregation == DURATION else "USAGE"


SHAPE = Shape(
    "a meter",
    {
        "slug": Field(SLUG),
        "name": Field(Text(hint="the meter's name")),
        "unit": Field(Text(pattern=r"[\s\S]*", hint="the name of the unit", length_max=100), ""),
        "event_type": Field(Text(hint="the type of the events")),
        "where": Field(MapOf(PATH, Words()), {}),
        "aggregation": Field(Choice(AGGREGATIONS), REQUIRED),
        "value": Field(_by_shape(_PlainPath(), _FORMULA), None),
        "start": Field(PATH, "start"),
        "end": Field(PATH, "end"),
        "per": Field(Choice(tuple(SECONDS)), "HOUR"),
        "minimum": Field(NOT_NEGATIVE, None),
        "increment": Field(POSITIVE, None),
        "of": Field(ListOf(PATH, 1, 20), ()),
        "delta": Field(Flag(), False),
        "expires_after": Field(POSITIVE, None),
        "carry_over": Field(Flag(), None),
        "mode": Field(Choice(MODES), None),
        "optional": Field(Flag(), False),
        "strict": Field(Flag(), True),
        "dimensions": Field(MapOf(DIMENSION, _by_shape(_PlainDimension(), _RANGED)), {}),
        "effective_at": Field(Instant(), None),
    },
    _definition,
)
