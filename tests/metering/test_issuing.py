from __future__ import annotations

import base64
import hashlib
import hmac
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from metering import issuing
from metering.models import ApiKey, WebhookSource

pytestmark = pytest.mark.django_db
AT = datetime(2026, 10, 5, 12, tzinfo=UTC)


class TestIssueApiKey:
    def test_returns_a_key_that_only_its_hash_is_kept_of(self, settings):
        row, text = issuing.issue_api_key(name="gateway", scopes=["read", "ingest"], at=AT)
        mark, prefix, secret = text.split("_")
        assert (mark, prefix, len(prefix), len(secret)) == ("mb", row.prefix, 10, 52)
        kept = ApiKey.objects.get()
        assert bytes(kept.key_hash) == hmac.digest(
            settings.API_KEY_PEPPER.encode(), text.encode(), hashlib.sha256
        )
        assert (kept.scopes, kept.created_at) == (["ingest", "read"], AT)
        assert not any(secret in str(value) for value in vars(kept).values())

    @pytest.mark.parametrize("rate", [0, -1, 1_000_001])
    def test_refuses_a_limit_that_is_none(self, rate):
        with pytest.raises(issuing.CredentialInvalid, match="from 1 to 1,000,000"):
            issuing.issue_api_key(name="gateway", scopes=["ingest"], at=AT, events_per_second_max=rate)

    def test_never_returns_the_same_key(self):
        texts = {issuing.issue_api_key(name="gateway", scopes=["ingest"], at=AT)[1] for _ in range(3)}
        assert len(texts) == 3

    @pytest.mark.parametrize(
        ("name", "scopes"), [("x", []), ("x", ["admin"]), (" ", ["ingest"]), ("x" * 201, ["ingest"])]
    )
    def test_refuses_what_is_no_key(self, name, scopes):
        with pytest.raises(issuing.CredentialInvalid):
            issuing.issue_api_key(name=name, scopes=scopes, at=AT)


class TestRevokeApiKey:
    def test_keeps_the_first_instant(self):
        key, _ = issuing.issue_api_key(name="gateway", scopes=["ingest"], at=AT)
        issuing.revoke_api_key(key=key, at=AT)
        issuing.revoke_api_key(key=key, at=AT + timedelta(days=1))
        assert ApiKey.objects.get().revoked_at == AT


class TestIssueWebhookSource:
    def test_returns_a_standard_webhooks_secret(self):
        source, secret = issuing.issue_webhook_source(name="scheduler-1", adapter="cloudevents", at=AT)
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        assert (source.name, source.adapter) == ("scheduler-1", "cloudevents")

    def test_refuses_a_name_that_is_taken(self):
        issuing.issue_webhook_source(name="scheduler", adapter="cloudevents", at=AT)
        with pytest.raises(issuing.CredentialInvalid, match="already"):
            issuing.issue_webhook_source(name="scheduler", adapter="lago", at=AT)

    @pytest.mark.parametrize(
        ("name", "adapter"), [("a/b", "lago"), ("", "lago"), ("é", "lago"), ("x", "kafka")]
    )
    def test_refuses_what_is_no_source(self, name, adapter):
        with pytest.raises(issuing.CredentialInvalid):
            issuing.issue_webhook_source(name=name, adapter=adapter, at=AT)


class TestRotateWebhookSecret:
    def test_keeps_the_last_secret_beside_the_new_one(self):
        source, first = issuing.issue_webhook_source(name="scheduler", adapter="cloudevents", at=AT)
        issuing.rotate_webhook_secret(source=source)
        third = issuing.rotate_webhook_secret(source=source)
        kept = WebhookSource.objects.get()
        assert kept.secret == third != kept.previous_secret != first


class TestCommands:
    def test_print_the_key_and_nothing_else(self):
        out = io.StringIO()
        call_command("create_api_key", "gateway", "--scope", "ingest", "--scope", "manage", stdout=out)
        text = out.getvalue()
        assert text.endswith("\n")
        row = ApiKey.objects.get()
        assert bytes(row.key_hash) == issuing.api_key_hash(text[:-1])
        assert row.scopes == ["ingest", "manage"]

    def test_print_the_secret_and_nothing_else(self):
        out = io.StringIO()
        call_command("create_webhook_source", "scheduler", "--adapter", "cloudevents", stdout=out)
        assert out.getvalue() == WebhookSource.objects.get().secret + "\n"

    @pytest.mark.parametrize(
        "command",
        [
            ["create_api_key", "gateway", "--scope", "admin"],
            ["create_api_key", "gateway", "--scope", "ingest", "--rate", "0"],
            ["create_webhook_source", "scheduler", "--adapter", "kafka"],
            ["create_webhook_source", "a b", "--adapter", "lago"],
        ],
    )
    def test_say_in_one_line_what_is_wrong(self, command):
        with pytest.raises(CommandError) as raised:
            call_command(*command)
        assert "\n" not in str(raised.value)
