"""POST /api/v1/estimates and /advice: the answers of the command line, over HTTP."""

from __future__ import annotations

import pytest

from tests.billing.advising.plans import CASE, per_unit, plan, usage
from tests.metering.door.deliveries import new_key
from tests.world import catalog

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused(client):
    """Posts a body that cannot be answered: the field and the message of its error."""
    authorization = f"Bearer {new_key('read')}"

    def post(path, body):
        response = client.post(
            f"/api/v1{path}", body, "application/json", headers={"authorization": authorization}
        )
        assert response.status_code == 400
        error = response.json()["error"]
        return error["field"], error["message"]

    return post


class TestEstimates:
    def test_are_answered(self, ask):
        answer = ask("POST", "/estimates", {"model": "llama-3-70b", "gpus": ["H200"]}).json()
        figures = {each["key"]: each["value"] for each in answer["figures"]}
        assert figures["cache_of_token"] == "327680"
        assert [each["gpu"] for each in answer["gpus"]] == ["H200"]

    def test_that_cannot_be_made_name_the_field(self, refused):
        field, message = refused("/estimates", {"model": "llama-3-70b", "gpus": ["H20"]})
        assert field == "gpus[0]"
        assert "H200" in message

    def test_need_a_key(self, client):
        assert client.post("/api/v1/estimates", {}, "application/json").status_code == 401


class TestAdvice:
    def test_decides_the_articles_case(self, ask):
        answer = ask("POST", "/advice", CASE).json()
        assert (answer["cheapest"], answer["plans"][1]["total"]) == ("duration", "120.00")

    def test_prices_a_customers_past(self, ask):
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        catalog.run_gpus("acme", catalog.OCTOBER.start, 10)
        workload = {"customer": "acme", "first_month": "2026-10"}
        answer = ask("POST", "/advice", {"workload": workload, "plans": ["gpu-cloud"]}).json()
        assert answer["plans"][0]["total"] == "25.00"

    def test_gives_documents_that_the_api_takes(self, ask):
        catalog.gpu_hours()
        catalog.subscription(catalog.customer("acme"), catalog.plan())
        catalog.run_gpus("acme", catalog.OCTOBER.start, 10)
        workload = {"customer": "acme", "first_month": "2026-10"}
        cheaper = plan("cheaper", per_unit("gpu_hours", "1"))
        answer = ask("POST", "/advice", {"workload": workload, "plans": ["gpu-cloud", cheaper]}).json()
        assert ask("POST", "/plans", answer["documents"]["plan"]).status_code in (200, 201)
        made = ask("POST", "/subscriptions", answer["documents"]["subscription"])
        assert (made.status_code, made.json()["key"]) == (201, "acme-cheaper")

    def test_names_the_field_of_an_error(self, refused):
        field, _ = refused("/advice", {**CASE, "plans": ["nothing"]})
        assert field == "plans[0]"

    def test_is_not_given_where_it_would_take_too_long(self, refused):
        months = [
            {
                "period": {"start": f"20{year}-01-01T00:00:00Z", "end": f"20{year}-02-01T00:00:00Z"},
                "usage": usage(calls="1") * 400,
            }
            for year in range(20, 40)
        ]
        tiers = [{"up_to": str(up_to), "unit_amount": "1"} for up_to in range(1, 20)]
        price = {"model": "graduated", "tiers": [*tiers, {"up_to": None}]}
        bent = plan("bent", {"code": "calls", "meter": "calls", "price": price})
        field, message = refused("/advice", {"workload": {"months": months}, "plans": [bent]})
        assert field == "workload"
        assert "too much for one request" in message
