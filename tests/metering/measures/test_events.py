"""What an event contributes to a meter, or why not."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from metering.documents import meter
from metering.measures import events
from metering.measures.events import Contribution, Event, Unusable
from metering.periods import parse_instant

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def event(data, type="e", time=NOON):
    return Event("1", "s", type, "acme", time, data)


def definition(aggregation="SUM", **more):
    value = {} if aggregation in ("COUNT", "DURATION") else {"value": "n"}
    return meter.parse(
        {"slug": "m", "name": "M", "event_type": "e", "aggregation": aggregation, **value, **more}
    )


def value(data, **more):
    found = events.usable(definition(**more), event(data))
    assert isinstance(found, Contribution), found
    return found.value


def reason(data, aggregation="SUM", **more):
    found = events.usable(definition(aggregation, **more), event(data))
    assert isinstance(found, Unusable), found
    return found.reason


class TestWord:
    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (8, "8"),
            ("8", "8"),
            (Decimal("8.0"), "8"),
            (Decimal("1E+2"), "100"),
            (Decimal("-0"), "0"),
            (True, "true"),
            (False, "false"),
            (None, ""),
            ("", ""),
            ("8.0", "8.0"),
            ({}, None),
            ([1], None),
        ],
    )
    def test_is_text_by_one_rule(self, found, expected):
        assert events.word(found) == expected


class TestMatching:
    @pytest.mark.parametrize(
        ("where", "data", "expected"),
        [
            ({}, {}, True),
            ({"state": ["run"]}, {"state": "run"}, True),
            ({"state": ["run"]}, {"state": "idle"}, False),
            ({"state": ["run"]}, {}, False),
            ({"usage.tier": ["flex", "batch"]}, {"usage": {"tier": "batch"}}, True),
            ({"n": ["8"]}, {"n": Decimal("8.0")}, True),
            ({"ok": [True]}, {"ok": True}, True),
            ({"ok": [None]}, {}, True),
            ({"ok": [""]}, {"ok": {}}, False),
            ({"a.b": ["x"]}, {"a": "x"}, False),
        ],
    )
    def test_compares_texts_at_paths(self, where, data, expected):
        assert events.matching(definition("COUNT", where=where), event(data)) is expected

    def test_needs_the_type(self):
        assert not events.matching(definition("COUNT"), event({}, type="other"))


class TestValue:
    @pytest.mark.parametrize(
        ("formula", "data", "expected"),
        [
            ("n", {"n": 10}, "10"),
            ("n", {"n": "10.5"}, "10.5"),
            ("n", {"n": Decimal("1e-18")}, "1e-18"),
            ("n", {"n": -3}, "-3"),
            ("a.b", {"a": {"b": 7}}, "7"),
            ({"plus": ["i"], "minus": ["c", "w"]}, {"i": 10000, "c": 8000}, "2000"),
            ({"plus": ["i"], "minus": ["c"]}, {"i": 5, "c": None}, "5"),
            ({"plus": ["i"], "minus": ["c"]}, {"i": 5, "c": 5}, "0"),
            ({"plus": ["a", "b"]}, {"a": 1, "b": 2}, "3"),
            ({"times": ["gpus", "share"]}, {"gpus": 3, "share": "0.142857"}, "0.428571"),
            ({"times": ["gpus", "share"]}, {"gpus": 3}, "3"),
            ({"times": ["gpus", "share"]}, {}, "1"),
        ],
    )
    def test_is_a_path_or_a_formula(self, formula, data, expected):
        assert value(data, value=formula) == Decimal(expected)

    @pytest.mark.parametrize(
        ("formula", "data"),
        [
            ("n", {}),
            ("n", {"n": None}),
            ("n", {"n": "ten"}),
            ("n", {"n": True}),
            ("n", {"n": {}}),
            ("n", {"n": " 1"}),
            ("n", {"n": 10**20}),
            ("n", {"n": Decimal("1e-19")}),
            ({"plus": ["a", "b"]}, {"a": 1}),
            ({"plus": ["a"], "minus": ["b"]}, {"a": 1, "b": 2}),
            ({"plus": ["a"], "minus": ["b"]}, {"a": 1, "b": "x"}),
            ({"times": ["a", "b"]}, {"a": Decimal("1e-18"), "b": Decimal("0.1")}),
            ({"times": ["a", "b"]}, {"a": 10**19, "b": 10}),
        ],
    )
    def test_is_unusable(self, formula, data):
        assert reason(data, value=formula)

    def test_that_is_absent_is_nothing_to_count_where_the_meter_is_optional(self):
        optional = definition(optional=True)
        assert events.usable(optional, event({})) is None
        assert events.usable(optional, event({"n": None})) is None
        assert isinstance(events.usable(optional, event({"n": "ten"})), Unusable)

    @pytest.mark.parametrize("data", [{}, {"n": None}, {"n": ""}])
    def test_of_unique_is_absent_when_empty(self, data):
        assert reason(data, "UNIQUE")
        assert events.usable(definition("UNIQUE", optional=True), event(data)) is None


class TestMinimumAndIncrement:
    @pytest.mark.parametrize(
        ("found", "expected"),
        [(0, "60"), (59, "60"), (60, "60"), (61, "90"), ("90.000001", "120"), ("0.5", "60")],
    )
    def test_raise_a_sum(self, found, expected):
        assert value({"n": found}, minimum="60", increment="30") == Decimal(expected)

    def test_refuse_a_negative_value(self):
        assert "negative" in reason({"n": -30}, minimum="60")
        assert value({"n": -30}) == Decimal(-30)


class TestInterval:
    START = "2026-10-01T10:00:00Z"

    def interval(self, end, start=START, **more):
        found = events.usable(
            definition("DURATION", **more), event({"start": start, "end": end, **more.pop("data", {})})
        )
        assert isinstance(found, Contribution), found
        return found

    def test_has_no_excess_without_minimum_and_increment(self):
        found = self.interval("2026-10-01T11:00:00Z")
        assert (found.value, found.excess) == (1, 0)
        assert found.at == parse_instant("2026-10-01T10:59:59.999999Z")

    @pytest.mark.parametrize(
        ("end", "more", "excess_s"),
        [
            ("2026-10-01T10:00:30Z", {"minimum": "60"}, 30),
            ("2026-10-01T10:01:00Z", {"minimum": "60"}, 0),
            ("2026-10-01T10:01:01Z", {"minimum": "60"}, 0),
            ("2026-10-01T10:01:01Z", {"increment": "60"}, 59),
            ("2026-10-01T10:00:01Z", {"minimum": "90", "increment": "60"}, 119),
            ("2026-10-01T10:00:00Z", {"increment": "60"}, 0),
            ("2026-10-01T10:00:00Z", {"minimum": "60"}, 60),
        ],
    )
    def test_has_an_excess(self, end, more, excess_s):
        assert self.interval(end, **more).excess == excess_s * 10**6

    def test_excess_falls_into_the_month_of_the_last_microsecond(self):
        found = self.interval("2026-11-01T00:00:00Z", "2026-10-31T23:59:30Z", minimum="60")
        assert found.at == parse_instant("2026-10-31T23:59:59.999999Z")

    def test_excess_of_an_empty_interval_falls_at_its_start(self):
        assert self.interval("2026-10-01T10:00:00Z", minimum="60").at == parse_instant(self.START)

    def test_takes_unix_seconds_and_naive_times(self):
        found = self.interval("1790852400.5", "2026-10-01T10:00:00")
        assert found.end == parse_instant("2026-10-01T11:00:00.5Z")

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            ({"end": "2026-10-01T10:00:00Z"}, "start is missing"),
            ({"start": "2026-10-01T10:00:00Z", "end": "soon"}, "end: "),
            ({"start": "2026-10-01T10:00:00Z", "end": "2026-10-01T09:59:59Z"}, "end is before start"),
            ({"start": "2025-10-01T10:00:00Z", "end": "2026-10-02T10:00:00.000001Z"}, "longer than 366 days"),
            ({"start": True, "end": "2026-10-01T09:59:59Z"}, "start: "),
        ],
    )
    def test_is_unusable(self, data, why):
        assert why in reason(data, "DURATION")

    def test_of_366_days_is_usable(self):
        self.interval("2026-10-02T10:00:00Z", "2025-10-01T10:00:00Z")

    @pytest.mark.parametrize("gpus", [-1, "x", None])
    def test_refuses_a_multiplier_below_zero_or_absent(self, gpus):
        data = {"start": self.START, "end": "2026-10-01T11:00:00Z", "gpus": gpus}
        assert reason(data, "DURATION", value="gpus")


class TestDimensions:
    def of(self, data, **dimensions):
        found = events.usable(definition("COUNT", dimensions=dimensions), event(data))
        return dict(found.dimensions) if isinstance(found, Contribution) else found

    def test_are_texts(self):
        assert self.of({"m": "gpt", "n": Decimal("8.0")}, model="m", n="n", gone="x.y") == {
            "gone": "",
            "model": "gpt",
            "n": "8",
        }

    @pytest.mark.parametrize(
        ("tokens", "expected"),
        [
            (1, "<=128000"),
            (128000, "<=128000"),
            (Decimal("128000.5"), ">128000<=200000"),
            ("200000", ">128000<=200000"),
            (200001, ">200000"),
            (None, ""),
            ("many", ""),
            (True, ""),
        ],
    )
    def test_of_ranges_name_the_range(self, tokens, expected):
        context = {"path": "n", "ranges": ["128000", "2e5"]}
        assert self.of({"n": tokens}, context=context) == {"context": expected}

    @pytest.mark.parametrize("found", [{}, [], "x" * 201, "é" * 101])
    def test_refuse_what_is_no_short_text(self, found):
        assert isinstance(self.of({"m": found}, model="m"), Unusable)

    def test_take_200_bytes(self):
        assert self.of({"m": "é" * 100}, model="m") == {"model": "é" * 100}
