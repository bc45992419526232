"""The one SQL statement that answers what a meter measured.

One statement sees one snapshot: a roll-up that commits meanwhile cannot make a batch count twice (as pending
and as rolled up) or not at all. Rows are of two kinds: usage ``(true, values of the dimensions, place of the
window, quantity, count)`` and revisions ``(false, [subject, month], null, revision, null)``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from metering.documents.meter import MeterDefinition
from metering.models import MeterVersion
from metering.periods import Period, quarter
from metering.usage import contributions
from metering.usage.contributions import sources
from metering.usage.contributions.cuts import Cut
from metering.usage.contributions.fragments import Fragment, joined, sql
from metering.usage.dimensions import By, Only

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
    where meter_version_id = {version} and subject in (select subject from span){only}
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
    select b.place, {by} as combination, t.is_before, b.quantity, b.count, b.latest, null::uuid as value
    from whole t
    join series s on s.subject = t.subject
    cross join lateral (
        select {place} as place, {together} from metering_usagebucket
        where series_id = s.id and start >= t.start and start < t."end"{by_place}
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
    select v.place, {by} as combination, t.is_before, null::numeric as quantity, v.count,
        null::metering_moment as latest, v.value
    from whole t
    join series s on s.subject = t.subject
    cross join lateral (
        select {place} as place, value, sum(count)::bigint as count from metering_usagevalue
        where series_id = s.id and start >= t.start and start < t."end" group by 1, value
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

# By subject first: the counters of all others are many times as many.
REVISIONS = """
    select false, array[v.subject, to_char(v.month, 'YYYY-MM')], null::integer, v.revision::numeric,
        null::numeric
    from (select distinct subject from span) p
    join metering_usagerevision v on v.meter_version_id = {version} and v.subject = p.subject
    where exists (
        select from span s where s.subject = v.subject
            and ({is_carried} or v.month >= date_trunc('month', s.start at time zone 'UTC')::date)
            and v.month < s."end" at time zone 'UTC'
    )
"""


def build(
    *,
    version: MeterVersion,
    definition: MeterDefinition,
    spans: Sequence[tuple[str, Period]],
    by: Sequence[str],
    only: Mapping[str, Collection[str]],
    windows: Sequence[Period] | None,
    carried: Period | None,
) -> Fragment:
    """The statement. `windows` are those that cut the spans, in order; None: the spans stay whole.

    `carried`: the time before the billing period from which the meter carries over, only without windows.
    The spans of one subject may not overlap.
    """
    # Windows of whole quarter hours need no stretches of their own: each bucket lies in one of them.
    cuts = list(windows or ())
    is_cut_inside = _has_edges(cuts)
    asked = _Asked(
        version=version,
        definition=definition,
        by=By(definition, by),
        only=Only(definition, only),
        cut=Cut(() if is_cut_inside else cuts),
    )
    parts = [*asked.stored(), asked.pending()]
    if is_cut_inside or _has_edges([period for _, period in spans] + ([carried] if carried else [])):
        parts.append(asked.edges())
    return sql(
        """{stretches}
        select true, combination, place, {answer},
            coalesce(sum(count) filter (where not is_before), 0)::numeric
        from ({parts}) parts(place, combination, is_before, quantity, count, latest, value)
        group by combination, place
        union all {revisions}""",
        stretches=_stretches(asked, spans, cuts if is_cut_inside else None, carried),
        answer=Fragment(asked.kind.answer(definition)),
        parts=joined("\n    union all\n", parts),
        revisions=sql(REVISIONS, version=version.pk, is_carried=carried is not None),
    )


@dataclass(frozen=True)
class _Asked:
    """What is asked for, and the parts of the answer."""

    version: MeterVersion
    definition: MeterDefinition
    by: By
    only: Only
    cut: Cut

    @property
    def kind(self) -> contributions.Kind:
        return contributions.kind(self.definition.aggregation)

    def stored(self) -> list[Fragment]:
        """What the roll-up keeps of the whole quarter hours."""
        kind, combination, place = self.kind, self.by.of_series("s"), self.cut.place("start")
        if kind.keeps_values:
            return [sql(VALUES, by=combination, place=place)]
        columns = {
            "by": combination,
            "place": place,
            "together": kind.in_buckets(self.definition),
            "by_place": Fragment(" group by 1" if self.cut.windows else ""),
        }
        if self.cut.is_into_quarters:
            columns |= {"together": Fragment("quantity, count, latest"), "by_place": Fragment("")}
        if not kind.keeps_latest(self.definition):
            return [sql(BUCKETS, **columns, inside=Fragment(""))]
        inside = sql(BUCKETS, **columns, inside=Fragment(" and not t.is_before"))
        return [inside, sql(LAST_BUCKETS, by=combination)]

    def pending(self) -> Fragment:
        """What the buckets do not have yet. Events of the edges are left out where the edges are read raw."""
        events = sources.uncounted_yet(
            event_type=self.definition.event_type,
            epoch=self.version.epoch,
            is_built=self.version.is_built,
        )
        return self._clipped(events, PIECE if self.kind.keeps_intervals else WHOLE)

    def edges(self) -> Fragment:
        if self.kind.keeps_intervals:
            return self.kind.clipped(Fragment(KEPT_INTERVALS), EDGE, self.by.of_series("c"), self.cut)
        events = sources.of_edges(event_type=self.definition.event_type, version=self.version.pk)
        return self._clipped(events, EDGE)

    def _clipped(self, events: Fragment, stretches: Fragment) -> Fragment:
        contributed = self.only.of_contributions(self.kind.contributions(self.definition, events))
        return self.kind.clipped(contributed, stretches, self.by.of_contribution(), self.cut)


def _stretches(
    asked: _Asked,
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
        version=asked.version.pk,
        only=asked.only.of_series(),
    )


def _has_edges(stretches: Sequence[Period]) -> bool:
    """Whether a bound lies inside a quarter hour. Mostly none does, and no events need to be looked up."""
    return any(quarter(at) != at for each in stretches for at in (each.start, each.end))
