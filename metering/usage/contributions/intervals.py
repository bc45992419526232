"""SQL for what lasts: a weight over an interval, and an excess at the one instant at which the event counts.

A contribution is a row ``key, time, subject, dimensions, start_us, end_us, counted_us, weight, excess,
reason`` with instants in microseconds since 1970. Quantities are value x microseconds.
"""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.measures.events import INTERVAL_DAYS_MAX
from metering.usage.contributions import values
from metering.usage.contributions.cuts import Cut
from metering.usage.contributions.fragments import Fragment, sql

DAY_US = 86_400_000_000


def read(definition: MeterDefinition, events: Fragment) -> Fragment:
    """The contributions of the events."""
    bounds = sql(
        ", metering_instant({start}) as start_us, metering_instant({end}) as end_us",
        start=values.at_path(definition.start),
        end=values.at_path(definition.end),
    )
    return sql(
        """select e.key, e.time, e.subject, e.dimensions, e.start_us, e.end_us,
            greatest(e.start_us, e.end_us - 1) as counted_us, e.value as weight, {excess} as excess,
            {reason} as reason
        from ({matched}) e""",
        excess=_excess(definition),
        reason=values.first_reason([*_refused(definition), *values.refused_dimensions(definition)]),
        matched=values.matched(definition, events, also=bounds),
    )


def _excess(definition: MeterDefinition) -> Fragment:
    if definition.minimum is None and definition.increment is None:
        return Fragment("0::numeric")
    minimum, increment = (
        None if seconds is None else seconds.scaleb(6)
        for seconds in (definition.minimum, definition.increment)
    )
    return sql(
        """e.value * (
            metering_slots((e.end_us - e.start_us)::numeric, {minimum}::numeric, {increment}::numeric)
            - (e.end_us - e.start_us)
        )""",
        minimum=minimum,
        increment=increment,
    )


def _refused(definition: MeterDefinition) -> list[Fragment]:
    start, end = definition.start, definition.end
    reasons = list(values.refused_operands(definition, values.VALUE))
    reasons.append(values.when(Fragment("e.value < 0"), "the value that multiplies the time is negative"))
    for path, column in ((start, "start_us"), (end, "end_us")):
        unread = Fragment(f"e.{column} is null")
        missing = sql("{unread} and {missing}", unread=unread, missing=values.is_missing(path))
        reasons.append(values.when(missing, f"{path} is missing"))
        reasons.append(values.when(unread, f"{path} is neither an instant nor Unix seconds"))
    reasons.append(values.when(Fragment("e.end_us < e.start_us"), f"{end} is before {start}"))
    longer = sql("e.end_us - e.start_us > {longest}", longest=INTERVAL_DAYS_MAX * DAY_US)
    reasons.append(values.when(longer, f"the interval is longer than {INTERVAL_DAYS_MAX} days"))
    return reasons


def buckets(contributed: Fragment) -> Fragment:
    """The contributions cut and added up by quarter hour: ``subject, dimensions, start, quantity, count``."""
    return sql(
        """select subject, dimensions, metering_at(quarter * 900000000) as start,
            sum(quantity) as quantity, sum(count)::bigint as count
        from (
            select c.subject, c.dimensions, q as quarter, 0 as count,
                c.weight * (least(c.end_us, (q + 1) * 900000000) - greatest(c.start_us, q * 900000000))
                    as quantity
            from {contributed} c
            cross join lateral generate_series(metering_quarter(c.start_us), metering_quarter(c.end_us - 1)) q
            where c.reason is null and c.end_us > c.start_us
            union all
            select c.subject, c.dimensions, metering_quarter(c.counted_us), 1, c.excess
            from {contributed} c where c.reason is null
        ) parts
        group by subject, dimensions, quarter""",
        contributed=contributed,
    )


def clipped(contributed: Fragment, stretches: Fragment, by: Fragment, cut: Cut) -> Fragment:
    """What falls into stretches (``subject, place, is_before, start, end``): ``place, combination, is_before,
    quantity, count, latest, value``.
    """
    return sql(
        """select w.place, {by} as combination, t.is_before,
            c.weight * greatest(least(c.end_us, w.end_us) - greatest(c.start_us, w.start_us), 0)
                + case when c.counted_us < w.end_us then c.excess else 0 end as quantity,
            case when c.counted_us < w.end_us then 1 else 0 end as count,
            null::metering_moment as latest, null::uuid as value
        from ({contributed}) c
        join (
            select subject, place, is_before, metering_microseconds(start) as start_us,
                metering_microseconds("end") as end_us
            from {stretches} offset 0
        ) t on t.subject = c.subject and c.start_us < t.end_us and c.counted_us >= t.start_us
        {windows}
        where c.reason is null""",
        by=by,
        contributed=contributed,
        stretches=stretches,
        windows=cut.of_interval(),
    )
