from datetime import UTC, datetime, timedelta

import pytest

from billing import subscribing, unbilled
from billing.invoicing import adjusting, running
from billing.models import Invoice, InvoiceLine
from billing.unbilled import Reason
from metering import rolling
from metering.models import EventKey
from metering.periods import Period
from tests.world import catalog, events, meters

pytestmark = pytest.mark.django_db

OCTOBER, NOVEMBER, NOW = catalog.OCTOBER, catalog.NOVEMBER, catalog.IN_NOVEMBER
TENTH = datetime(2026, 10, 10, 12, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def world(db):
    catalog.seller()
    meters.meter("units", "SUM", value="n", dimensions={"model": "model"})
    meters.meter("calls")


def plan(**fields):
    price = {"model": "per_unit", "unit_amount": "2.5"}
    return catalog.plan({"code": "units", "meter": "units", "price": price, **fields})


def use(subject="acme", at=TENTH, n=4, type="llm.call", **values):
    data = {"n": n, "model": "small", **values}
    events.store([events.event(EventKey.objects.count(), at, data, subject=subject, type=type)])


def roll():
    rolling.roll_up(limit=1000, at=NOW)


def measured(*reasons, after=unbilled.FIRST, limit=100):
    roll()
    wanted = reasons or [each for each in Reason if each is not Reason.NOT_IN_PLAN]
    found = unbilled.measured(reasons=wanted, period=OCTOBER, after=after, limit=limit, at=NOW)
    return [(each.subject, each.meter, str(each.reason), each.count) for each in found]


class TestMeasured:
    def test_is_usage_of_subjects_that_nobody_pays_for(self):
        use("stray")
        use("stray", TENTH + timedelta(hours=1))
        assert measured() == [("stray", "calls", "NO_PAYER", 2), ("stray", "units", "NO_PAYER", 2)]
        [_, row] = unbilled.measured(
            reasons=[Reason.NO_PAYER], period=OCTOBER, after=unbilled.FIRST, limit=9, at=NOW
        )
        assert (row.first_at, row.last_at) == (
            datetime(2026, 10, 10, 12, 0, tzinfo=UTC),
            datetime(2026, 10, 10, 13, 15, tzinfo=UTC),
        )

    def test_is_nothing_where_somebody_is_charged(self):
        catalog.subscription(catalog.customer("acme"), plan())
        use()
        assert measured(Reason.NO_PAYER, Reason.NO_SUBSCRIPTION, Reason.PAUSED) == []

    def test_is_apart_where_the_plan_does_not_name_the_meter(self):
        catalog.subscription(catalog.customer("acme"), plan())
        use()
        assert measured(Reason.NOT_IN_PLAN) == [("acme", "calls", "NOT_IN_PLAN", 1)]

    def test_is_usage_before_the_payer_begins_to_pay(self):
        acme = catalog.customer("acme")
        made = catalog.subscription(acme, plan())
        use("lab", TENTH)
        use("lab", TENTH + timedelta(days=5))
        since = Period(TENTH + timedelta(days=1), NOVEMBER.end)
        subscribing.assign_subject(customer=acme, subject="lab", validity=since, subscription=made)
        assert measured(Reason.NO_PAYER) == [
            ("lab", "calls", "NO_PAYER", 1),
            ("lab", "units", "NO_PAYER", 1),
        ]

    def test_is_usage_of_a_payer_without_a_subscription(self):
        acme = catalog.customer("acme")
        subscribing.assign_subject(customer=acme, subject="acme", validity=OCTOBER)
        use()
        assert [row[2] for row in measured()] == ["NO_SUBSCRIPTION", "NO_SUBSCRIPTION"]

    def test_is_usage_of_a_pause(self):
        made = catalog.subscription(catalog.customer("acme"), plan())
        use(at=TENTH - timedelta(days=3))
        subscribing.pause(subscription=made, effective_at=TENTH - timedelta(days=1))
        subscribing.resume(subscription=made, effective_at=TENTH + timedelta(days=1))
        use(at=TENTH)
        use(at=TENTH + timedelta(days=2))
        assert measured() == [("acme", "units", "PAUSED", 1)]

    def test_comes_in_pages(self):
        for subject in ("a", "b", "c"):
            use(subject)
        first = measured(limit=4)
        assert [row[:2] for row in first] == [
            ("a", "calls"),
            ("a", "units"),
            ("b", "calls"),
            ("b", "units"),
        ]
        assert [row[:2] for row in measured(limit=4, after=first[-1][:3])] == [
            ("c", "calls"),
            ("c", "units"),
        ]

    def test_is_billed_from_its_own_time_once_the_payer_is_known(self):
        acme = catalog.customer("acme")
        made = catalog.subscription(acme, plan())
        use()
        use("lab")
        roll()
        running.run(as_of=NOW, at=NOW)
        adjusting.run(at=NOW)
        assert [row[0] for row in measured(Reason.NO_PAYER)] == ["lab", "lab"]
        since = Period(OCTOBER.start, NOVEMBER.end)
        subscribing.assign_subject(customer=acme, subject="lab", validity=since, subscription=made)
        adjusting.run(at=NOW)
        assert measured(Reason.NO_PAYER) == []
        december = datetime(2026, 12, 2, tzinfo=UTC)
        running.run(as_of=december, at=december)
        on_november = InvoiceLine.objects.filter(service_period__invoice__number="INV-000002")
        assert [(row.kind, str(row.amount)) for row in on_november.order_by("service_period_id")] == [
            ("adjustment", "10.00"),
            ("usage", "0.00"),
        ]


class TestUnmatched:
    def unmatched(self, **fields):
        found = unbilled.unmatched(period=OCTOBER, **{"after": "", "limit": 10, **fields}, at=NOW)
        return [(each.type, each.count, each.first_at, each.last_at) for each in found]

    def test_is_a_type_that_no_meter_counts(self):
        use()
        use(type="image.made")
        use(type="image.made", at=TENTH + timedelta(hours=1))
        use(type="video.made")
        assert self.unmatched() == [
            ("image.made", 2, TENTH, TENTH + timedelta(hours=1)),
            ("video.made", 1, TENTH, TENTH),
        ]
        assert self.unmatched(after="image.made") == [("video.made", 1, TENTH, TENTH)]
        assert len(self.unmatched(limit=1)) == 1

    def test_is_none_any_more_once_a_meter_counts_it(self):
        use(type="image.made")
        meters.meter("images", event_type="image.made")
        assert self.unmatched() == []


class TestUnusable:
    def test_is_an_event_that_its_meter_cannot_use(self):
        use(n="many")
        use(n="much")
        roll()
        [row] = unbilled.unusable(period=OCTOBER, after=("", ""), limit=10)
        assert (row.meter, row.type, row.count, row.first_at) == ("units", "llm.call", 2, TENTH)
        assert "n" in row.reason
        assert unbilled.unusable(period=OCTOBER, after=(row.meter, row.reason), limit=10) == []


class TestBlocked:
    def test_is_a_draft_with_usage_that_no_component_takes(self):
        catalog.subscription(catalog.customer("acme"), plan(where={"model": ["big"]}))
        use()
        running.run(as_of=NOW, at=NOW)
        [(pk, row)] = unbilled.blocked(after=0, limit=10)
        assert (row.customer_key, row.invoice_id) == ("acme", Invoice.objects.get().pk)
        assert "model=small" in row.reason
        assert unbilled.blocked(after=pk, limit=10) == []


class TestUnadjusted:
    def test_is_an_invoiced_period_with_late_usage_that_has_no_price(self):
        catalog.subscription(catalog.customer("acme"), plan(where={"model": ["small"]}))
        use()
        roll()
        running.run(as_of=NOW, at=NOW)
        use(model="new")
        roll()
        adjusting.run(at=NOW)
        [(pk, row)] = unbilled.unadjusted(after=0, limit=10)
        assert (row.customer_key, row.invoice_id) == ("acme", None)
        assert "model=new" in row.reason
        assert unbilled.unadjusted(after=pk, limit=10) == []
