"""What the traces add up to, computed from the CSV files alone.

This is the other side of the demo's check: it knows the columns of the files and nothing of the product,
neither events nor meters, and not even `config.demo.traces`.
"""

from __future__ import annotations

import collections
import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

_DATA = Path(__file__).parent / "data"
_AZURE = {
    "azure-code": "AzureLLMInferenceTrace_code.csv",
    "azure-conv": "AzureLLMInferenceTrace_conv.csv",
}
_HELIOS = "helios_earth_2020-05_vc_gpu_intervals.csv"


def from_files(*, every: int) -> dict[tuple[str, str], Fraction]:
    """Exact quantities by (subject, meter) of each ``every``-th row.

    model_calls in calls, input_tokens and output_tokens in tokens, gpu_hours in GPU-hours, run_minutes in
    minutes with at least one GPU running. The lengths are the column ``minutes``, not end - start.
    """
    sums: dict[tuple[str, str], Fraction] = collections.defaultdict(Fraction)
    for subject, file in _AZURE.items():
        for row in _rows(file, every):
            sums[subject, "model_calls"] += 1
            sums[subject, "input_tokens"] += int(row["ContextTokens"])
            sums[subject, "output_tokens"] += int(row["GeneratedTokens"])
    for row in _rows(_HELIOS, every):
        minutes, gpus = int(row["minutes"]), int(row["running_gpus"])
        sums[row["vc"], "gpu_hours"] += Fraction(minutes * gpus, 60)
        sums[row["vc"], "run_minutes"] += minutes if gpus else 0
    return dict(sums)


def _rows(file: str, every: int) -> Iterator[dict[str, str]]:
    with (_DATA / file).open(newline="", encoding="utf-8") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=1):
            if number % every == 0:
                yield row
