"""The nine aggregations, over periods, dimensions and subjects."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering import measures
from metering.documents import meter
from metering.measures import buckets, duration
from metering.measures.events import Contribution, Event, usable
from metering.periods import Period, parse_instant

OCTOBER = Period(parse_instant("2026-10-01T00:00:00Z"), parse_instant("2026-11-01T00:00:00Z"))


def definition(aggregation, **more):
    value = {} if aggregation in ("COUNT", "DURATION") else {"value": "n"}
    return meter.parse(
        {
            "slug": "m",
            "name": "M",
            "event_type": "e",
            "aggregation": aggregation,
            "dimensions": {"region": "region"},
            **value,
            **more,
        }
    )


def contributions(of, *events):
    found = []
    for place, (day, data) in enumerate(events):
        time = parse_instant(f"2026-{day}T00:00:00Z" if len(day) == 5 else f"2026-{day}Z")
        each = usable(
            of, Event(data.pop("id", str(place)), "s", "e", data.pop("subject", "acme"), time, data)
        )
        assert isinstance(each, Contribution), each
        found.append(each)
    return found


def quantity(of, *events, **more):
    rows = measures.rows(of, contributions(of, *events), period=more.pop("period", OCTOBER), **more)
    assert len(rows) <= 1
    return rows[0].quantity if rows else None


class TestAddedUp:
    def test_count_counts(self):
        assert quantity(definition("COUNT"), ("10-02", {}), ("10-03", {}), ("11-01", {})) == 2

    def test_sum_adds(self):
        assert quantity(definition("SUM"), ("10-02", {"n": "0.1"}), ("10-03", {"n": "0.2"})) == Fraction(
            3, 10
        )

    def test_no_event_is_no_row(self):
        assert quantity(definition("SUM"), ("09-02", {"n": 1})) is None

    def test_duration_is_cut_by_the_period(self):
        of = definition("DURATION", value="n")
        event = ("10-31", {"n": 2, "start": "2026-10-31T23:00:00Z", "end": "2026-11-01T02:00:00Z"})
        assert quantity(of, event) == 2 * 3600 * 10**6

    def test_duration_counts_an_event_once_where_it_ends(self):
        of = definition("DURATION")
        event = ("10-31", {"start": "2026-10-31T23:00:00Z", "end": "2026-11-01T02:00:00Z"})
        assert measures.rows(of, contributions(of, event), period=OCTOBER)[0].count == 0
        november = Period(OCTOBER.end, parse_instant("2026-12-01T00:00:00Z"))
        assert measures.rows(of, contributions(of, event), period=november)[0].count == 1


class TestNotAddedUp:
    EVENTS = (("10-02", {"n": 5}), ("10-04", {"n": 3}), ("10-03", {"n": 9}))

    @pytest.mark.parametrize(
        ("aggregation", "expected"),
        [("MAX", 9), ("MIN", 3), ("AVERAGE", Fraction(17, 3)), ("LATEST", 3), ("UNIQUE", 3)],
    )
    def test_is_measured_over_all_events(self, aggregation, expected):
        events = [(day, dict(data)) for day, data in self.EVENTS]
        assert quantity(definition(aggregation), *events) == expected

    def test_latest_goes_by_time_then_source_then_id(self):
        of = definition("LATEST")
        assert quantity(of, ("10-02", {"n": 1, "id": "b"}), ("10-02", {"n": 2, "id": "a"})) == 1

    def test_unique_compares_texts(self):
        of = definition("UNIQUE")
        assert quantity(of, ("10-02", {"n": 8}), ("10-03", {"n": "8"}), ("10-04", {"n": "8.0"})) == 2

    def test_max_of_subjects_is_not_their_sum(self):
        of = definition("MAX")
        events = [
            ("10-02", {"n": n, "subject": subject}) for subject, n in (("a", 100), ("b", 80), ("c", 60))
        ]
        assert quantity(of, *[(day, dict(data)) for day, data in events]) == 100
        rows = measures.rows(of, contributions(of, *events), period=OCTOBER, by=("subject",))
        assert [row.quantity for row in rows] == [100, 80, 60]


class TestCarryOver:
    @pytest.mark.parametrize(
        ("aggregation", "inside", "expected"),
        [
            ("LATEST", [], 4),
            ("LATEST", [("10-02", {"n": 1})], 1),
            # the latest value before is 4, although 7 came earlier
            ("MAX", [], 4),
            ("MAX", [("10-02", {"n": 1})], 4),
            ("MAX", [("10-02", {"n": 6})], 6),
            ("UNIQUE", [], 2),
            ("UNIQUE", [("10-02", {"n": 7})], 2),
            ("UNIQUE", [("10-02", {"n": 9})], 3),
        ],
    )
    def test_brings_the_past_into_the_period(self, aggregation, inside, expected):
        of = definition(aggregation, carry_over=True)
        before = [("09-01", {"n": 7}), ("09-20", {"n": 4})]
        assert quantity(of, *before, *[(day, dict(data)) for day, data in inside]) == expected

    @pytest.mark.parametrize("aggregation", ["LATEST", "MAX", "UNIQUE"])
    def test_is_off_by_default(self, aggregation):
        assert quantity(definition(aggregation), ("09-01", {"n": 7})) is None


HOUR = 3600 * 10**6


class TestTimeWeighted:
    def test_holds_a_level_until_the_next_event(self):
        of = definition("TIME_WEIGHTED")
        assert (
            quantity(of, ("10-02", {"n": 8}), ("10-03", {"n": 2}), ("10-04", {"n": 0}))
            == 8 * 24 * HOUR + 2 * 24 * HOUR
        )

    def test_carries_a_level_in(self):
        assert quantity(definition("TIME_WEIGHTED"), ("09-28", {"n": 8})) == 5952 * HOUR
        assert quantity(definition("TIME_WEIGHTED", carry_over=False), ("09-28", {"n": 8})) is None

    def test_that_is_not_carried_over_is_0_at_the_billing_periods_start_only(self):
        of = definition("TIME_WEIGHTED", carry_over=False)
        middle = Period(parse_instant("2026-10-10T00:00:00Z"), parse_instant("2026-10-11T00:00:00Z"))
        before, inside = ("09-28", {"n": 5}), ("10-02", {"n": 8})
        assert quantity(of, before, inside, period=middle, reset_at=OCTOBER.start) == 192 * HOUR
        assert quantity(of, ("09-28", {"n": 5}), period=middle, reset_at=OCTOBER.start) is None

    def test_ends_at_as_of(self):
        of = definition("TIME_WEIGHTED")
        assert quantity(of, ("10-01", {"n": 8}), as_of=parse_instant("2026-10-02T00:00:00Z")) == 192 * HOUR

    def test_lets_a_level_expire(self):
        assert quantity(definition("TIME_WEIGHTED", expires_after="600"), ("10-02", {"n": 6})) == HOUR

    def test_ends_the_old_level_together_with_its_dimensions(self):
        of = definition("TIME_WEIGHTED", of=["node"], dimensions={"state": "state"})
        events = [
            ("10-02", {"n": 8, "node": "n1", "state": "run"}),
            ("10-03", {"n": 8, "node": "n1", "state": "idle"}),
            ("10-04", {"n": 0, "node": "n1", "state": "idle"}),
        ]
        rows = measures.rows(of, contributions(of, *events), period=OCTOBER, by=("state",))
        assert [(dict(row.dimensions)["state"], row.quantity) for row in rows] == [
            ("idle", 192 * HOUR),
            ("run", 192 * HOUR),
        ]

    def test_adds_up_levels_of_different_nodes(self):
        of = definition("TIME_WEIGHTED", of=["node"])
        events = [
            ("10-02", {"n": 8, "node": "a"}),
            ("10-02", {"n": 4, "node": "b"}),
            ("10-03", {"n": 0, "node": "a"}),
            ("10-03", {"n": 0, "node": "b"}),
        ]
        assert quantity(of, *events) == 288 * HOUR

    def test_of_deltas_adds_them_up(self):
        of = definition("TIME_WEIGHTED", delta=True)
        assert (
            quantity(of, ("10-02", {"n": 8}), ("10-03", {"n": -4}), ("10-04", {"n": -4}))
            == 8 * 24 * HOUR + 4 * 24 * HOUR
        )

    def test_does_not_hang_on_the_order_of_arrival(self):
        of = definition("TIME_WEIGHTED")
        events = [("10-04", {"n": 0}), ("10-02", {"n": 8}), ("10-03", {"n": 2})]
        assert quantity(of, *events) == 240 * HOUR

    def test_of_days_adds_up_to_the_month(self):
        of = definition("TIME_WEIGHTED")
        events = [("09-20", {"n": 3}), ("10-05T07:07:07.5", {"n": "2.5"}), ("10-20", {"n": 0})]
        whole = quantity(of, *[(day, dict(data)) for day, data in events])
        cut = parse_instant("2026-10-05T06:00:00.000001Z")
        parts = [
            quantity(of, *[(day, dict(data)) for day, data in events], period=period)
            for period in (Period(OCTOBER.start, cut), Period(cut, OCTOBER.end))
        ]
        assert sum(parts) == whole


class TestParts:
    def test_fall_into_quarter_hours(self):
        of = definition("DURATION", value="n", minimum="3600")
        [each] = contributions(
            of, ("10-02", {"n": 2, "start": "2026-10-02T10:10:00Z", "end": "2026-10-02T10:30:00Z"})
        )
        assert [(part.start.minute, part.quantity, part.count) for part in buckets.parts(of, each)] == [
            (0, 2 * 300 * 10**6, 0),
            (15, 2 * 900 * 10**6 + 2 * 2400 * 10**6, 1),
        ]

    def test_of_a_point_is_one(self):
        of = definition("SUM")
        [each] = contributions(of, ("10-02T10:29:59.999999", {"n": 5}))
        assert [(part.start.minute, part.quantity, part.count) for part in buckets.parts(of, each)] == [
            (15, 5, 1)
        ]

    def test_of_an_empty_interval_holds_its_excess(self):
        of = definition("DURATION", minimum="60")
        [each] = contributions(
            of, ("10-02", {"start": "2026-10-02T10:15:00Z", "end": "2026-10-02T10:15:00Z"})
        )
        assert [(part.start.minute, part.quantity, part.count) for part in buckets.parts(of, each)] == [
            (15, 60 * 10**6, 1)
        ]

    @given(
        st.integers(0, 10**10),
        st.integers(0, 10**10),
        st.integers(0, 8),
        st.sampled_from([None, "60", "0.5", "86400"]),
        st.sampled_from([None, "1", "60", "900.5"]),
    )
    @settings(deadline=None)
    def test_add_up_to_the_contribution_and_count_once(self, start, length, gpus, minimum, increment):
        of = definition("DURATION", value="n", minimum=minimum, increment=increment)
        data = {
            "n": gpus,
            "start": str(1_790_000_000 + start // 10**6),
            "end": str(1_790_000_000 + start // 10**6 + length // 10**6),
        }
        [each] = contributions(of, ("10-02", data))
        parts = list(buckets.parts(of, each))
        whole = duration.partial(each, Period(each.start, each.at.max.replace(tzinfo=each.at.tzinfo)))
        assert sum(part.quantity for part in parts) == whole.quantity
        assert sum(part.count for part in parts) == 1


class TestOrder:
    @given(
        st.permutations(range(6)),
        st.sampled_from(["SUM", "MAX", "LATEST", "UNIQUE", "AVERAGE", "TIME_WEIGHTED"]),
    )
    @settings(deadline=None)
    def test_of_arrival_does_not_matter(self, order, aggregation):
        of = definition(aggregation)
        events = [(f"10-0{day}", {"n": n}) for day, n in ((1, 5), (2, 1), (2, 7), (3, 2), (4, 2), (5, 0))]
        all_of_them = contributions(of, *events)
        shuffled = [all_of_them[place] for place in order]
        assert measures.rows(of, shuffled, period=OCTOBER) == measures.rows(of, all_of_them, period=OCTOBER)
