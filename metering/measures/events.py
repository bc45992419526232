"""What one event contributes to one meter, and why another cannot be used: the reference that SQL is
tested against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from metering import numbers, periods
from metering.documents.meter import (
    COUNT,
    DURATION,
    SUM,
    UNIQUE,
    Dimension,
    Formula,
    MeterDefinition,
)
from metering.periods import MICROSECOND

TEXT_BYTES_MAX = 200
INTERVAL_DAYS_MAX = 366
ONE = Decimal(1)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, once. `data` is decoded JSON whose numbers are int or Decimal, never float."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: Mapping[str, Any]

    @property
    def order(self) -> tuple[datetime, str, str]:
        """The key of the order of events everywhere: time, source, id, bytewise."""
        return self.time, self.source, self.id


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a usable event gives to a meter.

    `at`: the instant at which it counts once. `value`: what is counted, taken or set as the level; 1 for
    COUNT; what the interval [start, end) is multiplied by for DURATION (elsewhere start = end = at).
    `excess`: value x microseconds that `minimum` and `increment` added to an interval, falling at `at`.
    `text`: the value of UNIQUE. `of`: whose level it is. `dimensions`: (name, value) sorted by name, all the
    declared ones.
    """

    subject: str
    dimensions: tuple[tuple[str, str], ...]
    at: datetime
    start: datetime
    end: datetime
    value: Decimal
    excess: Decimal
    text: str
    of: tuple[str, ...]
    order: tuple[datetime, str, str]


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a meter that an event matches cannot count it, in words for the person who fixes it."""

    reason: str


class _NoValue(Exception):
    """The value is missing or null: nothing to count where the meter is optional."""


class _Refused(Exception):
    """The event cannot be used; the argument says why."""


def at_path(data: Any, path: str) -> Any:
    """The value at a dotted path of nested objects, or None where it is missing or null."""
    for key in path.split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def word(value: Any) -> str | None:
    """The text that stands for a value in dimensions and `where`, or None for objects and arrays.

    Strings stay as they are, numbers are the shortest plain decimal (8.0 is 8), true and false are words,
    missing and null are "".
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | Decimal):
        return numbers.text(Decimal(value))
    return None


def number(value: Any) -> Decimal | None:
    """The decimal of a JSON number or of a text by the grammar of numbers, or None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str):
        try:
            return numbers.parse_decimal(value, integer_digits=1000, decimal_places=1000)
        except numbers.NumberInvalid:
            return None
    return None


def matching(definition: MeterDefinition, event: Event) -> bool:
    """Whether the event is of the meter's type and its data have one of the values of each `where` path.

    An object, an array or a very long text equals no value, so that such an event does not match.
    """
    return event.type == definition.event_type and all(
        word(at_path(event.data, path)) in values for path, values in definition.where
    )


def usable(definition: MeterDefinition, event: Event) -> Contribution | Unusable | None:
    """What a matching event contributes; Unusable with the reason; None when an optional value is absent."""
    try:
        return _contribution(definition, event)
    except _NoValue as error:
        return None if definition.optional else Unusable(str(error))
    except _Refused as error:
        return Unusable(str(error))


def _contribution(definition: MeterDefinition, event: Event) -> Contribution:
    start = end = at = event.time
    value, excess, text = ONE, ZERO, ""
    if definition.aggregation == UNIQUE:
        text = _unique_text(definition, event.data)
    elif definition.aggregation == DURATION:
        value = _multiplier(definition, event.data)
        start, end = _interval(definition, event.data)
        at = max(start, end - MICROSECOND)
        with numbers.exact():
            excess = value * _excess(definition, periods.microseconds_between(start, end))
    elif definition.aggregation != COUNT:
        value = _value(definition, event.data)
    return Contribution(
        subject=event.subject,
        dimensions=tuple((each.name, _dimension(each, event.data)) for each in definition.dimensions),
        at=at,
        start=start,
        end=end,
        value=value,
        excess=excess,
        text=text,
        of=tuple(_short(path, event.data) for path in definition.of),
        order=event.order,
    )


def _value(definition: MeterDefinition, data: Mapping[str, Any]) -> Decimal:
    assert definition.value is not None  # the document's reader saw to it
    value = _computed(definition.value, data)
    if definition.aggregation == SUM and (definition.minimum is not None or definition.increment is not None):
        if value < 0:
            raise _Refused("the value is negative, and the meter has a minimum or an increment")
        return _raised(value, definition.minimum, definition.increment)
    return value


def _raised(value: Decimal, minimum: Decimal | None, increment: Decimal | None) -> Decimal:
    """The value, at least the minimum, rounded up to whole increments."""
    raised = value if minimum is None else max(value, minimum)
    if increment is None:
        return raised
    with numbers.exact():
        whole, rest = divmod(raised, increment)
        return (whole + (1 if rest else 0)) * increment


def _computed(formula: Formula, data: Mapping[str, Any]) -> Decimal:
    with numbers.exact():
        if formula.times:
            value = ONE
            for path in formula.times:
                value *= _operand(path, data, default=ONE)
        else:
            value = sum((_operand(path, data) for path in formula.plus), ZERO)
            value -= sum((_operand(path, data, default=ZERO) for path in formula.minus), ZERO)
            if formula.minus and value < 0:
                raise _Refused("what is subtracted is more than what it is subtracted from")
    if not numbers.is_within(value):
        raise _Refused("the value has more than 20 digits before or 18 after the decimal point")
    return value


def _operand(path: str, data: Mapping[str, Any], default: Decimal | None = None) -> Decimal:
    found = at_path(data, path)
    if found is None:
        if default is None:
            raise _NoValue(f"{path} is missing")
        return default
    value = number(found)
    if value is None:
        raise _Refused(f"{path} is no number")
    if not numbers.is_within(value):
        raise _Refused(f"{path} has more than 20 digits before or 18 after the decimal point")
    return value


def _multiplier(definition: MeterDefinition, data: Mapping[str, Any]) -> Decimal:
    if definition.value is None:
        return ONE
    value = _computed(definition.value, data)
    if value < 0:
        raise _Refused("the value that multiplies the time is negative")
    return value


def _interval(definition: MeterDefinition, data: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = (_instant(path, data) for path in (definition.start, definition.end))
    if end < start:
        raise _Refused(f"{definition.end} is before {definition.start}")
    if (end - start).total_seconds() > INTERVAL_DAYS_MAX * 86_400:
        raise _Refused(f"the interval is longer than {INTERVAL_DAYS_MAX} days")
    return start, end


def _instant(path: str, data: Mapping[str, Any]) -> datetime:
    found = at_path(data, path)
    if found is None:
        raise _Refused(f"{path} is missing")
    try:
        return periods.parse_time_value(found)
    except periods.InstantInvalid as error:
        raise _Refused(f"{path}: {error}") from None


def _excess(definition: MeterDefinition, microseconds: int) -> int:
    minimum, increment = (
        None if seconds is None else seconds.scaleb(6)
        for seconds in (definition.minimum, definition.increment)
    )
    return int(_raised(Decimal(microseconds), minimum, increment)) - microseconds


def _unique_text(definition: MeterDefinition, data: Mapping[str, Any]) -> str:
    assert definition.value is not None  # the document's reader saw to it
    path = definition.value.plus[0]
    text = _short(path, data)
    if not text:
        raise _NoValue(f"{path} is missing or empty")
    return text


def _short(path: str, data: Mapping[str, Any]) -> str:
    text = word(at_path(data, path))
    if text is None:
        raise _Refused(f"{path} is an object or an array, not a text or a number")
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise _Refused(f"{path} is longer than {TEXT_BYTES_MAX} bytes")
    return text


def _dimension(dimension: Dimension, data: Mapping[str, Any]) -> str:
    if not dimension.ranges:
        return _short(dimension.path, data)
    value = number(at_path(data, dimension.path))
    return "" if value is None else range_text(dimension.ranges, value)


def range_text(bounds: tuple[Decimal, ...], value: Decimal) -> str:
    """The name of the range that a value falls into: for bounds a < b one of "<=a", ">a<=b", ">b"."""
    below = [bound for bound in bounds if value > bound]
    above = [bound for bound in bounds if value <= bound]
    lower = f">{numbers.text(below[-1])}" if below else ""
    upper = f"<={numbers.text(above[0])}" if above else ""
    return lower + upper


def range_texts(bounds: tuple[Decimal, ...]) -> tuple[str, ...]:
    """The names of all ranges of the bounds, ascending."""
    return (*(range_text(bounds, bound) for bound in bounds), f">{numbers.text(bounds[-1])}")
