from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext

from billing import evidence, statements, subscribing
from billing.models import CustomerSubject, SubscriptionPhase
from metering import rolling
from metering.documents import DocumentError
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER = catalog.OCTOBER
AFTER = catalog.IN_NOVEMBER


def october(day, hour=0, minute=0):
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


@pytest.fixture(autouse=True)
def gpu_hours(db):
    catalog.gpu_hours()


@pytest.fixture
def acme(db):
    return catalog.customer("acme")


def statement(subscription, period=OCTOBER, as_of=AFTER, is_final=True):
    return statements.of(
        subscription=subscription, piece=catalog.piece(subscription, period), as_of=as_of, is_final=is_final
    ).statement


def amounts(of):
    return {line.component or line.kind: line.amount for line in of.lines}


class TestOf:
    def test_prices_the_usage_of_the_subjects_in_the_period(self, acme):
        subscription = catalog.subscription(acme, catalog.plan())
        catalog.run_gpus("acme", october(3), 10, count=2)
        catalog.run_gpus("acme", october(31, 23), 2)  # the second hour falls into November
        catalog.run_gpus("somebody else", october(3), 100)
        # 20 + 1 hours at 2.50
        assert amounts(statement(subscription)) == {"gpu": Decimal("52.50")}

    def test_is_the_same_before_and_after_the_roll_up(self, acme):
        subscription = catalog.subscription(acme, catalog.plan())
        catalog.run_gpus("acme", october(3, 0, 7), 10)
        before = statement(subscription)
        assert rolling.roll_up(limit=10, at=AFTER) == 1
        assert statement(subscription) == before
        assert before.total == Decimal("25.00")

    def test_reads_usage_only_up_to_as_of(self, acme):
        subscription = catalog.subscription(acme, catalog.plan())
        catalog.run_gpus("acme", october(3), 10)
        so_far = statement(subscription, as_of=october(3, 4), is_final=False)
        assert amounts(so_far) == {"gpu": Decimal("10.00")}

    def test_bills_the_share_of_the_period_in_which_the_subscription_runs(self, acme):
        plan = catalog.plan(catalog.fee(amount="31.00"))
        subscription = catalog.subscription(acme, plan, start_at=october(11), end_at=october(21))
        # 10 of 31 days
        assert amounts(statement(subscription)) == {"fee": Decimal("10.00")}

    def test_leaves_out_usage_before_the_start_and_after_the_end(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(), start_at=october(11), end_at=october(12))
        catalog.run_gpus("acme", october(10, 20), 28)  # from the evening before until midnight after
        # exactly the 24 hours of the 11th
        assert amounts(statement(subscription)) == {"gpu": Decimal("60.00")}

    def test_puts_overrides_in_place_of_the_plans_values(self, acme):
        plan = catalog.plan(
            catalog.component(included={"quantity": "10"}),
            catalog.fee("seats", price={"model": "per_unit", "unit_amount": "20"}, quantity="1"),
        )
        overrides = {"gpu": {"included": {"quantity": "4"}}, "seats": {"quantity": "3"}}
        subscription = catalog.subscription(acme, plan, overrides=overrides)
        catalog.run_gpus("acme", october(3), 10)
        # (10 - 4) x 2.50, and 3 x 20
        assert amounts(statement(subscription)) == {"gpu": Decimal("15.00"), "seats": Decimal("60.00")}

    def test_asks_the_usage_door_once_for_a_meter(self, acme):
        plan = catalog.plan(
            catalog.component("h100", where={"gpu_type": ["H100"]}),
            catalog.component("other", "1", where={"gpu_type": ["A100"]}),
        )
        subscription = catalog.subscription(acme, plan)
        catalog.run_gpus("acme", october(3), 10, gpu_type="A100")
        catalog.run_gpus("acme", october(4), 1, gpu_type="H100")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = statement(subscription)
        assert amounts(found) == {"h100": Decimal("2.50"), "other": Decimal("10.00")}
        assert sum("metering_usagebucket" in query["sql"] for query in queries) == 1

    def test_refuses_usage_that_no_component_takes(self, acme):
        plan = catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
        subscription = catalog.subscription(acme, plan)
        catalog.run_gpus("acme", october(3), 1, gpu_type="B200")
        with pytest.raises(DocumentError, match="gpu_type=B200") as caught:
            statement(subscription)
        assert caught.value.code == "unpriced"

    def test_refuses_a_period_in_which_the_subscription_does_not_run(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(), end_at=OCTOBER.end)
        with pytest.raises(statements.OutsideSubscription):
            statement(subscription, period=catalog.NOVEMBER)

    def test_keeps_thirds_of_an_hour_exactly(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(catalog.component(unit_amount="1")))
        catalog.run_gpus("acme", october(31, 23, 40), 1)  # 20 minutes of it in October
        rated = statements.of(
            subscription=subscription, piece=catalog.piece(subscription, OCTOBER), as_of=AFTER, is_final=True
        )
        assert rated.statement.lines[0].quantity == Fraction(1, 3)
        assert rated.rating_input["usage"][0]["quantity"] == "1/3"
        assert rated.statement.total == Decimal("0.33")


class TestPriceChange:
    def test_in_mid_period_prices_each_part_at_its_own_version(self, acme):
        plan = catalog.plan(catalog.component(unit_amount="2"), catalog.fee(amount="31.00"))
        subscription = catalog.subscription(acme, plan)
        catalog.plan(
            catalog.component(unit_amount="3"),
            catalog.fee(amount="62.00"),
            at=october(1),
            effective_at="2026-10-11T00:07:00Z",
            migration="AT_ONCE",
        )
        catalog.run_gpus("acme", october(10, 23, 7), 2)  # an hour before the change and one after it
        found = amounts(statement(subscription))
        # 1 x 2 + 1 x 3
        assert found["gpu"] == Decimal("5.00")
        # 31 x 14407/44640 + 62 x 30233/44640 minutes = 10.0048.. + 41.9902.. = 51.995
        assert found["fee"] == Decimal("52.00")

    def test_goes_on_counting_tiers(self, acme):
        def graduated(dear, cheap):
            tiers = [{"up_to": "10", "unit_amount": dear}, {"up_to": None, "unit_amount": cheap}]
            return catalog.component(price={"model": "graduated", "tiers": tiers})

        subscription = catalog.subscription(acme, catalog.plan(graduated("2", "1")))
        catalog.plan(
            graduated("4", "3"), at=october(1), effective_at="2026-10-11T00:00:00Z", migration="AT_ONCE"
        )
        catalog.run_gpus("acme", october(5), 8)
        catalog.run_gpus("acme", october(15), 7)
        # 8 x 2, then 2 x 4 to the tier's end and 5 x 3
        assert statement(subscription).total == Decimal("39.00")

    def test_of_overrides_is_a_part_of_its_own(self, acme):
        plan = catalog.plan(catalog.fee("seats", price={"model": "per_unit", "unit_amount": "31"}))
        subscription = catalog.subscription(acme, plan, overrides={"seats": {"quantity": "1"}})
        SubscriptionPhase.objects.update(validity=DateTimeTZRange(OCTOBER.start, october(11)))
        SubscriptionPhase.objects.create(
            subscription=subscription,
            plan=plan,
            validity=DateTimeTZRange(october(11), None),
            overrides={"seats": {"quantity": "2"}},
        )
        # 10 days of one seat and 21 days of two
        assert statement(subscription).total == Decimal("52.00")


class TestSubjects:
    def test_count_from_the_instant_at_which_the_customer_pays_for_them(self, acme):
        subscription = catalog.subscription(acme, catalog.plan(), subject="first")
        subscribing.assign_subject(
            customer=acme,
            subject="late",
            validity=DateTimeTZRange(october(10, 5), None),
            subscription=subscription,
        )
        catalog.run_gpus("first", october(2), 1)
        catalog.run_gpus("late", october(10), 10)  # half of it before the sign-up
        assert statement(subscription).total == Decimal("15.00")

    def test_belong_to_the_only_subscription_that_prices_the_meter(self, acme):
        gpu = subscribing.subscribe(
            customer=acme, plan=catalog.plan(), key="gpu", start_at=OCTOBER.start, at=catalog.LONG_AGO
        )
        support = subscribing.subscribe(
            customer=acme,
            plan=catalog.plan(catalog.fee(), code="support"),
            key="support",
            start_at=OCTOBER.start,
            at=catalog.LONG_AGO,
        )
        subscribing.assign_subject(customer=acme, subject="vc1", validity=OCTOBER)
        catalog.run_gpus("vc1", october(2), 4)
        assert amounts(statement(gpu)) == {"gpu": Decimal("10.00")}
        assert amounts(statement(support)) == {"fee": Decimal("31.00")}

    def test_are_never_charged_twice(self, acme):
        gpu = catalog.subscription(acme, catalog.plan(), subject="vc1", key="gpu")
        addon = catalog.subscription(acme, catalog.plan(code="addon"), subject="vc2", key="addon")
        catalog.run_gpus("vc1", october(2), 4)
        catalog.run_gpus("vc2", october(2), 2)
        assert statement(gpu).total == Decimal("10.00")
        assert statement(addon).total == Decimal("5.00")

    def test_that_two_subscriptions_could_pay_for_stop_both(self, acme):
        gpu = catalog.subscription(acme, catalog.plan(), subject="vc1", key="gpu")
        addon = catalog.subscription(acme, catalog.plan(code="addon"), subject="vc2", key="addon")
        CustomerSubject.objects.filter(subject="vc1").update(subscription=None)
        for subscription in (gpu, addon):
            with pytest.raises(statements.SubjectsNotAssigned, match="vc1"):
                statement(subscription)


class TestHybrid:
    """The dearer of GPU-hours on demand, and of a reservation with hours beyond it."""

    @pytest.fixture
    def plan(self, gpu_hours):
        on_demand = {"code": "demand", "combine": "SUM", "components": [catalog.component("hours", "4")]}
        reserved = {
            "code": "reserved",
            "combine": "SUM",
            "components": [
                catalog.fee("gpus", price={"model": "per_unit", "unit_amount": "100"}, quantity="2"),
                catalog.component("overage", "5", included={"quantity": "2", "every": "HOUR"}),
            ],
        }
        return catalog.plan({"code": "hybrid", "combine": "GREATEST", "components": [on_demand, reserved]})

    def test_takes_the_reservation_for_little_usage(self, acme, plan):
        subscription = catalog.subscription(acme, plan)
        # 01:30 to 03:30 with 5 GPUs: 2.5, 5 and 2.5 GPU-hours in three hours of the clock
        catalog.run_gpus("acme", october(3, 1, 30), 2, count=5)
        found = statement(subscription)
        # overage 0.5 + 3 + 0.5 = 4 hours at 5; on demand 10 hours at 4 would be 40
        assert amounts(found) == {
            "hours": Decimal("0.00"),
            "gpus": Decimal("200.00"),
            "overage": Decimal("20.00"),
        }
        assert found.lines[0].would_be == Decimal("40.00")
        assert found.total == Decimal("220.00")

    def test_takes_the_usage_on_demand_when_there_is_much_of_it(self, acme, plan):
        subscription = catalog.subscription(acme, plan)
        catalog.run_gpus("acme", october(3), 100, count=2)  # within the reservation, hour by hour
        found = statement(subscription)
        # 200 hours at 4 against 200 + 0
        assert amounts(found) == {
            "hours": Decimal("800.00"),
            "gpus": Decimal("0.00"),
            "overage": Decimal("0.00"),
        }
        assert found.total == Decimal("800.00")

    def test_reserves_as_many_as_the_subscription_says(self, acme, plan):
        overrides = {"gpus": {"quantity": "10"}, "overage": {"included": {"quantity": "10", "every": "HOUR"}}}
        subscription = catalog.subscription(acme, plan, overrides=overrides)
        catalog.run_gpus("acme", october(3), 1, count=11)
        # 10 x 100 and one hour beyond at 5, against 11 x 4
        assert statement(subscription).total == Decimal("1005.00")


class TestFreeUnits:
    def test_go_to_the_earliest_quarter_hour_where_prices_differ(self, acme):
        rates = [
            {"when": {"gpu_type": "H100"}, "unit_amount": "3"},
            {"when": {"gpu_type": "A100"}, "unit_amount": "1"},
        ]
        price = {"model": "matrix", "by": ["gpu_type"], "rates": rates}
        plan = catalog.plan(catalog.component(price=price, included={"quantity": "1"}))
        subscription = catalog.subscription(acme, plan)
        catalog.run_gpus("acme", october(2), 1, gpu_type="H100")
        catalog.run_gpus("acme", october(3), 1, gpu_type="A100")
        # A100 comes first by name, but the H100 ran first and is free
        assert statement(subscription).total == Decimal("1.00")


class TestEvidence:
    def test_gives_the_same_statement_again(self, acme):
        subscription = catalog.subscription(
            acme, catalog.plan(catalog.component(included={"quantity": "1", "every": "HOUR"}))
        )
        catalog.run_gpus("acme", october(3, 0, 20), 3, count=3)
        rated = statements.of(
            subscription=subscription, piece=catalog.piece(subscription, OCTOBER), as_of=AFTER, is_final=True
        )
        packed = evidence.pack(rated.rating_input)
        assert evidence.rate(evidence.unpack(packed)) == rated.statement
        assert evidence.pack(evidence.unpack(packed)) == packed

    def test_is_known_to_be_tampered_with(self):
        packed = evidence.pack({"usage": []})
        forged = evidence.Packed(evidence.pack({"usage": [1]}).content, packed.sha256)
        with pytest.raises(evidence.EvidenceTampered):
            evidence.unpack(forged)

    def test_notes_the_counters_of_the_usage_it_read(self, acme):
        subscription = catalog.subscription(acme, catalog.plan())
        catalog.run_gpus("acme", october(3), 1)
        rolling.roll_up(limit=10, at=AFTER)
        rated = statements.of(
            subscription=subscription, piece=catalog.piece(subscription, OCTOBER), as_of=AFTER, is_final=True
        )
        [revisions] = rated.revisions.values()
        assert revisions == {"acme|2026-10": 1}
