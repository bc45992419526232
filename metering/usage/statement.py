"""The one SQL statement that answers what a meter measured.

One statement sees one snapshot: a roll-up that commits meanwhile cannot make a batch count twice (as pending
and as rolled up) or not at all. Rows are of two kinds: usage ``(true, values of the dimensions, place of the
window, quantity, count)`` and revisions ``(false, [subject, month], null, revision, null)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from metering.documents.meter import RESERVED_DIMENSION, MeterDefinition
from metering.models import MeterVersion
from metering.periods import Period, quarter
from metering.usage import contributions
from metering.usage.contributions import sources
from metering.usage.contributions.fragments import Fragment, joined, sql

WHOLE, EDGE, PIECE = Fragment("whole"), Fragment("edge"), Fragment("piece")

# A stretch is a span, or what a window cuts out of it. Its whole quarter hours are read from the buckets;
# what it has of a quarter hour at either end is an edge. Counted from year 1, as date_bin differs from one
# version of PostgreSQL to the next before its origin.
STRETCHES = """
with span as materialized (
    select * from unnest({subjects}::text[], {starts}::timestamptz[], {ends}::timestamptz[])
        t(subject, start, "end")
), piece as materialized (
    {pieces}
), aligned as materialized (
    select subject, place, is_before, start, "end",
        date_bin(
            '15 minutes', start + interval '15 minutes' - interval '1 microsecond',
            timestamptz '0001-01-01 00:00Z'
        ) as whole_start,
        date_bin('15 minutes', "end", timestamptz '0001-01-01 00:00Z') as whole_end
    from piece
), whole as materialized (
    select subject, place, is_before, whole_start as start, whole_end as "end" from aligned
    where whole_start < whole_end
), edge as materialized (
    select subject, place, is_before, start, least("end", whole_start) as "end" from aligned
    where start < least("end", whole_start)
    union all
    select subject, place, is_before, whole_end, "end" from aligned
    where whole_start <= whole_end and whole_end < "end"
), series as materialized (
    select id, subject, dimensions from metering_usageseries
    where meter_version_id = {version} and subject in (select subject from span)
)
"""

PIECES = """select subject, null::integer as place, false as is_before, start, "end" from span"""
# What is carried over lies before the billing period, for the subjects that are asked for at its start.
CARRIED_PIECES = """
    union all
    select subject, null, true, {since}::timestamptz, {until}::timestamptz from span
    where start <= {until} and "end" > {until}
"""
WINDOWED_PIECES = """
    select s.subject, w.place::integer, false as is_before, greatest(s.start, w.start) as start,
        least(s."end", w."end") as "end"
    from span s
    join unnest({starts}::timestamptz[], {ends}::timestamptz[]) with ordinality w(start, "end", place)
        on w.start < s."end" and w."end" > s.start
"""

# The sum stands in a join of its own, which the planner cannot turn into a scan of all buckets.
BUCKETS = """
    select t.place, {by} as combination, t.is_before, b.quantity, b.count, b.latest, null::uuid as value
    from whole t
    join series s on s.subject = t.subject
    cross join lateral (
        select {together} from metering_usagebucket
        where series_id = s.id and start >= t.start and start < t."end"
    ) b
    where b.count is not null{inside}
"""

# Of what lies before the period only the last event counts, so only the last bucket is read.
LAST_BUCKETS = """
    select t.place, {by} as combination, true, b.quantity, b.count, b.latest, null::uuid as value
    from whole t
    join series s on s.subject = t.subject
    cross join lateral (
        select quantity, count, latest from metering_usagebucket
        where series_id = s.id and start >= t.start and start < t."end"
        order by start desc limit 1
    ) b
    where t.is_before
"""

VALUES = """
    select t.place, {by} as combination, t.is_before, null::numeric as quantity, v.count,
        null::metering_moment as latest, v.value
    from whole t
    join series s on s.subject = t.subject
    cross join lateral (
        select value, sum(count)::bigint as count from metering_usagevalue
        where series_id = s.id and start >= t.start and start < t."end" group by value
    ) v
"""

# An interval that reaches into two edges is found twice, hence distinct. None is longer than 366 days.
KEPT_INTERVALS = """
    select distinct k.* from (select distinct start, "end" from edge) t
    cross join series s
    cross join lateral (
        select series_id, key, s.subject, s.dimensions, metering_microseconds(start) as start_us,
            metering_microseconds("end") as end_us, metering_microseconds(counted_at) as counted_us,
            weight, excess, null::text as reason
        from metering_usageinterval
        where series_id = s.id and start < t."end"
            and "end" >= t.start and "end" < t."end" + interval '8784 hours'
        offset 0
    ) k
"""

REVISIONS = """
    select false, array[v.subject, to_char(v.month, 'YYYY-MM')], null::integer, v.revision::numeric,
        null::numeric
    from metering_usagerevision v
    where v.meter_version_id = {version} and exists (
        select from span s where s.subject = v.subject
            and ({is_carried} or v.month >= date_trunc('month', s.start at time zone 'UTC')::date)
            and v.month < s."end" at time zone 'UTC'
    )
"""


class DimensionUnknown(ValueError):
    """Usage is asked for by a dimension that the meter does not declare."""


class By:
    """The dimensions that usage is split by, read as an array of text. Raises DimensionUnknown."""

    def __init__(self, definition: MeterDefinition, names: Sequence[str]) -> None:
        known = definition.dimension_names
        for name in names:
            if name != RESERVED_DIMENSION and name not in known:
                every = ", ".join([*known, RESERVED_DIMENSION])
                raise DimensionUnknown(f"the meter {definition.slug} has no dimension {name}; it has {every}")
        self._names = names
        self._places = {name: place for place, name in enumerate(known, start=1)}

    def of_contribution(self) -> Fragment:
        """From the row ``c`` of a contribution, whose dimensions are an array in the order of their names."""
        return self._array(lambda name: Fragment(f"c.dimensions[{self._places[name]}]"), "c")

    def of_series(self, row: str) -> Fragment:
        """From a row with the dimensions of a series, which are an object."""
        return self._array(lambda name: sql("{row}.dimensions ->> {name}", row=Fragment(row), name=name), row)

    def _array(self, read: Callable[[str], Fragment], row: str) -> Fragment:
        subject = Fragment(f"{row}.subject")
        each = (subject if name == RESERVED_DIMENSION else read(name) for name in self._names)
        return sql("array[{each}]::text[]", each=joined(", ", each))


def build(
    *,
    version: MeterVersion,
    definition: MeterDefinition,
    spans: Sequence[tuple[str, Period]],
    by: Sequence[str],
    windows: Sequence[Period] | None,
    carried: Period | None,
) -> Fragment:
    """The statement. `windows` are those that cut the spans, in order; None: the spans stay whole.

    `carried`: the time before the billing period from which the meter carries over, only without windows.
    The spans of one subject may not overlap.
    """
    dimensions = By(definition, by)
    kind = contributions.kind(definition.aggregation)
    parts = [*_stored(definition, dimensions), _pending(version, definition, dimensions)]
    cuts = [period for _, period in spans] + list(windows or ()) + ([carried] if carried else [])
    if _has_edges(cuts):
        parts.append(_edges(version, definition, dimensions))
    return sql(
        """{stretches}
        select true, combination, place, {answer},
            coalesce(sum(count) filter (where not is_before), 0)::numeric
        from ({parts}) parts(place, combination, is_before, quantity, count, latest, value)
        group by combination, place
        union all {revisions}""",
        stretches=_stretches(version, spans, windows, carried),
        answer=Fragment(kind.answer(definition)),
        parts=joined("\n    union all\n", parts),
        revisions=sql(REVISIONS, version=version.pk, is_carried=carried is not None),
    )


def _stored(definition: MeterDefinition, by: By) -> list[Fragment]:
    """What the roll-up keeps of the whole quarter hours."""
    kind = contributions.kind(definition.aggregation)
    combination = by.of_series("s")
    if kind.keeps_values:
        return [sql(VALUES, by=combination)]
    together = kind.in_buckets(definition)
    if not kind.keeps_latest(definition):
        return [sql(BUCKETS, by=combination, together=together, inside=Fragment(""))]
    inside = sql(BUCKETS, by=combination, together=together, inside=Fragment(" and not t.is_before"))
    return [inside, sql(LAST_BUCKETS, by=combination)]


def _stretches(
    version: MeterVersion,
    spans: Sequence[tuple[str, Period]],
    windows: Sequence[Period] | None,
    carried: Period | None,
) -> Fragment:
    pieces = Fragment(PIECES)
    if carried is not None:
        before = sql(CARRIED_PIECES, since=carried.start, until=carried.end)
        pieces = joined("", [pieces, before])
    if windows is not None:
        starts, ends = [each.start for each in windows], [each.end for each in windows]
        pieces = sql(WINDOWED_PIECES, starts=starts, ends=ends)
    return sql(
        STRETCHES,
        subjects=[subject for subject, _ in spans],
        starts=[period.start for _, period in spans],
        ends=[period.end for _, period in spans],
        pieces=pieces,
        version=version.pk,
    )


def _has_edges(stretches: Sequence[Period]) -> bool:
    """Whether a bound lies inside a quarter hour. Mostly none does, and no events need to be looked up."""
    return any(quarter(at) != at for each in stretches for at in (each.start, each.end))


def _pending(version: MeterVersion, definition: MeterDefinition, by: By) -> Fragment:
    """What the buckets do not have yet. Events of the edges are left out where the edges are read raw."""
    kind = contributions.kind(definition.aggregation)
    events = sources.uncounted_yet(
        event_type=definition.event_type, epoch=version.epoch, is_built=version.is_built
    )
    stretches = PIECE if kind.keeps_intervals else WHOLE
    return kind.clipped(kind.contributions(definition, events), stretches, by.of_contribution())


def _edges(version: MeterVersion, definition: MeterDefinition, by: By) -> Fragment:
    kind = contributions.kind(definition.aggregation)
    if kind.keeps_intervals:
        return kind.clipped(Fragment(KEPT_INTERVALS), EDGE, by.of_series("c"))
    events = sources.of_edges(event_type=definition.event_type, version=version.pk)
    return kind.clipped(kind.contributions(definition, events), EDGE, by.of_contribution())
