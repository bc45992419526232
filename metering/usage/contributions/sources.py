"""Which events are read: SQL that selects rows ``key, time, type, source, event_id, subject, data``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from metering.usage.contributions.fragments import Fragment, sql


def of_batches(batch_ids: Sequence[int], *, time_min: datetime, time_max: datetime) -> Fragment:
    """The events of batches; all their times lie in [time_min, time_max], which names the partitions."""
    return sql(
        """select key, time, type, source, event_id, subject, data from metering_event
        where batch_id = any({batch_ids}::bigint[]) and time between {time_min} and {time_max}""",
        batch_ids=list(batch_ids),
        time_min=time_min,
        time_max=time_max,
    )


IN_SPAN = Fragment(" and subject in (select subject from span)")
OF_EVERYBODY = Fragment("")


def uncounted_yet(*, event_type: str, epoch: int, is_built: bool, of: Fragment = IN_SPAN) -> Fragment:
    """The events of one type whose batch was not rolled up with a meter version of that epoch.

    These are the pending batches; for a version that is not built yet also those rolled up before it. Only
    events of subjects in the table ``span``, unless they are ``of`` everybody.
    """
    behind = Fragment("") if is_built else sql(" or b.rolled_epoch < {epoch}", epoch=epoch)
    return sql(
        """select e.* from metering_eventbatch b
        cross join lateral (
            select key, time, type, source, event_id, subject, data from metering_event
            where batch_id = b.id and time between b.time_min and b.time_max and type = {event_type}{of}
            offset 0
        ) e
        where b.rolled_epoch is null{behind}""",
        behind=behind,
        of=of,
        event_type=event_type,
    )


def of_edges(*, event_type: str, version: int) -> Fragment:
    """The events of one type, rolled up or not, whose time lies in an edge: a row of the table ``edge``.

    Without those that the meter version has set aside.
    """
    return sql(
        """select e.* from (select distinct start, "end" from edge) t
        cross join lateral (
            select key, time, type, source, event_id, subject, data from metering_event
            where time >= t.start and time < t."end" and type = {event_type}
            offset 0
        ) e
        where {counted}""",
        event_type=event_type,
        counted=not_set_aside(version),
    )


def not_set_aside(version: int) -> Fragment:
    """Whether the meter version has not set the event ``e`` aside."""
    return sql(
        """not exists (
            select from metering_uncountedevent u
            where u.meter_version_id = {version} and u.key = e.key and u.is_set_aside
        )""",
        version=version,
    )
