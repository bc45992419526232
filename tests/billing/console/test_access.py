"""Who sees which page, with rows and without."""

import uuid

import pytest
from django.urls import reverse

from billing.models import Customer, Invoice
from metering.models import Event
from tests.billing.console import month

pytestmark = pytest.mark.django_db

NO_EVENT = uuid.UUID(int=0)
ALONE = [
    "admin:index",
    "console:advice",
    "console:estimate",
    "console:trends",
    "console:what_ifs",
    "console:events",
    "console:exports",
    "console:meter_upload",
    "console:plan_upload",
    "console:assign_subject",
    "console:runs",
    "console:unbilled",
    "console:usage",
]
PERMISSIONS = {
    "console:advice": "billing.view_plan",
    "console:estimate": "billing.view_plan",
    "console:trends": "billing.view_plan",
    "console:what_ifs": "billing.view_invoice",
    "console:events": "metering.view_event",
    "console:exports": "billing.view_export",
    "console:meter_upload": "metering.add_meterversion",
    "console:plan_upload": "billing.add_planversion",
    "console:subscribe": "billing.add_subscription",
    "console:assign_subject": "billing.add_customersubject",
    "console:runs": "billing.view_invoicerun",
    "console:unbilled": "billing.view_customersubject",
    "console:usage": "metering.view_usageseries",
}


def of_rows():
    """The addresses of the pages that are about one row."""
    invoice, customer, event = Invoice.objects.get(), Customer.objects.get(), Event.objects.first()
    return [
        reverse("console:event", args=[event.key]),
        reverse("console:invoice", args=[invoice.pk]),
        reverse("console:invoice_pdf", args=[invoice.pk]),
        reverse("console:customer", args=["acme"]),
        reverse("console:subscription", args=["acme-hybrid"]),
        reverse("console:plan_version", args=["hybrid", 1]),
        reverse("console:subscribe") + f"?customer={customer.pk}",
        reverse("console:assign_subject") + f"?customer={customer.pk}",
    ]


class TestPages:
    @pytest.mark.parametrize("name", [*ALONE, "console:subscribe"])
    def test_open_where_nothing_is_there_yet(self, owner, name):
        assert owner.get(reverse(name)).status_code == 200

    @pytest.mark.parametrize("name", [*ALONE, "console:subscribe"])
    def test_open_with_rows(self, owner, name):
        month.invoiced()
        month.rejected()
        assert owner.get(reverse(name) + "?month=2020-05").status_code == 200

    def test_of_rows_open(self, owner):
        month.invoiced()
        assert {address: owner.get(address).status_code for address in of_rows()} == dict.fromkeys(
            of_rows(), 200
        )

    @pytest.mark.parametrize(
        "address",
        [
            f"/console/events/{NO_EVENT}/",
            "/console/invoices/1/",
            "/console/invoices/1/pdf/",
            "/console/plans/none/1/",
            "/console/exports/1/invoices.csv",
            "/console/assign-subject/?customer=1",
            "/console/assign-subject/?customer=x",
            "/console/customers/nobody/",
            "/console/subscriptions/nothing/",
            "/console/subjects/1/release/",
        ],
    )
    def test_of_rows_that_are_not_there_are_not_found(self, owner, address):
        assert owner.get(address).status_code == 404

    def test_send_everybody_else_to_the_login(self, client):
        month.invoiced()
        addresses = [*map(reverse, [*ALONE, "console:subscribe"]), *of_rows()]
        for login in (lambda: None, lambda: client.force_login(month.stranger())):
            login()
            for address in addresses:
                answer = client.get(address)
                assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("admin:login")), (
                    address
                )

    def test_refuse_staff_without_the_permission(self, client):
        month.invoiced()
        client.force_login(month.clerk())
        addresses = [reverse(name) for name in PERMISSIONS] + of_rows()
        assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(
            addresses, 403
        )

    @pytest.mark.parametrize("name", PERMISSIONS)
    def test_take_the_one_permission_that_they_name(self, client, name):
        client.force_login(month.clerk(PERMISSIONS[name]))
        assert client.get(reverse(name)).status_code == 200

    def test_show_the_menu_only_of_what_may_be_seen(self, client):
        client.force_login(month.clerk("metering.view_event"))
        page = client.get(reverse("console:events")).content.decode()
        assert reverse("console:events") in page
        assert reverse("admin:billing_invoice_changelist") not in page


class TestHealth:
    def test_needs_no_login(self, client):
        assert client.get("/healthz").status_code == 200


class TestErrorPages:
    def test_say_what_is_missing_without_a_login(self, client):
        page = client.get("/nothing/")
        assert page.status_code == 404
        assert "There is nothing at this address" in page.content.decode()

    def test_repeat_the_reason_of_a_page(self, owner):
        page = owner.get(f"/console/events/{NO_EVENT}/").content.decode()
        assert "There is no such event." in page
