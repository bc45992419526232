"""/api/v1/plans: documents are applied, compared, read and exported again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from billing.models import Plan, PlanVersion
from tests.billing.api.test_customers import fault
from tests.world import catalog

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def gpu_hours(db):
    catalog.gpu_hours()


def document(unit_amount="2.5", **fields):
    return catalog.document(catalog.component(unit_amount=unit_amount), **fields)


class TestPlans:
    def test_are_created_published_and_unchanged(self, ask):
        created = ask("POST", "/plans", document())
        assert (created.status_code, created.json()["outcome"]) == (201, "created")
        assert created["Location"] == "/api/v1/plans/gpu-cloud/versions/1"
        unchanged = ask("POST", "/plans", document("2.50"))
        assert (unchanged.status_code, unchanged.json()) == (200, {**created.json(), "outcome": "unchanged"})
        published = ask("POST", "/plans", document("3"))
        assert (published.status_code, published.json()["outcome"]) == (201, "published")
        assert published.json()["version"]["number"] == 2
        assert PlanVersion.objects.count() == 2

    def test_say_who_published_them(self, ask):
        assert ask("POST", "/plans", document()).json()["version"]["published_by"] == "API key test"

    def test_are_read_with_the_number_of_their_last_version(self, ask):
        ask("POST", "/plans", document())
        ask("POST", "/plans", document("3"))
        ask("POST", "/plans", document(code="other", interval="YEAR"))
        page = ask("GET", "/plans").json()
        assert [(each["code"], each["version"]) for each in page["plans"]] == [("gpu-cloud", 2), ("other", 1)]
        assert ask("GET", "/plans/other").json() == page["plans"][1]
        assert page["plans"][1]["interval"] == "YEAR"

    def test_name_the_place_of_what_is_wrong(self, ask):
        refused = ask("POST", "/plans", document(minimun="5"))
        assert fault(refused) == (400, "unknown_key", "plan.minimun")
        assert "did you mean minimum?" in refused.json()["detail"]
        assert fault(ask("POST", "/plans", '{"code": 1.5}'))[0] == 400
        assert fault(ask("POST", "/plans", "[]"))[:2] == (400, "parse_error")
        assert not Plan.objects.exists()

    def test_refuse_what_does_not_fit_what_is_there(self, ask):
        ask("POST", "/plans", document())
        refused = ask("POST", "/plans", document("3", currency="EUR"))
        assert fault(refused) == (409, "plan_fixed", "plan.currency")
        early = ask("POST", "/plans", document(effective_at="2020-01-01T00:00:00Z"))
        assert fault(early) == (409, "version_already_published", "plan.effective_at")

    def test_need_the_scope_that_the_act_has(self, ask):
        assert ask("POST", "/plans", document(), scopes=("read",)).status_code == 403
        assert ask("POST", "/plans/diff", document(), scopes=("read",)).status_code == 200


class TestVersions:
    def test_are_read_the_latest_first(self, ask):
        for price in ("1", "2", "3"):
            ask("POST", "/plans", document(price))
        first = ask("GET", "/plans/gpu-cloud/versions?limit=2").json()
        assert ([each["number"] for each in first["versions"]], first["next"]) == ([3, 2], "2")
        last = ask("GET", "/plans/gpu-cloud/versions?limit=2&cursor=2").json()
        assert ([each["number"] for each in last["versions"]], last["next"]) == ([1], None)

    def test_have_their_document_and_the_prices_that_usage_is_rated_by(self, ask):
        made = ask("POST", "/plans", document()).json()["version"]
        read = ask("GET", "/plans/gpu-cloud/versions/1").json()
        assert read == made
        assert (read["document"], read["rated_document"], read["price_sources"]) == (
            document(),
            document(),
            {},
        )
        assert (read["effective_at"], read["migration"]) == (None, "NEXT_PERIOD")

    @pytest.mark.parametrize("path", ["/plans/none", "/plans/gpu-cloud/versions/3", "/plans/none/versions"])
    def test_that_are_unknown_are_not_found(self, ask, path):
        ask("POST", "/plans", document())
        assert fault(ask("GET", path)) == (404, "not_found", None)

    def test_are_compared_with_the_one_before_or_with_another(self, ask):
        for price in ("1", "2", "4"):
            ask("POST", "/plans", document(price))
        [change] = ask("GET", "/plans/gpu-cloud/versions/3/diff").json()["changes"]
        assert change["text"] == "component gpu: price of a unit 2 USD -> 4 USD (+100%)"
        [change] = ask("GET", "/plans/gpu-cloud/versions/1/diff?against=3").json()["changes"]
        assert change["text"] == "component gpu: price of a unit 4 USD -> 1 USD (-75%)"
        assert ask("GET", "/plans/gpu-cloud/versions/3/diff?against=3").json()["outcome"] == "unchanged"
        assert fault(ask("GET", "/plans/gpu-cloud/versions/1/diff")) == (400, "invalid", "against")


class TestDiff:
    def test_says_in_amounts_what_applying_would_change_and_changes_nothing(self, ask):
        ask("POST", "/plans", document())
        answer = ask("POST", "/plans/diff", document("2.75", minimum="100"))
        assert answer.status_code == 200
        assert answer.json() == {
            "plan": "gpu-cloud",
            "outcome": "published",
            "currency": "USD",
            "changes": [
                {
                    "kind": "changed",
                    "node": None,
                    "field": "minimum",
                    "old": None,
                    "new": "100",
                    "currency": "USD",
                    "text": "plan: minimum (none) -> 100 USD",
                },
                {
                    "kind": "changed",
                    "node": "gpu",
                    "field": "price.unit_amount",
                    "old": "2.5",
                    "new": "2.75",
                    "currency": "USD",
                    "text": "component gpu: price of a unit 2.5 USD -> 2.75 USD (+10%)",
                },
            ],
        }
        assert PlanVersion.objects.count() == 1

    def test_knows_what_is_new_and_what_is_the_same(self, ask):
        assert ask("POST", "/plans/diff", document()).json()["outcome"] == "created"
        ask("POST", "/plans", document())
        same = ask("POST", "/plans/diff", document("2.500")).json()
        assert (same["outcome"], same["changes"]) == ("unchanged", [])

    def test_refuses_what_applying_would_refuse(self, ask):
        unknown = catalog.document(catalog.component(meter="nothing"))
        assert fault(ask("POST", "/plans/diff", unknown)) == (
            409,
            "meter_unknown",
            "plan.components[0].meter",
        )


class TestDocument:
    def test_is_the_bare_document_of_a_version(self, ask):
        ask("POST", "/plans", document())
        ask("POST", "/plans", document("3"))
        assert ask("GET", "/plans/gpu-cloud/document").json() == document("3")
        assert ask("GET", "/plans/gpu-cloud/document?version=1").json() == document()
        assert ask("GET", "/plans/gpu-cloud/document?version=7").status_code == 404

    def test_is_yaml_for_whoever_asks_for_it(self, ask):
        ask("POST", "/plans", document())
        answer = ask("GET", "/plans/gpu-cloud/document", accept="application/yaml")
        assert answer["Content-Type"].startswith("application/yaml")
        assert yaml.safe_load(answer.content) == document()

    def test_changes_nothing_when_it_is_applied_again(self, ask):
        at = datetime(2030, 1, 1, tzinfo=UTC).isoformat()
        ask("POST", "/plans", document())
        ask("POST", "/plans", document("3", effective_at=at, migration="NEVER", discounts=[{"percent": "5"}]))
        exported = ask("GET", "/plans/gpu-cloud/document").content
        assert ask("POST", "/plans", exported).json()["outcome"] == "unchanged"
