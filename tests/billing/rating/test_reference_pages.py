"""The examples on the reference pages are real."""

import json
import re
from pathlib import Path

import pytest

from billing import rating
from billing.api import quotes
from billing.documents import plan, prices, quote
from metering.documents import load_text, meter

DOCS = Path(__file__).resolve().parents[3] / "docs"


def examples(page: str, label: str) -> list[str]:
    """The fenced blocks of a page that begin with this label."""
    return re.findall(rf"^```{label}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


class TestMeters:
    @pytest.mark.parametrize("text", examples("meters.md", "yaml meter"))
    def test_examples_are_meters(self, text):
        assert meter.canonical(load_text(text, "meter.yaml"))

    def test_page_names_every_key_and_aggregation(self):
        page = (DOCS / "meters.md").read_text()
        assert [key for key in meter.SHAPE.fields if f"`{key}`" not in page] == []
        assert [kind for kind in meter.AGGREGATIONS if kind not in page] == []

    def test_there_are_examples(self):
        assert len(examples("meters.md", "yaml meter")) == 5


class TestPlans:
    @pytest.mark.parametrize("text", examples("plans.md", "yaml plan"))
    def test_examples_are_plans(self, text):
        assert plan.canonical(load_text(text, "plan.yaml"))

    def test_example_of_overrides_fits_the_first_plan(self):
        first = plan.parse(load_text(examples("plans.md", "yaml plan")[0], "plan.yaml"))
        [text] = examples("plans.md", "yaml overrides")
        changed = plan.apply_overrides(first, load_text(text, "overrides.yaml"))
        assert changed.component("reserved").quantity == 16
        assert changed.component("overage").included.quantity == 16

    @pytest.mark.parametrize("shape", [plan.SHAPE, plan.COMPONENT, plan.GROUP], ids=lambda shape: shape.name)
    def test_page_names_every_key(self, shape):
        page = (DOCS / "plans.md").read_text()
        assert [key for key in shape.fields if f"`{key}`" not in page and f"{key}:" not in page] == []

    @pytest.mark.parametrize("model", prices.SHAPES)
    def test_page_names_every_price_model_with_its_fields(self, model):
        [row] = re.findall(rf"^\| `{model}` \|.*$", (DOCS / "plans.md").read_text(), re.MULTILINE)
        assert [key for key in prices.SHAPES[model].fields if key != "model" and key not in row] == []


class TestQuotes:
    def test_page_names_the_bounds_over_http(self):
        page = (DOCS / "quotes.md").read_text()
        assert f"more than {quotes.BODY_BYTES_MAX:,} bytes" in page
        assert f"about {quotes.WORK_MAX:,} prices" in page

    def test_example_has_the_answer_that_the_page_shows(self):
        [request] = examples("quotes.md", "json request")
        [answer] = examples("quotes.md", "json answer")
        assert rating.quote(load_text(request, "quote.json")) == json.loads(answer)

    def test_page_names_every_key(self):
        page = (DOCS / "quotes.md").read_text()
        assert [key for key in quote.SHAPE.fields if f"`{key}`" not in page] == []
