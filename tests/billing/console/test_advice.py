"""The page of advice: a workload typed or of a customer, every plan's price, and where it changes."""

import pytest

from billing import publishing
from tests.billing.console import month
from tests.world import catalog, meters

pytestmark = pytest.mark.django_db
ADDRESS = "/console/advice/"


@pytest.fixture
def offers(db):
    """Calls at 0.15 each, GPU-hours at 2.50 each, and GPU-hours of H100s only."""
    catalog.gpu_hours()
    meters.meter("calls", "COUNT", "llm.call", unit="call")
    price = {"model": "per_unit", "unit_amount": "0.15"}
    catalog.plan({"code": "calls", "meter": "calls", "price": price}, code="by-usage", name="By usage")
    catalog.plan(code="by-resource", name="By resource")
    catalog.plan(catalog.component(where={"gpu_type": ["H100"]}), code="h100", name="H100 only")


def page(client, *pairs, **asked):
    answer = client.get(ADDRESS, {**dict(pairs), **asked})
    return answer, answer.content.decode()


TYPED = {"meter": ["calls", "gpu_hours"], "quantity": ["1,000", "50"], "dimensions": ["", "gpu_type=A100"]}


class TestAdvice:
    def test_says_how_to_begin_without_a_plan(self, owner):
        _, text = page(owner)
        assert "No plans yet" in text
        assert "/console/plans/upload/" in text

    def test_offers_all_plans_before_anything_is_asked(self, owner, offers):
        answer, text = page(owner)
        assert answer.context["form"].initial["plans"] == ["by-resource", "by-usage", "h100"]
        assert "Which plan fits?" in text

    def test_marks_the_cheapest_and_says_what_decides(self, owner, offers):
        # 1,000 calls x 0.15 = 150.00; 50 GPU-hours x 2.50 = 125.00
        answer, text = page(owner, **TYPED, plans=["by-usage", "by-resource"])
        shown = [(plan["plan"], plan["total"], plan["is_cheapest"]) for plan in answer.context["plans"]]
        assert shown == [("by-resource", "125.00", True), ("by-usage", "150.00", False)]
        assert "By resource is cheapest: $125.00" in text
        assert "charges nothing for calls" in text

    def test_draws_where_the_cheapest_changes(self, owner, offers):
        # 125.00 / 0.15 = 833.33 calls
        answer, text = page(owner, **TYPED, plans=["by-usage", "by-resource"])
        (calls,) = [chart for chart in answer.context["charts"] if chart["meter"] == "calls"]
        assert calls["sentences"] == [
            "At ≈ 833.333333 call, where both cost 125 USD: below it by-usage is cheaper, "
            "above it by-resource."
        ]
        assert calls["drawn"]["marks"] == [[pytest.approx(833.333333), 125.0]]
        assert {each["name"] for each in calls["drawn"]["series"]} == {"by-usage", "by-resource"}
        assert f'id="{calls["id"]}"' in text

    def test_compares_the_others_where_one_cannot_price(self, owner, offers):
        answer, text = page(owner, **TYPED, plans=["h100", "by-resource"])
        cheapest, unpriced = answer.context["plans"]
        assert cheapest["plan"] == "by-resource"
        assert (unpriced["status"], unpriced["error"]["dimensions"]) == ("unpriced", {"gpu_type": "A100"})
        assert "gpu_type A100" in text

    def test_tells_how_often_a_budget_suffices(self, owner, offers):
        _, text = page(owner, **TYPED, plans=["by-usage", "by-resource"], budget="130")
        assert "1 of 1 month" in text
        assert "0 of 1 month" in text

    def test_spreads_usage_over_the_month_for_plans_that_price_by_time(self, owner, offers):
        # 720 or more hours hold one free GPU-hour each: 50 spread evenly are all free
        hourly = catalog.component(included={"quantity": 1, "every": "HOUR"})
        catalog.plan(hourly, code="hourly", name="Hourly")
        answer, text = page(owner, **TYPED, plans=["hourly"])
        assert answer.context["plans"][0]["status"] == "refused"
        assert "can be priced if you choose" in text
        answer, _ = page(owner, **TYPED, plans=["hourly"], spread="even")
        assert (answer.context["best"]["total"], answer.context["plans"][0]["deciding"]) == ("0.00", [])

    def test_doubts_a_plan_that_charges_nothing(self, owner, offers):
        calls = {"meter": "calls", "quantity": "5"}
        assert "It charges nothing" in page(owner, **calls, plans=["by-resource"])[1]

    def test_prices_what_a_customer_really_used(self, owner):
        # two GPUs for ten hours: 20 GPU-hours at 2.50, dearer than the fee of 31.00
        month.invoiced()
        answer, text = page(owner, customer="acme", first_month="2020-05", plans=["hybrid"])
        assert answer.context["best"]["total"] == "50.00"
        assert "Put Acme 北京 on this plan" in text

    @pytest.mark.parametrize(
        ("asked", "field", "problem"),
        [
            ({"customer": "nobody", "first_month": "2020-05"}, "customer", "There is no customer nobody."),
            ({"customer": "acme"}, "first_month", "A customer's usage needs its first month."),
            ({"customer": "acme", "first_month": "0000-01"}, "first_month", "Write a month such as 2020-05."),
            ({"meter": "calls", "quantity": "0", "plans": ["by-usage", "by-resource"]}, "__all__", "above 0"),
            ({"meter": "calls", "quantity": "1", "plans": "none"}, "plans", "There is no plan “none”."),
            ({"meter": "calls", "quantity": "1", "budget": "much"}, "budget", "no number"),
            (
                {"meter": "calls", "quantity": "1", "customer": "acme"},
                "customer",
                "Give either a customer or quantities, not both.",
            ),
            ({"plans": "by-usage"}, "__all__", "Say what is used"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(self, owner, offers, asked, field, problem):
        answer, text = page(owner, **asked)
        assert answer.status_code == 400
        assert problem in answer.context["form"].errors[field][0]
        assert "Nothing was compared" in text

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            ({"meter": "calls", "quantity": "many"}, "is no number"),
            ({"meter": "calls", "quantity": "1", "dimensions": "gpt-5"}, "name=value"),
        ],
    )
    def test_says_what_is_wrong_beside_a_row(self, owner, offers, row, problem):
        answer, _ = page(owner, **row, plans="by-usage")
        assert answer.status_code == 400
        assert problem in answer.context["form"].rows[0].errors[0]

    def test_shows_usage_of_customers_only_to_those_who_may_see_it(self, client, offers):
        client.force_login(month.clerk("billing.view_plan"))
        answer, _ = page(client, customer="acme", first_month="2020-05", plans="by-usage")
        assert answer.status_code == 400
        assert "customer" not in answer.context["form"].fields

    def test_is_for_those_who_may_see_plans(self, client):
        client.force_login(month.clerk("billing.view_invoice"))
        assert client.get(ADDRESS).status_code == 403


def test_plans_in_another_currency_are_priced_and_not_compared(owner, offers):
    euros = catalog.document(code="euros", currency="EUR")
    publishing.apply(document=euros, at=catalog.LONG_AGO)
    answer, text = page(owner, **TYPED, plans=["by-resource", "euros"])
    assert [plan["is_compared"] for plan in answer.context["plans"]] == [True, False]
    assert "not compared" in text
