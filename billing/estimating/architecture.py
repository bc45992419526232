"""The shape of a transformer: what memory and compute follow from."""

from dataclasses import dataclass
from typing import Any

from metering.documents.errors import invalid, joined
from metering.documents.fields import Field, Shape
from metering.documents.kinds import Count

PARAMETERS_MAX = 10**15
SIZE_MAX = 10**7
TOKENS_MAX = 10**9
POSSIBLE_SHOWN_MAX = 12


@dataclass(frozen=True, slots=True)
class Latent:
    """Latent attention: a token is cached as one vector of `rank` and a key of `rope_dim` for all heads."""

    rank: int
    rope_dim: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model. `active_parameters` are those that one token passes through: fewer with a mixture of experts.

    `heads` share `kv_heads` keys and values of `head_dim` each, unless attention is `latent`. `context_max`:
    tokens, None where it is not known. `source`: who published the figures, and where.
    """

    name: str
    parameters: int
    active_parameters: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    latent: Latent | None = None
    context_max: int | None = None
    source: str = "given in the request"

    @property
    def is_mixture(self) -> bool:
        """Whether a token passes through some of the parameters only."""
        return self.active_parameters < self.parameters

    @property
    def cached_numbers(self) -> int:
        """How many numbers the cache holds for one token."""
        if self.latent is not None:
            return self.layers * (self.latent.rank + self.latent.rope_dim)
        return 2 * self.layers * self.kv_heads * self.head_dim

    @property
    def kind(self) -> str:
        """In words: dense or mixture of experts, and how it attends."""
        experts = "mixture of experts" if self.is_mixture else "dense"
        if self.latent is not None:
            return f"{experts}, latent attention"
        return f"{experts}, {'grouped-query' if self.kv_heads < self.heads else 'multi-head'} attention"


def _latent(values: dict[str, Any], _given: frozenset[str], _path: str) -> Latent:
    return Latent(**values)


def _architecture(values: dict[str, Any], _given: frozenset[str], path: str) -> Architecture:
    heads, hidden = values["heads"], values["hidden"]
    active = values["active_parameters"] or values["parameters"]
    if active > values["parameters"]:
        raise invalid(
            f"a token cannot pass through more than all {values['parameters']:,} parameters",
            joined(path, "active_parameters"),
        )
    kv_heads = values["kv_heads"] or heads
    if kv_heads > heads or heads % kv_heads:
        raise invalid(
            f"{heads} heads cannot share {kv_heads} keys and values evenly; possible: {_divisors(heads)}",
            joined(path, "kv_heads"),
        )
    if values["head_dim"] is None and hidden % heads:
        raise invalid(
            f"a hidden size of {hidden} does not divide by {heads} heads; give head_dim, or one of "
            f"{_divisors(hidden)} heads",
            joined(path, "heads"),
        )
    head_dim = values["head_dim"] or hidden // heads
    return Architecture(
        name="",
        **{**values, "active_parameters": active, "kv_heads": kv_heads, "head_dim": head_dim},
    )


def _divisors(number: int) -> str:
    found = [str(each) for each in range(1, min(number, 10_000) + 1) if number % each == 0]
    more = ", ..." if len(found) > POSSIBLE_SHOWN_MAX else ""
    return ", ".join(found[:POSSIBLE_SHOWN_MAX]) + more


_SIZE = Count(1, SIZE_MAX)
_PARAMETERS = Count(1, PARAMETERS_MAX)
SHAPE = Shape(
    "an architecture",
    {
        "parameters": Field(_PARAMETERS),
        "active_parameters": Field(_PARAMETERS, None),
        "layers": Field(Count(1, 100_000)),
        "hidden": Field(_SIZE),
        "heads": Field(_SIZE),
        "kv_heads": Field(_SIZE, None),
        "head_dim": Field(_SIZE, None),
        "latent": Field(
            Shape(
                "latent attention",
                {"rank": Field(_SIZE), "rope_dim": Field(Count(0, SIZE_MAX), 0)},
                _latent,
            ),
            None,
        ),
        "context_max": Field(Count(1, TOKENS_MAX), None),
    },
    _architecture,
)
