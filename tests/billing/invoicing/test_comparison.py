from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing.invoicing import comparison, running
from billing.invoicing.comparison import Change
from billing.models import Invoice
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER


@pytest.fixture
def invoice(db):
    catalog.gpu_hours()
    catalog.seller()
    plan = catalog.plan(
        catalog.component(name="GPU-hours"),
        catalog.fee(amount="31.00"),
        discounts=[{"percent": "10", "name": "Launch"}],
    )
    catalog.subscription(catalog.customer("acme"), plan)
    catalog.run_gpus("acme", OCTOBER.start, 4)
    [made] = running.run(as_of=NOW, at=NOW).finalized
    return made


def change(name, before, after):
    return Change("acme-gpu-cloud", OCTOBER.start, "ARREARS", name, Decimal(before), Decimal(after))


class TestComparison:
    def test_finds_nothing_while_nothing_has_changed(self, invoice):
        assert comparison.of(invoice=invoice, at=NOW) == comparison.Comparison([], [])

    def test_names_the_lines_and_discounts_that_late_usage_changes(self, invoice):
        catalog.run_gpus("acme", datetime(2026, 10, 9, tzinfo=UTC), 2)
        found = comparison.of(invoice=invoice, at=NOW)
        assert found.changes == [
            change("GPU-hours", "10.00", "15.00"),
            change("Launch", "-4.10", "-4.60"),
        ]

    def test_writes_nothing(self, invoice):
        catalog.run_gpus("acme", datetime(2026, 10, 9, tzinfo=UTC), 2)
        comparison.of(invoice=invoice, at=NOW)
        assert Invoice.objects.get().total == Decimal("36.90")

    def test_says_why_a_period_cannot_be_compared(self, invoice):
        unmetered = catalog.component("odd", where={"gpu_type": ["B200"]})
        priced = catalog.component(where={"gpu_type": ["H100"]})
        plan = catalog.plan(unmetered, priced, code="narrow")
        other = catalog.subscription(catalog.customer("other"), plan)
        catalog.run_gpus("other", OCTOBER.start, 1, gpu_type="A100")
        running.run(as_of=NOW, at=NOW)
        draft = Invoice.objects.get(service_periods__subscription=other)
        found = comparison.of(invoice=draft, at=NOW)
        assert found.changes == []
        assert "gpu_type=A100" in found.reasons[0]
