"""Models whose shapes are published. Each names the paper or the model card that it is from."""

from collections.abc import Mapping

from billing.estimating.architecture import Architecture, Latent


def _model(
    name: str,
    parameters: int,
    shape: tuple[int, int, int, int],
    context_max: int,
    source: str,
    *,
    head_dim: int | None = None,
    active: int | None = None,
    latent: Latent | None = None,
) -> Architecture:
    """`shape`: layers, hidden size, heads, heads of keys and values."""
    layers, hidden, heads, kv_heads = shape
    return Architecture(
        name=name,
        parameters=parameters,
        active_parameters=active or parameters,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim or hidden // heads,
        latent=latent,
        context_max=context_max,
        source=source,
    )


_GPT3 = "Brown et al. 2020, table 2.1 and appendix D, https://arxiv.org/abs/2005.14165"
_OPT = "Zhang et al. 2022, table 1, https://arxiv.org/abs/2205.01068"
_LLAMA2 = "Touvron et al. 2023, https://arxiv.org/abs/2307.09288"
_LLAMA3 = "Grattafiori et al. 2024, table 3, https://arxiv.org/abs/2407.21783; model card of Meta"
_MISTRAL = "Jiang et al. 2023, table 1, https://arxiv.org/abs/2310.06825"
_MIXTRAL = "Jiang et al. 2024, table 1, https://arxiv.org/abs/2401.04088; model card of Mistral AI"
_DEEPSEEK2 = "DeepSeek-AI 2024, section 3.1.2, https://arxiv.org/abs/2405.04434"
_DEEPSEEK3 = "DeepSeek-AI 2024, section 4.2, https://arxiv.org/abs/2412.19437"
_QWEN25 = "Qwen Team 2024, table 1, https://arxiv.org/abs/2412.15115; model card of Qwen"
_QWEN3 = "Qwen Team 2025, table 2, https://arxiv.org/abs/2505.09388; model card of Qwen"

MODELS: Mapping[str, Architecture] = {
    each.name: each
    for each in (
        _model("gpt-3-175b", 174_600_000_000, (96, 12288, 96, 96), 2048, _GPT3),
        _model("opt-13b", 13_000_000_000, (40, 5120, 40, 40), 2048, _OPT),
        _model("opt-66b", 66_000_000_000, (64, 9216, 72, 72), 2048, _OPT),
        _model("llama-2-7b", 7_000_000_000, (32, 4096, 32, 32), 4096, _LLAMA2),
        _model("llama-2-13b", 13_000_000_000, (40, 5120, 40, 40), 4096, _LLAMA2),
        _model("llama-2-70b", 70_000_000_000, (80, 8192, 64, 8), 4096, _LLAMA2),
        _model("llama-3-8b", 8_030_261_248, (32, 4096, 32, 8), 8192, _LLAMA3),
        _model("llama-3-70b", 70_553_706_496, (80, 8192, 64, 8), 8192, _LLAMA3),
        _model("llama-3.1-8b", 8_030_261_248, (32, 4096, 32, 8), 131_072, _LLAMA3),
        _model("llama-3.1-70b", 70_553_706_496, (80, 8192, 64, 8), 131_072, _LLAMA3),
        _model("llama-3.1-405b", 405_853_388_800, (126, 16384, 128, 8), 131_072, _LLAMA3),
        _model("mistral-7b", 7_241_732_096, (32, 4096, 32, 8), 8192, _MISTRAL),
        _model("mixtral-8x7b", 46_700_000_000, (32, 4096, 32, 8), 32_768, _MIXTRAL, active=12_900_000_000),
        _model(
            "deepseek-v2",
            236_000_000_000,
            (60, 5120, 128, 128),
            131_072,
            _DEEPSEEK2,
            head_dim=128,
            active=21_000_000_000,
            latent=Latent(512, 64),
        ),
        _model(
            "deepseek-v3",
            671_000_000_000,
            (61, 7168, 128, 128),
            131_072,
            _DEEPSEEK3,
            head_dim=128,
            active=37_000_000_000,
            latent=Latent(512, 64),
        ),
        _model("qwen2.5-7b", 7_610_000_000, (28, 3584, 28, 4), 131_072, _QWEN25),
        _model("qwen2.5-72b", 72_700_000_000, (80, 8192, 64, 8), 131_072, _QWEN25),
        _model(
            "qwen3-235b-a22b",
            235_000_000_000,
            (94, 4096, 64, 4),
            131_072,
            _QWEN3,
            head_dim=128,
            active=22_000_000_000,
        ),
    )
}
