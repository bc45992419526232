from datetime import UTC, date, datetime

import pytest

from billing import reach, subscribing
from tests.world import catalog

pytestmark = pytest.mark.django_db

MID_NOVEMBER = datetime(2026, 11, 15, tzinfo=UTC)


@pytest.fixture
def plan(db):
    catalog.gpu_hours()
    return catalog.plan()


def of(migration):
    return reach.of(code="gpu-cloud", migration=migration, effective_at=MID_NOVEMBER)


class TestReach:
    def test_is_at_the_instant_itself_when_all_move_at_once(self, plan):
        acme = catalog.subscription(catalog.customer("acme"), plan)
        [move] = of("AT_ONCE").moves
        assert (move.subscription, move.at) == (acme, MID_NOVEMBER)

    def test_is_at_the_next_period_of_each_subscription(self, plan):
        catalog.subscription(catalog.customer("kiwi", timezone="Pacific/Auckland"), plan)
        [move] = of("NEXT_PERIOD").moves
        assert move.at == datetime(2026, 11, 30, 11, tzinfo=UTC)  # midnight of 1 December there

    def test_keeps_to_the_running_period_where_later_ones_are_counted_anew(self, plan):
        acme = catalog.subscription(catalog.customer("acme"), plan)
        subscribing.change_anchor(
            subscription=acme, anchor_date=date(2026, 11, 20), at=datetime(2026, 11, 5, tzinfo=UTC)
        )
        [move] = of("NEXT_PERIOD").moves
        assert move.at == datetime(2026, 12, 1, tzinfo=UTC)  # not 20 November: November runs to its end

    def test_is_nobody_when_all_keep_their_version(self, plan):
        catalog.subscription(catalog.customer("acme"), plan)
        assert of("NEVER").count == 0

    def test_leaves_out_who_has_ended_before_moving(self, plan):
        catalog.subscription(catalog.customer("acme"), plan, end_at=datetime(2026, 11, 20, tzinfo=UTC))
        assert of("AT_ONCE").count == 1
        assert of("NEXT_PERIOD").count == 0

    def test_is_of_the_one_plan(self, plan):
        other = catalog.plan(code="other")
        catalog.subscription(catalog.customer("acme"), other)
        assert of("AT_ONCE").count == 0
