"""The reference pages of estimates and advice name everything there is, and their examples are real."""

import re
from pathlib import Path

import pytest

from billing import estimating
from billing.advising import request as advice_request
from billing.api import advice
from billing.estimating import architecture
from billing.estimating import request as estimate_request
from billing.estimating.gpus import GPUS
from metering.documents import load_text

DOCS = Path(__file__).resolve().parents[2] / "docs"


def page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def unnamed(shape, name):
    return [key for key in shape.fields if f"`{key}`" not in page(name) and f"{key}:" not in page(name)]


class TestEstimates:
    def test_page_names_every_key(self):
        assert unnamed(estimate_request.SHAPE, "estimates.md") == []
        for key in ("training", "workload", "storage"):
            assert unnamed(estimate_request.SHAPE.fields[key].kind, "estimates.md") == []
        assert [key for key in architecture.SHAPE.fields if f"`{key}" not in page("estimates.md")] == []

    def test_page_names_every_gpu(self):
        assert [name for name in GPUS if name not in page("estimates.md")] == []

    def test_example_is_answered(self):
        (text,) = re.findall(r"^```yaml request\n(.*?)^```$", page("estimates.md"), re.MULTILINE | re.DOTALL)
        answer = estimating.estimate(load_text(text, "request.yaml"))
        assert [each["gpu"] for each in answer["gpus"]] == ["H100-SXM", "A100-80GB"]


class TestAdvice:
    @pytest.mark.parametrize("part", [None, "workload"])
    def test_page_names_every_key(self, part):
        shape = advice_request.SHAPE if part is None else advice_request.SHAPE.fields[part].kind
        assert unnamed(shape, "advice.md") == []

    def test_page_names_the_words_of_usage(self):
        assert [word for word in advice_request.USUAL_METERS if word not in page("advice.md")] == []

    def test_page_names_the_bound_over_http(self):
        assert f"{advice.WORK_MAX:,}" in page("advice.md")
