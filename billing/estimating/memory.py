"""How many bytes a model takes: to be kept, to answer, and to be trained. Exact."""

from fractions import Fraction
from math import ceil

from billing.estimating.architecture import Architecture
from billing.estimating.precisions import BYTES

# Adam in mixed precision: a 16-bit copy of the parameters, 16-bit gradients, and in 32 bits a copy of the
# parameters, momentum and variance (Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054).
PARAMETER_BYTES, GRADIENT_BYTES, OPTIMIZER_BYTES = 2, 2, 12
STATE_BYTES = PARAMETER_BYTES + GRADIENT_BYTES + OPTIMIZER_BYTES
# What each ZeRO stage splits among the GPUs, in bytes a parameter.
SPLIT_BYTES = (0, OPTIMIZER_BYTES, OPTIMIZER_BYTES + GRADIENT_BYTES, STATE_BYTES)
# Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198: one layer keeps 34 bytes a token and hidden unit,
# and the attention scores 5 bytes a token, head and token attended to.
LAYER_BYTES, SCORE_BYTES, INPUT_BYTES = 34, 5, 2
NONE, SELECTIVE, FULL = RECOMPUTATIONS = ("NONE", "SELECTIVE", "FULL")


def weights(model: Architecture, precision: str) -> Fraction:
    """The bytes of all parameters, those of idle experts too."""
    return model.parameters * BYTES[precision]


def active_weights(model: Architecture, precision: str) -> Fraction:
    """The bytes of the parameters that one token passes through."""
    return model.active_parameters * BYTES[precision]


def cache_of_token(model: Architecture, precision: str) -> Fraction:
    """The bytes that one token leaves in the key-value cache: 2 x layers x kv_heads x head_dim x bytes.

    With latent attention: layers x (rank + rope_dim) x bytes.
    """
    return model.cached_numbers * BYTES[precision]


def cache(model: Architecture, precision: str, *, tokens: int, sequences: int) -> Fraction:
    """The bytes of the key-value cache of so many sequences of so many tokens."""
    return cache_of_token(model, precision) * tokens * sequences


def inference_activations(model: Architecture, *, tokens: int) -> Fraction:
    """At most so many bytes for the tokens that are worked on at once: one layer is, at a time."""
    return Fraction(LAYER_BYTES * model.hidden * tokens)


def training_activations(
    model: Architecture, *, sequence: int, micro_batch: int, recomputation: str
) -> Fraction:
    """The bytes that are kept for the way back, in 16 bits, on one GPU without parallel layers."""
    tokens = sequence * micro_batch
    if recomputation == FULL:
        return Fraction(INPUT_BYTES * tokens * model.hidden * model.layers)
    kept = LAYER_BYTES * tokens * model.hidden
    if recomputation == NONE:
        kept += SCORE_BYTES * tokens * sequence * model.heads
    return Fraction(kept * model.layers)


def training_state(model: Architecture, *, stage: int, gpus: int) -> Fraction:
    """The bytes of parameters, gradients and Adam's state on each of so many GPUs under a ZeRO stage."""
    split = SPLIT_BYTES[stage]
    return model.parameters * (STATE_BYTES - split + Fraction(split, gpus))


def training_gpus(model: Architecture, *, stage: int, room: Fraction, activations: Fraction) -> int | None:
    """The fewest GPUs with so much room each that hold the training state; None where no number does."""
    kept = model.parameters * (STATE_BYTES - SPLIT_BYTES[stage]) + activations
    split = model.parameters * SPLIT_BYTES[stage]
    if kept + split <= room:
        return 1
    return ceil(split / (room - kept)) if split and room > kept else None
