"""The JSON Schemas of estimates and advice in docs/schemas say what the code takes and answers. To write them
anew: python tests/billing/test_answer_schemas.py
"""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schemas"
sys.path.insert(0, str(FOLDER.parents[1]))

from billing import estimating  # noqa: E402
from billing.advising import advice  # noqa: E402
from billing.advising import answers as advising_answers  # noqa: E402
from billing.advising import request as advising_request  # noqa: E402
from tests.billing.advising.plans import AT, CASE  # noqa: E402

SCHEMAS = {
    "estimate.json": estimating.request_schema,
    "estimate-answer.json": estimating.answer_schema,
    "advice.json": advising_request.schema,
    "advice-answer.json": advising_answers.schema,
}
ESTIMATE = {
    "model": "llama-3.1-70b",
    "context_tokens": 128_000,
    "gpus": ["H100-SXM"],
    "compute_share": "0.4",
    "training": {"tokens": "1000000", "zero_stage": 3, "gpus": 64},
    "workload": {"calls": "1000", "input_tokens": 500, "output_tokens": "100"},
    "storage": {"checkpoints": 2},
    "unit": "GiB",
}
MONTHS = {"customer": "acme", "first_month": "2026-08", "last_month": "2026-10"}


def written(name: str) -> str:
    """The text of a schema's file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name.removesuffix(".json")}
    return json.dumps({**head, **SCHEMAS[name]()}, indent=2, sort_keys=True) + "\n"


class TestSchema:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_on_file_is_that_of_the_code(self, name):
        assert (FOLDER / name).read_text() == written(name)

    @pytest.mark.parametrize(
        ("name", "document"),
        [
            ("estimate.json", ESTIMATE),
            ("estimate-answer.json", estimating.estimate(ESTIMATE)),
            ("advice.json", CASE),
            ("advice.json", {"workload": MONTHS, "plans": ["gpu-cloud"], "budget": "100"}),
            ("advice.json", {"workload": {"estimate": ESTIMATE}, "plans": [{"plan": "gpu-cloud"}]}),
            ("advice-answer.json", advice.advise(CASE, at=AT)),
        ],
    )
    def test_takes_what_the_code_takes_and_answers(self, name, document):
        jsonschema.validate(json.loads(json.dumps(document)), json.loads(written(name)))

    @pytest.mark.parametrize(
        ("name", "document"),
        [
            ("estimate.json", {**ESTIMATE, "gpus": ["H101"]}),
            ("estimate.json", {**ESTIMATE, "compute_share": 0.4}),
            ("estimate.json", {**ESTIMATE, "modle": "opt-13b"}),
            ("estimate-answer.json", {**estimating.estimate(ESTIMATE), "more": 1}),
            ("advice.json", {**CASE, "plans": []}),
            ("advice.json", {"workload": {**MONTHS, "first_month": "2026-13"}, "plans": ["p"]}),
            ("advice-answer.json", {"cheapest": None}),
        ],
    )
    def test_refuses_what_the_code_refuses(self, name, document):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, json.loads(written(name)))


if __name__ == "__main__":
    for schema in SCHEMAS:
        (FOLDER / schema).write_text(written(schema))
