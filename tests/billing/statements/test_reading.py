"""What statements read of usage: an invoice is what a quote with the same events says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import evidence, publishing, rating, statements, subscribing
from metering import defining, rolling
from metering.documents import DocumentError
from metering.measures import Event
from metering.models import partitions
from metering.periods import Period, format_instant
from tests.world import catalog, events, purchases

pytestmark = pytest.mark.django_db

OCTOBER = catalog.OCTOBER
AFTER = catalog.IN_NOVEMBER
MANY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
SHOWN = ("component", "kind", "dimensions", "quantity", "unrounded", "amount")


@pytest.fixture(autouse=True)
def tables():
    partitions.ensure([date(2026, month, 1) for month in (9, 10)])


def october(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def use(n: int, at: datetime, value: Any, *, subject: str = "acme", **more: Any) -> Event:
    data = {"v": value, "model": "large", "at": {"region": "eu"}, **more}
    return events.event(n, at, data, subject=subject, type="use")


def subscribed(*components: dict[str, Any], subjects: list[str] = purchases.SUBJECTS):
    """A customer's subscription to a plan of these components, from the beginning of the year."""
    plan = catalog.plan(*components)
    payer = catalog.customer("acme")
    made = subscribing.subscribe(
        customer=payer, plan=plan, key="acme-sub", start_at=catalog.LONG_AGO, at=catalog.LONG_AGO
    )
    for subject in subjects:
        forever = Period(catalog.LONG_AGO, datetime(2030, 1, 1, tzinfo=UTC))
        subscribing.assign_subject(customer=payer, subject=subject, validity=forever, subscription=made)
    return made


def rated(subscription, **more: Any) -> statements.Rated:
    return statements.of(
        subscription=subscription,
        piece=catalog.piece(subscription, OCTOBER),
        **{"as_of": AFTER, "is_final": True, **more},
    )


def outcome(answer) -> Any:
    """The lines and totals, or the code of the error."""
    try:
        found = answer()
    except DocumentError as error:
        return error.code
    lines = [{name: line[name] for name in SHOWN} for line in found["lines"]]
    return lines, found["subtotal"], found["total"]


def written(each: Event) -> dict[str, Any]:
    return {
        "id": each.id,
        "source": each.source,
        "type": each.type,
        "subject": each.subject,
        "time": format_instant(each.time),
        "data": each.data,
    }


@pytest.mark.parametrize("aggregation", [*purchases.ADDING_UP, *purchases.NOT_ADDING_UP])
class TestInvoice:
    @MANY
    @given(choices=st.data())
    def test_equals_the_quote_of_the_same_events(self, aggregation, choices):
        draw = choices.draw
        carry_over = draw(st.booleans())
        document = purchases.meter(aggregation, carry_over=carry_over)
        stored = draw(purchases.events(before=document.get("carry_over", False)))
        first = catalog.document(*draw(purchases.components(aggregation)))
        second = draw(st.sampled_from([None, purchases.components(aggregation)]))
        request: dict[str, Any] = {"period": evidence.written_period(OCTOBER), "meters": [document]}
        request["events"] = [written(each) for each in stored]
        with transaction.atomic():
            defining.apply(document=document, at=catalog.LONG_AGO)
            subscription = subscribed(*first["components"])
            if second is None:
                request["plan"] = first
            else:
                others = second.filter(lambda each: each != first["components"])
                changed = {**first, "components": draw(others)}
                request["segments"] = [
                    {"from": format_instant(OCTOBER.start), "plan": first},
                    {"from": "2026-10-11T00:07:00Z", "plan": changed},
                ]
                when = {"effective_at": "2026-10-11T00:07:00Z", "migration": "AT_ONCE"}
                publishing.apply(document={**changed, **when}, at=october(1))
            store(draw, stored)
            quoted = outcome(lambda: rating.quote(request))
            assert outcome(lambda: rated(subscription).statement.answer()) == quoted
            transaction.set_rollback(True)


def store(draw, stored: list[Event]) -> None:
    """In random order and two batches, of which some are rolled up."""
    shuffled = draw(st.permutations(stored))
    cut = draw(st.integers(0, len(shuffled)))
    for batch in (shuffled[:cut], shuffled[cut:]):
        if batch:
            events.store(batch)
        if draw(st.booleans()):
            rolling.roll_up(limit=10, at=AFTER)


def gauge(aggregation: str, **more: Any) -> None:
    defining.apply(document={**purchases.meter(aggregation), **more}, at=catalog.LONG_AGO)


def dime(unit_amount: str = "0.10", **more: Any) -> dict[str, Any]:
    price = {"model": "per_unit", "unit_amount": unit_amount}
    return {"code": "storage", "meter": "m", "price": price, **more}


class TestMetersThatDoNotAddUp:
    def test_are_billed_once_though_the_price_changes(self):
        gauge("MAX")
        subscription = subscribed(dime("0.10"))
        changed = catalog.document(dime("0.20"), effective_at="2026-10-11T00:00:00Z", migration="AT_ONCE")
        publishing.apply(document=changed, at=october(1))
        events.store([use(1, october(5), 100), use(2, october(20), 62)])
        # a peak of 100 GB: 10 of 31 days at 0.10 and 21 of them at 0.20: 3.2258.. + 13.5483.. = 16.7741..
        assert rated(subscription).statement.total == Decimal("16.77")

    def test_are_measured_over_all_subjects_unless_the_price_tells_them_apart(self):
        gauge("MAX")
        subscription = subscribed(dime(), dime(code="each", per=["subject"]))
        events.store([use(1, october(5), 100), use(2, october(6), 80, subject="globex")])
        # 100 x 0.10, and 100 x 0.10 + 80 x 0.10
        amounts = [(line.component, line.amount) for line in rated(subscription).statement.lines]
        assert amounts == [
            ("storage", Decimal("10.00")),
            ("each", Decimal("10.00")),
            ("each", Decimal("8.00")),
        ]

    def test_are_measured_by_each_component_over_what_it_takes(self):
        gauge("AVERAGE")
        both = {"model": ["large", "small"]}
        subscription = subscribed(dime(where={"model": ["large"]}), dime(code="both", where=both))
        events.store([use(1, october(5), 10), use(2, october(6), 40, model="small")])
        # the average of 10, and of 10 and 40
        quantities = [(line.component, line.quantity) for line in rated(subscription).statement.lines]
        assert quantities == [("storage", 10), ("both", 25)]

    def test_refuse_usage_that_no_component_takes(self):
        gauge("LATEST")
        subscription = subscribed(dime(where={"model": ["small"]}))
        events.store([use(1, october(5), 10)])
        with pytest.raises(DocumentError, match="model=large") as caught:
            rated(subscription)
        assert caught.value.code == "unpriced"

    def test_carry_over_texts_since_the_subscription_began(self):
        gauge("UNIQUE", value="model", carry_over=True)
        before = datetime(2025, 12, 31, tzinfo=UTC)
        partitions.ensure([before.date(), date(2026, 1, 1)])
        subscription = subscribed(dime("1"))
        events.store(
            [
                use(1, before, 0, model="forgotten"),
                use(2, catalog.LONG_AGO, 0, model="first"),
                use(3, october(3), 0, model="second"),
            ]
        )
        assert rated(subscription).statement.total == Decimal("2.00")

    def test_carry_over_the_last_value_of_before_the_subscription(self):
        gauge("LATEST", carry_over=True)
        events.store([use(1, datetime(2026, 9, 30, tzinfo=UTC), 7)])
        payer, plan = catalog.customer("acme"), catalog.plan(dime("20"))
        assert rated(catalog.subscription(payer, plan)).statement.total == Decimal("140.00")


class TestPricesOfSingleEvents:
    def test_take_a_share_of_each_event(self):
        gauge("SUM")
        price = {"model": "percentage", "rate": "10", "fixed_amount": "0.25", "maximum_per_event": "1"}
        subscription = subscribed(dime(price=price))
        events.store([use(1, october(5), 5), use(2, october(6), 50)])
        # 0.50 + 0.25, and 5.25 which is 1 at most
        assert rated(subscription).statement.total == Decimal("1.75")

    def test_take_the_amounts_that_events_carry(self):
        gauge("COUNT")
        price = {"model": "dynamic", "amount": "cost", "amount_unit": "MINOR"}
        subscription = subscribed(dime(price=price))
        events.store([use(1, october(5), 1, cost=Decimal("1234.5")), use(2, october(6), 1, cost="100")])
        # 12.345 + 1.00
        answer = rated(subscription)
        assert answer.statement.total == Decimal("13.35")
        assert evidence.rate(evidence.unpack(evidence.pack(answer.rating_input))) == answer.statement

    def test_refuse_an_event_without_an_amount(self):
        gauge("COUNT")
        subscription = subscribed(dime(price={"model": "dynamic", "amount": "cost"}))
        events.store([use(1, october(5), 1, cost=None)])
        with pytest.raises(DocumentError, match="no amount at cost") as caught:
            rated(subscription)
        assert caught.value.code == "unpriced"

    def test_may_be_the_price_of_one_subscription_alone(self):
        gauge("COUNT")
        price = {"model": "dynamic", "amount": "cost"}
        of = catalog.plan(dime("5"))
        subscription = catalog.subscription(
            catalog.customer("acme"), of, overrides={"storage": {"price": price}}
        )
        events.store([use(1, october(5), 1, cost="2.5")])
        assert rated(subscription).statement.total == Decimal("2.50")

    def test_are_refused_for_one_subscription_where_the_meter_has_no_single_events(self):
        gauge("MAX")
        of, acme = catalog.plan(dime("5")), catalog.customer("acme")
        with pytest.raises(DocumentError, match="needs a meter of COUNT or SUM") as caught:
            catalog.subscription(acme, of, overrides={"storage": {"price": purchases.PRICES_OF_EVENTS[0]}})
        assert caught.value.field == "overrides.storage.price"
