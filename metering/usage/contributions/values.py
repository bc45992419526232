"""SQL that reads an event's data as a meter's definition says: paths, numbers, dimensions, `where`.

The event is the row ``e``, to which each step adds columns: first the numbers, each taken out of the data
once, then ``value`` and ``dimensions``. What cannot be used is told by a chain of ``when ... then reason`` in
the order in which `metering.measures.events` looks at the event; the first that applies is the reason, ''
means that there is nothing to count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from metering.documents.meter import Dimension, Formula, MeterDefinition
from metering.measures.events import TEXT_BYTES_MAX, range_texts
from metering.usage.contributions.fragments import Fragment, joined, sql

NOTHING_TO_COUNT = ""
NONE = Fragment("")
TOO_MANY_DIGITS = "has more than 20 digits before or 18 after the decimal point"


@dataclass(frozen=True, slots=True)
class Operand:
    """A path of a formula. `default`: what a missing or null value counts as; None: it may not be missing."""

    path: str
    column: str
    default: int | None
    sign: str

    @property
    def number(self) -> Fragment:
        """The operand's number within the bounds of digits, or null."""
        bounded = f"metering_bounded(e.{self.column})"
        return Fragment(bounded) if self.default is None else Fragment(f"coalesce({bounded}, {self.default})")


def at_path(path: str) -> Fragment:
    """The value at a dotted path of nested objects: null where it is missing.

    Not ``#>``: that would also take a number for the place in an array.
    """
    keys = joined("", (sql(" -> {key}::text", key=key) for key in path.split(".")))
    return sql("(e.data{keys})", keys=keys)


def is_missing(path: str) -> Fragment:
    """Whether the value at the path is missing or null."""
    return sql("coalesce(jsonb_typeof({value}), 'null') = 'null'", value=at_path(path))


def operands(formula: Formula | None) -> tuple[Operand, ...]:
    """The paths of a formula in the order in which they are looked at."""
    if formula is None:
        return ()
    if formula.times:
        return tuple(Operand(path, f"n{n}", 1, "*") for n, path in enumerate(formula.times))
    signed = [(path, None, "+") for path in formula.plus] + [(path, 0, "-") for path in formula.minus]
    return tuple(Operand(path, f"n{n}", default, sign) for n, (path, default, sign) in enumerate(signed))


def matched(definition: MeterDefinition, events: Fragment, *, also: Fragment = NONE) -> Fragment:
    """The events that the meter counts, with the numbers that it reads and the columns `also`, and on top of
    these ``value`` and ``dimensions``.

    "offset 0" keeps the planner from writing an expression once more wherever its column is named.
    """
    return sql(
        """select e.*, {value} as value, array[{texts}]::text[] as dimensions from (
            select e.key, e.time, e.subject, e.data{numbers}{also} from ({events}) e where {matching} offset 0
        ) e offset 0""",
        value=_computed(definition),
        texts=joined(", ", _texts(definition)),
        numbers=joined("", _numbers(definition)),
        also=also,
        events=events,
        matching=_matching(definition),
    )


def _matching(definition: MeterDefinition) -> Fragment:
    """Whether the event is one that the meter counts: its type, and at each path of `where` a named value."""
    conditions = [sql("e.type = {event_type}", event_type=definition.event_type)]
    for path, words in definition.where:
        conditions.append(
            sql("metering_word({value}) = any({words}::text[])", value=at_path(path), words=list(words))
        )
    return joined(" and ", conditions)


def _numbers(definition: MeterDefinition) -> Iterator[Fragment]:
    read = [(each.path, each.column) for each in operands(definition.value)]
    read += [(each.path, f"r{place}") for place, each in enumerate(definition.dimensions) if each.ranges]
    for path, column in read:
        yield sql(", metering_number({value}) as {column}", value=at_path(path), column=Fragment(column))


def _computed(definition: MeterDefinition) -> Fragment:
    """The value of the meter's formula; 1 without one. Null where an operand cannot be used."""
    each = operands(definition.value)
    if not each:
        return Fragment("1::numeric")
    terms = [each[0].number] + [sql(f" {one.sign} {{number}}", number=one.number) for one in each[1:]]
    return joined("", terms)


def refused_operands(definition: MeterDefinition) -> Iterator[Fragment]:
    """The reasons for which the formula has no value; its value is ``e.value``."""
    absent = NOTHING_TO_COUNT if definition.optional else None
    for each in operands(definition.value):
        unread = Fragment(f"e.{each.column} is null")
        if each.default is None:
            reason = f"{each.path} is missing" if absent is None else absent
            yield when(sql("{unread} and {missing}", unread=unread, missing=is_missing(each.path)), reason)
            yield when(unread, f"{each.path} is no number")
        else:
            present = sql("{unread} and not {missing}", unread=unread, missing=is_missing(each.path))
            yield when(present, f"{each.path} is no number")
        out = Fragment(f"e.{each.column} is not null and metering_bounded(e.{each.column}) is null")
        yield when(out, f"{each.path} {TOO_MANY_DIGITS}")
    if definition.value is not None and definition.value.minus:
        yield when(Fragment("e.value < 0"), "what is subtracted is more than what it is subtracted from")
    if definition.value is not None and not definition.value.is_plain:
        yield when(Fragment("metering_bounded(e.value) is null"), f"the value {TOO_MANY_DIGITS}")


def _texts(definition: MeterDefinition) -> Iterator[Fragment]:
    """The values of the dimensions, in the order of their names."""
    for place, each in enumerate(definition.dimensions):
        if each.ranges:
            yield _range_text(f"e.r{place}", each)
        else:
            yield sql("metering_text({value})", value=at_path(each.path))


def _range_text(column: str, dimension: Dimension) -> Fragment:
    names = range_texts(dimension.ranges)
    cases = [
        sql(" when {column} <= {bound} then {name}", column=Fragment(column), bound=bound, name=name)
        for bound, name in zip(dimension.ranges, names, strict=False)
    ]
    return sql(
        "case when {column} is null then ''{cases} else {last} end",
        column=Fragment(column),
        cases=joined("", cases),
        last=names[-1],
    )


def refused_dimensions(definition: MeterDefinition) -> Iterator[Fragment]:
    """The reasons for which a dimension has no value."""
    for place, each in enumerate(definition.dimensions, start=1):
        if each.ranges:
            continue
        unread = Fragment(f"e.dimensions[{place}] is null")
        nested = sql("{unread} and metering_word({value}) is null", unread=unread, value=at_path(each.path))
        yield when(nested, f"{each.path} is an object or an array, not a text or a number")
        yield when(unread, f"{each.path} is longer than {TEXT_BYTES_MAX} bytes")


def when(condition: Fragment, reason: str) -> Fragment:
    """A branch of the chain of reasons."""
    return sql(" when {condition} then {reason}::text", condition=condition, reason=reason)


def first_reason(reasons: list[Fragment]) -> Fragment:
    """The chain of reasons as one value; null: the meter can use the event."""
    return sql("case{reasons} end", reasons=joined("", reasons)) if reasons else Fragment("null::text")
