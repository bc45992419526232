"""The kept traces as usage events: CloudEvents as dictionaries, in the order of the files.

The id of an event is its file's name and its row's number (the first row below the header is 1), so that a
second sending is recognised as such. The files are described in ``data/README.md``.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "data"
HELIOS_FILE = "helios_earth_2020-05_vc_gpu_intervals.csv"
AZURE_SOURCE = "/traces/azure-llm-2023"
HELIOS_SOURCE = "/traces/helios-earth-2020"
# 183 whole weeks: 16 November 2023 becomes 14 May 2020, and a Thursday stays a Thursday.
SHIFT_DAYS = 1281


@dataclasses.dataclass(frozen=True)
class ModelService:
    """One of the two Azure services: its file and the subject of its calls."""

    file: str
    subject: str


AZURE_SERVICES = (
    ModelService(file="AzureLLMInferenceTrace_code.csv", subject="azure-code"),
    ModelService(file="AzureLLMInferenceTrace_conv.csv", subject="azure-conv"),
)


@dataclasses.dataclass(frozen=True)
class Tenant:
    """A tenant of the Helios cluster with its quota in GPUs, which never changed in the month."""

    subject: str
    quota_gpus: int


def rows(*, file: str, every: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Each ``every``-th row of a file with its number: 10, 20, 30, ... for 10."""
    with (FOLDER / file).open(newline="", encoding="utf-8") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=1):
            if number % every == 0:
                yield number, row


def model_calls(*, every: int) -> list[dict[str, Any]]:
    """The calls of both Azure services as ``llm.call``, their times moved by `SHIFT_DAYS` into May 2020."""
    return [
        {
            "specversion": "1.0",
            "id": f"{service.file}:{number}",
            "source": AZURE_SOURCE,
            "type": "llm.call",
            "subject": service.subject,
            "time": shifted_time(row["TIMESTAMP"]),
            "data": {
                "input_tokens": int(row["ContextTokens"]),
                "output_tokens": int(row["GeneratedTokens"]),
            },
        }
        for service in AZURE_SERVICES
        for number, row in rows(file=service.file, every=every)
    ]


def gpu_intervals(*, every: int) -> list[dict[str, Any]]:
    """The intervals of all Helios tenants as ``gpu.usage``; ``state`` is idle where no GPU was running."""
    return [
        {
            "specversion": "1.0",
            "id": f"{HELIOS_FILE}:{number}",
            "source": HELIOS_SOURCE,
            "type": "gpu.usage",
            "subject": row["vc"],
            "time": _utc(row["start"]),
            "data": {
                "gpu_count": int(row["running_gpus"]),
                "start": _utc(row["start"]),
                "end": _utc(row["end"]),
                "state": "run" if int(row["running_gpus"]) else "idle",
            },
        }
        for number, row in rows(file=HELIOS_FILE, every=every)
    ]


def tenants() -> tuple[Tenant, ...]:
    """The 16 tenants of the Helios cluster, sorted by name."""
    quotas = {row["vc"]: int(row["quota_gpus"]) for _number, row in rows(file=HELIOS_FILE, every=1)}
    return tuple(Tenant(subject=name, quota_gpus=quotas[name]) for name in sorted(quotas))


def shifted_time(text: str) -> str:
    """``2023-11-16 18:17:03.9799600`` as ``2020-05-14T18:17:03.979960Z``: digits are cut, never rounded."""
    day, clock = text.split(" ")
    moved = datetime.date.fromisoformat(day) - datetime.timedelta(days=SHIFT_DAYS)
    seconds, _point, digits = clock.partition(".")
    return f"{moved.isoformat()}T{seconds}.{digits[:6]}Z"


def _utc(text: str) -> str:
    return text.replace(" ", "T") + "Z"
