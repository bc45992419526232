"""Many statements at once: the same as one by one, with a number of SQL statements that does not grow."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext

from billing import evidence, statements, subscribing
from billing.models import CustomerSubject
from billing.rating import Billed
from billing.statements import reading
from metering.documents import DocumentError
from metering.periods import Period
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, AFTER = catalog.OCTOBER, catalog.IN_NOVEMBER


def october(day, hour=0):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


@pytest.fixture(autouse=True)
def gpu_hours(db):
    catalog.gpu_hours()


def requests(subscriptions, as_of=AFTER):
    return [
        statements.Request(subscription, piece, as_of, True)
        for subscription in subscriptions
        for piece in statements.pieces(subscription=subscription, period=OCTOBER)
    ]


def contract(number, plan, **fields):
    return catalog.subscription(catalog.customer(f"c{number:02}"), plan, **fields)


class TestOfMany:
    def test_gives_what_each_one_gives_alone(self):
        basic = catalog.plan(catalog.component(), catalog.fee())
        pro = catalog.plan(catalog.component(unit_amount="3"), code="pro", timezone="UTC")
        made = [
            contract(0, basic, overrides={"fee": {"price": {"model": "flat", "amount": "7"}}}),
            contract(1, pro, start_at=october(5)),
            contract(2, basic, trial_end_at=october(9)),
            contract(3, basic),
            contract(4, catalog.plan(catalog.component(where={"gpu_type": ["A100"]}), code="a100")),
        ]
        subscribing.change_plan(subscription=made[3], plan=pro, effective_at=october(11))
        subscribing.pause(subscription=made[0], effective_at=october(12), until_at=october(14))
        for number in range(5):
            for day in (3, 13, 23):
                catalog.run_gpus(f"c{number:02}", october(day), number + day)
        asked = requests(made)
        alone = []
        for request in asked:
            try:
                alone.append(
                    statements.of(
                        subscription=request.subscription, piece=request.piece, as_of=AFTER, is_final=True
                    )
                )
            except DocumentError as error:
                alone.append(error)
        together = statements.of_many(asked)
        # one and two pieces: of the trial and of the change of plan
        assert len(together) == 7
        assert together[:-1] == alone[:-1]
        assert [type(each) for each in (together[-1], alone[-1])] == [DocumentError, DocumentError]
        assert together[-1].code == "unpriced"

    def test_reads_contracts_with_the_same_statements_for_one_and_for_ten(self, monkeypatch):
        # Reading usage has tests of its own; here it reads none.
        monkeypatch.setattr(reading, "read", lambda wants: [reading.Reading() for _ in wants])
        plan = catalog.plan(catalog.component(), catalog.fee())
        other = catalog.plan(catalog.component(), code="other")
        made = [contract(number, plan if number % 2 else other) for number in range(10)]
        CustomerSubject.objects.filter(customer__key__in=["c01", "c02"]).update(subscription=None)
        asked = requests(made)
        counts = []
        for chunk in (asked[:3], asked):
            with CaptureQueriesContext(connection) as queries:
                statements.of_many(chunk)
            counts.append(len(queries))
        # timelines (3), subjects, other subscriptions and their timelines (4), versions, meters
        assert counts == [10, 10]

    def test_of_nothing_is_nothing(self):
        assert statements.of_many([]) == []

    def test_answers_the_refusal_of_one_and_the_statements_of_the_others(self):
        plan = catalog.plan()
        made = [contract(0, plan), contract(1, plan)]
        addon = catalog.subscription(made[0].customer, catalog.plan(code="addon"), subject="x", key="addon")
        CustomerSubject.objects.filter(subject="c00").update(subscription=None)
        found = statements.of_many(requests([*made, addon]))
        assert isinstance(found[0], statements.SubjectsNotAssigned)
        assert isinstance(found[1], statements.Rated)
        assert isinstance(found[2], statements.SubjectsNotAssigned)


class TestParts:
    @pytest.fixture
    def made(self):
        return contract(0, catalog.plan(catalog.fee("fee", "31", timing="IN_ADVANCE"), catalog.component()))

    def rated(self, subscription, **fields):
        (piece,) = statements.pieces(subscription=subscription, period=OCTOBER)
        return statements.of(subscription=subscription, piece=piece, as_of=AFTER, is_final=True, **fields)

    def test_in_advance_reads_no_usage(self, made):
        catalog.run_gpus("c00", october(3), 4)
        rated = self.rated(made, part="ADVANCE")
        assert [(line.component, str(line.amount)) for line in rated.statement.lines] == [("fee", "31.00")]
        assert (rated.rating_input["meters"], rated.rating_input["usage"], rated.revisions) == ([], [], {})

    def test_in_arrears_is_less_what_was_billed_in_advance(self, made):
        catalog.run_gpus("c00", october(3), 4)
        subscribing.cancel(subscription=made, end_at=october(11))
        made.refresh_from_db()
        billed = [Billed("fee", None, {}, "fixed", Decimal("31.00"))]
        rated = self.rated(made, billed=billed)
        # 10 of 31 days, and 4 hours at 2.50
        assert [str(line.amount) for line in rated.statement.lines] == ["-21.00", "10.00"]

    def test_of_a_paused_piece_are_rated_again_from_what_an_invoice_keeps(self, made):
        subscribing.pause(subscription=made, effective_at=october(11), until_at=october(21))
        for day in (3, 15, 25):
            catalog.run_gpus("c00", october(day), 4)
        rated = self.rated(made)
        # 21 days of the fee, and two times 4 hours at 2.50
        assert [str(line.amount) for line in rated.statement.lines] == ["21.00", "20.00"]
        assert evidence.rate(evidence.unpack(evidence.pack(rated.rating_input))) == rated.statement


class TestPaused:
    def test_says_whose_usage_lies_in_pauses_and_of_which_meters(self):
        made = contract(0, catalog.plan())
        contract(1, catalog.plan())
        subscribing.pause(subscription=made, effective_at=october(11), until_at=october(21))
        subscribing.pause(subscription=made, effective_at=datetime(2026, 12, 1, tzinfo=UTC))
        subscribing.assign_subject(
            customer=made.customer,
            subject="late",
            validity=DateTimeTZRange(october(15), None),
            subscription=made,
        )
        found = statements.paused(period=OCTOBER)
        assert [(each.subscription.key, each.subject, each.period, each.meters) for each in found] == [
            ("c00-gpu-cloud", "c00", Period(october(11), october(21)), ("gpu_hours",)),
            ("c00-gpu-cloud", "late", Period(october(15), october(21)), ("gpu_hours",)),
        ]

    def test_is_cut_to_the_period_and_the_subscriptions_end(self):
        made = contract(0, catalog.plan(), end_at=october(25))
        subscribing.pause(subscription=made, effective_at=october(11))
        (found,) = statements.paused(period=Period(october(20), october(30)), customer=made.customer)
        assert found.period == Period(october(20), october(25))

    def test_is_empty_where_nobody_rests(self):
        contract(0, catalog.plan())
        assert statements.paused(period=OCTOBER) == []

    def test_leaves_out_subjects_of_other_subscriptions(self):
        made = contract(0, catalog.plan())
        catalog.subscription(made.customer, catalog.plan(code="addon"), subject="addon", key="addon")
        subscribing.pause(subscription=made, effective_at=october(11))
        assert {each.subject for each in statements.paused(period=OCTOBER)} == {"c00"}
