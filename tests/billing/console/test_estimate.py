"""The page of estimates: the form, errors beside the field, and numbers with their formulas."""

import pytest

from billing.console import typed
from tests.billing.console import month

pytestmark = pytest.mark.django_db
ADDRESS = "/console/estimate/"


def page(client, **asked):
    answer = client.get(ADDRESS, asked)
    return answer, answer.content.decode()


class TestEstimate:
    def test_begins_with_examples_that_can_be_estimated(self, owner):
        answer, text = page(owner)
        examples = [address for _, address in answer.context["examples"]]
        assert len(examples) == 3
        assert [owner.get(ADDRESS + each).status_code for each in examples] == [200, 200, 200]
        assert "What does a model need?" in text

    def test_shows_a_number_with_its_unit_its_formula_and_what_it_assumes(self, owner):
        _, text = page(owner, model="llama-3.1-70b", context_tokens="128000", unit="GiB")
        assert "39.06 GiB" in text
        assert "2 x layers x kv_heads x head_dim x bytes = 2 x 80 x 8 x 128 x 2" in text
        assert "every sequence is as long as context_tokens" in text

    def test_takes_an_architecture_as_people_write_numbers(self, owner):
        asked = {"parameters": "10B", "layers": "48", "hidden": "4,096", "heads": "32", "zero_stage": "0"}
        _, text = page(owner, **asked)
        assert "16 x parameters = 16 x 10,000,000,000" in text
        assert "160 GB" in text

    def test_leads_a_month_of_work_on_to_the_plans_that_price_it(self, owner):
        asked = {"model": "llama-3-8b", "calls": "1000", "input_tokens": "10", "gpus": "H100-SXM"}
        answer, _ = page(owner, **asked)
        (fleet,) = answer.context["fleets"]
        assert "meter=model_calls&quantity=1000&meter=input_tokens&quantity=10000" in fleet.advice

    def test_says_what_is_impossible_beside_the_field(self, owner):
        asked = {"parameters": "10B", "layers": "48", "hidden": "4096", "heads": "30", "kv_heads": "7"}
        answer, text = page(owner, **asked)
        assert answer.status_code == 400
        assert answer.context["form"].errors == {
            "kv_heads": [
                "30 heads cannot share 7 keys and values evenly; possible: 1, 2, 3, 5, 6, 10, 15, 30."
            ]
        }
        assert "30 heads cannot share 7" in text

    def test_asks_for_what_a_half_typed_architecture_lacks(self, owner):
        answer, _ = page(owner, parameters="10B")
        assert list(answer.context["form"].errors) == ["layers"]

    def test_refuses_a_model_and_an_architecture_at_once(self, owner):
        answer, _ = page(owner, model="llama-3-8b", layers="48")
        assert answer.status_code == 400
        assert answer.context["answer"] is None

    def test_keeps_the_folds_open_in_which_something_was_typed(self, owner):
        answer, _ = page(owner, model="llama-3-8b", copies="2")
        folded = {group.title: group.is_open for group in answer.context["form"].groups()}
        assert (folded["Storage"], folded["Training"]) == (True, False)

    def test_is_for_those_who_may_see_plans(self, client):
        client.force_login(month.clerk("billing.view_invoice"))
        assert client.get(ADDRESS).status_code == 403


class TestNumber:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("70B", "70000000000"),
            ("70.6b", "70600000000"),
            ("1.5 M", "1500000"),
            ("1,000", "1000"),
            ("1 720 320", "1720320"),
            ("1,234.5", "1234.5"),
            ("0.9", "0.9"),
            ("1,5", "1,5"),
            ("12,34", "12,34"),
            ("-1", "-1"),
            ("many", "many"),
        ],
    )
    def test_is_read_as_people_write_it(self, text, number):
        assert typed.number(text) == number
