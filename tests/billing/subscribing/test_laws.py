"""Any changes in any order: contracts stay whole, and what is due next is what the whole life says."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import subscribing, timelines
from billing.models import Plan, Subscription
from billing.timelines import END_OF_TIME
from metering.periods import Period
from tests.world import catalog

pytestmark = pytest.mark.django_db

START = datetime(2026, 1, 31, 10, tzinfo=UTC)
INSTANTS = st.integers(-2, 700).map(lambda days: START + timedelta(days=days, hours=14 * (days % 2)))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"])
DATES = st.sampled_from([date(2026, 1, 31), date(2026, 2, 1), date(2024, 2, 29), date(2026, 3, 17)])
CHANGES = st.one_of(
    st.tuples(st.just("change_plan"), INSTANTS, st.sampled_from(["seats", "more", "yearly", "weekly"])),
    st.tuples(st.just("change_quantity"), INSTANTS, st.sampled_from(["2", "3"])),
    st.tuples(st.just("cancel"), INSTANTS, st.none()),
    st.tuples(st.just("keep"), INSTANTS, st.none()),
    st.tuples(st.just("pause"), INSTANTS, st.none() | INSTANTS),
    st.tuples(st.just("resume"), INSTANTS, st.none()),
    st.tuples(st.just("change_timezone"), INSTANTS, ZONES),
    st.tuples(st.just("change_anchor"), INSTANTS, DATES),
)


@pytest.fixture
def seats(db):
    for code, interval in (("seats", "MONTH"), ("more", "MONTH"), ("yearly", "YEAR"), ("weekly", "WEEK")):
        catalog.plan(catalog.fee("seats"), code=code, interval=interval)
    return Plan.objects.get(code="seats")


def apply(contract, verb, at, value):
    if verb == "change_plan":
        subscribing.change_plan(subscription=contract, plan=Plan.objects.get(code=value), effective_at=at)
    elif verb == "change_quantity":
        subscribing.change_quantity(subscription=contract, component="seats", quantity=value, effective_at=at)
    elif verb == "cancel":
        subscribing.cancel(subscription=contract, end_at=at)
    elif verb == "keep":
        subscribing.keep(subscription=contract, at=at)
    elif verb == "pause":
        subscribing.pause(subscription=contract, effective_at=at, until_at=value)
    elif verb == "resume":
        subscribing.resume(subscription=contract, effective_at=at)
    elif verb == "change_timezone":
        subscribing.change_timezone(customer=contract.customer, timezone=value, at=at)
    else:
        subscribing.change_anchor(subscription=contract, anchor_date=value, at=at)


def check(contract):
    """Phases fill the life, cycles begin with it, and what is due first is the first of all."""
    life = timelines.of(contract)
    reached = life.life.start
    for phase in life.phases:
        assert phase.period.start == reached
        reached = phase.period.end
    assert reached == life.life.end
    assert life.cycles.changes[0][0] == life.life.start
    assert contract.next_billing_at == life.next_billing_at(life.life.start)
    assert contract.next_advance_at == life.next_advance_at(life.life.start)
    window = Period(life.life.start, min(life.life.end, START + timedelta(days=1000)))
    charged = [part for piece in _pieces(life, window.end) for part in piece.parts]
    rests = [part for pause in life.pauses if (part := pause.intersect(window)) is not None]
    assert sum((part.seconds for part in charged + rests), 0) == window.seconds


def _pieces(life, until):
    """The pieces up to an instant, the last one cut there."""
    at = life.life.start
    while at < until:
        for piece in life.pieces(at):
            cut = piece.billed.intersect(Period(life.life.start, until))
            if cut is not None:
                yield timelines.Piece(piece.period, cut, piece.is_trial, piece.pauses)
        at = life.cycles.holding(at).actual.end


class TestChanges:
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(changes=st.lists(CHANGES, min_size=1, max_size=5))
    def test_in_any_order_leave_the_contract_whole(self, seats, changes):
        with transaction.atomic():
            customer = catalog.customer("acme")
            contract = catalog.subscription(customer, seats, start_at=START, anchor_date=START.date())
            for verb, at, value in changes:
                before = timelines.of(contract)
                try:
                    apply(Subscription.objects.get(pk=contract.pk), verb, at, value)
                except subscribing.SubscriptionRefused:
                    assert timelines.of(contract) == before
                contract = Subscription.objects.get(pk=contract.pk)
                check(contract)
            assert contract.end_at is None or contract.end_at < END_OF_TIME
            transaction.set_rollback(True)
