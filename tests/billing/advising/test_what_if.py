"""What-if: drafts against invoices that were issued, which come out again to the cent."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection

from billing import publishing, tasks
from billing.advising import asking, what_if
from billing.advising.what_if import Question
from billing.invoicing import running
from billing.models import InvoiceLine, Plan, Subscription, SubscriptionPhase, WhatIf
from config.celery import app
from config.demo import traces, world
from metering.documents import DocumentError
from metering.measures import Event
from tests.world import catalog, events, meters

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def document(code="gpu-cloud", *components, **fields):
    return {"code": code, "currency": "USD", "components": list(components), **fields}


@pytest.fixture
def acme(db):
    """Acme ran 10 hours on an H100 and 4 on an A100 in October, and pays 2.50 for each: 35.00."""
    catalog.seller()
    catalog.gpu_hours()
    payer = catalog.customer("acme")
    subscription = catalog.subscription(payer, catalog.plan())
    catalog.run_gpus("acme", catalog.OCTOBER.start, 10)
    catalog.run_gpus("acme", catalog.OCTOBER.start, 4, gpu_type="A100")
    running.run(as_of=AT, at=AT)
    return subscription


def compared(documents, **fields):
    question = Question(**{"documents": documents, "period": catalog.OCTOBER, **fields})
    return [step.difference for step in what_if.compare(question) if step.difference is not None]


def current():
    return Plan.objects.get().versions.get().document


class TestCompare:
    def test_with_the_plan_unchanged_differs_by_nothing(self, acme):
        (found,) = compared([current()])
        assert (found.old, found.new, found.difference) == (Decimal("35.00"), Decimal("35.00"), 0)
        assert (found.is_reproduced, found.note, found.read_anew, found.components) == (True, "", (), ())
        assert (found.customer, found.invoices) == ("acme", ("INV-000001",))

    def test_tells_what_a_draft_would_have_changed(self, acme):
        code = current()["code"]
        draft = document(code, catalog.component(unit_amount="3"), catalog.fee(amount="5.00"))
        (found,) = compared([draft])
        assert (found.old, found.new, found.difference) == (35, 47, 12)
        assert found.components == (("gpu", 35, 42), ("fee", 0, 5))

    def test_reads_usage_anew_only_where_the_invoice_did_not_split_it(self, acme):
        code = current()["code"]
        rates = [
            {"when": {"gpu_type": "H100"}, "unit_amount": "3"},
            {"when": {"gpu_type": "A100"}, "unit_amount": "1"},
        ]
        matrix = {"model": "matrix", "by": ["gpu_type"], "rates": rates}
        (found,) = compared([document(code, {"code": "gpu", "meter": "gpu_hours", "price": matrix})])
        assert (found.new, found.read_anew) == (34, ("gpu_hours",))

    def test_reads_a_meter_that_the_invoice_did_not_know(self, acme):
        meters.meter("calls")
        stored = [events.event(1000 + n, catalog.OCTOBER.start, {}, subject="acme") for n in range(7)]
        events.store(stored)
        draft = document(current()["code"], {**catalog.component(), "meter": "calls"})
        (found,) = compared([draft])
        assert (found.new, found.read_anew) == (Decimal("17.50"), ("calls",))

    def test_says_so_where_a_draft_cannot_price_it(self, acme):
        matrix = {
            **{"model": "matrix", "by": ["gpu_type"]},
            "rates": [{"when": {"gpu_type": "H100"}, "unit_amount": "3"}],
        }
        draft = document(current()["code"], {"code": "gpu", "meter": "gpu_hours", "price": matrix})
        (found,) = compared([draft])
        assert (found.new, found.difference) == (None, None)
        assert "A100" in found.note
        assert found.is_reproduced

    def test_says_which_invoice_does_not_come_out_again(self, acme):
        with connection.cursor() as cursor:
            cursor.execute("set constraints all immediate")
            cursor.execute("alter table billing_invoiceline disable trigger user")
        InvoiceLine.objects.update(name="Something else")
        (found,) = compared([current()])
        assert not found.is_reproduced
        assert "INV-000001 is 35" in found.note
        assert found.difference == 0

    def test_keeps_to_the_customer_and_the_months_asked_for(self, acme):
        assert compared([current()], customer="nobody") == []
        assert compared([current()], period=catalog.NOVEMBER) == []
        assert len(compared([current()], customer="acme")) == 1

    def test_leaves_other_plans_alone_unless_everybody_moves(self, acme):
        other = document("other", catalog.component(unit_amount="1"))
        assert compared([other]) == []
        (found,) = compared([other], is_move=True)
        assert (found.old, found.new) == (35, 14)

    def test_uses_the_overrides_of_the_subscription(self, acme):
        catalog.subscription(
            catalog.customer("globex"),
            acme.phases.get().plan,
            overrides={"gpu": {"discount_percent": "50"}},
        )
        catalog.run_gpus("globex", catalog.OCTOBER.start, 10)
        running.run(as_of=AT, at=AT)
        draft = document(current()["code"], catalog.component(unit_amount="3"))
        assert [(each.customer, each.old, each.new) for each in compared([draft])] == [
            ("acme", 35, 42),
            ("globex", Decimal("12.50"), 15),
        ]

    def test_writes_nothing_to_subscriptions(self, acme):
        before = list(Subscription.objects.values()), list(SubscriptionPhase.objects.values())
        compared([document(current()["code"], catalog.component(unit_amount="3"))])
        assert (list(Subscription.objects.values()), list(SubscriptionPhase.objects.values())) == before
        assert Plan.objects.get().versions.count() == 1

    def test_of_another_currency_says_so(self, acme):
        (found,) = compared([{**current(), "currency": "EUR"}])
        assert (found.new, found.note) == (None, "the plan is in EUR, the invoice in USD")

    @pytest.mark.parametrize(
        ("documents", "fields", "field"),
        [
            ([{"code": "p"}], {}, "plans[0].currency"),
            ([document("a", catalog.fee()), document("a", catalog.fee())], {}, "plans[1].code"),
            ([document("a", catalog.fee()), document("b", catalog.fee())], {"is_move": True}, "plans"),
        ],
    )
    def test_refuses_plans_that_are_none(self, acme, documents, fields, field):
        with pytest.raises(DocumentError) as error:
            compared(documents, **fields)
        assert error.value.field == field


@pytest.mark.django_db
class TestDemosMonth:
    def test_with_the_plans_unchanged_differs_by_nothing_for_every_customer(self):
        world.set_up(at=AT)
        events.store([_event(each) for each in traces.model_calls(every=150)])
        events.store([_event(each) for each in traces.gpu_intervals(every=150)])
        running.run(as_of=AT, at=AT)
        found = compared(world.plan_documents(), period=world.MONTH)
        assert len(found) == 18
        assert {(each.difference, each.is_reproduced, each.note, each.read_anew) for each in found} == {
            (Decimal("0.00"), True, "", ())
        }
        assert sum(each.old for each in found) > 0


def _event(each):
    time = datetime.fromisoformat(each["time"])
    return Event(each["id"], each["source"], each["type"], each["subject"], time, each["data"])


class TestJobs:
    def ask(self, **fields):
        documents = fields.pop("documents", None) or [current()]
        question = Question(documents=documents, period=catalog.OCTOBER, **fields)
        return asking.ask(question=question, at=AT, by="ann")

    def test_are_run_by_the_worker_one_after_the_other(self, acme):
        first, second = self.ask(), self.ask(documents=[document("other", catalog.fee())])
        with time_machine.travel(AT, tick=False):
            tasks.answer_what_ifs()
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, first.done, first.total) == (WhatIf.State.DONE, 1, 1)
        assert (second.state, second.done, second.total) == (WhatIf.State.DONE, 0, 0)
        assert first.differences.get().difference == 0

    def test_are_what_the_beat_calls(self):
        app.loader.import_default_modules()
        scheduled = app.conf.beat_schedule["what-ifs"]["task"]
        assert app.tasks[scheduled].name == tasks.answer_what_ifs.name

    def test_that_are_cancelled_are_not_begun(self, acme):
        job = self.ask()
        asking.cancel(job=job, at=AT)
        assert asking.run_next(clock=lambda: AT) is None
        with pytest.raises(asking.WhatIfEnded):
            asking.cancel(job=job, at=AT)

    def test_that_are_cancelled_while_they_run_stop_and_keep_what_they_have(self, acme):
        catalog.subscription(catalog.customer("globex"), acme.phases.get().plan)
        running.run(as_of=AT, at=AT)
        job = self.ask()
        claimed = asking.claim(at=AT)
        ticks = iter(range(100))

        def clock():
            if next(ticks) == 2:  # started, after the first period, after the second
                asking.cancel(job=job, at=AT)
            return AT

        ended = asking.run(job=claimed, clock=clock)
        assert (ended.state, ended.done, ended.total) == (WhatIf.State.CANCELLED, 1, 2)
        assert ended.differences.count() == 1

    def test_whose_time_is_over_go_on_later_where_they_stood(self, acme):
        catalog.subscription(catalog.customer("globex"), acme.phases.get().plan)
        running.run(as_of=AT, at=AT)
        job = self.ask()
        times = iter(AT + timedelta(seconds=n) for n in range(100))
        queued = asking.run_next(clock=lambda: next(times), seconds_max=1)
        assert (queued.pk, queued.state, queued.done) == (job.pk, WhatIf.State.QUEUED, 1)
        ended = asking.run_next(clock=lambda: AT)
        assert (ended.state, ended.done) == (WhatIf.State.DONE, 2)
        assert [each.customer for each in ended.differences.all()] == ["acme", "globex"]

    def test_whose_worker_fell_silent_are_taken_over(self, acme):
        self.ask()
        asking.claim(at=AT)
        assert asking.claim(at=AT + asking.SILENCE_MAX) is None
        assert asking.claim(at=AT + asking.SILENCE_MAX + timedelta(seconds=1)) is not None

    def test_that_cannot_be_compared_fail_with_the_reason(self, acme):
        meters.meter("users", "UNIQUE", value="user")
        by_hour = {**catalog.component(), "meter": "users", "included": {"quantity": "1", "every": "HOUR"}}
        job = self.ask(documents=[document("p", by_hour)])
        ended = asking.run_next(clock=lambda: AT)
        assert (ended.pk, ended.state) == (job.pk, WhatIf.State.FAILED)
        assert "plans[0].components[0].included" in ended.failure

    def test_refuse_what_could_not_be_asked(self, acme):
        for fields, field in (({"customer": "nobody"}, "customer"), ({"documents": [{}]}, "plans[0].code")):
            with pytest.raises(DocumentError) as error:
                self.ask(**fields)
            assert error.value.field == field

    def test_add_up_by_customer_and_come_as_a_table(self, acme):
        self.ask(documents=[document(current()["code"], catalog.component(unit_amount="3"))])
        job = asking.run_next(clock=lambda: AT)
        (total,) = asking.by_customer(job=job)
        assert (total["customer"], total["old_total"], total["difference_total"]) == ("acme", 35, 7)
        assert (total["periods"], total["unpriced"], total["not_reproduced"]) == (1, 0, 0)
        heading, row = asking.table(job=job)
        assert [dict(zip(heading, row, strict=True))] == [
            {
                "customer": "acme",
                "subscription": acme.key,
                "invoices": "INV-000001",
                "period_start": "2026-10-01T00:00:00Z",
                "period_end": "2026-11-01T00:00:00Z",
                "plan": current()["code"],
                "currency": "USD",
                "old": "35.00",
                "new": "42.00",
                "difference": "7.00",
                "is_reproduced": "true",
                "read_anew": "",
                "note": "",
            }
        ]


@pytest.mark.django_db
class TestFeesInAdvance:
    def test_are_part_of_what_was_and_would_be_due(self):
        """A fee of 31.00 was billed before October, and its 10 GPU-hours at 2.50 after it."""
        catalog.seller()
        catalog.gpu_hours()
        fee = catalog.fee(amount="31.00", timing="IN_ADVANCE")
        catalog.subscription(catalog.customer("acme"), catalog.plan(fee, catalog.component()))
        early = catalog.OCTOBER.start + timedelta(days=1)
        running.run(as_of=early, at=early)
        catalog.run_gpus("acme", early, 10)
        running.run(as_of=AT, at=AT)
        (same,) = compared([current()])
        assert (same.old, same.difference, same.is_reproduced) == (56, 0, True)
        assert len(same.invoices) == 2
        dearer = catalog.fee(amount="40.00", timing="IN_ADVANCE")
        (found,) = compared([document(current()["code"], dearer, catalog.component(unit_amount="2"))])
        assert (found.old, found.new, found.difference) == (56, 60, 4)
        assert found.components == (("fee", 31, 40), ("gpu", 25, 20))


@pytest.mark.worker
class TestWorker:
    def test_answers_what_was_asked(self, celery_worker):
        catalog.seller()
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        catalog.run_gpus("acme", catalog.OCTOBER.start, 10)
        running.run(as_of=AT, at=AT)
        question = Question(documents=[current()], period=catalog.OCTOBER)
        job = asking.ask(question=question, at=AT)
        celery_worker.app.send_task("billing.tasks.answer_what_ifs")
        until = time.monotonic() + 60
        while job.state != WhatIf.State.DONE:
            assert time.monotonic() < until, celery_worker.log.read_text()[-2000:]
            time.sleep(0.1)
            job.refresh_from_db()
        assert job.differences.get().difference == 0


class TestVersions:
    def test_that_changed_inside_the_period_are_told(self, acme):
        draft = {**current(), "components": [catalog.component(unit_amount="5")]}
        publishing.apply(
            document={**draft, "effective_at": "2026-11-16T00:00:00Z", "migration": "AT_ONCE"}, at=AT
        )
        catalog.run_gpus("acme", catalog.NOVEMBER.start, 10)
        december = catalog.NOVEMBER.end + timedelta(days=1)
        running.run(as_of=december, at=december)
        (found,) = compared([draft], period=catalog.NOVEMBER)
        assert (found.old, found.new) == (25, 50)
        assert found.note == f"the period was on {draft['code']} v1 and {draft['code']} v2"
