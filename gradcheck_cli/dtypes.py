"""The working dtypes: how numbers round in them, and the default tolerances. Pure Python, no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, eq=False)
class Dtype:
    """A binary floating-point format and the default tolerances for it.

    precision: significant bits, the hidden one included; max_exponent: the largest finite number is just below
    2**max_exponent; min_exponent: the smallest positive (subnormal) number is 2**min_exponent.
    """

    name: str
    precision: int
    max_exponent: int
    min_exponent: int
    rtol: float
    atol: float

    @property
    def unit_roundoff(self) -> float:
        """u: half the distance from 1 to the next number."""
        return 2.0**-self.precision

    @property
    def tiny(self) -> float:
        """The smallest positive number, subnormal."""
        return math.ldexp(1.0, self.min_exponent)

    @property
    def max(self) -> float:
        return math.ldexp(1.0 - 2.0**-self.precision, self.max_exponent)

    def round(self, value: Fraction | int | float) -> float:
        """The nearest number of this dtype, ties to even, as a float; past the largest one, an infinity."""
        if self.precision == 53:
            return to_double(value)
        exact = Fraction(value)
        if not exact:
            return 0.0
        exponent = _exponent(exact)
        quantum = max(exponent - self.precision, self.min_exponent)
        scaled = exact / Fraction(2) ** quantum
        rounded = Fraction(round(scaled)) * Fraction(2) ** quantum
        if abs(rounded) >= Fraction(2) ** self.max_exponent:
            return math.inf if exact > 0 else -math.inf
        return float(rounded)

    def ulp(self, value: float) -> float:
        """The distance between neighbouring numbers of this dtype around `value`."""
        exponent = math.frexp(value)[1] if value else self.min_exponent
        return math.ldexp(1.0, max(exponent - self.precision, self.min_exponent))


def to_double(value: Fraction | int | float) -> float:
    """Python's own conversion, which rounds correctly; past the largest double, an infinity."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _exponent(value: Fraction) -> int:
    """The e with 2**(e-1) <= abs(value) < 2**e."""
    guess = abs(value.numerator).bit_length() - value.denominator.bit_length()
    return guess + 1 if abs(value) >= Fraction(2) ** guess else guess


DTYPES = {
    dtype.name: dtype
    for dtype in (
        Dtype("float64", 53, 1024, -1074, 1e-9, 1e-12),
        Dtype("float32", 24, 128, -149, 1e-4, 1e-7),
        Dtype("float16", 11, 16, -24, 1e-2, 1e-4),
        Dtype("bfloat16", 8, 128, -133, 5e-2, 1e-3),
    )
}

TF32 = Dtype("tf32", 11, 128, -136, 1e-2, 1e-4)
"""What products of float32 may be computed in on CUDA: float32's range with float16's precision. No tensor has it."""
