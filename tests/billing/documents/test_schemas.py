"""The JSON Schemas in docs/schemas say what the code takes. To write them anew: python
tests/billing/documents/test_schemas.py
"""

import json
import sys
from pathlib import Path

import jsonschema
import pytest

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "schemas"
sys.path.insert(0, str(FOLDER.parents[1]))

from billing.documents import plan  # noqa: E402
from metering.documents import meter  # noqa: E402

SCHEMAS = {"meter.json": meter.schema, "plan.json": plan.schema}
METER = {"slug": "m", "name": "M", "event_type": "e", "aggregation": "SUM", "value": {"plus": ["a"]}}
TIERS = [{"up_to": "10", "unit_amount": {"compute": "1", "storage": "2"}}, {"up_to": None}]
PLAN = {
    "code": "p",
    "currency": "USD",
    "components": [
        {
            "code": "g",
            "combine": "GREATEST",
            "components": [
                {"code": "a", "meter": "m", "price": {"model": "graduated", "tiers": TIERS}},
                {"code": "b", "price": {"model": "flat", "amount": 5}},
            ],
        }
    ],
}


def written(name: str) -> str:
    """The text of a schema's file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name.removesuffix(".json")}
    return json.dumps({**head, **SCHEMAS[name]()}, indent=2, sort_keys=True) + "\n"


class TestSchema:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_on_file_is_that_of_the_code(self, name):
        assert (FOLDER / name).read_text() == written(name)

    @pytest.mark.parametrize(("name", "document"), [("meter.json", METER), ("plan.json", PLAN)])
    def test_takes_what_the_code_takes(self, name, document):
        jsonschema.validate(document, json.loads(written(name)))

    @pytest.mark.parametrize(
        ("name", "document"),
        [
            ("meter.json", {**METER, "valu": "x"}),
            ("meter.json", {**METER, "minimum": 0.5}),
            ("plan.json", {**PLAN, "components": [{"code": "a", "price": {"model": "flat"}}]}),
            (
                "plan.json",
                {**PLAN, "components": [{"code": "a", "price": {"model": "per_unit", "unit_amount": 0.5}}]},
            ),
        ],
    )
    def test_refuses_what_the_code_refuses(self, name, document):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, json.loads(written(name)))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for schema in SCHEMAS:
        (FOLDER / schema).write_text(written(schema))
