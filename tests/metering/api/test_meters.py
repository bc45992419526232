"""/api/v1/meters behind the door: created, read, archived, and never changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from metering import usage
from metering.models import Meter
from tests.metering.door.deliveries import new_key
from tests.world import meters

pytestmark = pytest.mark.django_db

TOKENS = {
    "slug": "tokens",
    "name": "Tokens 令牌",
    "event_type": "llm.call",
    "aggregation": "SUM",
    "value": "total",
    "dimensions": {"model": "model"},
}


@pytest.fixture
def ask(client):
    """Asks with a key of the scopes: (status, body)."""

    def asked(method, path="", body=None, scopes=("read", "manage")):
        text = body if isinstance(body, str) else json.dumps(body)
        answer = client.generic(
            method,
            f"/api/v1/meters{path}",
            "" if body is None else text,
            content_type="application/json",
            headers={"authorization": f"Bearer {new_key(*scopes)}"},
        )
        return answer.status_code, answer.json()

    return asked


class TestMeters:
    def test_are_created_once(self, ask):
        status, made = ask("POST", body=TOKENS)
        assert (status, made["slug"], made["version"], made["archived_at"]) == (201, "tokens", 1, None)
        assert made["document"] == TOKENS
        assert ask("POST", body=TOKENS) == (200, made)
        assert ask("GET", "/tokens") == (200, made)

    def test_are_never_changed(self, ask):
        ask("POST", body=TOKENS)
        status, problem = ask("POST", body={**TOKENS, "aggregation": "COUNT", "value": None})
        assert (status, problem["status"]) == (409, 409)
        assert "the meter tokens exists and is defined otherwise (aggregation, value)" in problem["detail"]
        assert ask("GET", "/tokens")[1]["document"] == TOKENS

    def test_say_where_a_document_is_wrong(self, ask):
        status, problem = ask("POST", body={**TOKENS, "agregation": "SUM"})
        assert (status, [each["field"] for each in problem["errors"]]) == (400, ["meter.agregation"])
        assert not Meter.objects.exists()

    @pytest.mark.parametrize("body", ["{", "[]", "7", '{"slug": "a", "slug": "b"}', '{"a": 1e}'])
    def test_take_one_document_in_json(self, ask, body):
        assert ask("POST", body=body)[0] == 400

    def test_need_the_scope_that_the_act_has(self, ask):
        assert ask("POST", body=TOKENS, scopes=["read"])[0] == 403
        assert ask("POST", "/tokens/archive", scopes=["read"])[0] == 403
        assert ask("GET", scopes=["manage"])[0] == 403
        assert ask("GET", "/tokens", scopes=["ingest"])[0] == 403

    def test_that_are_unknown_are_not_found(self, ask):
        status, problem = ask("GET", "/nothing")
        assert (status, problem["detail"]) == (404, "There is no meter nothing.")
        assert ask("POST", "/nothing/archive")[0] == 404
        assert ask("GET", "/no%00thing")[0] == 404


class TestPages:
    def test_follow_each_other_by_slug(self, ask):
        for slug in ("c", "a", "b"):
            meters.meter(slug)
        status, page = ask("GET", "?limit=2")
        assert (status, [each["slug"] for each in page["meters"]], page["next"]) == (200, ["a", "b"], "b")
        status, page = ask("GET", "?limit=2&cursor=b")
        assert ([each["slug"] for each in page["meters"]], page["next"]) == (["c"], None)

    def test_refuse_what_they_do_not_know(self, ask):
        status, problem = ask("GET", "?size=2")
        assert (status, problem["errors"][0]["field"]) == (400, "size")


class TestArchive:
    def test_is_for_new_use_only(self, ask):
        meters.meter("tokens")
        status, meter = ask("POST", "/tokens/archive")
        assert (status, meter["archived_at"] is None) == (200, False)
        now = datetime.now(tz=UTC)
        assert usage.versions(at=now) == {}
        assert set(usage.versions(at=now, is_archived_too=True)) == {"tokens"}

    def test_is_the_same_a_second_time(self, ask):
        meters.meter("tokens")
        assert ask("POST", "/tokens/archive") == ask("POST", "/tokens/archive")

    def test_takes_no_body(self, ask):
        meters.meter("tokens")
        assert ask("POST", "/tokens/archive", body={"at": "2026-01-01"})[0] == 400
        assert ask("GET", "/tokens")[1]["archived_at"] is None
