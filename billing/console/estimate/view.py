"""The page of estimates: what a model needs, each number with its unit, its formula and what it assumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from billing import estimating
from billing.advising.request import USUAL_METERS
from billing.console import typed
from billing.console.estimate.form import PLACES, EstimateForm
from metering.console import pages
from metering.documents import DocumentError

PERMISSION = "billing.view_plan"
# The figures of a GPU that stand in the table; the others are found by opening it.
_COLUMNS = ("gpus", "tokens_written", "run_hours", "gpu_hours", "gpu_hours_held", "training_gpu_hours")
EXAMPLES = (
    (
        "Llama 3.1 70B, four contexts of 128,000 tokens",
        {"model": "llama-3.1-70b", "context_tokens": "128000", "concurrency": "4", "unit": "GiB"},
    ),
    (
        "DeepSeek-V3 in FP8, 100,000 calls a month",
        {
            "model": "deepseek-v3",
            "precision": "FP8",
            "concurrency": "16",
            "calls": "100000",
            "input_tokens": "1000",
            "output_tokens": "300",
        },
    ),
    (
        "Training 10 billion parameters of your own",
        {
            "parameters": "10B",
            "layers": "48",
            "hidden": "4096",
            "heads": "32",
            "training_tokens": "200B",
            "zero_stage": "1",
            "training_gpus": "64",
        },
    ),
)


@dataclass(frozen=True)
class Fleet:
    """A type of GPU: ``cells`` of the table (None: no such figure), all figures, and a link to prices."""

    gpu: str
    note: str
    source: str
    cells: list[dict[str, Any] | None]
    figures: list[dict[str, Any]]
    advice: str


@pages.needs(PERMISSION)
def page(request: HttpRequest) -> HttpResponse:
    """The form, and the answer to what the address asks; without a question, examples to begin with."""
    is_asked = any(request.GET.get(name) for name in EstimateForm.base_fields)
    form = EstimateForm(request.GET if is_asked else None)
    answer = _answer(form) if is_asked and form.is_valid() else None
    fleets = [_fleet(each) for each in answer["gpus"]] if answer else []
    used = [place for place in range(len(_COLUMNS)) if any(each.cells[place] for each in fleets)]
    return pages.render(
        request,
        "estimate.html",
        title="Estimate",
        form=form,
        answer=answer,
        fleets=[_narrowed(each, used) for each in fleets],
        columns=[_heading(fleets, place) for place in used],
        examples=[(name, "?" + urlencode(values)) for name, values in EXAMPLES],
        status=400 if form.errors else 200,
    )


def _answer(form: EstimateForm) -> dict[str, Any] | None:
    try:
        return estimating.estimate(form.request())
    except DocumentError as error:
        typed.tell(form, error, PLACES)
        return None


def _fleet(gpu: Mapping[str, Any]) -> Fleet:
    by_key = {figure["key"]: figure for figure in gpu["figures"]}
    query = [
        pair
        for key, quantity in gpu["usage"].items()
        for pair in (("meter", USUAL_METERS[key]), ("quantity", quantity))
    ]
    return Fleet(
        gpu=gpu["gpu"],
        note=gpu["note"],
        source=gpu["source"],
        cells=[by_key.get(key) for key in _COLUMNS],
        figures=gpu["figures"],
        advice=f"{reverse('console:advice')}?{urlencode(query)}" if query else "",
    )


def _narrowed(fleet: Fleet, used: list[int]) -> Fleet:
    cells = [fleet.cells[place] for place in used]
    return Fleet(fleet.gpu, fleet.note, fleet.source, cells, fleet.figures, fleet.advice)


def _heading(fleets: list[Fleet], place: int) -> str:
    name: str = next(each.cells[place]["name"] for each in fleets if each.cells[place])  # type: ignore[index]
    return name
