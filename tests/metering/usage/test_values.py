"""The functions by which SQL reads an event's data equal those of the measures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from metering import periods
from metering.measures import events as measures
from tests.world import events
from tests.world.happenings import ABSENT, INSTANTS, NUMBERS, WORDS

pytestmark = pytest.mark.django_db

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
DIGITS = st.text("0123456789.eE+-: TZ", max_size=30)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
    | ANY_TEXT
    | DIGITS
    | INSTANTS
    | WORDS
    | NUMBERS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(ANY_TEXT, inner, max_size=2),
    max_leaves=4,
)
EVERY = settings(max_examples=300, deadline=None)


def ask(expression: str, *params: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"select {expression}", params)
        return cursor.fetchone()[0]


def as_json(value: Any) -> str | None:
    return None if value is ABSENT else events.dumps(value)


def plain(value: Any) -> Any:
    """What a decoder makes of it: nothing where it is absent at any depth."""
    return None if value is ABSENT else value


def has_absent(value: Any) -> bool:
    each = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(one is ABSENT or has_absent(one) for one in each)


class TestNumber:
    @EVERY
    @given(ANYTHING.filter(lambda value: not has_absent(value)))
    def test_equals_the_measures(self, value):
        assert ask("metering_number(%s::jsonb)", as_json(value)) == measures.number(plain(value))

    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ("1", Decimal(1)),
            ('"1e-05"', Decimal("0.00001")),
            ('"1_000"', None),
            ('" 1"', None),
            ('"+1"', None),
            ('"１２"', None),
            ('"1\\n"', None),
            ("true", None),
            ("null", None),
            ("{}", None),
            ('"-0"', Decimal(0)),
        ],
    )
    def test_follows_the_grammar(self, written, number):
        assert ask("metering_number(%s::jsonb)", written) == number

    @pytest.mark.parametrize(
        ("number", "kept"),
        [
            ("99999999999999999999", True),
            ("100000000000000000000", False),
            ("0.000000000000000001", True),
            ("0.0000000000000000001", False),
            ("0.1000000000000000000000", True),
        ],
    )
    def test_is_bounded_at_20_and_18_digits(self, number, kept):
        assert ask("metering_bounded(%s::numeric) is not null", number) is kept


class TestWord:
    @EVERY
    @given(ANYTHING.filter(lambda value: not has_absent(value)))
    def test_equals_the_measures(self, value):
        word = measures.word(plain(value))
        short = word if word is not None and len(word.encode()) <= 200 else None
        answer = ask(
            "array[metering_word(%s::jsonb), metering_text(%s::jsonb)]", as_json(value), as_json(value)
        )
        assert answer == [word, short]


class TestInstant:
    @EVERY
    @given(ANYTHING.filter(lambda value: not has_absent(value)))
    def test_equals_the_measures(self, value):
        try:
            expected = periods.microseconds_between(periods.EPOCH, periods.parse_time_value(plain(value)))
        except periods.InstantInvalid:
            expected = None
        assert ask("metering_instant(%s::jsonb)", as_json(value)) == expected

    @pytest.mark.parametrize(
        ("written", "instant"),
        [
            ("2026-10-31T23:59:59.9999999Z", datetime(2026, 10, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
            ("2026-11-01 00:30:00+02:00", datetime(2026, 10, 31, 22, 30, tzinfo=UTC)),
            ("2024-02-29T00:00:00", datetime(2024, 2, 29, tzinfo=UTC)),
            ("1900-02-29T00:00:00Z", None),
            ("2026-10-01T24:00:00Z", None),
            ("2026-10-01T00:00:60Z", None),
            ("0001-01-01T00:00:00+14:00", None),
            ("9999-12-31T23:59:59-00:01", None),
            ("1790812800.1234567", datetime(2026, 10, 1, 0, 0, 0, 123_456, tzinfo=UTC)),
            ("-0.0000019", datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
            ("253402300800", None),
        ],
    )
    def test_cuts_and_refuses(self, written, instant):
        expected = instant and (instant - periods.EPOCH) // timedelta(microseconds=1)
        assert ask("metering_instant(to_jsonb(%s::text))", written) == expected

    @EVERY
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_comes_back_from_microseconds(self, at):
        since = (at - periods.EPOCH) // timedelta(microseconds=1)
        quarter = (periods.quarter(at) - periods.EPOCH) // timedelta(minutes=15)
        answer = ask(
            "(metering_at(%s), metering_microseconds(%s), metering_quarter(%s)) = (%s::timestamptz, %s, %s)",
            since,
            at,
            since,
            at,
            since,
            quarter,
        )
        assert answer is True


class TestSlots:
    @pytest.mark.parametrize(
        ("quantity", "minimum", "increment", "slots"),
        [
            ("0", "60", None, "60"),
            ("61", "60", None, "61"),
            ("0", None, "60", "0"),
            ("0", "60", "60", "60"),
            ("60", "60", "60", "60"),
            ("60.000000000000000001", None, "60", "120"),
            ("100", "90", "60", "120"),
            ("10000000000000000000.000000000000000001", None, "10000000000000000000", "20000000000000000000"),
        ],
    )
    def test_round_up_exactly(self, quantity, minimum, increment, slots):
        answer = ask("metering_slots(%s::numeric, %s::numeric, %s::numeric)", quantity, minimum, increment)
        assert answer == Decimal(slots)


class TestFunctions:
    def test_are_put_in_line_by_the_planner(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "explain (verbose, costs off) select metering_number(data -> 'a' -> 'b'),"
                " metering_text(data -> 'a'), metering_word(data -> 'a') from metering_event"
            )
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "metering_number" not in plan
        assert "metering_text" not in plan
        assert "metering_word" not in plan
