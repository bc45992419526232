"""Instants, periods, and the local bounds of time."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering import periods
from metering.periods import InstantInvalid, Period, parse_instant, parse_time_value


def at(text: str) -> datetime:
    return parse_instant(text)


class TestPeriod:
    def test_is_half_open(self):
        october = Period(at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"))
        assert october.contains(at("2026-10-01T00:00:00Z"))
        assert october.contains(at("2026-10-31T23:59:59.999999Z"))
        assert not october.contains(at("2026-11-01T00:00:00Z"))

    def test_refuses_a_naive_bound(self):
        with pytest.raises(ValueError, match="time zone"):
            Period(datetime(2026, 10, 1), at("2026-11-01T00:00:00Z"))  # noqa: DTZ001

    def test_refuses_an_end_before_the_start(self):
        with pytest.raises(ValueError, match="before it starts"):
            Period(at("2026-11-01T00:00:00Z"), at("2026-10-01T00:00:00Z"))

    def test_may_be_empty(self):
        empty = Period(at("2026-10-01T00:00:00Z"), at("2026-10-01T00:00:00Z"))
        assert empty.is_empty
        assert not empty.contains(empty.start)

    def test_is_kept_in_utc(self):
        tokyo = timezone(timedelta(hours=9))
        period = Period(datetime(2026, 10, 1, 9, tzinfo=tokyo), datetime(2026, 10, 2, 9, tzinfo=tokyo))
        assert period == Period(at("2026-10-01T00:00:00Z"), at("2026-10-02T00:00:00Z"))
        assert period.start.tzinfo is UTC

    def test_knows_its_exact_seconds(self):
        assert Period(at("2026-10-01T00:00:00.000001Z"), at("2026-10-01T00:00:01Z")).seconds == Fraction(
            999_999, 10**6
        )

    def test_intersects_where_time_is_shared(self):
        morning = Period(at("2026-10-01T06:00:00Z"), at("2026-10-01T12:00:00Z"))
        noon = Period(at("2026-10-01T11:00:00Z"), at("2026-10-01T13:00:00Z"))
        assert morning.intersect(noon) == Period(at("2026-10-01T11:00:00Z"), at("2026-10-01T12:00:00Z"))

    def test_shares_nothing_with_its_successor(self):
        first = Period(at("2026-10-01T00:00:00Z"), at("2026-10-02T00:00:00Z"))
        second = Period(at("2026-10-02T00:00:00Z"), at("2026-10-03T00:00:00Z"))
        assert first.intersect(second) is None

    def test_has_an_exact_share_of_a_month(self):
        month = periods.month_period(2026, 10)
        assert Period(month.start, at("2026-10-18T00:00:00Z")).share_of(month) == Fraction(17, 31)

    def test_has_no_share_of_an_empty_period(self):
        day = at("2026-10-01T00:00:00Z")
        with pytest.raises(ValueError, match="no shares"):
            Period(day, day).share_of(Period(day, day))


class TestParseInstant:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-10-01T00:00:00Z", datetime(2026, 10, 1, tzinfo=UTC)),
            ("2026-10-01t02:00:00+02:00", datetime(2026, 10, 1, tzinfo=UTC)),
            ("2026-09-30 18:30:00-05:30", datetime(2026, 10, 1, tzinfo=UTC)),
            ("2026-10-31T23:59:59.9999999Z", datetime(2026, 10, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
            ("2026-10-31T23:59:59.5Z", datetime(2026, 10, 31, 23, 59, 59, 500_000, tzinfo=UTC)),
        ],
    )
    def test_cuts_to_microseconds_in_utc(self, text, expected):
        assert parse_instant(text) == expected

    @pytest.mark.parametrize(
        "text",
        [
            "2026-10-01",
            "2026-10-01T00:00:00",
            "2026-10-01T24:00:00Z",
            "2026-10-01T00:00:60Z",
            "2026-02-29T00:00:00Z",
            "2026-10-01T00:00:00+24:00",
            "0001-01-01T00:00:00+14:00",
            "２０２６-10-01T00:00:00Z",
            " 2026-10-01T00:00:00Z",
            "2026-10-01T00:00:00Z\n",
            "yesterday",
        ],
    )
    def test_refuses(self, text):
        with pytest.raises(InstantInvalid):
            parse_instant(text)

    def test_takes_a_naive_text_as_utc_where_asked(self):
        assert parse_instant("2020-05-14 18:15:46.6805900", naive_is_utc=True) == datetime(
            2020, 5, 14, 18, 15, 46, 680_590, tzinfo=UTC
        )

    @given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
    @settings(deadline=None)
    def test_reads_what_format_instant_writes(self, moment):
        assert parse_instant(periods.format_instant(moment)) == moment


class TestParseTimeValue:
    @pytest.mark.parametrize(
        "value",
        [
            1_790_812_800,
            Decimal("1790812800"),
            "1790812800",
            "1790812800.0",
            "2026-10-01T00:00:00",
            "2026-10-01T00:00:00Z",
        ],
    )
    def test_takes_rfc_3339_and_unix_seconds(self, value):
        assert parse_time_value(value) == datetime(2026, 10, 1, tzinfo=UTC)

    def test_cuts_unix_seconds_to_microseconds(self):
        assert parse_time_value("1790812800.9999999") == datetime(2026, 10, 1, 0, 0, 0, 999_999, tzinfo=UTC)

    @pytest.mark.parametrize("value", [True, None, 1.5, [], "noon", "1_000", "1e18", 10**15])
    def test_refuses(self, value):
        with pytest.raises(InstantInvalid):
            parse_time_value(value)


class TestFormatInstant:
    def test_has_a_fraction_only_when_there_is_one(self):
        assert periods.format_instant(datetime(2026, 10, 1, tzinfo=UTC)) == "2026-10-01T00:00:00Z"
        assert (
            periods.format_instant(datetime(2026, 10, 1, 0, 0, 0, 250_000, tzinfo=UTC))
            == "2026-10-01T00:00:00.25Z"
        )

    def test_is_in_utc(self):
        assert (
            periods.format_instant(datetime(2026, 10, 1, tzinfo=ZoneInfo("Europe/Berlin")))
            == "2026-09-30T22:00:00Z"
        )


class TestMidnight:
    @pytest.mark.parametrize(
        ("day", "zone", "expected"),
        [
            (date(2026, 10, 1), "UTC", "2026-10-01T00:00:00Z"),
            (date(2026, 7, 1), "Europe/Berlin", "2026-06-30T22:00:00Z"),
            (date(2026, 7, 1), "Asia/Kolkata", "2026-06-30T18:30:00Z"),
            # clocks jump from 00:00 to 01:00: the day begins at 01:00, which is the same instant
            (date(2023, 4, 28), "Africa/Cairo", "2023-04-27T22:00:00Z"),
            (date(2024, 9, 8), "America/Santiago", "2024-09-08T04:00:00Z"),
            # clocks go back from 01:00 to 00:00: midnight comes twice, the first counts
            (date(2024, 11, 3), "America/Havana", "2024-11-03T04:00:00Z"),
            # clocks go back at 00:00 to 23:00: midnight comes once, an hour later
            (date(2018, 2, 18), "America/Sao_Paulo", "2018-02-18T03:00:00Z"),
            # 30 December 2011 does not exist in Samoa
            (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00:00Z"),
            (date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00:00Z"),
        ],
    )
    def test_is_the_first_instant_of_the_date(self, day, zone, expected):
        assert periods.midnight(day, zone) == at(expected)

    def test_of_a_gap_that_begins_before_midnight_is_its_end(self):
        # Toronto 1919: clocks jumped from 23:30 to 00:30
        first = periods.midnight(date(1919, 3, 31), "America/Toronto")
        assert first == at("1919-03-31T04:30:00Z")

    def test_refuses_an_unknown_zone(self):
        with pytest.raises(periods.ZoneUnknown):
            periods.midnight(date(2026, 1, 1), "Europe/Atlantis")


class TestQuarter:
    def test_is_floored(self):
        assert periods.quarter(at("2026-10-01T10:14:59.999999Z")) == at("2026-10-01T10:00:00Z")
        assert periods.quarter(at("2026-10-01T10:15:00Z")) == at("2026-10-01T10:15:00Z")


class TestHourWindow:
    @pytest.mark.parametrize(
        ("zone", "start", "end"),
        [
            ("UTC", "2026-10-01T10:00:00Z", "2026-10-01T11:00:00Z"),
            ("Asia/Kolkata", "2026-10-01T09:30:00Z", "2026-10-01T10:30:00Z"),
            ("Asia/Kathmandu", "2026-10-01T10:15:00Z", "2026-10-01T11:15:00Z"),
        ],
    )
    def test_is_the_local_hour(self, zone, start, end):
        assert periods.hour_window(at("2026-10-01T10:20:00Z"), zone) == Period(at(start), at(end))

    def test_of_a_repeated_hour_is_one_of_two(self):
        first = periods.hour_window(at("2026-10-25T00:30:00Z"), "Europe/Berlin")
        second = periods.hour_window(at("2026-10-25T01:30:00Z"), "Europe/Berlin")
        assert first == Period(at("2026-10-25T00:00:00Z"), at("2026-10-25T01:00:00Z"))
        assert second == Period(at("2026-10-25T01:00:00Z"), at("2026-10-25T02:00:00Z"))

    def test_is_cut_where_clocks_move_by_half_an_hour(self):
        # Lord Howe, 5 April 2026: at 15:00 UTC clocks go back from 02:00 to 01:30
        before = periods.hour_window(at("2026-04-04T14:59:00Z"), "Australia/Lord_Howe")
        after = periods.hour_window(at("2026-04-04T15:10:00Z"), "Australia/Lord_Howe")
        assert before == Period(at("2026-04-04T14:00:00Z"), at("2026-04-04T15:00:00Z"))
        assert after == Period(at("2026-04-04T15:00:00Z"), at("2026-04-04T15:30:00Z"))


class TestDayWindow:
    @pytest.mark.parametrize(
        ("moment", "hours"), [("2026-03-29T12:00:00Z", 23), ("2026-10-25T12:00:00Z", 25)]
    )
    def test_is_as_long_as_the_local_day(self, moment, hours):
        assert periods.day_window(at(moment), "Europe/Berlin").seconds == hours * 3600

    def test_is_decided_by_bounds_where_clocks_go_back_over_midnight(self):
        # St. John's, 7 November 2010: at 00:01 clocks went back to 23:01 of the day before
        second_evening = at("2010-11-07T03:00:00Z")
        assert second_evening.astimezone(ZoneInfo("America/St_Johns")).date() == date(2010, 11, 6)
        assert periods.day_window(second_evening, "America/St_Johns").start == at("2010-11-07T02:30:00Z")


class TestNthPeriod:
    def test_counts_months_from_the_anchor(self):
        starts = [periods.nth_period(date(2026, 1, 31), n, "MONTH", 1, "UTC").start.date() for n in range(4)]
        assert starts == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]

    @pytest.mark.parametrize(
        ("interval", "count", "n", "start", "end"),
        [
            ("DAY", 1, 1, "2026-10-02", "2026-10-03"),
            ("WEEK", 2, 1, "2026-10-15", "2026-10-29"),
            ("MONTH", 1, -1, "2026-09-01", "2026-10-01"),
            ("QUARTER", 1, 1, "2027-01-01", "2027-04-01"),
            ("YEAR", 1, 2, "2028-10-01", "2029-10-01"),
        ],
    )
    def test_knows_each_interval(self, interval, count, n, start, end):
        period = periods.nth_period(date(2026, 10, 1), n, interval, count, "UTC")
        assert (period.start.date().isoformat(), period.end.date().isoformat()) == (start, end)

    def test_is_local(self):
        period = periods.nth_period(date(2026, 10, 1), 0, "MONTH", 1, "Europe/Berlin")
        assert period == Period(at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z"))

    def test_of_the_29th_of_february(self):
        period = periods.nth_period(date(2024, 2, 29), 1, "YEAR", 1, "UTC")
        assert period.start == at("2025-02-28T00:00:00Z")
        assert period.end == at("2026-02-28T00:00:00Z")

    @given(
        st.dates(date(1990, 1, 1), date(2060, 1, 1)),
        st.integers(-50, 50),
        st.sampled_from(periods.INTERVALS),
        st.integers(1, 12),
        st.sampled_from(["UTC", "Europe/Berlin", "Africa/Cairo", "America/Santiago", "Asia/Kathmandu"]),
    )
    @settings(deadline=None)
    def test_follows_on_without_gap_or_overlap(self, anchor, n, interval, count, zone):
        one = periods.nth_period(anchor, n, interval, count, zone)
        assert one.end == periods.nth_period(anchor, n + 1, interval, count, zone).start


class TestCalendarAnchor:
    @pytest.mark.parametrize(
        ("interval", "expected"),
        [
            ("DAY", "2026-11-19"),
            ("WEEK", "2026-11-16"),
            ("MONTH", "2026-11-01"),
            ("QUARTER", "2026-10-01"),
            ("YEAR", "2026-01-01"),
        ],
    )
    def test_is_the_start_of_the_calendar_period(self, interval, expected):
        assert periods.calendar_anchor(date(2026, 11, 19), interval).isoformat() == expected
