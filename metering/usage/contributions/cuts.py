"""SQL that tells in which window of time something lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metering.periods import EPOCH, MICROSECOND, QUARTER_HOUR, Period
from metering.usage.contributions.fragments import Fragment, sql

# One row of each stretch ``t`` for each window that the contribution ``c`` shares time with in it.
WINDOWS_OF_INTERVAL = """
    cross join lateral (
        select place, greatest(t.start_us, ({starts}::bigint[])[place]) as start_us,
            least(t.end_us, ({starts}::bigint[])[place + 1]) as end_us
        from generate_series(
            width_bucket(greatest(c.start_us, t.start_us), {starts}::bigint[]),
            width_bucket(least(c.counted_us, t.end_us - 1), {starts}::bigint[])
        ) place
    ) w"""
UNCUT_INTERVAL = "cross join lateral (select t.place, t.start_us, t.end_us) w"


@dataclass(frozen=True, slots=True)
class Cut:
    """The windows by which usage is told apart: in order, without gaps, holding all that is asked for.

    Without any, usage has the place that its stretch of time ``t`` brings along.
    """

    windows: Sequence[Period] = ()

    @property
    def is_into_quarters(self) -> bool:
        """Whether each window is one quarter hour, so that no two buckets lie in one."""
        return bool(self.windows) and all(each.end - each.start == QUARTER_HOUR for each in self.windows)

    def place(self, at: str) -> Fragment:
        """The place of the window, from 1, that holds the instant in the column."""
        if not self.windows:
            return Fragment("t.place")
        starts = [each.start for each in self.windows]
        return sql("width_bucket({at}, {starts}::timestamptz[])", at=Fragment(at), starts=starts)

    def of_interval(self) -> Fragment:
        """A join of ``c`` and ``t`` with what both share with windows: ``w``, of place, start_us, end_us."""
        if not self.windows:
            return Fragment(UNCUT_INTERVAL)
        starts = [(each.start - EPOCH) // MICROSECOND for each in self.windows]
        return sql(WINDOWS_OF_INTERVAL, starts=starts)
