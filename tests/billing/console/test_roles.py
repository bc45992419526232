import pytest
from django.contrib.auth.models import Group, User

from billing.console import roles

pytestmark = pytest.mark.django_db


def member(role):
    user = User.objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


class TestRoles:
    def test_are_there_after_migrating(self):
        names = set(Group.objects.values_list("name", flat=True))
        assert {"Viewer", "Pricing", "Finance", "Developer", "Owner"} <= names

    @pytest.mark.parametrize(
        ("role", "may", "may_not"),
        [
            (
                "Viewer",
                ["billing.view_invoice", "metering.view_event", "billing.view_plan"],
                ["billing.add_export", "billing.change_invoice", "metering.view_apikey", "billing.add_plan"],
            ),
            (
                "Pricing",
                ["billing.add_planversion", "metering.add_meterversion", "billing.view_invoice"],
                ["billing.change_invoice", "billing.add_subscription", "metering.add_apikey"],
            ),
            (
                "Finance",
                ["billing.change_invoice", "billing.add_export", "billing.add_subscription"],
                ["billing.add_planversion", "metering.view_apikey", "auth.view_user"],
            ),
            (
                "Developer",
                ["metering.add_apikey", "metering.change_rejectedevent", "metering.view_webhooksource"],
                ["billing.change_invoice", "billing.add_planversion", "billing.add_customer"],
            ),
            (
                "Owner",
                ["billing.change_invoice", "billing.add_planversion", "metering.add_apikey", "auth.add_user"],
                ["sessions.view_session"],
            ),
        ],
    )
    def test_may_do_what_their_work_needs_and_no_more(self, role, may, may_not):
        user = member(role)
        assert [each for each in may if not user.has_perm(each)] == []
        assert [each for each in may_not if user.has_perm(each)] == []

    def test_get_their_permissions_back_when_somebody_took_them_away(self):
        Group.objects.get(name="Finance").permissions.clear()
        roles.ensure()
        assert member("Finance").has_perm("billing.change_invoice")

    @pytest.mark.parametrize(
        ("role", "path", "status"),
        [
            ("Viewer", "/console/plans/upload/", 403),
            ("Pricing", "/console/plans/upload/", 200),
            ("Finance", "/console/plans/upload/", 403),
            ("Viewer", "/console/metering/apikey/", 403),
            ("Developer", "/console/metering/apikey/", 200),
            ("Viewer", "/console/exports/", 200),
            ("Viewer", "/console/auth/user/", 403),
            ("Owner", "/console/auth/user/", 200),
        ],
    )
    def test_open_the_pages_of_their_work(self, client, role, path, status):
        client.force_login(member(role))
        assert client.get(path).status_code == status
