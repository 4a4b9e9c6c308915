"""The functions of the table in vectorised float64, each with a bound on its error: running error analysis.

Each takes and returns `Approx`: the true value lies within radius of value. The functions of NumPy are as accurate as
their row of the table says (`float_ulps`), which a test against balls upholds: tested, not proven. A radius that is not
finite says that nothing is known; so does a NaN, since every comparison with it fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS, by_row

Floats = NDArray[np.float64]
Array = Any
"""Floats, or a float where the value is the same at all points."""

EPS = 2.0**-52
SMALLEST = 1e-290
"""Below it a rounding error is no longer relative; it is smaller than this."""
WIDER = 1 + 1e-6
"""What a radius is multiplied by before anything rests on it: far more than its own rounding, however long the way."""
INFINITE = math.inf


class Approx(NamedTuple):
    """value: at each point. radius: how far the truth may be from it; None: it is exact."""

    value: Array
    radius: Array | None


def rounded(value: Array, radius: Array | None, ulps: float = 1.0, zero: Callable[[], Array] | None = None) -> Approx:
    """A result with the error of its operands, and its own rounding. An operation of IEEE arithmetic is off by half an
    ulp, and counts as one. The rounding of the radii themselves is allowed for where they are used: see WIDER.

    zero: where the result is exactly 0, since an operand is.
    """
    size = np.abs(value)
    total = size * (ulps * EPS)
    if radius is not None:
        total += radius
    if not np.min(size) >= SMALLEST:
        total = np.where(size >= SMALLEST, total, total + SMALLEST)
        if zero is not None:
            total = np.where(zero(), 0.0, total)
    return Approx(value, total)


def within(known: Array, radius: Array) -> Array:
    """The radius where it is known to be one."""
    return radius if np.all(known) else np.where(known, radius, INFINITE)


def sum_of(a: Array | None, b: Array | None) -> Array | None:
    """Radii added up."""
    if a is None:
        return b
    return a if b is None else a + b


def scaled(radius: Array | None, by: Array) -> Array | None:
    """A radius times a bound on a slope; an exact operand stays exact, whatever the slope."""
    return None if radius is None else radius * by


def _where(condition: Array, a: Array | None, b: Array | None) -> Array | None:
    """Of radii."""
    return None if a is None and b is None else np.where(condition, 0.0 if a is None else a, 0.0 if b is None else b)


def add(x: Approx, y: Approx) -> Approx:
    value = x.value + y.value
    total = sum_of(x.radius, y.radius)
    own = np.abs(value) * EPS  # a sum that underflows is exact
    return Approx(value, own if total is None else total + own)


def sub(x: Approx, y: Approx) -> Approx:
    return add(x, neg(y))


def neg(x: Approx) -> Approx:
    return Approx(-x.value, x.radius)


def positive(x: Approx, *_: Approx) -> Approx:
    return x


def mul(x: Approx, y: Approx) -> Approx:
    radius = sum_of(scaled(y.radius, np.abs(x.value)), scaled(x.radius, np.abs(y.value)))
    if x.radius is not None and y.radius is not None:
        radius = radius + x.radius * y.radius
    return rounded(x.value * y.value, radius, zero=lambda: _is_zero(x) & _is_finite(y) | _is_zero(y) & _is_finite(x))


def _is_zero(x: Approx) -> Array:
    return (x.value == 0) & (x.radius is None or x.radius == 0)


def _is_finite(x: Approx) -> Array:
    return np.isfinite(x.value) & (x.radius is None or np.isfinite(x.radius))


def div(x: Approx, y: Approx) -> Approx:
    value, below = x.value / y.value, np.abs(y.value)
    radius = x.radius
    if y.radius is not None:
        radius = sum_of(radius, np.abs(value) * y.radius)
        below = below - y.radius
    if radius is not None:
        radius = within(below > 0, radius / below)
    return rounded(value, radius, zero=lambda: _is_zero(x) & (below > 0) & _is_finite(y))


def pow(x: Approx, y: Approx) -> Approx:
    """By multiplications where the exponent is a small integer, as d(x**y)/x**y = y dx/x + log(x) dy otherwise."""
    ulps = FUNCTIONS["pow"].float_ulps or INFINITE
    size = np.abs(x.value)
    relative = None if x.radius is None else x.radius / size
    if y.radius is None and isinstance(y.value, float) and y.value.is_integer():
        n = int(y.value)
        if n == 0:
            return Approx(1.0, None)
        value = _power(x.value, n) if 0 < n <= 16 else np.power(x.value, y.value)
        own = float(n) if 0 < n <= 16 else ulps
        if relative is None:
            return rounded(value, None, own)
        known = relative * abs(n) <= 0.1  # then (1 + relative)**n - 1 is at most 1.1 n relative
        return rounded(value, within(known, 1.2 * abs(n) * relative * np.abs(value)), own)
    value = np.power(x.value, y.value)
    # Of the logarithm, y*log(x): where both are off, each by the furthest value of the other.
    reach = np.abs(y.value) if y.radius is None else np.abs(y.value) + y.radius
    spread = sum_of(scaled(relative, reach), scaled(y.radius, np.abs(np.log(size))))
    positive_base = x.value > (0.0 if x.radius is None else x.radius)
    if spread is None:
        return rounded(value, within(positive_base, 0.0), ulps)
    known = positive_base & (spread <= 0.05) & (True if relative is None else relative <= 0.05)
    return rounded(value, within(known, 1.2 * spread * np.abs(value)), ulps)


def _power(x: Array, n: int) -> Array:
    """x**n by at most n - 1 multiplications."""
    result: Array = None
    while True:
        if n & 1:
            result = x if result is None else result * x
        n >>= 1
        if not n:
            return result
        x = x * x


def sqrt(x: Approx) -> Approx:
    value = np.sqrt(x.value)
    if x.radius is None:
        return rounded(value, None)
    return rounded(value, within(2 * x.radius <= x.value, x.radius / value))


def absolute(x: Approx) -> Approx:
    return Approx(np.abs(x.value), x.radius)


def maximum(x: Approx, y: Approx) -> Approx:
    total = sum_of(x.radius, y.radius)
    if total is None:
        return Approx(np.maximum(x.value, y.value), None)
    first = x.value > y.value
    known = np.abs(x.value - y.value) > total
    return Approx(np.maximum(x.value, y.value), np.where(known, _where(first, x.radius, y.radius), total))


def minimum(x: Approx, y: Approx) -> Approx:
    return neg(maximum(neg(x), neg(y)))


def relu(x: Approx) -> Approx:
    return maximum(x, Approx(0.0, None))


def floor(x: Approx) -> Approx:
    return _step(x, np.floor(x.value))


def ceil(x: Approx) -> Approx:
    return _step(x, np.ceil(x.value))


def _step(x: Approx, value: Array) -> Approx:
    if x.radius is None:
        return Approx(value, None)
    return Approx(value, within(np.abs(x.value - np.rint(x.value)) > x.radius, 0.0))


def offset_from_integer(x: Approx) -> Approx:
    """x - floor(x + 1/2), exact where x is."""
    value = x.value - np.floor(x.value + 0.5)
    if x.radius is None:
        return Approx(value, within(np.abs(x.value) < 2.0**51, 0.0))
    return Approx(value, within(0.5 - np.abs(value) > x.radius, x.radius))


def logaddexp(x: Approx, y: Approx) -> Approx:
    value = np.logaddexp(x.value, y.value)
    ulps = FUNCTIONS["logaddexp"].float_ulps or INFINITE
    return rounded(value, sum_of(_share(x, value), _share(y, value)), ulps)


def _share(x: Approx, value: Array) -> Array | None:
    """The radius times the slope exp(x - value), which may grow by exp(2 radius) within it."""
    if x.radius is None:
        return None
    return np.where(x.radius < 0.1, 1.3 * np.exp(x.value - value) * x.radius, x.radius)


def atan2(y: Approx, x: Approx) -> Approx:
    value = np.arctan2(y.value, x.value)
    ulps = FUNCTIONS["atan2"].float_ulps or INFINITE
    total = sum_of(x.radius, y.radius)
    if total is None:
        return rounded(value, None, ulps)
    distance = np.hypot(x.value, y.value)
    off_the_cut = (x.value > 0) | (np.abs(y.value) > total)
    return rounded(value, within(off_the_cut & (4 * total <= distance), 2 * total / distance), ulps)


Slope = Callable[[Array, Array, Array], Array]
"""(value, x, radius) -> a bound on the derivative within radius of x; infinite or NaN where there is none."""


def _inside(x: Array, radius: Array) -> Array:
    """The least 1 - t**2 for t within the radius; 0 where that is not inside of (-1, 1)."""
    farthest = np.abs(x) + radius
    return np.where(farthest < 1, (1 - farthest) * (1 + farthest), 0.0)


def _elementwise(function: Callable[[float], float]) -> Callable[[Array], Array]:
    """A function of the standard library at each point: NumPy has none."""

    def apply(x: Array) -> Array:
        return np.fromiter(map(function, x.tolist()), np.float64, x.size) if isinstance(x, np.ndarray) else function(x)

    return apply


def _erfc_slope(value: Array, x: Array, radius: Array) -> Array:
    """2/sqrt(pi)*exp(-x**2) is at most 1.13, and for x >= 0 at most erfc(x)*(x + sqrt(x**2 + 2)) (Mills' ratio)."""
    tail = 1.5 * value * (2 * x + 1.5)
    return np.where((x > 0) & (radius * (2 * x + 2) <= 0.25), np.minimum(1.13, tail), 1.13)


# name: (NumPy's function, a bound on its slope)
UNARY: dict[str, tuple[Callable[[Array], Array], Slope]] = {
    "exp": (np.exp, lambda v, x, r: within(r <= 1, v * (1 + 2 * r))),
    "exp2": (np.exp2, lambda v, x, r: within(r <= 1, v * (1 + 2 * r))),
    "expm1": (np.expm1, lambda v, x, r: within(r <= 1, (v + 1 + EPS) * (1 + 2 * r))),
    "log": (np.log, lambda v, x, r: within(x > r, 1 / (x - r))),
    "log2": (np.log2, lambda v, x, r: within(x > r, 1.45 / (x - r))),
    "log10": (np.log10, lambda v, x, r: within(x > r, 0.44 / (x - r))),
    "log1p": (np.log1p, lambda v, x, r: within(1 + x > 2 * r, 2.1 / (1 + x))),
    "sin": (np.sin, lambda v, x, r: 1.0),
    "cos": (np.cos, lambda v, x, r: 1.0),
    "tan": (np.tan, lambda v, x, r: within(r * (1 + np.abs(v)) <= 0.25, 2 * (1 + v * v))),
    "asin": (np.arcsin, lambda v, x, r: 1.01 / np.sqrt(_inside(x, r))),
    "acos": (np.arccos, lambda v, x, r: 1.01 / np.sqrt(_inside(x, r))),
    "atan": (np.arctan, lambda v, x, r: np.where(4 * r <= 1 + np.abs(x), 4 / (1 + x * x), 1.0)),
    "sinh": (np.sinh, lambda v, x, r: within(r <= 1, (1 + np.abs(v)) * (1 + 2 * r))),
    "cosh": (np.cosh, lambda v, x, r: within(r <= 1, v * (1 + 2 * r))),
    "tanh": (np.tanh, lambda v, x, r: 1.0),
    "asinh": (np.arcsinh, lambda v, x, r: 1.0),
    "acosh": (np.arccosh, lambda v, x, r: within(x - r > 1, 1.01 / np.sqrt((x - r - 1) * (x - r + 1)))),
    "atanh": (np.arctanh, lambda v, x, r: 1.01 / _inside(x, r)),
    "erf": (_elementwise(math.erf), lambda v, x, r: 1.13),
    "erfc": (_elementwise(math.erfc), _erfc_slope),
}  # fmt: skip


def _unary(name: str) -> Callable[[Approx], Approx]:
    function, slope = UNARY[name]
    ulps = FUNCTIONS[name].float_ulps or INFINITE

    def apply(x: Approx) -> Approx:
        value = function(x.value)
        if x.radius is None:
            return rounded(value, None, ulps)
        steepest = slope(value, x.value, x.radius)
        return rounded(value, within(steepest >= 0, x.radius * steepest), ulps)

    return apply


KERNELS: dict[Function, Callable[..., Approx]] = by_row({
    "add": add, "sub": sub, "mul": mul, "div": div, "neg": neg, "pow": pow, "sqrt": sqrt, "positive": positive,
    "nan_to_num": positive, "nan_to_num_bounded": positive, "abs": absolute, "maximum": maximum, "fmax": maximum,
    "minimum": minimum, "fmin": minimum, "relu": relu, "floor": floor, "ceil": ceil,
    "offset_from_integer": offset_from_integer, "logaddexp": logaddexp, "atan2": atan2,
    **{name: _unary(name) for name in UNARY},
})  # fmt: skip
"""By row. One that is not here is evaluated by its definition, or not at all."""
