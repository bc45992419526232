"""SQL that reads an event's data as a meter's definition says: paths, numbers, dimensions, `where`.

The event is the row ``e``, to which each step adds columns: first the numbers, each taken out of the data
once, then ``value`` and ``dimensions``. What cannot be used is told by a chain of ``when ... then reason`` in
the order in which `metering.measures.events` looks at the event; the first that applies is the reason, ''
means that there is nothing to count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha1

from metering.documents.meter import UNIQUE, Dimension, Formula, MeterDefinition
from metering.measures.events import TEXT_BYTES_MAX, range_texts
from metering.usage.contributions.fragments import Fragment, joined, sql

NOTHING_TO_COUNT = ""
NONE = Fragment("")
VALUE = Fragment("e.value")
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


def numeric(definition: MeterDefinition) -> Formula | None:
    """The formula of numbers that the meter computes; None where it has none, or takes a text."""
    return None if definition.aggregation == UNIQUE else definition.value


def operands(formula: Formula | None) -> tuple[Operand, ...]:
    """The paths of a formula in the order in which they are looked at."""
    if formula is None:
        return ()
    if formula.times:
        return tuple(Operand(path, number_column(path), 1, "*") for path in formula.times)
    signed = [(path, None, "+") for path in formula.plus] + [(path, 0, "-") for path in formula.minus]
    return tuple(Operand(path, number_column(path), default, sign) for path, default, sign in signed)


def number_column(path: str) -> str:
    """The name of the column with the number at the path: the same for every meter that reads it."""
    return f"n_{sha1(path.encode(), usedforsecurity=False).hexdigest()}"


def matched(definition: MeterDefinition, events: Fragment, *, also: Fragment = NONE) -> Fragment:
    """The events that the meter counts, with the numbers that it reads and the columns `also`, and on top of
    these ``value`` and ``dimensions``.

    "offset 0" keeps the planner from writing an expression once more wherever its column is named.
    """
    return sql(
        """select e.*, {value} as value, array[{texts}]::text[] as dimensions from (
            select e.key, e.time, e.subject, e.data{numbers}{also} from ({events}) e where {matching} offset 0
        ) e offset 0""",
        value=computed(definition),
        texts=joined(", ", _texts(definition)),
        numbers=numbers([definition]),
        also=also,
        events=events,
        matching=matching(definition),
    )


def matching(definition: MeterDefinition) -> Fragment:
    """Whether the event is one that the meter counts: its type, and at each path of `where` a named value."""
    conditions = [sql("e.type = {event_type}", event_type=definition.event_type)]
    for path, words in definition.where:
        conditions.append(
            sql("metering_word({value}) = any({words}::text[])", value=at_path(path), words=list(words))
        )
    return joined(" and ", conditions)


def numbers(definitions: Sequence[MeterDefinition]) -> Fragment:
    """The columns with the numbers that the meters read, each once, every one with a comma before it."""
    paths = {operand.path for each in definitions for operand in operands(numeric(each))}
    paths |= {dimension.path for each in definitions for dimension in each.dimensions if dimension.ranges}
    return joined(
        "",
        [
            sql(
                ", metering_number({value}) as {column}",
                value=at_path(path),
                column=Fragment(number_column(path)),
            )
            for path in sorted(paths)
        ],
    )


def computed(definition: MeterDefinition) -> Fragment:
    """The value of the meter's formula; 1 without one. Null where an operand cannot be used."""
    each = operands(numeric(definition))
    if not each:
        return Fragment("1::numeric")
    terms = [each[0].number] + [sql(f" {one.sign} {{number}}", number=one.number) for one in each[1:]]
    return joined("", terms)


def refused_operands(definition: MeterDefinition, value: Fragment) -> Iterator[Fragment]:
    """The reasons for which the formula has no value; `value` is the column in which it stands."""
    absent = NOTHING_TO_COUNT if definition.optional else None
    formula = numeric(definition)
    for each in operands(formula):
        unread = Fragment(f"e.{each.column} is null")
        if each.default is None:
            reason = f"{each.path} is missing" if absent is None else absent
            yield when(sql("{unread} and {missing}", unread=unread, missing=is_missing(each.path)), reason)
            yield when(unread, f"{each.path} is no number")
        else:
            present = sql("{unread} and not {missing}", unread=unread, missing=is_missing(each.path))
            yield when(present, f"{each.path} is no number")
        out = Fragment(f"e.{each.column} is not null and metering_bounded(e.{each.column}) is null")
        if formula is not None and formula.is_plain:
            out = sql("{value} is null", value=value)
        yield when(out, f"{each.path} {TOO_MANY_DIGITS}")
    if formula is not None and formula.minus:
        negative = sql("{value} < 0", value=value)
        yield when(negative, "what is subtracted is more than what it is subtracted from")
    if formula is not None and not formula.is_plain:
        yield when(sql("metering_bounded({value}) is null", value=value), f"the value {TOO_MANY_DIGITS}")


def _texts(definition: MeterDefinition) -> Iterator[Fragment]:
    """The values of the dimensions, in the order of the definition."""
    for each in definition.dimensions:
        yield range_text(each) if each.ranges else sql("metering_text({value})", value=at_path(each.path))


def range_text(dimension: Dimension) -> Fragment:
    """The name of the range into which the number of the dimension falls, '' where there is no number."""
    names = range_texts(dimension.ranges)
    column = f"e.{number_column(dimension.path)}"
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
