"""What a model takes to answer: memory, FLOPs, and what a month of calls and of storage adds up to."""

from fractions import Fraction

from billing.estimating import compute, memory
from billing.estimating.figures import BYTE, COMPUTE, STORAGE, USAGE, Figure, plain
from billing.estimating.precisions import BYTES
from billing.estimating.request import Request, Storage, Workload

GB_MONTH = "GB-month"
# A checkpoint keeps parameters and optimizer, but no gradients.
CHECKPOINT_BYTES = memory.PARAMETER_BYTES + memory.OPTIMIZER_BYTES


def figures(request: Request) -> list[Figure]:
    """Memory and FLOPs of the model, and the month's usage and storage where they are asked for."""
    found = [*_memory(request), _operations(request)]
    if request.workload is not None:
        found += _usage(request.workload)
    if request.storage is not None:
        found.append(_storage(request, request.storage))
    return found


def total(request: Request) -> Fraction:
    """The bytes that must lie in GPU memory while the model answers."""
    weights, cache, activations = _parts(request)
    return weights + cache + activations


def _parts(request: Request) -> tuple[Fraction, Fraction, Fraction]:
    model = request.model
    cache = memory.cache(
        model,
        request.cache_precision,
        tokens=request.context_tokens,
        sequences=request.concurrency,
    )
    at_once = max(request.prefill_tokens, request.concurrency)
    return (
        memory.weights(model, request.precision),
        cache,
        memory.inference_activations(model, tokens=at_once),
    )


def _memory(request: Request) -> list[Figure]:
    model = request.model
    weights, cache, activations = _parts(request)
    bytes_each = BYTES[request.precision]
    each = memory.cache_of_token(model, request.cache_precision)
    at_once = max(request.prefill_tokens, request.concurrency)
    return [
        Figure(
            "weights",
            "Weights",
            STORAGE,
            weights,
            BYTE,
            f"parameters x bytes = {model.parameters:,} x {plain(bytes_each)}",
            [f"{request.precision}: {plain(bytes_each)} bytes a parameter, without scales"],
        ),
        _cache_of_token(request),
        Figure(
            "cache",
            "Key-value cache",
            STORAGE,
            cache,
            BYTE,
            f"cache of a token x tokens x sequences = {plain(each)}"
            f" x {request.context_tokens:,} x {request.concurrency:,}",
            ["every sequence is as long as context_tokens, and nothing is shared between sequences"],
        ),
        Figure(
            "activations",
            "Activations",
            STORAGE,
            activations,
            BYTE,
            f"{memory.LAYER_BYTES} x hidden x tokens at once = "
            f"{memory.LAYER_BYTES} x {model.hidden:,} x {at_once:,}",
            [
                "an upper bound: one layer at a time, 16 bits (Korthikanti et al. 2022, arXiv 2205.05198), "
                f"{at_once:,} tokens worked on at once",
            ],
        ),
        Figure(
            "memory",
            "GPU memory in all",
            STORAGE,
            weights + cache + activations,
            BYTE,
            "weights + key-value cache + activations",
        ),
    ]


def _cache_of_token(request: Request) -> Figure:
    model, each = request.model, plain(BYTES[request.cache_precision])
    if model.latent is not None:
        words = "layers x (rank + rope_dim) x bytes"
        formula = f"{words} = {model.layers} x ({model.latent.rank} + {model.latent.rope_dim}) x {each}"
    else:
        words = "2 x layers x kv_heads x head_dim x bytes"
        formula = f"{words} = 2 x {model.layers} x {model.kv_heads} x {model.head_dim} x {each}"
    value = memory.cache_of_token(model, request.cache_precision)
    return Figure("cache_of_token", "Key-value cache of a token", STORAGE, value, BYTE, formula)


def _operations(request: Request) -> Figure:
    model = request.model
    return Figure(
        "operations_of_token",
        "Operations of a token",
        COMPUTE,
        Fraction(compute.inference(model)),
        "FLOP",
        f"2 x N = 2 x {model.active_parameters:,}",
        ["N: the parameters that a token passes through; attention to earlier tokens is left out"],
    )


def _usage(workload: Workload) -> list[Figure]:
    calls = Fraction(workload.calls)
    found = [Figure("calls", "Calls a month", USAGE, calls, "call", "U = calls a month")]
    for key, name, each in (
        ("input_tokens", "Input tokens a month", workload.input_tokens),
        ("output_tokens", "Output tokens a month", workload.output_tokens),
    ):
        formula = f"U = calls x tokens of a call = {plain(calls)} x {plain(each)}"
        found.append(Figure(key, name, USAGE, calls * Fraction(each), "token", formula))
    return found


def _storage(request: Request, storage: Storage) -> Figure:
    weights = memory.weights(request.model, request.precision) / 10**9
    checkpoint = Fraction(request.model.parameters * CHECKPOINT_BYTES, 10**9)
    stored = weights * storage.copies + checkpoint * storage.checkpoints + Fraction(storage.other_gb)
    return Figure(
        "storage_gb_months",
        "Storage",
        STORAGE,
        stored * Fraction(storage.months),
        GB_MONTH,
        "(copies x weights + checkpoints x 14 x parameters + other) x months = "
        f"({storage.copies} x {plain(weights)} GB + {storage.checkpoints} x {plain(checkpoint)} GB + "
        f"{plain(storage.other_gb)} GB) x {plain(storage.months)}",
        ["a checkpoint keeps 14 bytes a parameter: 16-bit weights and Adam's state in 32 bits"],
    )
