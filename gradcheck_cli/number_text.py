"""Numbers as people read them: `326`, not `326.0`; `4.2e-18`; enough digits to see a difference, and no more."""

from __future__ import annotations

import math
from fractions import Fraction

from gradcheck_cli.dtypes import DTYPES, Dtype

FLOAT64 = DTYPES["float64"]
SHORT = 12
"""Texts up to this length are shown whole, even where fewer digits would tell two numbers apart."""


def exact(value: float, dtype: Dtype = FLOAT64) -> str:
    """The shortest text that reads back as this number of the dtype."""
    if not math.isfinite(value):
        return str(value)
    if dtype.precision == FLOAT64.precision:
        return _tidy(repr(value))
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if dtype.round(Fraction(text)) == value:
            # 16384 needs five digits to be told from its neighbours, but "1.638e4" would be no easier to read.
            return _tidy(repr(value) if value.is_integer() and abs(value) < 1e16 else repr(float(text)))
    return _tidy(repr(value))


def pair(first: float, second: float, dtype: Dtype = FLOAT64) -> tuple[str, str]:
    """Two numbers with enough digits to see their difference, and at least 6: (0.5, -81.7401)."""
    texts = exact(first, dtype), exact(second, dtype)
    if first == second or not (math.isfinite(first) and math.isfinite(second)):
        return texts
    relative = abs(first - second) / max(abs(first), abs(second), 5e-324)
    digits = 6 if relative > 1e-4 else min(17, 2 - math.floor(math.log10(relative)))
    return _shortened(first, texts[0], digits), _shortened(second, texts[1], digits)


def brief(value: float, dtype: Dtype = FLOAT64) -> str:
    """A number with six significant digits, or fewer where they are all there are."""
    text = exact(value, dtype)
    return min(text, _tidy(f"{value:.6g}"), key=len) if math.isfinite(value) else text


def small(value: float) -> str:
    """An error: two significant digits are enough."""
    if not math.isfinite(value):
        return str(value)
    if (value.is_integer() and abs(value) < 1e6) or 10 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return _tidy(f"{value:.2g}")


def _shortened(value: float, text: str, digits: int) -> str:
    if len(text) <= SHORT:
        return text
    if 1 <= abs(value) < 1e9:  # no exponent for numbers of everyday size
        digits = max(digits, len(str(int(abs(value)))))
    rounded = _tidy(f"{value:#.{digits}g}")
    return rounded if len(rounded) < len(text) else text


def _tidy(text: str) -> str:
    """`292.0` -> `292`, `1e+22` -> `1e22`, `2.5e-05` -> `2.5e-5`."""
    mantissa, e, exponent = text.partition("e")
    mantissa = mantissa.removesuffix(".0").removesuffix(".")
    return f"{mantissa}e{int(exponent)}" if e else mantissa
