"""One pass over the events for all meters that count the same events and split them by the same dimensions.

The events are added up before anything else is done with them. They are grouped by their dimensions as they
stand in the data, which is cheaper than by text; 8 and "8" are then two groups, put together afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from metering.documents.meter import Dimension, MeterDefinition
from metering.models import MeterVersion
from metering.usage import contributions, meters
from metering.usage.contributions import points, values
from metering.usage.contributions.fragments import Fragment, joined, sql
from metering.usage.contributions.points import Points

# Columns of the n-th meter: v its value, r the reason why not, q the quantity, l the latest, c the count, u
# whether there is a reason to be listed. Columns of the n-th dimension: d. Answers the u of each meter.
STAGE = """
with grouped as materialized (
    select e.subject, e.start{raw}{gathered}
    from (
        select e.*{reasons} from (
            select e.*{computed} from (
                select e.subject, e.time, e.source, e.event_id, e.data,
                    date_bin('15 minutes', e.time, timestamptz '2000-01-01 00:00Z') as start{numbers}
                from ({events}) e where {matching} offset 0
            ) e offset 0
        ) e offset 0
    ) e
    group by e.subject, e.start{raw}
), named as materialized (
    select g.*, array[{texts}]::text[] as texts from grouped g
), summed as materialized (
    select subject, start, texts{summed} from named
    where array_position(texts, null) is null group by subject, start, texts
), hashed as (
    select s.*, md5(s.dimensions::text)::uuid as dimensions_hash
    from (select s.*, jsonb_object({names}::text[], texts) as dimensions from summed s offset 0) s
    offset 0
), added as (
    insert into pg_temp.rolled_bucket
    select m.version, s.subject, s.dimensions, s.dimensions_hash, s.start, m.quantity, m.count, m.latest
    from hashed s cross join lateral (values {each}) m(version, quantity, count, latest)
    where m.count > 0
)
select {refused} from named
"""
COMPUTED = ", {value} as v#"
REASON = ", {reason} as r#"
USABLE = "case when e.r# is null then {quantity} end"
GATHERED = """,
        {quantity} as q#, {latest} as l#,
        count(*) filter (where e.r# is null) as c#,
        bool_or(e.r# <> '') as u#"""
SUMMED = ", {quantity} as q#, {latest} as l#, sum(c#)::bigint as c#"
REFUSED = "coalesce(bool_or(u# or (c# > 0 and array_position(texts, null) is not null)), false)"


def families(versions: Iterable[MeterVersion]) -> list[list[MeterVersion]]:
    """The versions that can be counted in one pass, together."""
    found: dict[object, list[MeterVersion]] = {}
    for version in versions:
        definition = meters.definition(version)
        family = definition.event_type, definition.where, definition.dimensions
        found.setdefault(family, []).append(version)
    return list(found.values())


def is_grouped(version: MeterVersion) -> bool:
    """Whether the version counts quantities of single events, so that `staged` counts by it."""
    return isinstance(contributions.kind(meters.definition(version).aggregation), Points)


def staged(versions: Sequence[MeterVersion], events: Fragment) -> Fragment:
    """The statement that counts the events by a family of versions into the table ``rolled_bucket``.

    Its one row has a boolean for each version: whether there are events that it matches and cannot use.
    """
    definitions = [meters.definition(version) for version in versions]
    one = definitions[0]
    places = range(len(one.dimensions))
    return sql(
        STAGE,
        events=events,
        matching=values.matching(one),
        numbers=values.numbers(definitions),
        computed=joined("", [*_each(_computed, definitions), *map(_raw, places, one.dimensions)]),
        reasons=joined("", _each(_reason, definitions)),
        gathered=joined("", _each(_gathered, definitions)),
        raw=Fragment("".join(f", e.d{n}" for n in places)),
        texts=joined(", ", map(_text, places, one.dimensions)),
        summed=joined("", _each(_summed, definitions)),
        names=list(one.dimension_names),
        each=joined(
            ", ", [sql(f"({{id}}, s.q{n}, s.c{n}, s.l{n})", id=each.pk) for n, each in enumerate(versions)]
        ),
        refused=joined(", ", [_numbered(REFUSED, n) for n in range(len(versions))]),
    )


Part = Callable[[Points, MeterDefinition, int], Fragment]


def _each(part: Part, definitions: Sequence[MeterDefinition]) -> list[Fragment]:
    found = []
    for n, definition in enumerate(definitions):
        kind = contributions.kind(definition.aggregation)
        assert isinstance(kind, Points)
        found.append(part(kind, definition, n))
    return found


def _computed(kind: Points, definition: MeterDefinition, n: int) -> Fragment:
    return _numbered(COMPUTED, n, value=values.computed(definition))


def _reason(kind: Points, definition: MeterDefinition, n: int) -> Fragment:
    return _numbered(REASON, n, reason=values.first_reason(kind.refused(definition, Fragment(f"e.v{n}"))))


def _gathered(kind: Points, definition: MeterDefinition, n: int) -> Fragment:
    quantity = kind.quantity(definition, Fragment(f"e.v{n}"))
    usable = _numbered(USABLE, n, quantity=quantity)
    moment = _numbered(USABLE, n, quantity=points.moment(quantity))
    return _numbered(
        GATHERED, n, quantity=kind.together(usable, moment), latest=kind.last(definition, moment)
    )


def _summed(kind: Points, definition: MeterDefinition, n: int) -> Fragment:
    quantity, latest = Fragment(f"q{n}"), Fragment(f"l{n}")
    return _numbered(
        SUMMED, n, quantity=kind.together(quantity, latest), latest=kind.last(definition, latest)
    )


def _raw(n: int, dimension: Dimension) -> Fragment:
    read = values.range_text(dimension) if dimension.ranges else values.at_path(dimension.path)
    return sql(f", {{read}} as d{n}", read=read)


def _text(n: int, dimension: Dimension) -> Fragment:
    return Fragment(f"g.d{n}" if dimension.ranges else f"metering_text(g.d{n})")


def _numbered(template: str, n: int, **parts: Fragment) -> Fragment:
    return sql(template.replace("#", str(n)), **parts)
