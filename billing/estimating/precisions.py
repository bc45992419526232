"""How many bytes a number takes in each precision."""

from collections.abc import Mapping
from fractions import Fraction

FP32, FP16, BF16, FP8, INT8, FP4, INT4 = "FP32", "FP16", "BF16", "FP8", "INT8", "FP4", "INT4"

BYTES: Mapping[str, Fraction] = {
    FP32: Fraction(4),
    BF16: Fraction(2),
    FP16: Fraction(2),
    FP8: Fraction(1),
    INT8: Fraction(1),
    FP4: Fraction(1, 2),
    INT4: Fraction(1, 2),
}
