"""POST /api/v1/quotes: the contract's answer, its errors, and what the transport refuses."""

from __future__ import annotations

import json

import pytest

from billing.api import quotes
from tests.billing.rating.quotes import OCTOBER, component, plan, used
from tests.metering.door.deliveries import new_key
from tests.world import catalog

pytestmark = pytest.mark.django_db

GPU_HOURS = {
    "slug": "gpu_hours",
    "name": "GPU-hours",
    "unit": "GPU-hour",
    "event_type": "gpu.usage",
    "aggregation": "DURATION",
    "value": "gpu_count",
    "per": "HOUR",
    "dimensions": {"gpu_type": "gpu_type"},
}
SAMPLE = {
    "plan": {
        "code": "p",
        "name": "P",
        "currency": "USD",
        "interval": "MONTH",
        "components": [
            {"code": "gpu", "meter": "gpu_hours", "price": {"model": "per_unit", "unit_amount": "2.5"}}
        ],
    },
    "meters": [GPU_HOURS],
    "period": OCTOBER,
    "usage": [
        {
            "meter": "gpu_hours",
            "quantity": "12.5",
            "at": "2026-10-02T10:00:00Z",
            "dimensions": {"gpu_type": "H100"},
            "count": 1,
        }
    ],
}
DOLLAR = {"model": "per_unit", "unit_amount": "1"}
COST = {"model": "dynamic", "amount": "cost"}
CALLS = {"slug": "calls", "name": "Calls", "event_type": "llm.call", "aggregation": "COUNT"}


@pytest.fixture
def ask(client):
    """Posts a body, JSON unless it is text; the response."""
    authorization = f"Bearer {new_key('read')}"

    def post(body, *, content_type="application/json", **headers):
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return client.post(
            "/api/v1/quotes",
            text,
            content_type=content_type,
            headers={"authorization": authorization, **headers},
        )

    return post


def error(response):
    assert response.status_code == 400, response.content
    assert response.headers["Content-Type"] == "application/json"
    [(key, value)] = response.json().items()
    assert key == "error"
    assert value["message"]
    return value["code"], value["field"]


def problem(response):
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    return response.status_code


class TestQuote:
    def test_answers_the_contracts_sample(self, ask):
        response = ask(SAMPLE)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"
        assert response.json() == {
            "currency": "USD",
            "subtotal": "31.25",
            "discounts": [],
            "total": "31.25",
            "unbilled": [],
            "lines": [
                {
                    "component": "gpu",
                    "group": None,
                    "kind": "usage",
                    "name": "gpu",
                    "mode": "RESOURCE",
                    "timing": "IN_ARREARS",
                    "dimensions": {},
                    "quantity": "12.5",
                    "unit": "GPU-hour",
                    "amount": "31.25",
                    "unrounded": "31.25",
                    "compute": None,
                    "storage": None,
                    "would_be": None,
                    "note": "",
                    "steps": [
                        {"label": "12.5 x 2.5", "quantity": "12.5", "unit_amount": "2.5", "amount": "31.25"}
                    ],
                }
            ],
        }

    def test_is_the_same_twice_to_the_byte(self, ask):
        assert ask(SAMPLE).content == ask(SAMPLE).content

    def test_finds_a_stored_plan_with_its_meters(self, ask):
        catalog.gpu_hours()
        catalog.plan()
        answer = ask({"plan": "gpu-cloud", "period": OCTOBER, "usage": SAMPLE["usage"]}).json()
        assert (answer["total"], answer["lines"][0]["unit"]) == ("31.25", "GPU-hour")

    def test_takes_a_meter_that_nobody_knows(self, ask):
        answer = ask({**SAMPLE, "meters": []}).json()
        assert (answer["total"], answer["lines"][0]["unit"]) == ("31.25", "")

    def test_keeps_every_digit_of_a_number_in_the_data_of_an_event(self, ask):
        body = json.dumps(
            {
                "plan": plan(component(COST, meter="calls")),
                "meters": [CALLS],
                "period": OCTOBER,
                "events": [
                    {
                        "id": "1",
                        "source": "g",
                        "type": "llm.call",
                        "subject": "acme",
                        "time": "2026-10-02T00:00:00Z",
                        "data": {"cost": "NUMBER"},
                    }
                ],
            }
        ).replace('"NUMBER"', "0.1000000000000000055511151231257827")
        [line] = ask(body).json()["lines"]
        assert (
            line["unrounded_exact"]
            == "1000000000000000055511151231257827/10000000000000000000000000000000000"
        )

    def test_writes_names_as_they_are(self, ask):
        named = {**SAMPLE["plan"]["components"][0], "name": "算力"}
        assert '"name": "算力"' in ask({**SAMPLE, "plan": plan(named)}).content.decode()


class TestError:
    @pytest.mark.parametrize(
        ("change", "code", "field"),
        [
            ({"colour": "red"}, "unknown_key", "colour"),
            ({"period": {"start": OCTOBER["end"], "end": OCTOBER["start"]}}, "period", "period"),
            ({"usage": [{**SAMPLE["usage"][0], "at": OCTOBER["end"]}]}, "period", "usage[0].at"),
            ({"usage": [{**SAMPLE["usage"][0], "quantity": 12.5}]}, "invalid", "usage[0].quantity"),
            (
                {"plan": plan({**SAMPLE["plan"]["components"][0], "where": {"gpu_type": ["A100"]}})},
                "unpriced",
                "usage[0]",
            ),
            (
                {"plan": plan(component({"model": "per_unit", "unit_amount": 0.15}))},
                "invalid",
                "plan.components[0].price.unit_amount",
            ),
            (
                {"plan": plan(component(DOLLAR, minimum="1.005"))},
                "currency",
                "plan.components[0].minimum",
            ),
            ({"plan": "nowhere"}, "invalid", "plan"),
            ({"plan": None}, "invalid", "plan"),
        ],
    )
    def test_names_code_and_field(self, ask, change, code, field):
        assert error(ask({**SAMPLE, **change})) == (code, field)

    def test_of_an_event_that_no_meter_can_use(self, ask):
        event = {"id": "1", "source": "g", "type": "gpu.usage", "subject": "acme", "data": {}}
        request = {key: value for key, value in SAMPLE.items() if key != "usage"}
        assert error(ask({**request, "events": [event]})) == ("unmeterable", "events[0]")

    def test_of_a_key_that_stands_twice(self, ask):
        assert error(ask('{"plan": "a", "plan": "b"}')) == ("invalid", "plan")

    @pytest.mark.parametrize("body", ["[]", "1", '"plan"', "null"])
    def test_of_a_body_that_is_no_object(self, ask, body):
        assert error(ask(body))[0] == "invalid"

    def test_of_more_work_than_one_quote_may_be(self, ask):
        of = plan(component(DOLLAR, included={"quantity": "1", "every": "HOUR"}))
        row = {**used("1", "2026-10-01T00:00:00Z"), "until": "2026-11-01T00:00:00Z"}
        # a month has 2,976 quarter hours, and the row touches one more: 167 rows are 497,000 of them
        rows = quotes.WORK_MAX // (2977 + 10)
        request = {"plan": of, "period": OCTOBER, "usage": [row] * (rows + 1)}
        assert error(ask(request)) == ("invalid", "usage")


class TestTransport:
    @pytest.mark.parametrize(
        "body", ["", "{", '{"plan": NaN}', "plan: p", b'{"plan": "\xff"}', '{"a": 1e99999}', "﻿{}"]
    )
    def test_refuses_what_is_no_json(self, ask, body):
        assert problem(ask(body)) == 400

    def test_refuses_other_types(self, ask):
        assert problem(ask("plan: p", content_type="application/yaml")) == 415

    def test_refuses_a_stranger(self, client):
        response = client.post("/api/v1/quotes", SAMPLE, content_type="application/json")
        assert problem(response) == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    @pytest.mark.parametrize("scopes", [("ingest",), ("manage",)])
    def test_refuses_a_key_that_may_not_read(self, ask, scopes):
        assert problem(ask(SAMPLE, authorization=f"Bearer {new_key(*scopes)}")) == 403

    def test_takes_no_other_method(self, client):
        response = client.get("/api/v1/quotes", headers={"authorization": f"Bearer {new_key('read')}"})
        assert problem(response) == 405

    def test_refuses_a_body_beyond_its_bound(self, ask):
        text = json.dumps(SAMPLE)
        assert ask(text + " " * (quotes.BODY_BYTES_MAX - len(text))).status_code == 200
        assert problem(ask(text + " " * (quotes.BODY_BYTES_MAX - len(text) + 1))) == 413
