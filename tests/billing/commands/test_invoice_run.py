from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management import CommandError, call_command

from billing.models import Customer, Invoice
from tests.world import catalog

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice_run(capsys):
    """Runs the command on 2 November 2026; its standard output."""

    def run(*options):
        with time_machine.travel(catalog.IN_NOVEMBER, tick=False):
            call_command("invoice_run", *options)
        return capsys.readouterr().out

    return run


@pytest.fixture
def acme(db):
    catalog.seller()
    catalog.gpu_hours()
    subscription = catalog.subscription(
        catalog.customer("acme"), catalog.plan(catalog.component(where={"gpu_type": ["H100"]}))
    )
    catalog.run_gpus("acme", catalog.OCTOBER.start, 4)
    return subscription


class TestInvoiceRun:
    def test_prints_what_it_made_and_then_that_nothing_was_due(self, invoice_run, acme):
        assert invoice_run("--as-of", "2026-11-01T00:00:00Z").splitlines() == [
            "number      customer  subscription    period                    total",
            "INV-000001  acme      acme-gpu-cloud  2026-10-01 to 2026-11-01  10.00  USD",
            "1 finalized, 0 kept as drafts",
        ]
        assert invoice_run("--as-of", "2026-11-01T00:00:00Z") == "Nothing was due.\n"

    def test_dates_invoices_by_now(self, invoice_run, acme):
        invoice_run("--as-of", "2026-11-01T00:00:00Z")
        assert Invoice.objects.get().finalized_at == catalog.IN_NOVEMBER

    def test_means_now_without_an_instant(self, invoice_run, acme):
        assert "INV-000001" in invoice_run()

    def test_tells_why_a_draft_stays_one(self, invoice_run, acme):
        catalog.run_gpus("acme", datetime(2026, 10, 9, tzinfo=UTC), 1, gpu_type="B200")
        assert (
            "stays a draft: acme-gpu-cloud: no component of gpu-cloud prices gpu_hours with gpu_type=B200"
            in invoice_run()
        )

    def test_tells_until_when_a_draft_waits(self, invoice_run, acme):
        Customer.objects.update(grace_hours=48)
        lines = invoice_run().splitlines()
        assert lines[1].endswith("of acme follows late usage until 2026-11-03 00:00 UTC")
        assert lines[2] == "0 finalized, 1 kept as drafts"

    @pytest.mark.parametrize(
        ("as_of", "words"), [("2026-12-01T00:00:00Z", "future"), ("tomorrow", "no instant")]
    )
    def test_refuses_an_instant_that_cannot_be(self, invoice_run, as_of, words):
        with pytest.raises(CommandError, match=words):
            invoice_run("--as-of", as_of)

    def test_says_what_to_do_without_a_seller(self, invoice_run):
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        with pytest.raises(CommandError, match="enter the seller"):
            invoice_run()
