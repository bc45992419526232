"""Setting the demo's world up, and where the demo refuses to begin."""

import datetime
import os
import subprocess
import sys
import uuid
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import Customer, Invoice, PlanVersion, Seller, Subscription, SubscriptionPhase
from config.demo import failures, traces, world
from metering.models import Event, EventBatch, MeterVersion, WebhookSource, partitions

AT = datetime.datetime(2026, 11, 22, 12, 0, tzinfo=datetime.UTC)


@pytest.mark.django_db
class TestSetUp:
    def test_makes_everything_once_however_often_it_runs(self):
        for _run in range(2):
            world.set_up(at=AT)
        assert MeterVersion.objects.count() == 5
        assert PlanVersion.objects.count() == 4
        assert Customer.objects.count() == 18
        assert Subscription.objects.count() == 18
        assert Customer.objects.filter(subjects__subscription__isnull=False).distinct().count() == 18

    def test_gives_each_tenant_half_of_its_quota_and_that_many_hours(self):
        world.set_up(at=AT)
        phase = SubscriptionPhase.objects.get(subscription__key="helios-vc6YE")
        assert phase.plan.code == "demo-resource"
        assert phase.overrides == {
            "reserved-gpus": {"quantity": "104"},
            "overage": {"included": {"quantity": "104", "every": "HOUR"}},
        }

    def test_ends_every_subscription_with_the_month(self):
        world.set_up(at=AT)
        assert set(Subscription.objects.values_list("start_at", "end_at", "next_billing_at")) == {
            (world.MONTH.start, world.MONTH.end, world.MONTH.end)
        }

    def test_leaves_a_seller_who_is_there_alone(self):
        Seller.objects.update_or_create(id=1, defaults={"name": "Somebody real"})
        world.set_up(at=AT)
        assert Seller.objects.get().name == "Somebody real"

    def test_finishes_what_a_run_that_was_interrupted_began(self):
        world.set_up(at=AT)
        Customer.objects.get(key="helios-vc3sl").subjects.all().delete()
        world.set_up(at=AT)
        assert Customer.objects.get(key="helios-vc3sl").subjects.get().subject == "vc3sl"


@pytest.mark.django_db
class TestRefuseStrangers:
    def test_lets_the_demo_into_its_own_database(self):
        world.refuse_strangers()
        world.set_up(at=AT)
        world.refuse_strangers()

    def test_names_a_customer_of_somebody_else(self):
        Customer.objects.create(key="acme", name="Acme", currency="EUR", created_at=AT)
        with pytest.raises(failures.DemoRefused, match="holds 1 customer that is not the demo's: acme"):
            world.refuse_strangers()

    def test_lets_the_demo_into_a_database_without_tables(self):
        with connection.cursor() as cursor:
            cursor.execute("alter table billing_customer rename to of_another_product")
        world.refuse_strangers()


@pytest.mark.django_db
class TestRefuseOtherPart:
    def test_lets_each_part_into_an_empty_database(self):
        world.refuse_other_part(every=1)
        world.refuse_other_part(every=10)

    def test_refuses_a_tenth_beside_the_whole(self):
        store(traces.model_calls(every=1)[0])
        world.refuse_other_part(every=1)
        with pytest.raises(failures.DemoRefused, match="holds the whole demo"):
            world.refuse_other_part(every=10)

    def test_refuses_the_whole_where_a_tenth_was_invoiced(self):
        store(traces.model_calls(every=10)[0])
        world.refuse_other_part(every=1)
        world.set_up(at=AT)
        invoice(Customer.objects.get(key="azure-code"))
        world.refuse_other_part(every=10)
        with pytest.raises(failures.DemoRefused, match="invoices of a tenth"):
            world.refuse_other_part(every=1)


@pytest.mark.django_db
class TestFinalizedInvoices:
    def test_are_by_customer_and_without_drafts(self):
        world.set_up(at=AT)
        kept = invoice(Customer.objects.get(key="azure-code"))
        Invoice.objects.create(
            customer=Customer.objects.get(key="azure-conv"),
            currency="USD",
            subtotal=Decimal(1),
            discount_total=Decimal(0),
            total=Decimal(1),
            drafted_at=AT,
        )
        assert world.finalized_invoices() == {"azure-code": kept}

    def test_are_never_two_of_one_customer(self):
        world.set_up(at=AT)
        customer = Customer.objects.get(key="azure-code")
        invoice(customer)
        invoice(customer)
        with pytest.raises(failures.DemoFailed, match="azure-code has two invoices"):
            world.finalized_invoices()


class TestCommand:
    def test_wants_the_address_of_a_server(self):
        refused = demo(METERBOOK_URL="")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == "demo: METERBOOK_URL is not set: `make demo` starts a server and sets it\n"

    def test_writes_nothing_into_a_database_of_somebody_else(self, transactional_db):
        Customer.objects.create(key="acme", name="Acme", currency="EUR", created_at=AT)
        refused = demo(METERBOOK_URL="http://127.0.0.1:1")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("demo: this database holds 1 customer that is not the demo's: acme")
        assert refused.stderr.count("\n") == 1
        assert list(Customer.objects.values_list("key", flat=True)) == ["acme"]


def demo(**variables):
    parts = connection.settings_dict
    address = f"{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"
    return subprocess.run(
        [sys.executable, "-m", "config.demo"],
        env={**os.environ, "DATABASE_URL": f"postgresql://{address}", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def store(event):
    time = datetime.datetime.fromisoformat(event["time"])
    partitions.ensure([time.date().replace(day=1)])
    source = WebhookSource.objects.create(name="x", adapter="cloudevents", secret="whsec_", created_at=AT)
    batch = EventBatch.objects.create(
        webhook_source=source, received_at=AT, accepted=1, duplicates=0, rejected=0, requests=[]
    )
    Event.objects.create(
        key=uuid.uuid4(),
        time=time,
        batch_id=batch.pk,
        source=event["source"],
        event_id=event["id"],
        type=event["type"],
        subject=event["subject"],
        data=event["data"],
    )


def invoice(customer):
    return Invoice.objects.create(
        customer=customer,
        state=Invoice.State.FINALIZED,
        number=f"INV-{Invoice.objects.count() + 1}",
        currency="USD",
        subtotal=Decimal(1),
        discount_total=Decimal(0),
        total=Decimal(1),
        drafted_at=AT,
        finalized_at=AT,
        due_date=AT.date(),
    )
