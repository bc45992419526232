"""The answer to a request: every number with its unit, its formula and what it assumes."""

from typing import Any

from billing.estimating import fleets, serving, training
from billing.estimating import request as requests
from billing.estimating.architecture import Architecture
from billing.estimating.figures import WORDS
from billing.estimating.request import Request


def estimate(document: Any, path: str = "") -> dict[str, Any]:
    """What the model of a request needs, JSON-ready.

    `figures` hold for any GPU, `gpus` has a part for each type that was asked for. Raises DocumentError.
    """
    return answer(requests.parse(document, path))


def answer(request: Request) -> dict[str, Any]:
    """What the model needs, as `estimate`, of a parsed request."""
    unit = request.unit
    figures = [*serving.figures(request), *training.figures(request)]
    return {
        "model": _model(request.model),
        "unit": unit,
        "letters": dict(WORDS),
        "figures": [each.answer(unit) for each in figures],
        "gpus": [fleets.of(request, gpu).answer(unit) for gpu in request.gpus],
        "assumptions": assumptions(request),
    }


def assumptions(request: Request) -> list[str]:
    """What holds for all numbers together, in sentences."""
    model = request.model
    found = [
        f"The numbers are those of {model.name or 'the architecture'}: {model.kind} ({model.source}).",
        f"Weights in {request.precision}, the cache in {request.cache_precision}; "
        f"{request.concurrency:,} sequences at once of {request.context_tokens:,} tokens each.",
        f"GPUs fill {_percent(request.memory_share)} of their memory, reach "
        f"{_percent(request.compute_share)} of their FLOPs and {_percent(request.bandwidth_share)} of their "
        "memory bandwidth; the time that they take to talk to each other is left out.",
        "A GB is 1,000,000,000 bytes, a GiB 1,073,741,824.",
    ]
    if model.is_mixture:
        found.append(
            f"All {model.parameters:,} parameters lie in memory, and a token passes through "
            f"{model.active_parameters:,} of them."
        )
    return found


def _percent(share: Any) -> str:
    return f"{(share * 100).normalize():f} %"


def _model(model: Architecture) -> dict[str, Any]:
    latent = model.latent
    return {
        "name": model.name,
        "kind": model.kind,
        "parameters": model.parameters,
        "active_parameters": model.active_parameters,
        "layers": model.layers,
        "hidden": model.hidden,
        "heads": model.heads,
        "kv_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "latent": None if latent is None else {"rank": latent.rank, "rope_dim": latent.rope_dim},
        "context_max": model.context_max,
        "source": model.source,
    }
