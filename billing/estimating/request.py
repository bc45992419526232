"""The request for an estimate: a model, how it is run, and what for."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.estimating import architecture, memory
from billing.estimating.architecture import TOKENS_MAX, Architecture
from billing.estimating.figures import UNITS
from billing.estimating.gpus import GPUS, Gpu
from billing.estimating.models import MODELS
from billing.estimating.precisions import BYTES
from metering.documents.errors import invalid, joined, suggestion
from metering.documents.fields import Field, ListOf, Shape
from metering.documents.kinds import ZERO, Choice, Count, Number

CONTEXT_USUAL = 4096
HOURS_OF_A_MONTH = Decimal(730)  # 8,760 hours of a year by 12
ONE = Decimal(1)
_SHARE = Number(above=ZERO, maximum=ONE)
_QUANTITY = Number(minimum=ZERO)
_COUNT = Count(1, 10**9)


class _Named:
    """The name of something in a catalogue."""

    def __init__(self, what: str, known: Mapping[str, Any]) -> None:
        self._what, self._known = what, known

    def read(self, value: Any, path: str) -> Any:
        if isinstance(value, str) and value in self._known:
            return self._known[value]
        near = suggestion(value, list(self._known)) if isinstance(value, str) else ""
        raise invalid(f"no {self._what} of the catalogue{near}; it has {', '.join(self._known)}", path)

    def canonical(self, value: Any, path: str) -> Any:
        self.read(value, path)
        return value

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self._known)}


@dataclass(frozen=True, slots=True)
class Training:
    """`tokens` None: how much state is needed is all that is asked. `gpu_hours`: what a past run took."""

    tokens: int | None
    zero_stage: int
    gpus: int
    sequence_tokens: int
    micro_batch: int
    recomputation: str
    gpu: Gpu | None
    gpu_hours: Decimal | None


@dataclass(frozen=True, slots=True)
class Workload:
    """A month's calls and the tokens of each. `hours`: in how many hours of the month they come."""

    calls: Decimal
    input_tokens: Decimal
    output_tokens: Decimal
    hours: Decimal


@dataclass(frozen=True, slots=True)
class Storage:
    """What lies on disks, and for how many months."""

    copies: int
    checkpoints: int
    other_gb: Decimal
    months: Decimal


@dataclass(frozen=True, slots=True)
class Request:
    """A request, parsed, with every default filled in."""

    model: Architecture
    precision: str
    cache_precision: str
    context_tokens: int
    prefill_tokens: int
    concurrency: int
    gpus: tuple[Gpu, ...]
    memory_share: Decimal
    compute_share: Decimal
    bandwidth_share: Decimal
    training: Training | None
    workload: Workload | None
    storage: Storage | None
    unit: str


def parse(document: Any, path: str = "") -> Request:
    """The request of a document. Raises DocumentError."""
    request: Request = SHAPE.read(document, path)
    return request


def schema() -> dict[str, Any]:
    """The JSON Schema of a request."""
    return SHAPE.schema()


def _training(values: dict[str, Any], _given: frozenset[str], path: str) -> Training:
    if values["gpu_hours"] is not None:
        for key in ("tokens", "gpu"):
            if values[key] is None:
                raise invalid("is needed to tell which share of the peak was reached", joined(path, key))
    return Training(**values)


def _request(values: dict[str, Any], given: frozenset[str], path: str) -> Request:
    named, inline = values["model"], values.pop("architecture")
    if (named is None) == (inline is None):
        raise invalid("give either the name of a model or an architecture", joined(path, "model"))
    model: Architecture = named or inline
    values["model"] = model
    context = values["context_tokens"]
    if context is None:
        values["context_tokens"] = context = min(CONTEXT_USUAL, model.context_max or CONTEXT_USUAL)
    if model.context_max is not None and context > model.context_max:
        raise invalid(
            f"{model.name or 'the model'} takes at most {model.context_max:,} tokens, not {context:,}",
            joined(path, "context_tokens"),
        )
    values["cache_precision"] = values["cache_precision"] or _cache_precision(values["precision"])
    values["gpus"] = values["gpus"] or tuple(GPUS.values())
    if len({gpu.name for gpu in values["gpus"]}) < len(values["gpus"]):
        raise invalid("names a GPU twice", joined(path, "gpus"))
    return Request(**values)


def _cache_precision(precision: str) -> str:
    """Weights are squeezed to a byte or less long before the cache is: it stays in 16 bits."""
    return precision if BYTES[precision] >= BYTES["BF16"] else "BF16"


_PRECISION = Choice(tuple(BYTES))
_GPU = _Named("GPU", GPUS)
_TRAINING = Shape(
    "training",
    {
        "tokens": Field(Count(1, 10**18), None),
        "zero_stage": Field(Count(0, 3), 0),
        "gpus": Field(_COUNT, 1),
        "sequence_tokens": Field(Count(1, TOKENS_MAX), CONTEXT_USUAL),
        "micro_batch": Field(_COUNT, 1),
        "recomputation": Field(Choice(memory.RECOMPUTATIONS), memory.SELECTIVE),
        "gpu": Field(_GPU, None),
        "gpu_hours": Field(Number(above=ZERO), None),
    },
    _training,
)
_WORKLOAD = Shape(
    "a workload",
    {
        "calls": Field(_QUANTITY),
        "input_tokens": Field(_QUANTITY, ZERO),
        "output_tokens": Field(_QUANTITY, ZERO),
        "hours": Field(Number(above=ZERO, maximum=Decimal(744)), HOURS_OF_A_MONTH),
    },
    lambda values, _given, _path: Workload(**values),
)
_STORAGE = Shape(
    "storage",
    {
        "copies": Field(Count(0, 10**6), 1),
        "checkpoints": Field(Count(0, 10**6), 0),
        "other_gb": Field(_QUANTITY, ZERO),
        "months": Field(_QUANTITY, ONE),
    },
    lambda values, _given, _path: Storage(**values),
)
SHAPE = Shape(
    "an estimate",
    {
        "model": Field(_Named("model", MODELS), None),
        "architecture": Field(architecture.SHAPE, None),
        "precision": Field(_PRECISION, "BF16"),
        "cache_precision": Field(_PRECISION, None),
        "context_tokens": Field(Count(0, TOKENS_MAX), None),
        "prefill_tokens": Field(Count(1, TOKENS_MAX), 2048),
        "concurrency": Field(_COUNT, 1),
        "gpus": Field(ListOf(_GPU, 1, 100), ()),
        "memory_share": Field(_SHARE, Decimal("0.9")),
        "compute_share": Field(_SHARE, Decimal("0.4")),
        "bandwidth_share": Field(_SHARE, Decimal("0.7")),
        "training": Field(_TRAINING, None),
        "workload": Field(_WORKLOAD, None),
        "storage": Field(_STORAGE, None),
        "unit": Field(Choice(tuple(UNITS)), "GB"),
    },
    _request,
)
