"""SQL for what counts at the instant of its event: a quantity there, and nowhere else.

A contribution is a row ``key, time, subject, dimensions, at, quantity, latest, value, reason``: ``latest`` is
the quantity with its event's place in the order of all events, ``value`` the hash of a text, each null where
the aggregation has no use for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from metering.documents.meter import MeterDefinition
from metering.usage.contributions import values
from metering.usage.contributions.cuts import Cut
from metering.usage.contributions.fragments import Fragment, sql

NO_LATEST, NO_VALUE = Fragment("null::metering_moment"), Fragment("null::uuid")


def moment(quantity: Fragment) -> Fragment:
    """A quantity of the event ``e`` with its place in the order of all events."""
    return sql("row(e.time, e.source, e.event_id, {quantity})::metering_moment", quantity=quantity)


def never(definition: MeterDefinition) -> bool:
    return False


def itself(definition: MeterDefinition, value: Fragment) -> Fragment:
    """The value of the formula as the quantity."""
    return value


def unread(definition: MeterDefinition, value: Fragment) -> list[Fragment]:
    """The reasons for which the formula has no value."""
    return list(values.refused_operands(definition, value))


@dataclass(frozen=True, slots=True)
class Points:
    """An aggregation of quantities of single events.

    ``gathered`` makes one of several quantities (of a group; ``{quantity}`` and ``{latest}`` are columns or
    expressions of its rows), ``merged`` of the stored one (``usage``) and a new one (``excluded``).
    ``quantity`` and ``refused`` read the event ``e``, with the value of the meter's formula in a column of
    its own. ``keeps_latest``: whether the last event of each quarter hour is kept. ``answer``: the quantity
    of all rows ``is_before, quantity, count, latest, value`` of a combination.
    """

    gathered: str
    merged: str
    answer: Callable[[MeterDefinition], str]
    quantity: Callable[[MeterDefinition, Fragment], Fragment] = itself
    refused: Callable[[MeterDefinition, Fragment], list[Fragment]] = unread
    keeps_latest: Callable[[MeterDefinition], bool] = never
    keeps_intervals: bool = False
    keeps_values: bool = False

    def contributions(self, definition: MeterDefinition, events: Fragment) -> Fragment:
        """What each event that the meter matches gives, at its time."""
        quantity = self.quantity(definition, values.VALUE)
        return read(
            definition,
            events,
            quantity=quantity,
            refused=self.refused(definition, values.VALUE),
            latest=moment(quantity) if self.keeps_latest(definition) else NO_LATEST,
        )

    def clipped(self, contributed: Fragment, stretches: Fragment, by: Fragment, cut: Cut) -> Fragment:
        return clipped(contributed, stretches, by, cut)

    def together(self, quantity: Fragment, latest: Fragment) -> Fragment:
        """The quantities of several rows as one, where `quantity` and `latest` are read from each."""
        return sql(self.gathered, quantity=quantity, latest=latest)

    def last(self, definition: MeterDefinition, latest: Fragment) -> Fragment:
        """The last of several rows, where it is kept."""
        return sql("metering_latest({latest})", latest=latest) if self.keeps_latest(definition) else NO_LATEST

    def in_buckets(self, definition: MeterDefinition) -> Fragment:
        """Several buckets together: ``quantity, count, latest``."""
        quantity, latest = Fragment("quantity"), Fragment("latest")
        return sql(
            "{quantity} as quantity, sum(count)::bigint as count, {latest} as latest",
            quantity=self.together(quantity, latest),
            latest=self.last(definition, latest),
        )


def read(
    definition: MeterDefinition,
    events: Fragment,
    *,
    quantity: Fragment,
    refused: list[Fragment],
    latest: Fragment = NO_LATEST,
    value: Fragment = NO_VALUE,
    also: Fragment = values.NONE,
) -> Fragment:
    """The contributions of the events, read from the row ``e``; `refused` are the reasons why not."""
    return sql(
        """select e.key, e.time, e.subject, e.dimensions, e.time as at, {quantity} as quantity,
            {latest} as latest, {value} as value, {reason} as reason
        from ({matched}) e""",
        quantity=quantity,
        latest=latest,
        value=value,
        reason=values.first_reason([*refused, *values.refused_dimensions(definition)]),
        matched=values.matched(definition, events, also=sql(", e.source, e.event_id{also}", also=also)),
    )


def clipped(contributed: Fragment, stretches: Fragment, by: Fragment, cut: Cut) -> Fragment:
    """What falls into stretches (``subject, place, is_before, start, end``): ``place, combination, is_before,
    quantity, count, latest, value``.
    """
    return sql(
        """select {place}, {by} as combination, t.is_before, c.quantity, 1 as count, c.latest, c.value
        from ({contributed}) c
        join {stretches} t on t.subject = c.subject and c.at >= t.start and c.at < t."end"
        where c.reason is null""",
        place=cut.place("c.at"),
        by=by,
        contributed=contributed,
        stretches=stretches,
    )
