"""The usage door equals the measures, for any events, rolled up or not, over any stretches of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering import defining, measures, rolling, usage
from metering.documents import meter
from metering.measures import Contribution, Event
from metering.measures.quantities import combination_of
from metering.models import UncountedEvent, partitions
from metering.periods import MICROSECOND, Period
from metering.usage import Windows
from tests.world import events, meters
from tests.world.happenings import MONTH_START, documents, histories, moments

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 1, tzinfo=UTC)
MANY = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def periods_of(good: Sequence[Contribution]) -> st.SearchStrategy[Period]:
    """Stretches of time, mostly with bounds at or beside those of what the events contribute."""
    bounds = [at for each in good for at in (each.start, each.end, each.at, each.at + MICROSECOND)]
    either = st.one_of(moments(), *[st.sampled_from(bounds)] * 2) if bounds else moments()
    return st.tuples(either, either).map(lambda two: Period(min(two), max(two)))


@pytest.fixture(autouse=True)
def october():
    partitions.ensure([MONTH_START.date()])


def counted(document: dict, stored: Sequence[Event]) -> tuple[list[Contribution], set[str]]:
    """By the measures: what the events contribute, and the ids of those that the meter cannot use."""
    definition, good, bad = meter.parse(document), [], set()
    for each in stored:
        answer = measures.usable(definition, each) if measures.matching(definition, each) else None
        if isinstance(answer, Contribution):
            good.append(answer)
        elif answer is not None:
            bad.add(each.id)
    return good, bad


def by_measures(
    document: dict, good: Sequence[Contribution], period: Period, by: Sequence[str], *, carries: bool = False
) -> dict:
    """Quantity and number of events of each combination; with what is `carried` from before the period."""
    definition = meter.parse(document)
    counts = Counter(combination_of(each, tuple(by)) for each in good if period.contains(each.at))
    if definition.carry_over and not carries:
        good = [each for each in good if each.at >= period.start]
    rows = measures.rows(definition, good, period=period, by=tuple(by))
    per = definition.per_microseconds
    return {
        frozenset(row.dimensions): (
            row.quantity / per,
            row.count if definition.additive else counts[row.dimensions],
        )
        for row in rows
    }


def by_door(version, period: Period, by: Sequence[str], **more) -> dict:
    spans = [("acme", period), ("Ünal & Söhne", period)]
    rows = usage.quantities(meter=version, spans=spans, by=by, **more).rows
    return {frozenset(row.dimensions.items()): (row.quantity, row.count) for row in rows}


def store_shuffled(draw, stored: list[Event]) -> None:
    """In random order and batches, some of which are rolled up."""
    shuffled = draw(st.permutations(stored))
    while shuffled:
        size = draw(st.integers(1, len(shuffled)))
        events.store(shuffled[:size])
        shuffled = shuffled[size:]
        if draw(st.booleans()):
            rolling.roll_up(limit=draw(st.integers(1, 3)), at=AT)


BUILT = ["COUNT", "SUM", "DURATION", "MAX", "MIN", "AVERAGE", "LATEST", "UNIQUE"]


@pytest.mark.parametrize("aggregation", BUILT)
class TestQuantities:
    @MANY
    @given(choices=st.data())
    def test_equal_the_measures_in_any_order_and_batches(self, aggregation, choices):
        draw = choices.draw
        document, stored = draw(documents(aggregation)), draw(histories())
        good, bad = counted(document, stored)
        period = draw(periods_of(good))
        by = draw(
            st.sampled_from(
                [(), ("subject",), (*document["dimensions"],), (*document["dimensions"], "subject")]
            )
        )
        expected = by_measures(document, good, period, by)
        with transaction.atomic():
            version = defining.apply(document=document, at=AT)[0].version
            store_shuffled(draw, stored)
            assert by_door(version, period, by) == expected
            while rolling.roll_up(limit=100, at=AT):
                pass
            assert by_door(version, period, by) == expected
            keys = {events.key_of(each) for each in stored if each.id in bad}
            assert set(UncountedEvent.objects.values_list("key", flat=True)) == keys
            transaction.set_rollback(True)

    @MANY
    @given(choices=st.data())
    def test_of_windows_equal_those_of_each_window_alone(self, aggregation, choices):
        draw = choices.draw
        document, stored = draw(documents(aggregation)), draw(histories())
        good, _ = counted(document, stored)
        period = draw(periods_of(good))
        windows = Windows(
            draw(st.sampled_from(["QUARTER", "HOUR", "DAY", "WEEK", "MONTH"])),
            draw(st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns", "Asia/Kolkata"])),
        )
        with transaction.atomic():
            version = defining.apply(document=document, at=AT)[0].version
            store_shuffled(draw, stored)
            rows = usage.quantities(
                meter=version, spans=[("acme", period)], by=["subject"], windows=windows
            ).rows
            transaction.set_rollback(True)
        of_acme = [each for each in good if each.subject == "acme"]
        for row in rows:
            alone = by_measures(document, of_acme, row.window.intersect(period), ["subject"])
            assert alone == {frozenset({("subject", "acme")}): (row.quantity, row.count)}
        whole = by_measures(document, of_acme, period, []).get(frozenset(), (Fraction(0), 0))
        assert sum(row.count for row in rows) == whole[1]
        if meter.parse(document).additive:
            assert sum(row.quantity for row in rows) == whole[0]


@pytest.mark.parametrize("aggregation", ["MAX", "LATEST", "UNIQUE"])
class TestQuantitiesThatCarryOver:
    @MANY
    @given(choices=st.data())
    def test_equal_the_measures_in_any_order_and_batches(self, aggregation, choices):
        draw = choices.draw
        document, stored = draw(documents(aggregation)) | {"carry_over": True}, draw(histories())
        good, _ = counted(document, stored)
        period = draw(periods_of(good).filter(lambda each: not each.is_empty))
        by = draw(st.sampled_from([(), ("subject",), (*document["dimensions"],)]))
        expected = by_measures(document, good, period, by, carries=True)
        with transaction.atomic():
            version = defining.apply(document=document, at=AT)[0].version
            store_shuffled(draw, stored)
            assert by_door(version, period, by, billing_period=period) == expected
            while rolling.roll_up(limit=100, at=AT):
                pass
            assert by_door(version, period, by, billing_period=period) == expected
            transaction.set_rollback(True)


T = datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
DAY = Period(datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC))


def total(version, *spans, **more) -> Fraction:
    return sum(
        (row.quantity for row in usage.quantities(meter=version, spans=spans, **more).rows), Fraction(0)
    )


class TestDuration:
    @pytest.fixture
    def gpu_hours(self):
        version = meters.meter("gpu_hours", "DURATION", "gpu.usage", value="gpus")
        at = {"start": "2026-10-05T10:07:00", "end": "2026-10-05T10:47:00", "gpus": 3}
        events.store([events.event(1, T, at, type="gpu.usage")])
        return version

    def test_is_an_exact_share_of_an_hour(self, gpu_hours):
        assert total(gpu_hours, ("acme", DAY)) == 2
        assert total(gpu_hours, ("acme", Period(T, T + timedelta(minutes=27)))) == 1

    def test_of_three_thirds_is_one(self):
        version = meters.meter("hours", "DURATION", "gpu.usage")
        at = {"start": "2026-10-05T10:00:00", "end": "2026-10-05T10:20:00"}
        events.store([events.event(n, T, at, type="gpu.usage") for n in range(3)])
        rolling.roll_up(limit=1, at=AT)
        assert total(version, ("acme", DAY)) == 1

    def test_counts_the_event_once_at_its_end(self, gpu_hours):
        rolling.roll_up(limit=1, at=AT)
        windows = Windows("QUARTER")
        rows = usage.quantities(meter=gpu_hours, spans=[("acme", DAY)], windows=windows).rows
        assert [(f"{row.window.start:%H:%M}", row.quantity, row.count) for row in rows] == [
            ("10:00", Fraction(2, 5), 0),
            ("10:15", Fraction(3, 4), 0),
            ("10:30", Fraction(3, 4), 0),
            ("10:45", Fraction(1, 10), 1),
        ]

    @pytest.mark.parametrize("is_rolled", [False, True])
    def test_puts_what_the_minimum_adds_before_midnight(self, is_rolled):
        version = meters.meter("slots", "DURATION", "gpu.usage", per="SECOND", minimum="60", increment="60")
        at = {"start": "2026-10-05T23:59:30", "end": "2026-10-06T00:00:00"}
        events.store([events.event(1, T, at, type="gpu.usage")])
        if is_rolled:
            rolling.roll_up(limit=1, at=AT)
        last = Period(DAY.end - timedelta(microseconds=1), DAY.end)
        assert total(version, ("acme", DAY)) == 60
        assert total(version, ("acme", last)) == 30 + Fraction(1, 1_000_000)
        assert total(version, ("acme", Period(DAY.start, last.start))) == 30 - Fraction(1, 1_000_000)
        assert total(version, ("acme", Period(DAY.end, DAY.end + timedelta(days=1)))) == 0

    @pytest.mark.parametrize("is_rolled", [False, True])
    def test_counts_an_interval_once_that_reaches_over_both_ends(self, is_rolled):
        version = meters.meter("minutes", "DURATION", "gpu.usage", per="MINUTE")
        at = {"start": "2026-10-05T10:00:00", "end": "2026-10-05T11:00:00"}
        events.store([events.event(1, T, at, type="gpu.usage")])
        if is_rolled:
            rolling.roll_up(limit=1, at=AT)
        assert total(version, ("acme", Period(T + timedelta(minutes=5), T + timedelta(minutes=50)))) == 45
        assert total(version, ("acme", Period(T + timedelta(minutes=16), T + timedelta(minutes=29)))) == 13

    def test_finds_the_part_of_a_long_interval_weeks_after_its_event(self):
        version = meters.meter("hours", "DURATION", "gpu.usage")
        at = {"start": "2026-10-05T10:00:00", "end": "2026-10-22T10:00:00"}
        events.store([events.event(1, T, at, type="gpu.usage")])
        rolling.roll_up(limit=1, at=AT)
        edge = Period(datetime(2026, 10, 20, 3, 1, tzinfo=UTC), datetime(2026, 10, 20, 3, 7, tzinfo=UTC))
        assert total(version, ("acme", edge)) == Fraction(1, 10)


class TestSum:
    def test_counts_each_event_in_whole_increments_from_the_minimum_on(self):
        version = meters.meter("slots", "SUM", value="s", minimum="90", increment="60")
        events.store(
            [events.event(n, T, {"s": seconds}) for n, seconds in enumerate([0, 90, 120, "120.001"])]
        )
        assert total(version, ("acme", DAY)) == 120 + 120 + 120 + 180

    def test_subtracts_and_multiplies(self):
        uncached = meters.meter("uncached", "SUM", value={"plus": ["input"], "minus": ["cached", "written"]})
        slices = meters.meter("slices", "SUM", value={"times": ["gpus", "fraction"]})
        events.store(
            [
                events.event(1, T, {"input": 10_000, "cached": 8_000, "gpus": 7, "fraction": "0.5"}),
                events.event(2, T, {"input": 10, "cached": None, "written": 3, "gpus": 2}),
            ]
        )
        assert total(uncached, ("acme", DAY)) == 2_007
        assert total(slices, ("acme", DAY)) == Fraction(11, 2)


class TestRanges:
    def test_hold_their_upper_bound(self):
        context = {"path": "n", "ranges": ["10", "200000.50"]}
        version = meters.meter("calls", dimensions={"context": context})
        numbers = [9, 10, "10.0", "10.1", "200000.50", 200001, 10**25, "many", None]
        events.store([events.event(n, T, {"n": number}) for n, number in enumerate(numbers)])
        rows = usage.quantities(meter=version, spans=[("acme", DAY)], by=["context"]).rows
        assert {row.dimensions["context"]: row.count for row in rows} == {
            "<=10": 3,
            ">10<=200000.5": 2,
            ">200000.5": 2,
            "": 2,
        }


class TestWindows:
    """Berlin's clock went back on 25 October 2026 at 01:00 UTC, from 03:00 to 02:00."""

    @pytest.fixture
    def calls(self):
        version = meters.meter("calls")
        start = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
        events.store([events.event(n, start + timedelta(minutes=30 * n), {}) for n in range(52)])
        rolling.roll_up(limit=1, at=AT)
        return version

    def counts(self, version, unit: str, zone: str = "Europe/Berlin") -> list[tuple[str, int]]:
        span = Period(datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC))
        rows = usage.quantities(meter=version, spans=[("acme", span)], windows=Windows(unit, zone)).rows
        return [(f"{row.window.start:%d %H:%M}", row.count) for row in rows]

    def test_of_a_day_may_have_25_hours(self, calls):
        assert self.counts(calls, "DAY") == [("24 22:00", 50), ("25 23:00", 2)]

    def test_of_an_hour_that_comes_twice_are_two(self, calls):
        assert self.counts(calls, "HOUR")[1:5] == [
            ("24 23:00", 2),
            ("25 00:00", 2),
            ("25 01:00", 2),
            ("25 02:00", 2),
        ]

    def test_of_an_hour_begin_as_the_zone_does(self, calls):
        assert self.counts(calls, "HOUR", "Asia/Kathmandu")[:2] == [("24 21:15", 1), ("24 22:15", 2)]

    def test_of_a_week_begin_on_monday(self, calls):
        assert self.counts(calls, "WEEK") == [("18 22:00", 50), ("25 23:00", 2)]

    def test_of_a_month_begin_on_its_first(self, calls):
        assert self.counts(calls, "MONTH") == [("30 22:00", 52)]

    def test_of_another_unit_are_refused(self):
        with pytest.raises(ValueError, match="a window is one of QUARTER, HOUR"):
            Windows("MINUTE")

    def test_that_are_too_many_are_refused(self, calls):
        century = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
        with pytest.raises(usage.WindowsTooMany):
            usage.quantities(meter=calls, spans=[("acme", century)], windows=Windows("HOUR"))


class TestSpans:
    @pytest.fixture
    def calls(self):
        version = meters.meter("calls")
        events.store([events.event(n, T + timedelta(hours=n), {}) for n in range(10)])
        events.store([events.event(100 + n, T + timedelta(hours=n), {}, subject="globex") for n in range(10)])
        return version

    def test_are_a_union(self, calls):
        first, second = (
            Period(T, T + timedelta(hours=4)),
            Period(T + timedelta(hours=2), T + timedelta(hours=6)),
        )
        assert total(calls, ("acme", first), ("acme", second), ("acme", first)) == 6

    def test_may_differ_from_subject_to_subject(self, calls):
        change = T + timedelta(hours=3)
        assert total(calls, ("acme", Period(T, change)), ("globex", Period(change, DAY.end))) == 10

    def test_end_at_as_of(self, calls):
        assert total(calls, ("acme", DAY), as_of=T + timedelta(hours=3)) == 3
        assert total(calls, ("acme", DAY), as_of=T + timedelta(hours=3, microseconds=1)) == 4

    def test_begin_where_the_meter_does(self):
        version = meters.meter("late", effective_at="2026-10-05T12:00:00Z")
        events.store([events.event(n, T + timedelta(hours=n), {}) for n in range(10)])
        assert total(version, ("acme", DAY)) == 8

    def test_of_nobody_have_nothing(self, calls):
        assert usage.quantities(meter=calls, spans=[]) == usage.Quantities((), {})
        assert total(calls, ("nobody", DAY)) == 0

    def test_are_refused_by_an_unknown_dimension(self, calls):
        with pytest.raises(usage.DimensionUnknown, match="calls has no dimension model; it has subject"):
            usage.quantities(meter=calls, spans=[], by=["model"])


class TestRevisions:
    def test_are_those_of_the_subjects_and_months_asked_for(self):
        version = meters.meter("calls")
        other = meters.meter("others", event_type="other")
        september = datetime(2026, 9, 30, 23, tzinfo=UTC)
        events.store(
            [events.event(1, T, {}), events.event(2, september, {}), events.event(3, T, {}, subject="b")]
        )
        events.store([events.event(4, T, {})])
        events.store([events.event(5, T, {}, type="other")])
        for _ in range(3):
            rolling.roll_up(limit=1, at=AT)

        def revisions(meter, *spans):
            return usage.quantities(meter=meter, spans=spans).revisions

        assert revisions(version, ("acme", DAY)) == {"acme|2026-10": 2}
        assert revisions(version, ("acme", Period(september, T)), ("b", DAY)) == {
            "acme|2026-09": 1,
            "acme|2026-10": 2,
            "b|2026-10": 1,
        }
        assert revisions(other, ("acme", DAY)) == {"acme|2026-10": 1}
        assert revisions(version, ("acme", Period(september, datetime(2026, 10, 1, tzinfo=UTC)))) == {
            "acme|2026-09": 1
        }


class TestStatement:
    def test_is_one(self):
        version = meters.meter("gpu", "DURATION", "gpu.usage")
        span = ("acme", Period(T + timedelta(minutes=1), T + timedelta(hours=5, minutes=7)))
        with CaptureQueriesContext(connection) as queries:
            usage.quantities(meter=version, spans=[span], windows=Windows("HOUR"), by=["subject"])
        assert len(queries) == 1

    def test_reads_no_event_once_all_is_rolled_up(self):
        version = meters.meter("calls")
        events.store([events.event(n, T + timedelta(minutes=n), {}) for n in range(50)])
        rolling.roll_up(limit=1, at=AT)
        rolling.build(limit=1, at=AT)
        version.refresh_from_db()
        with CaptureQueriesContext(connection) as queries:
            assert total(version, ("acme", DAY)) == 50
        with connection.cursor() as cursor:
            cursor.execute(f"explain (analyze, costs off, timing off, summary off) {queries[0]['sql']}")
            plan = [row[0] for row in cursor.fetchall()]
        reads = [line for line in plan if "metering_event_" in line]
        assert reads
        assert all("never executed" in line for line in reads)
