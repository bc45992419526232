"""Usage of many subscriptions, read together: each gets what it gets alone, with a few statements for all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.documents import plan as plans
from billing.statements import questions, reading, single_events
from billing.statements.phases import Stretch
from billing.statements.reading import Want
from metering import defining, rolling, usage
from metering.models import MeterVersion, partitions
from metering.periods import Period
from tests.world import catalog, events, purchases

pytestmark = pytest.mark.django_db

OCTOBER = catalog.OCTOBER
AFTER = catalog.IN_NOVEMBER
SUBJECTS = [*purchases.SUBJECTS, "initech", "hooli"]


@pytest.fixture(autouse=True)
def tables():
    partitions.ensure([date(2026, month, 1) for month in (9, 10)])


def october(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def stretch(period: Period, *components: dict[str, Any]) -> Stretch:
    return Stretch(None, {}, plans.parse(catalog.document(*components)), period)  # type: ignore[arg-type]


def want(version: MeterVersion, spans, *stretches: Stretch, as_of: datetime = AFTER) -> Want:
    billed = Period(stretches[0].period.start, stretches[-1].period.end)
    return Want({"m": spans}, stretches, {"m": version}, billed, as_of, started_at=catalog.LONG_AGO)


def alone(wants: list[Want]) -> list[reading.Reading]:
    return [reading.read([each])[0] for each in wants]


@st.composite
def wants(draw: st.DrawFn, version: MeterVersion, aggregation: str) -> list[Want]:
    """Subscriptions to a few plans whose subjects are paid for by one now and by another one later."""
    prices = [draw(purchases.components(aggregation)) for _ in range(2)]
    found = []
    for _ in range(draw(st.integers(2, 5))):
        bounds = sorted(draw(st.lists(st.integers(0, 31 * 24 * 6), min_size=3, max_size=3, unique=True)))
        at = [OCTOBER.start + each * timedelta(minutes=10) for each in bounds]
        if draw(st.booleans()):
            at[0] = OCTOBER.start
        parts = [(Period(at[0], at[1]), draw(st.sampled_from(prices)))]
        if draw(st.booleans()):
            parts.append((Period(at[1], at[2]), draw(st.sampled_from(prices))))
        whole = Period(at[0], parts[-1][0].end)
        spans = [
            (
                subject,
                draw(st.sampled_from([whole, Period(at[0], at[1]), Period(at[1], at[2]).intersect(whole)])),
            )
            for subject in draw(st.lists(st.sampled_from(SUBJECTS), max_size=3, unique=True))
        ]
        spans = [(subject, period) for subject, period in spans if period is not None]
        as_of = draw(st.sampled_from([AFTER, AFTER, october(15, 1)]))
        found.append(want(version, spans, *(stretch(*each[:1], *each[1]) for each in parts), as_of=as_of))
    return found


@pytest.mark.parametrize("aggregation", [*purchases.ADDING_UP, *purchases.NOT_ADDING_UP])
class TestRead:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(choices=st.data())
    def test_gives_each_what_it_gets_alone(self, aggregation, choices):
        draw = choices.draw
        document = purchases.meter(aggregation, carry_over=draw(st.booleans()))
        with transaction.atomic():
            version = defining.apply(document=document, at=catalog.LONG_AGO)[0].version
            stored = draw(purchases.events(before=True, subjects=SUBJECTS))
            events.store(stored)
            if draw(st.booleans()):
                rolling.roll_up(limit=10, at=AFTER)
            asked = draw(wants(version, aggregation))
            assert reading.read(asked) == alone(asked)
            transaction.set_rollback(True)


@pytest.fixture
def calls() -> MeterVersion:
    return defining.apply(document=purchases.meter("SUM"), at=catalog.LONG_AGO)[0].version


def call(n: int, at: datetime, value: Any, subject: str, **data: Any):
    more = {"model": "large", "at": {"region": "eu"}, **data}
    return events.event(n, at, {"v": value, **more}, subject=subject, type="use")


def statements_of(wanted: list[Want]) -> int:
    with CaptureQueriesContext(connection) as queries:
        reading.read(wanted)
    return len(queries)


PER_UNIT = {"code": "one", "meter": "m", "price": purchases.PRICES[0]}


class TestTogether:
    def test_many_subscriptions_are_one_statement(self, calls):
        bought = stretch(OCTOBER, PER_UNIT)
        many = [want(calls, [(f"s{n}", OCTOBER)], bought) for n in range(100)]
        assert statements_of(many) == statements_of(many[:1]) == 1

    def test_subscriptions_of_other_days_are_the_same_statement(self, calls):
        some = [
            want(calls, [("early", Period(october(1), october(9)))], stretch(OCTOBER, PER_UNIT)),
            want(calls, [("late", Period(october(5), october(31)))], stretch(OCTOBER, PER_UNIT)),
        ]
        assert statements_of(some) == 1

    def test_a_subject_of_two_subscriptions_makes_two_statements(self, calls):
        bought = stretch(OCTOBER, PER_UNIT)
        events.store([call(1, october(3), 5, "acme"), call(2, october(20), 7, "acme")])
        first = want(calls, [("acme", Period(october(1), october(10)))], bought)
        then = want(calls, [("acme", Period(october(10), OCTOBER.end))], bought)
        assert statements_of([first, then]) == 2
        assert [[row["quantity"] for row in each.rows] for each in reading.read([first, then])] == [
            ["5"],
            ["7"],
        ]

    def test_several_subjects_of_one_subscription_are_added_up(self, calls):
        each = [call(n, october(3), 2**n, name) for n, name in enumerate(["a", "b", "c"])]
        events.store(each)
        bought = stretch(OCTOBER, PER_UNIT)
        both = [want(calls, [("a", OCTOBER), ("c", OCTOBER)], bought), want(calls, [("b", OCTOBER)], bought)]
        assert statements_of(both) == 1
        found = [[(row["quantity"], row["count"]) for row in each.rows] for each in reading.read(both)]
        assert found == [[("5", 2)], [("2", 1)]]

    def test_one_statement_has_a_bounded_number_of_subjects(self, calls, monkeypatch):
        monkeypatch.setattr(questions, "SUBJECTS_MAX", 4)
        bought = stretch(OCTOBER, PER_UNIT)
        many = [want(calls, [(f"s{n}", OCTOBER)], bought) for n in range(9)]
        assert statements_of(many) == 3
        many = [want(calls, [(f"s{n}", OCTOBER) for n in range(5)], bought)]
        assert statements_of(many) == 1

    def test_of_nobody_asks_nothing(self, calls):
        nobody = want(calls, [], stretch(OCTOBER, PER_UNIT))
        assert statements_of([nobody]) == 0
        assert reading.read([nobody])[0].rows == []


PERCENTAGE = {"code": "one", "meter": "m", "price": purchases.PRICES_OF_EVENTS[0]}
DYNAMIC = {"code": "one", "meter": "m", "price": purchases.PRICES_OF_EVENTS[2]}


class TestSingleEvents:
    def test_are_rows_in_their_order_with_what_the_price_reads(self, calls):
        cost = {"net": "0.5", "currency": "USD"}
        events.store(
            [
                call(2, october(3), 7, "acme", cost=cost, prompt="secret"),
                call(10, october(3), 5, "acme", cost=cost),
                call(3, october(2), 1, "globex", cost=cost),
            ]
        )
        [read] = reading.read([want(calls, [("acme", OCTOBER)], stretch(OCTOBER, DYNAMIC))])
        assert [(row["id"], row["quantity"], row["count"], row["data"]) for row in read.rows] == [
            ("e10", "5", 1, {"cost": cost}),
            ("e2", "7", 1, {"cost": cost}),
        ]
        assert {row["at"] for row in read.rows} == {"2026-10-03T00:00:00Z"}

    def test_of_many_subscriptions_are_one_more_statement(self, calls):
        events.store([call(n, october(3), n, f"s{n}") for n in range(1, 4)])
        many = [want(calls, [(f"s{n}", OCTOBER)], stretch(OCTOBER, PERCENTAGE)) for n in range(1, 4)]
        assert [[row["quantity"] for row in each.rows] for each in reading.read(many)] == [
            ["1"],
            ["2"],
            ["3"],
        ]
        assert statements_of(many) == statements_of(many[:1])

    def test_that_are_too_many_for_an_invoice_are_refused_for_it_alone(self, calls, monkeypatch):
        monkeypatch.setattr(single_events, "EVENTS_MAX", 2)
        events.store([call(n, october(3), 1, "acme") for n in range(3)])
        events.store([call(n, october(3), 1, "globex") for n in range(3, 5)])
        bought = stretch(OCTOBER, PERCENTAGE)
        refused, read = reading.read([want(calls, [(name, OCTOBER)], bought) for name in ("acme", "globex")])
        assert isinstance(refused, single_events.EventsTooMany)
        assert "more than 2 events of m" in str(refused)
        assert len(read.rows) == 2


class TestStream:
    def test_holds_a_bounded_number_of_events(self, calls, monkeypatch):
        monkeypatch.setattr(usage.single_events, "FETCHED", 3)
        events.store([call(n, october(1 + n), n, "acme") for n in range(8)])
        stream = usage.single_events.stream(meter=calls, spans=[("acme", OCTOBER)])
        assert [each.quantity for each in stream] == list(range(8))

    def test_has_events_that_wait_and_those_that_are_rolled_up(self, calls):
        events.store([call(1, october(2), 1, "acme")])
        rolling.roll_up(limit=10, at=AFTER)
        events.store([call(2, october(1), 2, "acme"), call(3, october(3), "none", "acme")])
        found = usage.single_events.stream(meter=calls, spans=[("acme", OCTOBER)])
        assert [(each.id, each.quantity, each.dimensions["region"]) for each in found] == [
            ("e2", 2, "eu"),
            ("e1", 1, "eu"),
        ]

    def test_is_refused_for_meters_without_quantities_of_events(self):
        version = defining.apply(document=purchases.meter("DURATION"), at=catalog.LONG_AGO)[0].version
        with pytest.raises(usage.single_events.NoSingleEvents):
            usage.single_events.stream(meter=version, spans=[("acme", OCTOBER)])
