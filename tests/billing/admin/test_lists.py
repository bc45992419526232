"""The registered models: who sees them, and that facts cannot be changed."""

import pytest
from django.contrib import admin
from django.urls import reverse

from billing.models import Customer, Invoice, Plan, Subscription
from metering.models import ApiKey, EventBatch, Meter
from tests.billing.console import month

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LABELS = [model._meta.label_lower.replace(".", "_") for model in MODELS]
FACTS = [Invoice, Plan, Subscription, EventBatch, Meter, ApiKey]
# What one page may ask of the database, the session and the user included.
STATEMENTS_MAX = 12


def changelist(label):
    return reverse(f"admin:{label}_changelist")


class TestLists:
    @pytest.mark.parametrize("label", LABELS)
    def test_open_where_nothing_is_there_yet(self, owner, label):
        assert owner.get(changelist(label), follow=True).status_code == 200

    def test_open_with_rows(self, owner):
        month.invoiced()
        month.rejected()
        found = {label: owner.get(changelist(label), follow=True).status_code for label in LABELS}
        assert found == dict.fromkeys(LABELS, 200)

    @pytest.mark.parametrize("label", LABELS)
    def test_send_everybody_else_to_the_login(self, client, label):
        assert client.get(changelist(label)).url.startswith(reverse("admin:login"))
        client.force_login(month.stranger())
        assert client.get(changelist(label)).url.startswith(reverse("admin:login"))

    @pytest.mark.parametrize("label", [label for label in LABELS if label != "billing_seller"])
    def test_refuse_staff_without_the_permission(self, client, label):
        client.force_login(month.clerk())
        assert client.get(changelist(label)).status_code == 403

    @pytest.mark.parametrize(
        ("label", "words"),
        [
            ("billing_customer", "No customers yet"),
            ("billing_invoice", "invoice_run --as-of"),
            ("billing_plan", "Upload or paste its document"),
            ("billing_subscription", "No subscriptions yet"),
            ("metering_meter", "Upload its document to begin"),
            ("metering_eventbatch", "Make an API key and send the first event"),
            ("metering_apikey", "Whoever sends events needs a key"),
            ("metering_webhooksource", "No webhook sources yet"),
        ],
    )
    def test_say_what_to_do_first(self, owner, label, words):
        assert words in owner.get(changelist(label)).content.decode()

    def test_say_that_nothing_fits_a_search(self, owner):
        month.used()
        page = owner.get(changelist("billing_customer") + "?q=nobody").content.decode()
        assert "No row matches the search" in page
        assert "No customers yet" not in page

    @pytest.mark.parametrize(
        "label",
        [
            "billing_customer",
            "billing_invoice",
            "billing_plan",
            "billing_subscription",
            "metering_eventbatch",
            "metering_meter",
        ],
    )
    def test_ask_the_database_no_more_for_many_rows(self, owner, label, django_assert_max_num_queries):
        month.invoiced()
        month.rejected()
        with django_assert_max_num_queries(STATEMENTS_MAX):
            owner.get(changelist(label))


class TestRows:
    @pytest.mark.parametrize("model", [Customer, Plan, Subscription, EventBatch, Meter, ApiKey])
    def test_open(self, owner, model):
        month.invoiced()
        month.rejected()
        row = model.objects.first()
        address = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
        assert owner.get(address, follow=True).status_code == 200

    @pytest.mark.parametrize("model", FACTS)
    def test_that_are_facts_can_neither_be_changed_nor_deleted(self, owner, rf, model):
        request = rf.get("/")
        request.user = month.User.objects.get()
        registered = admin.site._registry[model]
        assert not registered.has_change_permission(request)
        assert not registered.has_delete_permission(request)

    def test_of_invoices_lead_to_the_invoices_page(self, owner):
        invoice = month.invoiced()
        page = owner.get(changelist("billing_invoice")).content.decode()
        assert reverse("console:invoice", args=[invoice.pk]) in page
        answer = owner.get(reverse("admin:billing_invoice_change", args=[invoice.pk]))
        assert answer.url == reverse("console:invoice", args=[invoice.pk])

    @pytest.mark.parametrize(
        ("label", "address"),
        [
            ("billing_plan", "/console/plans/upload/"),
            ("billing_subscription", "/console/subscribe/"),
            ("metering_meter", "/console/meters/upload/"),
        ],
    )
    def test_are_added_on_pages_of_their_own(self, owner, label, address):
        assert owner.get(reverse(f"admin:{label}_add")).url == address

    def test_of_plans_offer_the_next_version(self, owner):
        month.used()
        plan = Plan.objects.get()
        assert (
            "Publish a new version"
            in owner.get(reverse("admin:billing_plan_change", args=[plan.pk])).content.decode()
        )
        answer = owner.get(reverse("admin:billing_plan_publish", args=[plan.pk]))
        assert answer.url == "/console/plans/upload/?plan=hybrid"
