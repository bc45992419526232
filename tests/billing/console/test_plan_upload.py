"""Publishing a plan by its document."""

import io
import re

import pytest
from django.urls import reverse

from billing.models import Customer, Plan, PlanVersion
from tests.billing.console import month
from tests.world import catalog, meters

pytestmark = pytest.mark.django_db

ADDRESS = "/console/plans/upload/"
PLAN = """code: starter
name: Starter
currency: USD
interval: MONTH
components:
  - code: base
    price: {model: flat, amount: "20.00"}
  - code: hours
    meter: gpu_hours
    price:
      model: graduated
      tiers:
        - {up_to: "100", unit_amount: "2.50"}
        - {up_to: null, unit_amount: "2.00"}
"""


def pasted(client, text, **when):
    return client.post(ADDRESS, {"text": text, "asked": "publish", "migration": "NEXT_PERIOD", **when})


def reviewed(client, text, **when):
    return client.post(ADDRESS, {"text": text, **when})


def uploaded(client, content, name="plan.yaml"):
    file = io.BytesIO(content)
    file.name = name
    return client.post(ADDRESS, {"file": file})


class TestUpload:
    def test_publishes_a_pasted_document(self, owner):
        catalog.gpu_hours()
        answer = pasted(owner, PLAN)
        assert (answer.status_code, answer.url) == (302, "/console/plans/starter/1/")
        version = PlanVersion.objects.get()
        assert (version.number, version.published_by) == (1, "owner")
        assert version.document["components"][1]["price"]["tiers"][0] == {
            "up_to": "100",
            "unit_amount": "2.50",
        }

    def test_takes_a_file_and_shows_what_it_would_publish(self, owner):
        catalog.gpu_hours()
        page = uploaded(owner, PLAN.encode())
        assert page.status_code == 200
        assert "Publish Starter?" in page.content.decode()
        assert not Plan.objects.exists()
        assert pasted(owner, page.context["review"].text).status_code == 302
        assert Plan.objects.get().name == "Starter"

    def test_reads_json_by_the_files_name(self, owner):
        document = b'{"code": "j", "name": "J", "currency": "USD", "interval": "MONTH", "components": []}'
        answer = uploaded(owner, document.replace(b"[]", b"[1.5]"), "plan.json")
        assert "plan.components[0]" in answer.content.decode()

    def test_names_a_wrong_key_its_place_and_its_line(self, owner):
        catalog.gpu_hours()
        answer = pasted(owner, PLAN.replace('up_to: "100"', 'upto: "100"'))
        page = answer.content.decode()
        assert answer.status_code == 400
        assert "plan.components[1].price.tiers[0].upto" in page
        assert "(line 13)" in page
        assert "did you mean up_to?" in page
        assert not Plan.objects.exists()

    def test_gives_a_faulty_files_text_back_to_be_mended(self, owner):
        answer = uploaded(owner, b"code: starter\nnmae: Starter\n")
        assert "nmae: Starter" in answer.context["form"].initial["text"]

    def test_names_a_meter_that_is_not_there(self, owner):
        page = pasted(owner, PLAN).content.decode()
        assert "there is no meter gpu_hours" in page
        assert "plan.components[1].meter" in page

    def test_changes_nothing_the_second_time(self, owner):
        catalog.gpu_hours()
        pasted(owner, PLAN)
        answer = pasted(owner, PLAN)
        assert answer.url == "/console/plans/starter/1/"
        assert PlanVersion.objects.count() == 1

    def test_publishes_the_next_version_of_a_code(self, owner):
        catalog.gpu_hours()
        pasted(owner, PLAN)
        assert pasted(owner, PLAN.replace("20.00", "25.00")).url == "/console/plans/starter/2/"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "Choose a file, or paste the document."),
            ("- {code: a}\n- {code: b}\n", "one document at a time; this is a list of 2"),
            ("code: [", "is no YAML"),
            ("code: a\ncode: b\n", "stands here twice"),
        ],
    )
    def test_says_what_is_wrong_with_the_text(self, owner, text, message):
        answer = pasted(owner, text)
        assert answer.status_code == 400
        assert message in answer.content.decode()

    def test_refuses_a_file_that_is_no_text(self, owner):
        assert "is no UTF-8 text" in uploaded(owner, b"\xff\xfe\x00").content.decode()

    def test_refuses_a_file_that_is_too_large(self, owner):
        assert "larger than 512 KB" in uploaded(owner, b" " * (512 * 1024 + 1)).content.decode()


class TestReview:
    @pytest.fixture
    def published(self, owner):
        catalog.gpu_hours()
        pasted(owner, PLAN)
        return Plan.objects.get()

    def test_says_what_changes_and_whom_it_reaches(self, owner, published):
        catalog.subscription(catalog.customer("acme"), published)
        Customer.objects.update(name="Acme 株式会社")
        answer = reviewed(owner, PLAN.replace("20.00", "25.00"))
        [change] = answer.context["review"].changes
        assert re.search(r"\b20\b.*\b25\b", change)
        page = answer.content.decode()
        assert "1 subscription moves to this version" in page
        assert "Acme 株式会社" in page
        assert PlanVersion.objects.count() == 1

    def test_reaches_nobody_when_existing_subscriptions_keep_their_version(self, owner, published):
        catalog.subscription(catalog.customer("acme"), published)
        text = PLAN.replace("20.00", "25.00")
        page = reviewed(owner, text, asked="review", migration="NEVER").content.decode()
        assert "0 subscriptions move to this version" in page

    def test_publishes_with_the_instant_and_migration_that_were_chosen(self, owner, published):
        text = PLAN.replace("20.00", "25.00")
        pasted(owner, text, effective_at="2031-01-01T00:00", migration="AT_ONCE")
        version = PlanVersion.objects.get(number=2)
        assert (version.effective_at.isoformat(), version.migration) == (
            "2031-01-01T00:00:00+00:00",
            "AT_ONCE",
        )

    def test_gives_the_document_back_to_go_on_with(self, owner, published):
        page = reviewed(owner, PLAN.replace("20.00", "25.00"), asked="back")
        assert "25.00" in page.context["form"].initial["text"]

    def test_refuses_an_instant_before_the_published_version(self, owner, published):
        text = PLAN.replace("20.00", "25.00")
        pasted(owner, text, effective_at="2031-01-01T00:00", migration="NEVER")
        later = PLAN.replace("20.00", "30.00")
        answer = pasted(owner, later, effective_at="2030-01-01T00:00", migration="NEVER")
        assert answer.status_code == 400
        assert "must follow it" in answer.content.decode()


class TestForm:
    def test_starts_from_the_newest_version_of_a_plan(self, owner):
        catalog.gpu_hours()
        pasted(owner, PLAN)
        page = owner.get(ADDRESS + "?plan=starter")
        text = page.context["form"].initial["text"]
        assert text.startswith("code: starter\nname: Starter\ncurrency: USD\ninterval: MONTH\ncomponents:\n")
        assert pasted(owner, text).url == "/console/plans/starter/1/"

    @pytest.mark.parametrize("code", ["none", "%00"])
    def test_is_empty_for_an_unknown_plan(self, owner, code):
        assert owner.get(f"{ADDRESS}?plan={code}").context["form"].initial["text"] == ""


class TestVersion:
    def test_is_shown_in_words(self, owner):
        month.used()
        page = owner.get(reverse("console:plan_version", args=["hybrid", 1])).content.decode()
        assert "compute 2.00, storage 0.50 USD a unit" in page
        assert "31.00 USD a period" in page
        assert "the dearest of these" in page

    def test_names_the_source_of_its_market_prices(self, owner):
        dimensions = {"provider": "provider", "model": "model"}
        meters.meter("tokens", "SUM", value="input_tokens", dimensions=dimensions)
        price = {"model": "catalogue", "price_of": "input", "at": "2026-10-20T00:00:00Z"}
        where = {"provider": "openai", "model": "gpt-4o"}
        component = {"code": "tokens", "meter": "tokens", "where": where, "price": price}
        plan = catalog.plan(component, code="resold")
        page = owner.get(reverse("console:plan_version", args=["resold", 1])).content.decode()
        assert "genai-prices 0.2.3, prices of 2026-10-20" in page
        assert "model gpt-4o, provider openai: 0.0000025 USD a unit" in page
        listed = owner.get(reverse("admin:billing_plan_change", args=[plan.pk])).content.decode()
        assert "genai-prices 0.2.3, prices of 2026-10-20" in listed
