"""Times that are written in the usual form are read on a way of their own: it must lead to the same place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from metering import ingesting, periods
from tests.metering.ingesting.facts import draft, screened

YEARS = st.integers(1999, 2031).map("{:04}".format)
TWO_DIGITS = st.integers(0, 69).map("{:02}".format)
FRACTIONS = st.from_regex(r"\A(\.[0-9]{1,9})?\Z")
TEXTS = st.builds(
    "{}-{}-{}T{}:{}:{}{}{}".format,
    YEARS,
    st.integers(0, 13).map("{:02}".format),
    st.integers(0, 32).map("{:02}".format),
    st.integers(0, 25).map("{:02}".format),
    TWO_DIGITS,
    TWO_DIGITS,
    FRACTIONS,
    st.sampled_from(["Z", "Z", "z", "", "+00:00", "+05:30", "Z ", "\n"]),
)


class TestTimes:
    @given(TEXTS)
    @example("2024-02-29T23:59:59.999999Z")
    @example("2023-02-29T00:00:00Z")
    @example("2024-02-29T24:00:00Z")
    @example("2024-02-29T23:59:60Z")
    @example("2024-W09-4T10:00:00Z")
    @example("2024-02-29T10:00:00,5Z")
    @example("２０２４-02-29T10:00:00Z")
    def test_are_those_that_every_form_is_read_to(self, text):
        [outcome] = screened(draft(time=text), at=datetime(2040, 1, 1, tzinfo=UTC))
        try:
            at = periods.parse_instant(text, naive_is_utc=True)
        except periods.InstantInvalid:
            assert isinstance(outcome, ingesting.Refusal)
            assert outcome.code == "invalid"
            return
        if at < datetime(2000, 1, 1, tzinfo=UTC):
            assert isinstance(outcome, ingesting.Refusal)
            assert outcome.code == "time"
            return
        assert isinstance(outcome, ingesting.Fact)
        assert outcome.time == periods.microseconds_between(periods.EPOCH, at)

    @pytest.mark.parametrize(
        ("text", "microseconds"),
        [
            ("2000-01-01T00:00:00Z", 946_684_800_000_000),
            ("2000-01-01T00:00:00.1Z", 946_684_800_100_000),
            ("2000-01-01T00:00:00.000001Z", 946_684_800_000_001),
            ("2000-01-01T00:00:00.0000019Z", 946_684_800_000_001),
        ],
    )
    def test_are_microseconds_since_1970(self, text, microseconds):
        [fact] = screened(draft(time=text))
        assert fact.time == microseconds
