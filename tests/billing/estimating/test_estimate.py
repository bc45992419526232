"""Estimates, held against figures that others have published."""

import json
from fractions import Fraction

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import estimating
from billing.estimating import memory
from billing.estimating.architecture import Architecture
from billing.estimating.gpus import GPUS
from billing.estimating.models import MODELS
from metering.documents import DocumentError


def figure(request, key):
    """The figure of that key, of the model or of the only GPU."""
    answer = estimating.estimate(request)
    gpus = [each for gpu in answer["gpus"] for each in gpu["figures"]]
    (found,) = [each for each in [*answer["figures"], *gpus] if each["key"] == key]
    return found


def exact(request, key):
    found = figure(request, key)
    return Fraction(found.get("value_exact", found["value"]))


def refused(request):
    with pytest.raises(DocumentError) as error:
        estimating.estimate(request)
    return error.value.field, error.value.message


class TestCache:
    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            ("opt-13b", "819200"),
            ("llama-3-70b", "327680"),
            ("llama-3.1-405b", "516096"),
            ("deepseek-v3", "70272"),
        ],
    )
    def test_of_a_token_is_as_published(self, model, expected):
        found = figure({"model": model, "precision": "FP16"}, "cache_of_token")
        assert (found["value"], found["unit"]) == (expected, "B")

    def test_of_a_long_context_is_as_published(self):
        request = {"model": "llama-3.1-70b", "context_tokens": 128_000, "unit": "GiB"}
        assert figure(request, "cache")["shown"] == "39.06 GiB"

    def test_says_its_formula(self):
        words = figure({"model": "opt-13b"}, "cache_of_token")["formula"]
        assert words == "2 x layers x kv_heads x head_dim x bytes = 2 x 40 x 40 x 128 x 2"

    def test_stays_in_16_bits_when_weights_are_squeezed(self):
        assert exact({"model": "llama-3-70b", "precision": "INT4"}, "cache_of_token") == 327_680
        squeezed = {"model": "llama-3-70b", "precision": "INT4", "cache_precision": "FP8"}
        assert exact(squeezed, "cache_of_token") == 163_840


class TestWeights:
    @pytest.mark.parametrize(
        ("precision", "expected"),
        [("FP32", "280 GB"), ("BF16", "140 GB"), ("FP8", "70 GB"), ("INT4", "35 GB")],
    )
    def test_are_parameters_times_bytes(self, precision, expected):
        assert figure({"model": "llama-2-70b", "precision": precision}, "weights")["shown"] == expected

    def test_of_idle_experts_lie_in_memory_too(self):
        answer = estimating.estimate({"model": "mixtral-8x7b", "gpus": ["H200"]})
        shown = {each["key"]: each["shown"] for each in answer["figures"]}
        assert shown["weights"] == "93.4 GB"
        assert shown["operations_of_token"] == "25,800,000,000 FLOP"
        assert answer["model"]["kind"] == "mixture of experts, grouped-query attention"


class TestTraining:
    @pytest.mark.parametrize(
        ("stage", "expected", "rounded"),
        [
            (0, Fraction(120), "120 GB"),
            (1, Fraction("31.40625"), "31.41 GB"),
            (2, Fraction("16.640625"), "16.64 GB"),
            (3, Fraction("1.875"), "1.88 GB"),
        ],
    )
    def test_state_under_zero_is_as_published(self, stage, expected, rounded):
        request = {
            "architecture": {"parameters": 7_500_000_000, "layers": 78, "hidden": 3072, "heads": 24},
            "training": {"zero_stage": stage, "gpus": 64},
        }
        found = figure(request, "training_state_of_gpu")
        assert Fraction(found["value"]) / 10**9 == expected
        assert found["shown"] == rounded

    def test_state_of_ten_billion_parameters_is_160_gb(self):
        request = {
            "architecture": {"parameters": 10**10, "layers": 40, "hidden": 4096, "heads": 32},
            "training": {},
        }
        assert figure(request, "training_state")["shown"] == "160 GB"

    def test_operations_of_gpt_3_are_as_published(self):
        request = {"model": "gpt-3-175b", "training": {"tokens": 300 * 10**9}}
        operations = exact(request, "training_operations")
        assert operations == 6 * 174_600_000_000 * 300_000_000_000
        assert f"{float(operations):.2e}" == "3.14e+23"

    def test_share_of_the_peak_of_llama_2_is_as_published(self):
        request = {
            "model": "llama-2-70b",
            "training": {"tokens": 2 * 10**12, "gpu": "A100-80GB", "gpu_hours": "1720320"},
        }
        share = exact(request, "share_of_peak")
        # 6 x 70e9 x 2e12 = 8.4e23 of 1,720,320 x 3600 x 312e12 = 1.93226e24
        assert round(share, 2) == Fraction(43, 100)
        assert figure(request, "share_of_peak")["shown"] == "0.435 of peak"

    def test_says_how_many_gpus_hold_it(self):
        request = {
            "architecture": {"parameters": 10**10, "layers": 40, "hidden": 4096, "heads": 32},
            "training": {"zero_stage": 3, "sequence_tokens": 2048, "recomputation": "FULL"},
            "gpus": ["A100-80GB"],
        }
        # activations 40 x 2 x 2048 x 4096 = 671,088,640 B; (160e9) / (72e9 - 671,088,640) = 2.24...
        assert figure(request, "training_gpus")["value"] == "3"

    def test_that_fits_on_no_number_of_gpus_says_so(self):
        request = {"model": "gpt-3-175b", "training": {"zero_stage": 0}, "gpus": ["H100-SXM"]}
        (gpu,) = estimating.estimate(request)["gpus"]
        assert gpu["note"].startswith("ZeRO stage 0 does not fit on H100-SXM, however many")
        assert "training_gpus" not in {each["key"] for each in gpu["figures"]}

    def test_activations_are_those_of_the_formula(self):
        shape = {"parameters": 10**9, "layers": 2, "hidden": 8, "heads": 4}
        for recomputation, expected in (
            ("FULL", 2 * 2 * 30 * 8),
            ("SELECTIVE", 2 * 34 * 30 * 8),
            ("NONE", 2 * (34 * 30 * 8 + 5 * 30 * 10 * 4)),
        ):
            training = {"sequence_tokens": 10, "micro_batch": 3, "recomputation": recomputation}
            request = {"architecture": shape, "training": training}
            assert exact(request, "training_activations") == expected


class TestFleet:
    # By hand, with shares of 1: weights 140e9 B, no cache, activations 34 x 8192 x 2048 = 570,425,344 B.
    REQUEST = {
        "model": "llama-2-70b",
        "gpus": ["A100-80GB"],
        "context_tokens": 0,
        "memory_share": "1",
        "compute_share": "1",
        "bandwidth_share": "1",
        "workload": {"calls": "1000", "input_tokens": "1000", "output_tokens": "100"},
    }

    def test_has_as_many_gpus_as_memory_needs(self):
        assert exact(self.REQUEST, "gpus") == 2  # 140.57e9 / 80e9

    def test_is_bound_by_compute_and_by_bandwidth(self):
        assert exact(self.REQUEST, "tokens_by_compute") == Fraction(2 * 312 * 10**12, 140 * 10**9)
        assert exact(self.REQUEST, "tokens_by_bandwidth") == Fraction(2 * 2039, 140)
        assert exact(self.REQUEST, "tokens_written") == Fraction(2 * 2039, 140)

    def test_of_many_sequences_is_bound_by_compute(self):
        request = {**self.REQUEST, "concurrency": 10_000}
        assert "compute decides" in figure(request, "tokens_written")["formula"]

    def test_runs_for_the_months_tokens(self):
        # 1,000,000 tokens read at 31,200/7 a second, 100,000 written at 4078/140
        hours = (Fraction(10**6 * 7, 31_200) + Fraction(10**5 * 140, 4078)) / 3600
        assert exact(self.REQUEST, "run_hours") == hours
        assert exact(self.REQUEST, "gpu_hours") == 2 * hours
        assert exact(self.REQUEST, "gpus_of_month") == 2
        assert exact(self.REQUEST, "gpu_hours_held") == 1460

    def test_holds_more_gpus_for_calls_that_come_in_an_hour(self):
        workload = {**self.REQUEST["workload"], "hours": "0.5"}
        # 1.016 hours of run time in half an hour: three replicas of two
        assert exact({**self.REQUEST, "workload": workload}, "gpus_of_month") == 6

    def test_tells_the_months_usage_in_the_words_of_meters(self):
        # 7e6 / 31,200 + 14e6 / 4078 = 224.358974 + 3433.055419 seconds
        (gpu,) = estimating.estimate(self.REQUEST)["gpus"]
        assert gpu["usage"] == {
            "calls": "1000",
            "input_tokens": "1000000",
            "output_tokens": "100000",
            "run_minutes": "60.956907",
            "gpu_hours": "2.031897",
        }

    def test_calculates_4_bit_weights_in_16_bits(self):
        request = {**self.REQUEST, "precision": "INT4"}
        assert figure(request, "tokens_by_compute")["assumptions"] == ["calculates in BF16, dense"]


class TestStorage:
    def test_is_weights_and_checkpoints_times_months(self):
        request = {
            "model": "llama-2-7b",
            "storage": {"copies": 2, "checkpoints": 3, "other_gb": "100.5", "months": "1.5"},
        }
        # 2 x 14 + 3 x 14 x 7 + 100.5 = 422.5; x 1.5
        assert exact(request, "storage_gb_months") == Fraction("633.75")


class TestRequest:
    def test_that_names_an_unknown_model_is_told_the_known_ones(self):
        field, message = refused({"model": "llama-3-70"})
        assert field == "model"
        assert "did you mean llama-3-70b?" in message
        assert "deepseek-v3" in message

    def test_that_names_an_unknown_gpu_is_told_the_known_ones(self):
        field, message = refused({"model": "llama-3-70b", "gpus": ["H100"]})
        assert field == "gpus[0]"
        assert "H100-SXM" in message

    @pytest.mark.parametrize(
        ("changes", "field", "words"),
        [
            ({"kv_heads": 7}, "architecture.kv_heads", "possible: 1, 2, 4, 8, 16, 32"),
            ({"heads": 33}, "architecture.heads", "one of 1, 2, 4, 8"),
            ({"layers": 0}, "architecture.layers", "at least 1"),
            ({"active_parameters": 10**11}, "architecture.active_parameters", "more than all"),
            ({"latent": {"rank": 0}}, "architecture.latent.rank", "at least 1"),
            ({"layer": 3}, "architecture.layer", "did you mean layers?"),
        ],
    )
    def test_of_an_impossible_shape_names_the_field(self, changes, field, words):
        shape = {"parameters": 10**10, "layers": 40, "hidden": 4096, "heads": 32}
        named, message = refused({"architecture": {**shape, **changes}})
        assert named == field
        assert words in message

    @pytest.mark.parametrize(
        ("request_", "field", "words"),
        [
            ({}, "model", "either"),
            ({"model": "opt-13b", "context_tokens": -1}, "context_tokens", "at least 0"),
            ({"model": "opt-13b", "context_tokens": 4096}, "context_tokens", "at most 2,048 tokens"),
            ({"model": "opt-13b", "precision": "BF8"}, "precision", "must be one of FP32"),
            ({"model": "opt-13b", "gpus": ["T4", "T4"]}, "gpus", "twice"),
            ({"model": "opt-13b", "memory_share": "1.1"}, "memory_share", "at most 1"),
            ({"model": "opt-13b", "training": {"zero_stage": 4}}, "training.zero_stage", "at most 3"),
            ({"model": "opt-13b", "training": {"gpu_hours": "1"}}, "training.tokens", "is needed"),
            ({"model": "opt-13b", "workload": {"calls": "-1"}}, "workload.calls", "at least 0"),
        ],
    )
    def test_that_is_wrong_says_where_and_what_is_possible(self, request_, field, words):
        named, message = refused(request_)
        assert named == field
        assert words in message


class TestAnswer:
    @pytest.mark.parametrize("model", MODELS)
    def test_of_every_model_is_as_its_schema_says(self, model):
        request = {
            "model": model,
            "training": {"tokens": 10**9},
            "workload": {"calls": "10"},
            "storage": {},
        }
        answer = estimating.estimate(request)
        jsonschema.validate(json.loads(json.dumps(answer)), estimating.answer_schema())
        assert [each["gpu"] for each in answer["gpus"]] == list(GPUS)

    def test_says_what_it_assumes(self):
        words = " ".join(estimating.estimate({"model": "deepseek-v3"})["assumptions"])
        assert "arxiv.org/abs/2412.19437" in words
        assert "All 671,000,000,000 parameters lie in memory" in words
        assert "90 % of their memory" in words

    def test_gives_every_figure_a_letter_of_the_article(self):
        answer = estimating.estimate({"model": "opt-13b", "workload": {"calls": "1"}, "gpus": ["T4"]})
        letters = {each["letter"] for each in [*answer["figures"], *answer["gpus"][0]["figures"]]}
        assert letters == set(answer["letters"]) == {"C", "S", "U", "T", "R"}


class TestCatalogue:
    @pytest.mark.parametrize("each", [*MODELS.values(), *GPUS.values()], ids=lambda each: each.name)
    def test_names_who_published_the_figures(self, each):
        assert "https://" in each.source

    @pytest.mark.parametrize("gpu", GPUS.values(), ids=lambda each: each.name)
    def test_has_gpus_that_are_faster_the_shorter_the_numbers(self, gpu):
        peaks = [gpu.peaks[each] for each in ("FP32", "FP16", "FP8", "FP4") if each in gpu.peaks]
        assert peaks == sorted(peaks)
        assert gpu.peak("INT4")[1] in ("BF16", "FP16")

    @pytest.mark.parametrize("model", MODELS.values(), ids=lambda each: each.name)
    def test_has_models_whose_heads_divide(self, model):
        assert model.heads % model.kv_heads == 0
        assert model.active_parameters <= model.parameters


SHAPES = st.builds(
    lambda parameters, layers, kv_heads, times, head_dim: Architecture(
        name="",
        parameters=parameters,
        active_parameters=parameters,
        layers=layers,
        hidden=kv_heads * times * head_dim,
        heads=kv_heads * times,
        kv_heads=kv_heads,
        head_dim=head_dim,
    ),
    st.integers(1, 10**13),
    st.integers(1, 200),
    st.integers(1, 64),
    st.integers(1, 16),
    st.integers(1, 512),
)


class TestLaws:
    @given(SHAPES, st.integers(0, 10**6), st.integers(1, 512))
    def test_the_cache_grows_with_layers_tokens_and_sequences(self, shape, tokens, sequences):
        def cache(of, tokens=tokens, sequences=sequences):
            return memory.cache(of, "BF16", tokens=tokens, sequences=sequences)

        twice = Architecture(**{**_fields(shape), "layers": 2 * shape.layers})
        assert cache(twice) == cache(shape, tokens=2 * tokens) == 2 * cache(shape)
        assert cache(shape, sequences=2 * sequences) == 2 * cache(shape)
        assert memory.cache(shape, "FP32", tokens=tokens, sequences=sequences) == 2 * cache(shape)

    @given(SHAPES, st.integers(1, 4096))
    def test_a_higher_zero_stage_never_needs_more(self, shape, gpus):
        states = [memory.training_state(shape, stage=stage, gpus=gpus) for stage in range(4)]
        assert states == sorted(states, reverse=True)
        assert states[3] * gpus == states[0] == 16 * shape.parameters

    @given(SHAPES, st.integers(0, 3), st.integers(1, 10**14))
    def test_the_fewest_gpus_are_enough_and_one_less_is_not(self, shape, stage, room):
        count = memory.training_gpus(shape, stage=stage, room=Fraction(room), activations=Fraction(0))
        if count is None:
            assert memory.training_state(shape, stage=stage, gpus=10**30) >= room
            return
        assert memory.training_state(shape, stage=stage, gpus=count) <= room
        if count > 1:
            assert memory.training_state(shape, stage=stage, gpus=count - 1) > room


def _fields(shape):
    return {name: getattr(shape, name) for name in Architecture.__dataclass_fields__}
