"""Draft plans against past invoices: asked, watched, cancelled, and fetched as a file."""

import json

import pytest

from billing.advising import asking
from billing.models import WhatIf
from tests.billing.console import month
from tests.world import catalog

pytestmark = pytest.mark.django_db
LIST, NEW = "/console/what-if/", "/console/what-if/new/"
DEARER = """
code: hybrid
currency: USD
components:
  - {code: gpu, meter: gpu_hours, price: {model: per_unit, unit_amount: 3}}
"""


def ask(client, **fields):
    return client.post(NEW, {"first_month": "2020-05", "text": DEARER, **fields})


def run():
    """A worker's turn."""
    return asking.run_next(clock=lambda: month.INVOICED_AT)


class TestAsking:
    def test_leads_to_the_comparison_which_waits_for_a_worker(self, owner):
        month.invoiced()
        answer = ask(owner)
        job = WhatIf.objects.get()
        assert answer.url == f"{LIST}{job.pk}/"
        assert (job.state, job.requested_by, job.start_at, job.end_at) == (
            WhatIf.State.QUEUED,
            "owner",
            month.START,
            month.END,
        )
        assert "Waiting for a worker" in owner.get(answer.url).content.decode()

    def test_begins_with_the_document_of_a_plan(self, owner):
        month.invoiced()
        text = owner.get(NEW, {"plan": "hybrid"}).context["form"].initial["text"]
        assert text.startswith("code: hybrid")

    @pytest.mark.parametrize("code", ["none", "\x00"])
    def test_begins_empty_for_a_plan_that_is_not_there(self, owner, code):
        assert owner.get(NEW, {"plan": code}).context["form"].initial["text"] == ""

    def test_begins_with_the_document_that_the_review_of_a_plan_posts(self, owner):
        month.invoiced()
        answer = owner.post(NEW, {"asked": "draft", "text": DEARER})
        assert answer.context["form"].initial["text"] == DEARER
        assert not WhatIf.objects.exists()

    def test_is_offered_before_a_plan_is_published(self, owner):
        month.invoiced()
        review = owner.post("/console/plans/upload/", {"text": DEARER}).content.decode()
        assert f'formaction="{NEW}"' in review

    @pytest.mark.parametrize(
        ("fields", "field", "problem"),
        [
            ({"first_month": ""}, "first_month", "required"),
            ({"first_month": "May"}, "first_month", "Write a month such as 2020-05."),
            ({"last_month": "2020-04"}, "last_month", "months after it"),
            ({"customer": "nobody"}, "customer", "There is no customer with the key “nobody”."),
            ({"text": ""}, "text", "Paste the plan’s document"),
            ({"text": "- a\n- b"}, "text", "plan"),
            ({"text": DEARER.replace("per_unit", "per_moon")}, "text", "(line 5)"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(self, owner, fields, field, problem):
        month.invoiced()
        answer = ask(owner, **fields)
        assert answer.status_code == 400
        assert problem in answer.context["form"].errors[field][0]
        assert not WhatIf.objects.exists()

    def test_needs_the_permissions_to_publish_and_to_see_invoices(self, client):
        for permission in ("billing.view_invoice", "billing.add_planversion"):
            user = month.clerk(permission)
            client.force_login(user)
            assert ask(client).status_code == 403
            user.delete()


class TestAComparison:
    def test_shows_old_new_and_difference_by_customer(self, owner):
        # 20 GPU-hours at 2.50 were 50.00, at 3 they are 60.00
        month.invoiced()
        address = ask(owner).url
        run()
        answer = owner.get(address)
        text = answer.content.decode()
        (total,) = answer.context["totals"]
        assert (total["old"], total["new"], total["difference"]) == (50, 60, 10)
        assert "+$10.00" in text
        assert "1 of 1 service periods were compared" in text
        assert "data-watched" not in text

    def test_says_where_there_was_nothing_to_compare(self, owner):
        month.invoiced()
        address = ask(owner, first_month="2020-04").url
        run()
        assert "Nothing to compare" in owner.get(address).content.decode()

    def test_says_why_it_failed(self, owner):
        month.invoiced()
        twice = json.dumps([month.hybrid(), month.hybrid()])
        address = ask(owner, text=twice).url
        assert run().state == WhatIf.State.FAILED
        text = owner.get(address).content.decode()
        assert "It could not be compared" in text
        assert "hybrid is given twice" in text

    def test_counts_what_the_draft_cannot_price(self, owner):
        month.invoiced()
        narrow = DEARER.replace("price:", "where: {gpu_type: [A100]}, price:")
        address = ask(owner, text=narrow).url
        run()
        answer = owner.get(address)
        assert answer.context["totals"][0]["unpriced"] == 1
        assert "1 cannot be priced" in answer.content.decode()

    def test_takes_the_place_of_every_plan_where_all_move(self, owner):
        month.invoiced()
        address = ask(owner, text=DEARER.replace("hybrid", "other"), is_move="yes").url
        run()
        assert owner.get(address).context["totals"][0]["difference"] == 10

    def test_is_fetched_as_a_file(self, owner):
        month.invoiced()
        address = ask(owner).url
        run()
        file = owner.get(f"{address}csv/")
        heading, row = file.content.decode().splitlines()
        assert file["Content-Disposition"].endswith('.csv"')
        assert heading.startswith(
            "customer,subscription,invoices,period_start,period_end,plan,currency,old,new"
        )
        assert row.startswith(
            "acme,acme-hybrid,INV-000001,2020-05-01T00:00:00Z,2020-06-01T00:00:00Z,hybrid,USD"
        )
        assert ",50.00,60.00,10.00,true," in row

    def test_is_cancelled_once(self, owner):
        month.invoiced()
        address = ask(owner).url
        owner.post(f"{address}cancel/")
        assert WhatIf.objects.get().state == WhatIf.State.CANCELLED
        again = owner.post(f"{address}cancel/", follow=True)
        assert "over already" in again.content.decode()
        assert run() is None

    def test_is_cancelled_only_by_those_who_may_ask(self, owner, client):
        month.invoiced()
        address = ask(owner).url
        client.force_login(month.clerk("billing.view_invoice"))
        assert client.get(address).status_code == 200
        assert client.post(f"{address}cancel/").status_code == 403
        assert client.get(f"{address}cancel/").status_code == 405

    def test_is_not_found_where_there_is_none(self, owner):
        assert [owner.get(f"{LIST}1/{name}").status_code for name in ("", "csv/")] == [404, 404]

    def test_needs_the_permission_to_see_invoices(self, owner, client):
        month.invoiced()
        address = ask(owner).url
        client.force_login(month.clerk("billing.view_plan"))
        assert [client.get(each).status_code for each in (LIST, address, f"{address}csv/")] == [403, 403, 403]


class TestTheList:
    def test_says_how_to_begin(self, owner):
        assert "No comparison yet" in owner.get(LIST).content.decode()

    def test_shows_the_latest_first_with_their_progress(self, owner):
        month.invoiced()
        ask(owner)
        run()
        ask(owner, customer="acme")
        answer = owner.get(LIST)
        assert [job.state for job, _, _ in answer.context["jobs"]] == ["QUEUED", "DONE"]
        text = answer.content.decode()
        assert "1 of 1" in text
        assert "data-watched" in text
        assert catalog.document(code="hybrid")["code"] in text
