"""SQL for what counts at the instant of its event: a quantity there, and nowhere else.

A contribution is a row ``key, time, subject, dimensions, at, quantity, reason``.
"""

from __future__ import annotations

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import values
from metering.usage.contributions.fragments import Fragment, sql


def read(
    definition: MeterDefinition, events: Fragment, *, quantity: Fragment, refused: list[Fragment]
) -> Fragment:
    """The contributions of the events: `quantity` is read from the row ``e``, `refused` are its reasons."""
    return sql(
        """select e.key, e.time, e.subject, e.dimensions, e.time as at, {quantity} as quantity,
            {reason} as reason
        from ({matched}) e""",
        quantity=quantity,
        reason=values.first_reason([*refused, *values.refused_dimensions(definition)]),
        matched=values.matched(definition, events),
    )


def buckets(contributed: Fragment) -> Fragment:
    """The contributions added up by quarter hour: ``subject, dimensions, start, quantity, count``."""
    return sql(
        """select subject, dimensions, date_bin('15 minutes', at, timestamptz '2000-01-01 00:00Z') as start,
            sum(quantity) as quantity, count(*) as count
        from {contributed} c where reason is null
        group by 1, 2, 3""",
        contributed=contributed,
    )


def clipped(contributed: Fragment, stretches: Fragment, by: Fragment) -> Fragment:
    """What falls into stretches (``subject, place, start, end``): ``place, combination, quantity, count``."""
    return sql(
        """select t.place, {by} as combination, c.quantity, 1 as count
        from ({contributed}) c
        join {stretches} t on t.subject = c.subject and c.at >= t.start and c.at < t."end"
        where c.reason is null""",
        by=by,
        contributed=contributed,
        stretches=stretches,
    )
