"""What a model needs of one type of GPU: how many, how fast they can be, and their hours in a month."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from billing.estimating import compute, memory, serving, training
from billing.estimating.figures import RESOURCE, TIME, Figure, plain
from billing.estimating.gpus import Gpu
from billing.estimating.request import Request, Training, Workload
from metering import numbers

RATE = "token/s"
GPU_HOUR = "GPU-hour"
QUANTITY_PLACES = 6


@dataclass(frozen=True, slots=True)
class Fleet:
    """The figures of one type of GPU, and the month's usage by the words of `USUAL_METERS`."""

    gpu: Gpu
    figures: tuple[Figure, ...]
    usage: Mapping[str, Fraction]
    note: str = ""

    def answer(self, unit: str) -> dict[str, Any]:
        """The fleet as JSON."""
        return {
            "gpu": self.gpu.name,
            "source": self.gpu.source,
            "memory": self.gpu.memory,
            "bandwidth": self.gpu.bandwidth,
            "note": self.note,
            "figures": [each.answer(unit) for each in self.figures],
            "usage": {
                key: numbers.text(numbers.round_half_up(quantity, QUANTITY_PLACES))
                for key, quantity in self.usage.items()
            },
        }


@dataclass(frozen=True, slots=True)
class _Speed:
    """Tokens a second of one replica."""

    replica: int
    reading: Fraction
    writing: Fraction
    figures: tuple[Figure, ...]


def of(request: Request, gpu: Gpu) -> Fleet:
    """What the request needs of this type of GPU."""
    speed = _speed(request, gpu)
    figures = [_replica(request, gpu, speed.replica), *speed.figures]
    usage: dict[str, Fraction] = {}
    if request.workload is not None:
        busy = _month(request.workload, speed)
        figures += busy
        usage = _usage(request.workload, {each.key: each.value for each in busy}, speed.replica)
    if request.storage is not None:
        usage["storage_gb_months"] = next(
            each.value for each in serving.figures(request) if each.key == "storage_gb_months"
        )
    note = ""
    if request.training is not None:
        found, note = _training(request, request.training, gpu)
        figures += found
    return Fleet(gpu, tuple(figures), usage, note)


def _room(request: Request, gpu: Gpu) -> Fraction:
    return gpu.memory * Fraction(request.memory_share)


def _replica(request: Request, gpu: Gpu, count: int) -> Figure:
    share = plain(request.memory_share)
    return Figure(
        "gpus",
        "GPUs that hold the model",
        RESOURCE,
        Fraction(count),
        "GPU",
        f"R = GPU memory in all / (memory of a GPU x share), rounded up = "
        f"{plain(serving.total(request))} / ({gpu.memory:,} x {share})",
        ["memory decides; parts of a model are split evenly among the GPUs"],
    )


def _speed(request: Request, gpu: Gpu) -> _Speed:
    model = request.model
    replica = ceil(serving.total(request) / _room(request, gpu))
    peak, precision = gpu.peak(request.precision)
    compute_share = Fraction(request.compute_share)
    by_compute = compute.tokens_by_compute(model, peak=replica * peak * compute_share)
    cache = memory.cache(
        model,
        request.cache_precision,
        tokens=request.context_tokens,
        sequences=request.concurrency,
    )
    read = memory.active_weights(model, request.precision) + cache
    bandwidth = replica * gpu.bandwidth * Fraction(request.bandwidth_share)
    by_bandwidth = compute.tokens_by_bandwidth(bandwidth=bandwidth, read=read, sequences=request.concurrency)
    writing = min(by_compute, by_bandwidth)
    figures = (
        Figure(
            "tokens_by_compute",
            "At most so many tokens a second, by compute",
            TIME,
            by_compute,
            RATE,
            f"GPUs x peak x share / (2 x N) = {replica} x {plain(peak)} x "
            f"{plain(request.compute_share)} / {compute.inference(model):,}",
            [f"calculates in {precision}, dense"],
        ),
        Figure(
            "tokens_by_bandwidth",
            "At most so many tokens a second, by memory bandwidth",
            TIME,
            by_bandwidth,
            RATE,
            f"sequences x GPUs x bandwidth x share / (active weights + cache) = {request.concurrency:,} x "
            f"{replica} x {gpu.bandwidth:,} x {plain(request.bandwidth_share)} / {plain(read)}",
            ["a step reads the active weights once and every sequence's cache"]
            + (
                ["several sequences wake more experts than one: the true rate is lower"]
                if model.is_mixture and request.concurrency > 1
                else []
            ),
        ),
        Figure(
            "tokens_written",
            "At most so many tokens written a second",
            TIME,
            writing,
            RATE,
            "the lower of both bounds: "
            + ("memory bandwidth decides" if by_bandwidth < by_compute else "compute decides"),
        ),
    )
    return _Speed(replica, by_compute, writing, figures)


def _month(workload: Workload, speed: _Speed) -> list[Figure]:
    calls = Fraction(workload.calls)
    read, written = calls * Fraction(workload.input_tokens), calls * Fraction(workload.output_tokens)
    hours = (read / speed.reading + written / speed.writing) / compute.SECONDS_AN_HOUR
    replicas = max(1, ceil(hours / Fraction(workload.hours)))
    gpus = replicas * speed.replica
    hours_text = plain(workload.hours)
    return [
        Figure(
            "run_hours",
            "Run time a month",
            TIME,
            hours,
            "hour",
            "T = (input tokens / rate by compute + output tokens / rate of writing) / 3600",
            ["reading is bound by compute, writing by the lower bound; one replica, always full"],
        ),
        Figure(
            "gpu_hours",
            "GPU-hours a month, used",
            RESOURCE,
            hours * speed.replica,
            GPU_HOUR,
            f"R = T x GPUs of a replica = T x {speed.replica}",
        ),
        Figure(
            "gpus_of_month",
            "GPUs to be held",
            RESOURCE,
            Fraction(gpus),
            "GPU",
            f"R = replicas x GPUs of a replica = {replicas} x {speed.replica}",
            [f"replicas: T / {hours_text} hours in which the calls come, rounded up"],
        ),
        Figure(
            "gpu_hours_held",
            "GPU-hours a month, held",
            RESOURCE,
            gpus * Fraction(workload.hours),
            GPU_HOUR,
            f"R = GPUs to be held x hours = {gpus} x {hours_text}",
        ),
    ]


def _usage(workload: Workload, found: Mapping[str, Fraction], replica: int) -> dict[str, Fraction]:
    calls = Fraction(workload.calls)
    return {
        "calls": calls,
        "input_tokens": calls * Fraction(workload.input_tokens),
        "output_tokens": calls * Fraction(workload.output_tokens),
        "run_minutes": found["run_hours"] * 60,
        "gpu_hours": found["gpu_hours"],
    }


def _training(request: Request, wanted: Training, gpu: Gpu) -> tuple[list[Figure], str]:
    found: list[Figure] = []
    count = memory.training_gpus(
        request.model,
        stage=wanted.zero_stage,
        room=_room(request, gpu),
        activations=training.activations(request, wanted),
    )
    note = ""
    if count is None:
        note = (
            f"ZeRO stage {wanted.zero_stage} does not fit on {gpu.name}, however many: what it does not "
            "split is larger than one GPU; take a higher stage, full recomputation or a smaller micro_batch"
        )
    else:
        found.append(
            Figure(
                "training_gpus",
                "GPUs that hold the training",
                RESOURCE,
                Fraction(count),
                "GPU",
                "R: the fewest on which training state and activations fit on each GPU",
            )
        )
    if wanted.tokens is not None:
        found.append(_training_hours(request, wanted.tokens, gpu))
    return found, note


def _training_hours(request: Request, tokens: int, gpu: Gpu) -> Figure:
    peak, precision = gpu.peak("BF16")
    operations = compute.training(request.model, tokens=tokens)
    share = Fraction(request.compute_share)
    return Figure(
        "training_gpu_hours",
        "GPU-hours of training",
        RESOURCE,
        compute.gpu_hours(operations=operations, peak=peak * share),
        GPU_HOUR,
        f"R = 6 x N x D / (peak x share x 3600) = {operations:,} / "
        f"({plain(peak)} x {plain(request.compute_share)} x 3600)",
        [f"in {precision}, dense"],
    )
