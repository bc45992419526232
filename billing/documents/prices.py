"""The price models as they stand in a plan: what each has, and what it refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar

from billing.documents import currencies, matching, windows
from billing.documents.amounts import AMOUNT, NOTHING, Amount
from billing.documents.windows import Window
from metering.documents.errors import invalid, joined, suggestion
from metering.documents.fields import Either, Field, ListOf, MapOf, Shape, as_mapping
from metering.documents.kinds import (
    DIMENSION,
    NOT_NEGATIVE,
    PATH,
    POSITIVE,
    ZERO,
    Choice,
    Count,
    Instant,
    Kind,
    Number,
    Words,
    Zone,
)

MAJOR, MINOR = "MAJOR", "MINOR"
# What usage must be split by to be priced from the catalogue.
CATALOGUE_DIMENSIONS = PROVIDER, MODEL = ("provider", "model")


@dataclass(frozen=True, slots=True)
class Flat:
    """An amount once a period, whatever the quantity."""

    model: ClassVar[str] = "flat"
    amount: Amount


@dataclass(frozen=True, slots=True)
class PerUnit:
    """A price for each unit."""

    model: ClassVar[str] = "per_unit"
    unit_amount: Amount


@dataclass(frozen=True, slots=True)
class Package:
    """A price for each whole package begun."""

    model: ClassVar[str] = "package"
    package_size: Decimal
    package_amount: Amount


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (None: all the rest). With `package_size` a unit is a whole
    package.
    """

    up_to: Decimal | None
    unit_amount: Amount
    flat_amount: Decimal
    package_size: Decimal | None


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each tier prices the units inside it."""

    model: ClassVar[str] = "graduated"
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Volume:
    """All units at the price of the tier that holds their number."""

    model: ClassVar[str] = "volume"
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Percentage:
    """A rate in percent of each event's value, and a fixed amount an event."""

    model: ClassVar[str] = "percentage"
    rate: Decimal
    fixed_amount: Decimal
    free_events: int
    free_quantity: Decimal
    minimum_per_event: Decimal | None
    maximum_per_event: Decimal | None
    amount_currency: str | None
    amount_unit: str


@dataclass(frozen=True, slots=True)
class PercentageTier:
    """A rate in percent of the part up to and including `up_to` (None: all the rest)."""

    up_to: Decimal | None
    rate: Decimal
    flat_amount: Decimal


@dataclass(frozen=True, slots=True)
class GraduatedPercentage:
    """Each tier takes its rate of the part inside it."""

    model: ClassVar[str] = "graduated_percentage"
    tiers: tuple[PercentageTier, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """A price for usage whose dimensions have one of the values of each name in `when`."""

    when: tuple[tuple[str, tuple[str, ...]], ...]
    unit_amount: Amount


@dataclass(frozen=True, slots=True)
class Matrix:
    """A price for each combination of dimension values."""

    model: ClassVar[str] = "matrix"
    by: tuple[str, ...]
    rates: tuple[Rate, ...]
    otherwise: Amount | None


@dataclass(frozen=True, slots=True)
class TimeOfUse:
    """A price for each window of the week, in the wall time of `timezone` (None: the customer's)."""

    model: ClassVar[str] = "time_of_use"
    timezone: str | None
    windows: tuple[Window, ...]
    otherwise: Amount | None


@dataclass(frozen=True, slots=True)
class Dynamic:
    """The amounts that events carry at the path `amount`, with a markup."""

    model: ClassVar[str] = "dynamic"
    amount: str
    amount_currency: str | None
    amount_unit: str
    markup_percent: Decimal


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The market price of the dimensions provider and model: a matrix, once the plan is published."""

    model: ClassVar[str] = "catalogue"
    price_of: str
    at: datetime | None
    markup_percent: Decimal
    unknown: Amount | None


Price = (
    Flat
    | PerUnit
    | Package
    | Graduated
    | Volume
    | Percentage
    | GraduatedPercentage
    | Matrix
    | TimeOfUse
    | Dynamic
    | Catalogue
)


def _shape(
    model: Callable[..., Price],
    fields: Mapping[str, Field],
    check: Callable[[dict[str, Any], str], None] | None = None,
) -> Shape:
    def build(values: dict[str, Any], _given: frozenset[str], path: str) -> Price:
        del values["model"]
        if check is not None:
            check(values, path)
        return model(**values)

    return Shape(f"the price model {model.model}", {"model": Field(Choice((model.model,))), **fields}, build)  # type: ignore[attr-defined]


def _ascending(values: dict[str, Any], path: str) -> None:
    tiers, place = values["tiers"], joined(path, "tiers")
    for number, tier in enumerate(tiers[:-1]):
        if tier.up_to is None:
            raise invalid("only the last tier is without an end", f"{place}[{number}].up_to")
    if tiers[-1].up_to is not None:
        raise invalid("the last tier has no end: up_to is null", f"{place}[{len(tiers) - 1}].up_to")
    for number, (low, high) in enumerate(pairwise(tiers[:-1])):
        if low.up_to >= high.up_to:
            raise invalid("tiers must ascend", f"{place}[{number + 1}].up_to")


def _per_event_bounds(values: dict[str, Any], path: str) -> None:
    minimum, maximum = values["minimum_per_event"], values["maximum_per_event"]
    if minimum is not None and maximum is not None and maximum < minimum:
        raise invalid("the maximum is below the minimum", joined(path, "maximum_per_event"))


def _check_matrix(values: dict[str, Any], path: str) -> None:
    by = values["by"]
    if len(set(by)) < len(by):
        raise invalid("names a dimension twice", joined(path, "by"))
    for number, rate in enumerate(values["rates"]):
        for name, _ in rate.when:
            if name not in by:
                near = suggestion(name, list(by))
                raise invalid(
                    f"{name} is not among the dimensions in by{near}", f"{path}.rates[{number}].when.{name}"
                )
    tie = matching.first_tie([rate.when for rate in values["rates"]])
    if tie is not None:
        raise invalid(
            f"can match the same usage as rates[{tie[0]}]; name one more dimension in one of them",
            f"{path}.rates[{tie[1]}]",
        )


def _check_windows(values: dict[str, Any], path: str) -> None:
    tie = windows.first_overlap(values["windows"])
    if tie is not None:
        raise invalid(f"overlaps windows[{tie[0]}]", f"{path}.windows[{tie[1]}]")


def _rate(values: dict[str, Any], _given: frozenset[str], path: str) -> Rate:
    if not values["when"]:
        raise invalid("must name a dimension; for all the rest there is otherwise", joined(path, "when"))
    return Rate(tuple(sorted(values["when"].items())), values["unit_amount"])


def amounts(price: Price) -> tuple[Amount, ...]:
    """All the prices of a matrix or of windows, `otherwise` included; of any other model none."""
    if isinstance(price, Matrix):
        given = [rate.unit_amount for rate in price.rates]
    elif isinstance(price, TimeOfUse):
        given = [window.unit_amount for window in price.windows]
    else:
        return ()
    return tuple(given) if price.otherwise is None else (*given, price.otherwise)


def is_currency(text: str) -> bool:
    """Whether an `amount_currency` is a currency itself rather than a path."""
    return text in currencies.DIGITS


_UP_TO = {"up_to": Field(POSITIVE, None)}
_TIER = Shape(
    "a tier",
    {
        **_UP_TO,
        "unit_amount": Field(AMOUNT, NOTHING),
        "flat_amount": Field(NOT_NEGATIVE, ZERO),
        "package_size": Field(POSITIVE, None),
    },
    lambda values, _given, _path: Tier(**values),
)
_PERCENTAGE_TIER = Shape(
    "a tier",
    {**_UP_TO, "rate": Field(NOT_NEGATIVE, ZERO), "flat_amount": Field(NOT_NEGATIVE, ZERO)},
    lambda values, _given, _path: PercentageTier(**values),
)
_RATE = Shape("a rate", {"when": Field(MapOf(DIMENSION, Words())), "unit_amount": Field(AMOUNT)}, _rate)
_TIERS = {"tiers": Field(ListOf(_TIER, 1, 1000))}
# a currency itself, or the path of one in the event's data
_FOREIGN = {
    "amount_currency": Field(PATH, None),
    "amount_unit": Field(Choice((MAJOR, MINOR)), MAJOR),
}
_MARKUP = {"markup_percent": Field(Number(minimum=Decimal(-100)), ZERO)}

# An amount, or the same under the name that it has everywhere else: {unit_amount: ...}.
_PRICED = Shape(
    "a price of what is unknown",
    {"unit_amount": Field(AMOUNT)},
    lambda values, _given, _path: values["unit_amount"],
)
_UNKNOWN = Either(
    (AMOUNT, _PRICED),
    lambda value, _path: _PRICED if isinstance(value, dict) and "unit_amount" in value else AMOUNT,
)

SHAPES: dict[str, Shape] = {
    "flat": _shape(Flat, {"amount": Field(AMOUNT)}),
    "per_unit": _shape(PerUnit, {"unit_amount": Field(AMOUNT)}),
    "package": _shape(Package, {"package_size": Field(POSITIVE), "package_amount": Field(AMOUNT)}),
    "graduated": _shape(Graduated, _TIERS, _ascending),
    "volume": _shape(Volume, _TIERS, _ascending),
    "percentage": _shape(
        Percentage,
        {
            "rate": Field(NOT_NEGATIVE),
            "fixed_amount": Field(NOT_NEGATIVE, ZERO),
            "free_events": Field(Count(0, 10**15), 0),
            "free_quantity": Field(NOT_NEGATIVE, ZERO),
            "minimum_per_event": Field(NOT_NEGATIVE, None),
            "maximum_per_event": Field(NOT_NEGATIVE, None),
            **_FOREIGN,
        },
        _per_event_bounds,
    ),
    "graduated_percentage": _shape(
        GraduatedPercentage, {"tiers": Field(ListOf(_PERCENTAGE_TIER, 1, 1000))}, _ascending
    ),
    "matrix": _shape(
        Matrix,
        {
            "by": Field(ListOf(DIMENSION, 1, 20)),
            "rates": Field(ListOf(_RATE, 0, 100_000)),
            "otherwise": Field(AMOUNT, None),
        },
        _check_matrix,
    ),
    "time_of_use": _shape(
        TimeOfUse,
        {
            "timezone": Field(Zone(), None),
            "windows": Field(ListOf(windows.SHAPE, 1, 500)),
            "otherwise": Field(AMOUNT, None),
        },
        _check_windows,
    ),
    "dynamic": _shape(Dynamic, {"amount": Field(PATH), **_FOREIGN, **_MARKUP}),
    "catalogue": _shape(
        Catalogue,
        {"price_of": Field(PATH), "at": Field(Instant(), None), **_MARKUP, "unknown": Field(_UNKNOWN, None)},
    ),
}


def _by_model(value: Any, path: str) -> Kind:
    model = as_mapping(value, path).get("model")
    if isinstance(model, str) and model in SHAPES:
        return SHAPES[model]
    near = suggestion(model, list(SHAPES)) if isinstance(model, str) else ""
    raise invalid(f"must be one of {', '.join(SHAPES)}{near}", joined(path, "model"))


PRICE = Either(tuple(SHAPES.values()), _by_model)
