"""Customers and the seller, the two that are typed in by hand."""

import pytest
from django.urls import reverse

from billing.models import Customer, Seller
from tests.billing.console import month
from tests.world import catalog

pytestmark = pytest.mark.django_db

TABLES_BELOW = {
    f"{table}-{count}": "0"
    for table in ("subjects", "subscriptions")
    for count in ("TOTAL_FORMS", "INITIAL_FORMS")
}
TYPED = {"key": "acme", "name": "Acme", "currency": "usd", "timezone": "Asia/Shanghai", "locale": "zh"}


class TestCustomer:
    def test_is_added(self, owner):
        answer = owner.post(reverse("admin:billing_customer_add"), TYPED)
        customer = Customer.objects.get()
        assert answer.status_code == 302
        assert (customer.key, customer.currency, customer.timezone) == ("acme", "USD", "Asia/Shanghai")
        assert customer.created_at is not None

    def test_moves_to_another_time_zone_with_its_subscriptions(self, owner):
        customer = catalog.customer("acme")
        contract = catalog.subscription(customer, catalog.plan(catalog.fee()), start_at=catalog.LONG_AGO)
        address = reverse("admin:billing_customer_change", args=[customer.pk])
        owner.post(address, {**TYPED, **TABLES_BELOW, "timezone": "Asia/Shanghai"})
        contract.refresh_from_db()
        customer.refresh_from_db()
        assert customer.timezone == contract.timezone == "Asia/Shanghai"
        assert [cycle.timezone for cycle in contract.cycles.all()] == ["UTC", "Asia/Shanghai"]

    @pytest.mark.parametrize(
        ("field", "value", "message"),
        [
            ("currency", "XXX", "is no currency code"),
            ("timezone", "Mars/Base", "is no time zone"),
            ("key", "", "This field is required."),
        ],
    )
    def test_is_refused_beside_the_field(self, owner, field, value, message):
        answer = owner.post(reverse("admin:billing_customer_add"), {**TYPED, field: value})
        assert message in str(answer.context["adminform"].form.errors[field])
        assert not Customer.objects.exists()

    def test_keeps_its_key_and_its_currency(self, owner):
        customer = catalog.customer("acme")
        owner.post(
            reverse("admin:billing_customer_change", args=[customer.pk]),
            {**TYPED, **TABLES_BELOW, "key": "other", "currency": "EUR", "name": "New name"},
        )
        customer.refresh_from_db()
        assert (customer.key, customer.currency, customer.name) == ("acme", "USD", "New name")

    def test_shows_its_subjects_and_subscriptions(self, owner):
        month.used()
        customer = Customer.objects.get()
        page = owner.get(reverse("admin:billing_customer_change", args=[customer.pk])).content.decode()
        assert "2020-05-01 to 2020-06-01" in page
        assert "acme-hybrid" in page

    @pytest.mark.parametrize(
        ("action", "address"),
        [
            ("assign_subject", "/console/assign-subject/?customer={0.pk}"),
            ("subscribe", "/console/subscribe/?customer={0.pk}"),
            ("invoices", "/console/invoices/?every=on&text={0.key}"),
        ],
    )
    def test_leads_to_what_belongs_to_it(self, owner, action, address):
        customer = catalog.customer("acme")
        answer = owner.get(reverse(f"admin:billing_customer_{action}", args=[customer.pk]))
        assert answer.url == address.format(customer)

    def test_filters_the_invoices(self, owner):
        invoice = month.invoiced()
        other = catalog.customer("globex")
        address = reverse("admin:billing_invoice_changelist")
        found = owner.get(f"{address}?customer__id__exact={invoice.customer_id}").content.decode()
        none = owner.get(f"{address}?customer__id__exact={other.pk}").content.decode()
        assert "INV-000001" in found
        assert "INV-000001" not in none


class TestSeller:
    TYPED = {
        "name": "Nimbus",
        "due_days": "14",
        "grace_hours": "24",
        "invoice_prefix": "N-",
        "credit_note_prefix": "C-",
    }

    def test_is_added_once(self, owner):
        assert owner.get(reverse("admin:billing_seller_changelist")).url == reverse(
            "admin:billing_seller_add"
        )
        owner.post(reverse("admin:billing_seller_add"), self.TYPED)
        assert Seller.objects.get().pk == 1
        again = owner.post(reverse("admin:billing_seller_add"), {**self.TYPED, "name": "Second"})
        assert again.url == "/console/billing/seller/1/change/"
        assert Seller.objects.get().name == "Nimbus"
        assert owner.get(reverse("admin:billing_seller_changelist")).url == again.url

    def test_leaves_the_counter_of_invoices_alone(self, owner):
        catalog.seller()
        Seller.objects.update(invoice_number_last=7)
        address = reverse("admin:billing_seller_change", args=[1])
        owner.post(address, {**self.TYPED, "name": "Renamed", "invoice_number_last": "99"})
        seller = Seller.objects.get()
        assert (seller.name, seller.due_days, seller.invoice_number_last) == ("Renamed", 14, 7)
