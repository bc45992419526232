"""How much a run asks of the database: as much for a chunk of many as for a chunk of few."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.invoicing import claiming, running
from tests.world import catalog, meters

pytestmark = pytest.mark.django_db

OCTOBER, NOW = catalog.OCTOBER, catalog.IN_NOVEMBER
STATEMENTS_PER_INVOICE_MAX = 3


@pytest.fixture
def plan(db):
    catalog.seller()
    catalog.gpu_hours()
    meters.meter("calls", "COUNT", "llm.call")
    meters.meter("tokens", "SUM", "llm.call", value="tokens")
    price = {"model": "per_unit", "unit_amount": "0.01"}
    others = [{"code": slug, "meter": slug, "price": price} for slug in ("calls", "tokens")]
    return catalog.plan(catalog.component(), *others)


def statements(plan, customers, **details):
    """The number of SQL statements of a run over so many new customers with usage."""
    names = [f"of-{customers}-{n}" for n in range(customers)]
    for name in names:
        catalog.subscription(catalog.customer(name, **details), plan)
        catalog.run_gpus(name, OCTOBER.start, 4)
    with CaptureQueriesContext(connection) as captured:
        summary = running.run(as_of=NOW, at=NOW)
    assert len(summary.finalized + summary.drafted) == customers
    return len(captured)


class TestInvoiceRun:
    def test_has_a_bound_on_its_statements(self, plan):
        customers = claiming.CUSTOMERS_MAX
        assert statements(plan, customers) <= STATEMENTS_PER_INVOICE_MAX * customers

    def test_needs_no_more_statements_for_more_invoices_in_a_chunk(self, plan):
        assert statements(plan, 3) == statements(plan, 12)

    def test_needs_no_more_statements_to_finalize_more_drafts_in_a_chunk(self, plan):
        def finalizing(customers):
            statements(plan, customers, grace_hours=40)
            later = NOW.replace(hour=20)
            with CaptureQueriesContext(connection) as captured:
                assert len(running.run(as_of=later, at=later).finalized) == customers
            return len(captured)

        assert finalizing(3) == finalizing(12)
