"""What a person does with a customer, and with the subjects that a customer pays for."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from billing import taxing
from billing.models import Customer, CustomerSubject, CustomerTax, TaxRate
from tests.world import catalog

pytestmark = pytest.mark.django_db

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def acme(owner):
    catalog.gpu_hours()
    acme = catalog.customer("acme")
    catalog.subscription(acme, catalog.plan())
    return acme


def do(client, name, key="acme", **values):
    return client.post(f"/console/customers/do/{name}/{key}/", values)


class TestTax:
    def test_is_assigned_with_its_rates(self, owner, acme):
        rate = taxing.define_rate(code="de", name="VAT 19 %", percent=Decimal(19))
        assert do(owner, "tax", treatment="TAXED", rates=[rate.pk]).status_code == 302
        assert [each.code for each in acme.tax.rates.all()] == ["de"]
        assert "VAT 19 %" in owner.get("/console/customers/acme/").content.decode()

    def test_without_a_rate_is_refused(self, owner, acme):
        refused = do(owner, "tax", treatment="TAXED")
        assert refused.status_code == 400
        assert "name at least one rate" in refused.content.decode()
        assert not CustomerTax.objects.exists()

    def test_rates_are_defined_in_the_console(self, owner):
        owner.post("/console/billing/taxrate/add/", {"code": "ca", "name": "Sales tax", "percent": "8.875"})
        assert TaxRate.objects.get().percent == Decimal("8.875")

    @pytest.mark.parametrize("percent", ["-1", "100.1", "ten", "1e3"])
    def test_rates_are_from_0_to_100_percent(self, owner, percent):
        owner.post("/console/billing/taxrate/add/", {"code": "x", "name": "X", "percent": percent})
        assert not TaxRate.objects.exists()


class TestMerge:
    def test_hands_subjects_over(self, owner, acme):
        beta = catalog.customer("beta")
        catalog.subscription(beta, catalog.plan(code="other"), subject="beta")
        done = do(owner, "merge", into="beta", effective_at="2026-11-01T00:00")
        assert done.url == "/console/customers/beta/"
        payer = CustomerSubject.objects.get(subject="acme", validity__contains=NOVEMBER)
        assert payer.customer.key == "beta"
        assert Customer.objects.get(key="acme").merged_into_id == payer.customer_id

    def test_into_itself_is_refused(self, owner, acme):
        refused = do(owner, "merge", into="acme", effective_at="2026-11-01T00:00")
        assert refused.status_code == 400
        assert "cannot be merged into itself" in refused.content.decode()


class TestSubject:
    def row(self):
        return CustomerSubject.objects.order_by("validity").first()

    def test_is_released_at_an_instant(self, owner, acme):
        owner.post(f"/console/subjects/{self.row().pk}/release/", {"effective_at": "2026-11-01T00:00"})
        assert self.row().validity.upper == NOVEMBER

    def test_moves_to_another_customer(self, owner, acme):
        catalog.customer("beta")
        moved = owner.post(
            f"/console/subjects/{self.row().pk}/move/",
            {"customer": "beta", "effective_at": "2026-11-01T00:00"},
        )
        assert moved.url == "/console/customers/beta/"
        assert CustomerSubject.objects.get(validity__contains=NOVEMBER).customer.key == "beta"

    def test_is_assigned_from_its_name_alone(self, owner, acme):
        page = owner.get("/console/assign-subject/?subject=late one")
        assert 'value="late one"' in page.content.decode()
        made = owner.post(
            "/console/assign-subject/?subject=late one",
            {"customer": "acme", "subject": "late one", "start_at": "2026-10-01T00:00"},
        )
        assert made.url == "/console/customers/acme/"
        assert CustomerSubject.objects.filter(subject="late one", customer=acme).exists()
