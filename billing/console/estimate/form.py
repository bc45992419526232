"""What an estimate can be asked, in the words of people, and the request that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from billing.console.typed import NumberField
from billing.estimating.figures import UNITS
from billing.estimating.gpus import GPUS
from billing.estimating.memory import RECOMPUTATIONS
from billing.estimating.models import MODELS
from billing.estimating.precisions import BYTES

# The form's field of each place of a request.
PLACES: Mapping[str, str] = {
    "model": "model",
    **{
        f"architecture.{key}": key
        for key in (
            *("parameters", "active_parameters", "layers", "hidden", "heads", "kv_heads", "head_dim"),
            "context_max",
        )
    },
    "architecture.latent.rank": "latent_rank",
    "architecture.latent.rope_dim": "latent_rope_dim",
    **{
        key: key
        for key in (
            *("precision", "cache_precision", "context_tokens", "concurrency", "prefill_tokens", "unit"),
            *("memory_share", "compute_share", "bandwidth_share", "gpus"),
        )
    },
    **{f"workload.{key}": key for key in ("calls", "input_tokens", "output_tokens", "hours")},
    "training.tokens": "training_tokens",
    "training.zero_stage": "zero_stage",
    "training.gpus": "training_gpus",
    "training.sequence_tokens": "sequence_tokens",
    "training.micro_batch": "micro_batch",
    "training.recomputation": "recomputation",
    "training.gpu": "past_gpu",
    "training.gpu_hours": "past_gpu_hours",
    "storage.copies": "copies",
    "storage.checkpoints": "checkpoints",
    "storage.other_gb": "other_gb",
    "storage.months": "months",
}


def _choices(names: Sequence[str], empty: str) -> list[tuple[str, str]]:
    return [("", empty), *((name, name) for name in names)]


def _choice(choices: Sequence[tuple[str, str]], **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=choices, required=False, widget=forms.Select(attrs={"class": "c-input"}), **options
    )


class EstimateForm(forms.Form):
    """A model, how it is run, and what for. Bounds and rules are those of the estimator."""

    model = _choice(_choices(list(MODELS), "None: my own architecture"), label="Model")
    parameters = NumberField(placeholder="70B", label="Parameters", help_text="K, M, B and T may be used.")
    layers = NumberField(placeholder="80", label="Layers")
    hidden = NumberField(placeholder="8192", label="Hidden size")
    heads = NumberField(placeholder="64", label="Attention heads")
    kv_heads = NumberField(
        placeholder="as many as heads", label="Key-value heads", help_text="Fewer where heads share them."
    )
    head_dim = NumberField(placeholder="hidden / heads", label="Head dimension")
    active_parameters = NumberField(
        placeholder="all of them",
        label="Parameters a token passes through",
        help_text="With a mixture of experts.",
    )
    latent_rank = NumberField(label="Latent attention: rank")
    latent_rope_dim = NumberField(label="Latent attention: rope dimension")
    context_max = NumberField(placeholder="unknown", label="Longest context, tokens")

    precision = _choice(_choices(list(BYTES), "BF16, the default"), label="Precision of the weights")
    context_tokens = NumberField(placeholder="4096", label="Context, tokens")
    concurrency = NumberField(placeholder="1", label="Sequences at once")
    gpus = forms.MultipleChoiceField(
        choices=[(name, name) for name in GPUS],
        required=False,
        label="GPUs to look at (none chosen: all)",
        widget=forms.CheckboxSelectMultiple,
    )

    calls = NumberField(placeholder="100,000", label="Calls a month")
    input_tokens = NumberField(placeholder="1,000", label="Input tokens of a call")
    output_tokens = NumberField(placeholder="300", label="Output tokens of a call")
    hours = NumberField(placeholder="730", label="Hours in which they come")

    copies = NumberField(placeholder="1", label="Copies of the weights")
    checkpoints = NumberField(placeholder="0", label="Checkpoints")
    other_gb = NumberField(placeholder="0", label="Other, GB")
    months = NumberField(placeholder="1", label="Months")

    training_tokens = NumberField(placeholder="15T", label="Tokens to train on")
    zero_stage = _choice(
        [
            ("", "0, the default"),
            ("0", "0: each GPU holds all"),
            ("1", "1: the optimizer is split"),
            ("2", "2: gradients, too"),
            ("3", "3: weights, too"),
        ],
        label="ZeRO stage",
    )
    training_gpus = NumberField(placeholder="1", label="GPUs that it is split among")
    sequence_tokens = NumberField(placeholder="4096", label="Tokens of a sequence")
    micro_batch = NumberField(placeholder="1", label="Sequences at once on a GPU")
    recomputation = _choice(_choices(RECOMPUTATIONS, "SELECTIVE, the default"), label="Recomputation")
    past_gpu = _choice(_choices(list(GPUS), "No run to compare with"), label="A past run: its GPU")
    past_gpu_hours = NumberField(placeholder="1,720,320", label="A past run: its GPU-hours")

    cache_precision = _choice(
        _choices(list(BYTES), "that of the weights, at least 16 bits"), label="Precision of the cache"
    )
    prefill_tokens = NumberField(placeholder="2048", label="Tokens read at once")
    memory_share = NumberField(placeholder="0.9", label="Share of GPU memory that is filled")
    compute_share = NumberField(placeholder="0.4", label="Share of peak FLOPs that is reached")
    bandwidth_share = NumberField(placeholder="0.7", label="Share of bandwidth that is reached")
    unit = _choice(
        _choices(list(UNITS), "GB, the default"), label="Bytes are shown in", help_text="A GiB is 2³⁰ bytes."
    )

    def request(self) -> dict[str, Any]:
        """The request for an estimate that a valid form makes: what was left empty is not in it."""
        made: dict[str, Any] = {}
        for path, name in PLACES.items():
            value = self.cleaned_data[name]
            if value:
                *outer, last = path.split(".")
                inner = made
                for key in outer:
                    inner = inner.setdefault(key, {})
                inner[last] = value
        return made

    def groups(self) -> list[Group]:
        """The fields as the page shows them."""
        return [self._group(*each) for each in _GROUPS]

    def _group(self, title: str, hint: str, first: str, last: str, is_always_open: bool) -> Group:
        names = list(self.fields)
        fields = [self[name] for name in names[names.index(first) : names.index(last) + 1]]
        is_used = any(field.data or field.errors for field in fields)
        return Group(title, hint, fields, is_open=is_always_open or is_used)


@dataclass(frozen=True)
class Group:
    """Fields under a heading; one that is not open is folded."""

    title: str
    hint: str
    fields: list[BoundField]
    is_open: bool


# Title, hint, first and last field, and whether it is never folded.
_GROUPS = (
    ("The model", "One of the catalogue, or none and its architecture below.", "model", "model", True),
    (
        "Its architecture, if it is your own",
        "As its paper or its config.json says.",
        "parameters",
        "context_max",
        False,
    ),
    ("How it runs", "", "precision", "gpus", True),
    ("A month of work", "Gives run time and GPU-hours, which plans can price.", "calls", "hours", True),
    ("Storage", "What lies on disks.", "copies", "months", False),
    ("Training", "Fill in one field to have it estimated.", "training_tokens", "past_gpu_hours", False),
    ("Assumptions", "Change what is taken for granted.", "cache_precision", "unit", False),
)
