"""What training takes: state by ZeRO stage, activations, FLOPs, and the share of the peak of a past run."""

from fractions import Fraction

from billing.estimating import compute, memory
from billing.estimating.figures import BYTE, COMPUTE, STORAGE, Figure, plain
from billing.estimating.request import Request, Training

_STATE = (
    "Adam in mixed precision: 16 bytes a parameter, 2 for weights, 2 for gradients, 12 for the optimizer "
    "(Rajbhandari et al. 2020, arXiv 1910.02054)"
)
# What a GPU holds of a parameter under each stage.
_HELD = ("16", "4 + 12 / gpus", "2 + 14 / gpus", "16 / gpus")


def figures(request: Request) -> list[Figure]:
    """The training state and what else is asked for; nothing without training."""
    wanted = request.training
    if wanted is None:
        return []
    found = [_whole_state(request), _state(request, wanted), _activations(request, wanted)]
    if wanted.tokens is not None:
        found.append(_operations(request, wanted.tokens))
    if wanted.gpu_hours is not None:
        found.append(_share_of_peak(request, wanted))
    return found


def activations(request: Request, wanted: Training) -> Fraction:
    """The bytes of activations on one GPU."""
    return memory.training_activations(
        request.model,
        sequence=wanted.sequence_tokens,
        micro_batch=wanted.micro_batch,
        recomputation=wanted.recomputation,
    )


def _whole_state(request: Request) -> Figure:
    parameters = request.model.parameters
    return Figure(
        "training_state",
        "Training state in all",
        STORAGE,
        Fraction(parameters * memory.STATE_BYTES),
        BYTE,
        f"16 x parameters = 16 x {parameters:,}",
        [_STATE],
    )


def _state(request: Request, wanted: Training) -> Figure:
    parameters = request.model.parameters
    return Figure(
        "training_state_of_gpu",
        "Training state on each GPU",
        STORAGE,
        memory.training_state(request.model, stage=wanted.zero_stage, gpus=wanted.gpus),
        BYTE,
        f"({_HELD[wanted.zero_stage]}) x parameters = ({_HELD[wanted.zero_stage]}) x {parameters:,}, "
        f"gpus = {wanted.gpus:,}",
        [_STATE, f"ZeRO stage {wanted.zero_stage}: what a stage splits is split evenly"],
    )


def _activations(request: Request, wanted: Training) -> Figure:
    model = request.model
    formula = {
        memory.NONE: "layers x (34 x tokens x hidden + 5 x tokens x sequence x heads)",
        memory.SELECTIVE: "layers x 34 x tokens x hidden",
        memory.FULL: "layers x 2 x tokens x hidden",
    }[wanted.recomputation]
    tokens = wanted.sequence_tokens * wanted.micro_batch
    return Figure(
        "training_activations",
        "Activations in training, on each GPU",
        STORAGE,
        activations(request, wanted),
        BYTE,
        f"{formula}, layers = {model.layers}, tokens = {tokens:,}, hidden = {model.hidden:,}",
        [
            f"{wanted.recomputation.lower()} recomputation, 16 bits, no layer split between GPUs "
            "(Korthikanti et al. 2022, arXiv 2205.05198)"
        ],
    )


def _operations(request: Request, tokens: int) -> Figure:
    return Figure(
        "training_operations",
        "Operations of training",
        COMPUTE,
        Fraction(compute.training(request.model, tokens=tokens)),
        "FLOP",
        f"6 x N x D = 6 x {request.model.active_parameters:,} x {tokens:,}",
        ["N: the parameters that a token passes through, D: the tokens trained on"],
    )


def _share_of_peak(request: Request, wanted: Training) -> Figure:
    assert wanted.tokens is not None  # the request's reader saw to all three
    assert wanted.gpu is not None
    assert wanted.gpu_hours is not None
    peak, precision = wanted.gpu.peak("BF16")
    hours = Fraction(wanted.gpu_hours)
    operations = compute.training(request.model, tokens=wanted.tokens)
    return Figure(
        "share_of_peak",
        "Share of the peak that the run reached",
        COMPUTE,
        compute.share_of_peak(operations=operations, hours=hours, peak=peak),
        "of peak",
        f"6 x N x D / (GPU-hours x 3600 x peak) = {operations:,} / ({plain(hours)} x 3600 x {plain(peak)})",
        [f"{wanted.gpu.name} in {precision}, dense"],
    )
