"""GPUs as their makers publish them: memory, bandwidth, and dense FLOPs by precision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from billing.estimating.precisions import BF16, FP4, FP8, FP16, FP32, INT8

_NVIDIA = "https://www.nvidia.com/en-us/data-center"
_TERA = 10**12
_GIGA = 10**9


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU. Memory in bytes, bandwidth in bytes a second; both in powers of ten, as data sheets count.

    `peaks`: floating-point operations a second by precision, dense (without the sparsity that doubles them).
    """

    name: str
    memory: int
    bandwidth: int
    source: str
    peaks: Mapping[str, Fraction] = field(default_factory=dict)

    def peak(self, precision: str) -> tuple[Fraction, str]:
        """The peak at which weights of the precision are multiplied, and the precision that has it.

        Where the GPU does not calculate in it, the weights are widened to 16 bits, or to 32. Weights of INT4
        always are: that is how they are used in practice.
        """
        used = next((each for each in (precision, BF16, FP16, FP32) if each in self.peaks), FP32)
        return self.peaks[used], used


def _gpu(name: str, memory_gb: int, bandwidth_gb: int, source: str, **tera: str) -> Gpu:
    peaks = {precision: Fraction(Decimal(peak)) * _TERA for precision, peak in tera.items()}
    return Gpu(name, memory_gb * _GIGA, bandwidth_gb * _GIGA, source, peaks)


def _hopper(bf16: str, fp8: str, fp32: str) -> dict[str, str]:
    return {FP32: fp32, FP16: bf16, BF16: bf16, FP8: fp8, INT8: fp8}


_AMPERE = {FP32: "19.5", FP16: "312", BF16: "312", INT8: "624"}
_H100_SXM = _hopper("989.4", "1978.9", "66.9")
_A100 = f"NVIDIA A100 Tensor Core GPU data sheet, {_NVIDIA}/a100/"
_H100 = f"NVIDIA H100 Tensor Core GPU data sheet (figures without sparsity), {_NVIDIA}/h100/"

GPUS: Mapping[str, Gpu] = {
    each.name: each
    for each in (
        _gpu("H100-SXM", 80, 3350, _H100, **_H100_SXM),
        _gpu("H100-PCIe", 80, 2000, _H100, **_hopper("756", "1513", "51")),
        _gpu(
            "H200",
            141,
            4800,
            f"NVIDIA H200 Tensor Core GPU data sheet (figures without sparsity), {_NVIDIA}/h200/",
            **_H100_SXM,
        ),
        _gpu(
            "B200",
            180,
            8000,
            f"NVIDIA DGX B200 data sheet, an eighth of the system, without sparsity, {_NVIDIA}/dgx-b200/",
            **{FP16: "2250", BF16: "2250", FP8: "4500", INT8: "4500", FP4: "9000", FP32: "75"},
        ),
        _gpu("A100-80GB", 80, 2039, _A100, **_AMPERE),
        _gpu("A100-40GB", 40, 1555, _A100, **_AMPERE),
        _gpu(
            "L40S",
            48,
            864,
            f"NVIDIA L40S data sheet (figures without sparsity), {_NVIDIA}/l40s/",
            **{FP32: "91.6", FP16: "362", BF16: "362", FP8: "733", INT8: "733"},
        ),
        _gpu(
            "L4",
            24,
            300,
            f"NVIDIA L4 data sheet (figures without sparsity), {_NVIDIA}/l4/",
            **{FP32: "30.3", FP16: "121", BF16: "121", FP8: "242.5", INT8: "242.5"},
        ),
        _gpu(
            "V100-32GB",
            32,
            900,
            f"NVIDIA V100 Tensor Core GPU data sheet, SXM2, {_NVIDIA}/v100/",
            **{FP32: "15.7", FP16: "125"},
        ),
        _gpu(
            "T4",
            16,
            320,
            f"NVIDIA T4 Tensor Core GPU data sheet, {_NVIDIA}/tesla-t4/",
            **{FP32: "8.1", FP16: "65", INT8: "130"},
        ),
        _gpu(
            "MI300X",
            192,
            5300,
            "AMD Instinct MI300X data sheet (figures without sparsity), "
            "https://www.amd.com/en/products/accelerators/instinct/mi300/mi300x.html",
            **{FP32: "163.4", FP16: "1307.4", BF16: "1307.4", FP8: "2614.9", INT8: "2614.9"},
        ),
    )
}
