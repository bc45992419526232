"""Advice from what a customer really used."""

from datetime import UTC, datetime

import pytest

from billing import publishing, subscribing
from billing.advising import advice
from billing.models import Plan, Subscription
from metering.documents import DocumentError
from metering.periods import Period
from tests.billing.advising.plans import fee, per_unit, plan
from tests.world import catalog

AT = datetime(2026, 12, 3, tzinfo=UTC)
BY_TYPE = {
    "code": "gpu",
    "meter": "gpu_hours",
    "price": {
        "model": "matrix",
        "by": ["gpu_type"],
        "rates": [{"when": {"gpu_type": "H100"}, "unit_amount": "3"}],
    },
}


@pytest.fixture
def acme(db):
    """Acme used 10 GPU-hours in October, and 100 in November, 60 of them on A100."""
    catalog.gpu_hours()
    customer = catalog.customer("acme")
    catalog.subscription(customer, catalog.plan())
    catalog.run_gpus("acme", catalog.OCTOBER.start, 10)
    catalog.run_gpus("acme", catalog.NOVEMBER.start, 40)
    catalog.run_gpus("acme", catalog.NOVEMBER.start, 60, gpu_type="A100")
    return customer


def advise(*plans, **changes):
    workload = {"customer": "acme", "first_month": "2026-10", "last_month": "2026-11", **changes}
    return advice.advise({"workload": workload, "plans": list(plans), "budget": "100"}, at=AT)


class TestPastUsage:
    def test_is_priced_month_by_month_under_every_plan(self, acme):
        answer = advise("gpu-cloud", plan("fee", fee("90")))
        stored, flat = answer["plans"]
        assert [month["total"] for month in stored["months"]] == ["25.00", "250.00"]
        assert [month["total"] for month in flat["months"]] == ["90.00", "90.00"]
        assert answer["cheapest"] == "fee"
        assert [each["months_within"] for each in answer["budget"]["plans"]] == [1, 2]
        assert answer["workload"] == [{"meter": "gpu_hours", "unit": "GPU-hour", "quantity": "110"}]

    def test_breaks_even_by_the_last_months_usage(self, acme):
        # 2.50 h = 90 at 36 GPU-hours: 0.36 times November's
        answer = advise("gpu-cloud", plan("fee", fee("90")))
        (factor, hours) = answer["break_evens"]
        assert [point["at"] for point in factor["points"]] == ["0.36"]
        assert [point["at"] for point in hours["points"]] == ["36"]

    def test_is_read_as_each_plan_needs_it(self, acme):
        otherwise = {**BY_TYPE["price"], "otherwise": "1"}
        answer = advise(plan("by-type", {**BY_TYPE, "price": otherwise}), "gpu-cloud")
        # 10 x 3; 40 x 3 + 60 x 1
        assert [month["total"] for month in answer["plans"][0]["months"]] == ["30.00", "180.00"]
        assert answer["plans"][1]["total"] == "275.00"

    def test_that_a_plan_cannot_price_names_the_dimension(self, acme):
        answer = advise(plan("by-type", BY_TYPE), "gpu-cloud")
        error = answer["plans"][0]["error"]
        assert (error["code"], error["dimensions"]) == ("unpriced", {"gpu_type": "A100"})
        assert error["month"]["start"] == "2026-11-01T00:00:00Z"
        assert answer["cheapest"] == "gpu-cloud"

    def test_is_that_of_the_subjects_that_were_the_customers(self, acme):
        later = Period(datetime(2026, 11, 2, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
        subscribing.assign_subject(
            customer=acme, subject="lab", validity=later, subscription=Subscription.objects.get()
        )
        catalog.run_gpus("lab", datetime(2026, 11, 1, tzinfo=UTC), 48)
        answer = advise("gpu-cloud")
        # 24 of the lab's 48 hours lie behind the change
        assert answer["plans"][0]["months"][1]["total"] == "310.00"

    def test_answers_with_documents_that_can_be_applied(self, acme):
        documents = advise("gpu-cloud", plan("cheap", per_unit("gpu_hours", "0.5")))["documents"]
        publishing.apply(document=documents["plan"], at=AT)
        wanted = documents["subscription"]
        assert (wanted["key"], wanted["customer"]) == ("acme-cheap", "acme")
        made = subscribing.subscribe(
            customer=acme,
            plan=Plan.objects.get(code=wanted["plan"]),
            key=wanted["key"],
            start_at=datetime.fromisoformat(wanted["start_at"]),
            overrides=wanted["overrides"],
            at=AT,
        )
        assert made.start_at == datetime(2027, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"customer": "nobody"}, "workload.customer"),
            ({"last_month": "2027-02"}, "workload.last_month"),
        ],
    )
    def test_that_is_not_there_is_refused(self, acme, changes, field):
        with pytest.raises(DocumentError) as error:
            advise("gpu-cloud", **changes)
        assert error.value.field == field

    def test_of_a_meter_that_nobody_knows_refuses_that_plan_only(self, acme):
        answer = advise(plan("calls", per_unit("calls", "1")), "gpu-cloud")
        assert answer["plans"][0]["error"]["message"] == "there is no meter calls"
        assert answer["cheapest"] == "gpu-cloud"
