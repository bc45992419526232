"""How many operations a model takes, and how fast GPUs can be at most. Exact."""

from fractions import Fraction

from billing.estimating.architecture import Architecture

# A multiplication and an addition for each parameter; training goes forward once and back twice as dear
# (Kaplan et al. 2020, https://arxiv.org/abs/2001.08361).
INFERENCE_OPERATIONS, TRAINING_OPERATIONS = 2, 6
SECONDS_AN_HOUR = 3600


def inference(model: Architecture) -> int:
    """The FLOPs of one token: 2 x N, of the parameters that it passes through."""
    return INFERENCE_OPERATIONS * model.active_parameters


def training(model: Architecture, *, tokens: int) -> int:
    """The FLOPs of training on so many tokens: 6 x N x D, of the parameters that a token passes through."""
    return TRAINING_OPERATIONS * model.active_parameters * tokens


def tokens_by_compute(model: Architecture, *, peak: Fraction) -> Fraction:
    """The tokens a second that so many FLOPs a second allow."""
    return peak / inference(model)


def tokens_by_bandwidth(*, bandwidth: Fraction, read: Fraction, sequences: int) -> Fraction:
    """The tokens a second that memory allows: each step reads `read` bytes, and gives each sequence one."""
    return sequences * bandwidth / read


def gpu_hours(*, operations: int, peak: Fraction) -> Fraction:
    """The hours of one GPU for so many FLOPs at so many a second."""
    return operations / peak / SECONDS_AN_HOUR


def share_of_peak(*, operations: int, hours: Fraction, peak: Fraction) -> Fraction:
    """The share of the peak that GPUs reached which took so many GPU-hours for so many FLOPs."""
    return operations / (hours * SECONDS_AN_HOUR * peak)
