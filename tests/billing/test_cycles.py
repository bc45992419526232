from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.cycles import Cycle


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


class TestHolding:
    def test_is_the_calendar_month_for_an_anchor_on_the_first(self):
        period = Cycle(date(2026, 1, 1), "MONTH", 1, "UTC").holding(utc(2026, 10, 15, 12))
        assert (period.start, period.end) == (utc(2026, 10, 1), utc(2026, 11, 1))

    def test_counts_from_the_anchor_so_that_the_31st_comes_back_after_february(self):
        cycle = Cycle(date(2026, 1, 31), "MONTH", 1, "UTC")
        assert cycle.holding(utc(2026, 2, 10)).end == utc(2026, 2, 28)
        assert cycle.holding(utc(2026, 2, 28)).end == utc(2026, 3, 31)
        assert cycle.holding(utc(2026, 3, 31)).start == utc(2026, 3, 31)

    def test_runs_from_midnight_to_midnight_of_the_zone_across_a_change_of_the_clock(self):
        period = Cycle(date(2026, 1, 1), "MONTH", 1, "Europe/Berlin").holding(utc(2026, 3, 15))
        assert (period.start, period.end) == (utc(2026, 2, 28, 23), utc(2026, 3, 31, 22))

    def test_reaches_back_before_the_anchor(self):
        period = Cycle(date(2026, 5, 4), "WEEK", 2, "UTC").holding(utc(2026, 5, 3, 23))
        assert (period.start, period.end) == (utc(2026, 4, 20), utc(2026, 5, 4))

    def test_begins_with_the_instant_of_its_start_and_is_over_at_its_end(self):
        cycle = Cycle(date(2026, 1, 1), "QUARTER", 1, "UTC")
        assert cycle.holding(utc(2026, 4, 1)).start == utc(2026, 4, 1)
        assert cycle.holding(utc(2026, 4, 1) - timedelta(microseconds=1)).end == utc(2026, 4, 1)

    @given(
        st.dates(date(2015, 1, 1), date(2030, 1, 1)),
        st.sampled_from(["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]),
        st.integers(1, 3),
        st.sampled_from(
            ["UTC", "Europe/Berlin", "Africa/Cairo", "America/Havana", "Pacific/Apia", "Asia/Kolkata"]
        ),
        st.timedeltas(timedelta(days=-2000), timedelta(days=3000)).map(lambda after: utc(2020, 1, 1) + after),
    )
    def test_leaves_no_gap_and_no_overlap(self, anchor, interval, count, zone, at):
        cycle = Cycle(anchor, interval, count, zone)
        period = cycle.holding(at)
        assert period.start <= at < period.end
        assert cycle.holding(period.end).start == period.end
        assert cycle.holding(period.start - timedelta(microseconds=1)).end == period.start


class TestStartFrom:
    @pytest.mark.parametrize(
        ("at", "expected"),
        [
            (utc(2026, 10, 1), utc(2026, 10, 1)),
            (utc(2026, 10, 1, 0, 0, 1), utc(2026, 11, 1)),
            (utc(2026, 10, 31, 23), utc(2026, 11, 1)),
        ],
    )
    def test_is_the_next_start_or_this_very_instant(self, at, expected):
        assert Cycle(date(2026, 1, 1), "MONTH", 1, "UTC").start_from(at) == expected
