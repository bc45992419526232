"""API keys and webhook sources: shown once, revoked, never changed."""

import pytest
from django.urls import reverse

from metering import issuing
from metering.models import ApiKey, WebhookSource
from tests.billing.console import month

pytestmark = pytest.mark.django_db


class TestApiKey:
    ADD = "/console/metering/apikey/add/"

    def made(self, client, **fields):
        return client.post(self.ADD, {"name": "gateway", "scopes": ["ingest", "read"], **fields})

    def test_is_shown_once_when_it_is_made(self, owner):
        answer = self.made(owner)
        key = ApiKey.objects.get()
        text = answer.context["secret"]
        assert issuing.api_key_hash(text) == bytes(key.key_hash)
        assert text in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        again = owner.get(reverse("admin:metering_apikey_change", args=[key.pk])).content.decode()
        assert text.rsplit("_", 1)[1] not in again

    def test_comes_with_a_command_that_uses_it(self, owner):
        answer = self.made(owner)
        assert f"Authorization: Bearer {answer.context['secret']}" in answer.content.decode().replace(
            "&quot;", '"'
        )

    def test_without_ingest_comes_without_the_command(self, owner):
        assert "curl" not in self.made(owner, scopes=["read"]).content.decode()

    @pytest.mark.parametrize("fields", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}])
    def test_needs_a_name_and_scopes(self, owner, fields):
        assert self.made(owner, **fields).status_code == 400
        assert not ApiKey.objects.exists()

    def test_is_made_only_by_who_may(self, client):
        client.force_login(month.clerk("metering.view_apikey"))
        assert self.made(client).status_code == 403
        assert client.get(reverse("admin:metering_apikey_changelist")).status_code == 200

    def test_is_revoked_by_a_button(self, owner):
        self.made(owner)
        key = ApiKey.objects.get()
        page = reverse("admin:metering_apikey_change", args=[key.pk])
        assert "Revoke gateway" in owner.get(page).content.decode()
        answer = owner.post(reverse("admin:metering_apikey_revoke", args=[key.pk]))
        assert answer.url == page
        key.refresh_from_db()
        assert key.revoked_at is not None
        assert "Revoke gateway" not in owner.get(page).content.decode()

    def test_is_not_revoked_by_a_link(self, owner):
        self.made(owner)
        key = ApiKey.objects.get()
        assert owner.get(reverse("admin:metering_apikey_revoke", args=[key.pk])).status_code == 405
        key.refresh_from_db()
        assert key.revoked_at is None

    def test_may_be_limited_when_it_is_made(self, owner):
        self.made(owner, events_per_second_max="500")
        assert ApiKey.objects.get().events_per_second_max == 500

    @pytest.mark.parametrize("limit", ["0", "-1", "1.5", "many", "1000001"])
    def test_is_not_made_with_a_wrong_limit(self, owner, limit):
        assert self.made(owner, events_per_second_max=limit).status_code == 400
        assert not ApiKey.objects.exists()

    @pytest.mark.parametrize(("typed", "limit"), [("20", 20), ("", None), ("0", 5), ("x", 5)])
    def test_gets_another_limit_where_it_is_a_right_one(self, owner, typed, limit):
        self.made(owner, events_per_second_max="5")
        key = ApiKey.objects.get()
        page = reverse("admin:metering_apikey_change", args=[key.pk])
        assert 'value="5"' in owner.get(page).content.decode()
        address = reverse("admin:metering_apikey_limit", args=[key.pk])
        assert owner.post(address, {"events_per_second_max": typed}).url == page
        key.refresh_from_db()
        assert key.events_per_second_max == limit

    def test_is_limited_only_by_who_may(self, client):
        key, _text = issuing.issue_api_key(name="gateway", scopes=["read"], at=month.INVOICED_AT)
        client.force_login(month.clerk("metering.view_apikey"))
        assert client.post(reverse("admin:metering_apikey_limit", args=[key.pk])).status_code == 403

    def test_is_revoked_only_by_who_may(self, client):
        key, _text = issuing.issue_api_key(name="gateway", scopes=["read"], at=month.INVOICED_AT)
        client.force_login(month.clerk("metering.view_apikey"))
        assert client.post(reverse("admin:metering_apikey_revoke", args=[key.pk])).status_code == 403


class TestWebhookSource:
    ADD = "/console/metering/webhooksource/add/"

    def test_shows_its_secret_once_and_its_address(self, owner):
        answer = owner.post(self.ADD, {"name": "scheduler", "adapter": "cloudevents"})
        source = WebhookSource.objects.get()
        page = answer.content.decode()
        assert source.secret in page.replace("&#x2B;", "+")
        assert "http://testserver/webhooks/metering/scheduler" in page
        again = owner.get(reverse("admin:metering_webhooksource_change", args=[source.pk])).content.decode()
        assert source.secret not in again

    def test_refuses_a_name_that_is_taken(self, owner):
        owner.post(self.ADD, {"name": "scheduler", "adapter": "cloudevents"})
        answer = owner.post(self.ADD, {"name": "scheduler", "adapter": "cloudevents"})
        assert answer.status_code == 400
        assert "there is a webhook source named scheduler already" in answer.content.decode()

    def test_is_revoked_by_a_button(self, owner):
        owner.post(self.ADD, {"name": "scheduler", "adapter": "cloudevents"})
        source = WebhookSource.objects.get()
        owner.post(reverse("admin:metering_webhooksource_revoke", args=[source.pk]))
        source.refresh_from_db()
        assert source.revoked_at is not None
