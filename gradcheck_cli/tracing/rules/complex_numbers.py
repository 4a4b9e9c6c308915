"""Operations on complex numbers, as pairs of real ones: (real part, imaginary part) along a last axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.reductions import Dims, Reduced
from gradcheck_cli.tracing.table import NotHere, complex_rule

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


def _pair(real: Elements, imaginary: Elements) -> Elements:
    return np.stack(np.broadcast_arrays(real, imaginary), axis=-1)


def _split(r: Recorder, x: Any) -> tuple[Elements, Elements]:
    parts = r.parts(x)
    return parts[..., 0], parts[..., 1]


@complex_rule("complex")
def make(r: Recorder, out: Tensor, real: Any, imaginary: Any) -> Elements:
    return _pair(r.of(real), r.of(imaginary))


@complex_rule("polar")
def polar(r: Recorder, out: Tensor, size: Any, angle: Any) -> Elements:
    return _pair(r.call("mul", size, r.call("cos", angle)), r.call("mul", size, r.call("sin", angle)))


@complex_rule("_to_copy", "to")
def to(r: Recorder, out: Tensor, x: Tensor, *_: Any, **__: Any) -> Elements:
    if not out.is_complex():
        raise NotHere
    parts = r.parts(x)
    rounds = x.is_floating_point() or x.is_complex()
    narrower = rounds and out.element_size() < x.element_size() * (1 if x.is_complex() else 2)
    return r.call("positive", parts) if narrower and r.tape.depends[parts].any() else parts


@complex_rule("add", "sub")
def add(r: Recorder, out: Tensor, x: Any, y: Any, alpha: Any = 1) -> Elements:
    if isinstance(alpha, complex):
        raise NotHere
    function = "add" if r.tape.origin.operation.startswith("aten::add") else "sub"
    (a, b), (c, d) = _split(r, x), _split(r, y)
    return _pair(r.call(function, a, r.scaled(c, alpha)), r.call(function, b, r.scaled(d, alpha)))


@complex_rule("mul")
def mul(r: Recorder, out: Tensor, x: Any, y: Any) -> Elements:
    return product(r, r.parts(x), r.parts(y))


def product(r: Recorder, x: Elements, y: Elements) -> Elements:
    a, b, c, d = x[..., 0], x[..., 1], y[..., 0], y[..., 1]
    real = r.call("sub", r.call("mul", a, c), r.call("mul", b, d))
    return _pair(real, r.call("add", r.call("mul", a, d), r.call("mul", b, c)))


@complex_rule("div", "true_divide")
def div(r: Recorder, out: Tensor, x: Any, y: Any, rounding_mode: str | None = None) -> Elements:
    c, d = _split(r, y)
    size = r.call("add", r.call("square", c), r.call("square", d))
    over = product(r, r.parts(x), _pair(c, r.call("neg", d)))
    return r.call("div", over, size[..., None])


@complex_rule("neg")
def neg(r: Recorder, out: Tensor, x: Any) -> Elements:
    return r.call("neg", r.parts(x))


@complex_rule("conj_physical", "_conj_physical")
def conj(r: Recorder, out: Tensor, x: Any) -> Elements:
    a, b = _split(r, x)
    return _pair(a, r.call("neg", b))


@complex_rule("abs")
def size(r: Recorder, out: Tensor, x: Any) -> Elements:
    return r.call("hypot", *_split(r, x))


@complex_rule("angle")
def angle(r: Recorder, out: Tensor, x: Any) -> Elements:
    a, b = _split(r, x)
    return r.call("atan2", b, a)


@complex_rule("exp")
def exp(r: Recorder, out: Tensor, x: Any) -> Elements:
    a, b = _split(r, x)
    return r.call("mul", r.call("exp", a)[..., None], _pair(r.call("cos", b), r.call("sin", b)))


@complex_rule("log")
def log(r: Recorder, out: Tensor, x: Any) -> Elements:
    a, b = _split(r, x)
    return _pair(r.call("log", r.call("hypot", a, b)), r.call("atan2", b, a))


@complex_rule("pow.Tensor_Scalar")
def power(r: Recorder, out: Tensor, x: Any, exponent: Any) -> Elements:
    if exponent != 2:
        raise NotHere
    return product(r, r.parts(x), r.parts(x))


@complex_rule("sum", "mean")
def total(r: Recorder, out: Tensor, x: Any, dim: Dims = None, keepdim: bool = False, **_: Any) -> Elements:
    parts = []
    for part in _split(r, x):
        reduced = Reduced(part, dim)
        value = r.tape.reduce("sum", reduced.rows)
        if r.tape.origin.operation == "aten::mean":
            value = r.call("div", value, float(reduced.width))
        parts.append(reduced.shaped(value, keepdim))
    return _pair(*parts)


@complex_rule("mm", "bmm", "matmul")
def mm(r: Recorder, out: Tensor, x: Any, y: Any) -> Elements:
    a, b = _split(r, x)
    c, d = (np.swapaxes(part, -1, -2) for part in _split(r, y))
    real = r.call("sub", r.tape.dot(a, c), r.tape.dot(b, d))
    return _pair(real, r.call("add", r.tape.dot(a, d), r.tape.dot(b, c)))


# -- Fourier transforms, as the sums that define them

NONE, BY_ROOT, BY_SIZE = range(3)


def _waves(r: Recorder, size: int, sign: int) -> tuple[Elements, Elements]:
    """(cos, sin) of sign * 2 pi j k / size, by (j, k), exactly: pi is 4 atan(1)."""
    turn = r.call("mul", r.call("atan", 1.0), 8.0)
    angles = r.call("div", r.call("mul", turn, r.tape.constants(np.arange(float(size)))), float(size))
    places = np.outer(np.arange(size), np.arange(size)) % size
    sines = r.call("sin", angles)
    return r.call("cos", angles)[places], (sines if sign > 0 else r.call("neg", sines))[places]


def _transformed(r: Recorder, x: Elements, dim: int, sign: int) -> Elements:
    """Of pairs, along one dimension."""
    pairs = np.moveaxis(x, dim, -2)
    cos, sin = _waves(r, pairs.shape[-2], sign)
    a, b = pairs[..., None, :, 0], pairs[..., None, :, 1]
    real = r.call("sub", r.tape.dot(a, cos), r.tape.dot(b, sin))[..., 0, :]
    imaginary = r.call("add", r.tape.dot(a, sin), r.tape.dot(b, cos))[..., 0, :]
    return np.moveaxis(_pair(real, imaginary), -2, dim)


def _normalised(r: Recorder, x: Elements, sizes: Sequence[int], normalization: int) -> Elements:
    if normalization == NONE:
        return x
    count = float(np.prod(sizes))
    return r.call("div", x, count if normalization == BY_SIZE else r.call("sqrt", count))


@complex_rule("_fft_c2c")
def c2c(r: Recorder, out: Tensor, x: Tensor, dim: Sequence[int], normalization: int, forward: bool) -> Elements:
    found = r.parts(x)
    for d in dim:
        found = _transformed(r, found, d % x.dim(), -1 if forward else 1)
    return _normalised(r, found, [x.shape[d] for d in dim], normalization)


@complex_rule("_fft_r2c")
def r2c(r: Recorder, out: Tensor, x: Tensor, dim: Sequence[int], normalization: int, onesided: bool) -> Elements:
    found = r.parts(x)
    for d in dim:
        found = _transformed(r, found, d % x.dim(), -1)
    found = _normalised(r, found, [x.shape[d] for d in dim], normalization)
    return found[tuple(slice(0, size) for size in out.shape)] if onesided else found


@complex_rule("_fft_c2r")
def c2r(r: Recorder, out: Tensor, x: Tensor, dim: Sequence[int], normalization: int, last: int) -> Elements:
    """The last dimension has half of the spectrum; the imaginary part of what has no partner is not looked at."""
    found, d = r.parts(x), dim[-1] % x.dim()
    for other in dim[:-1]:
        found = _transformed(r, found, other % x.dim(), 1)
    half = np.moveaxis(found, d, -2)
    k = np.arange(last)
    mirrored = k > last // 2
    whole = half[..., np.where(mirrored, last - k, k), :]
    real, imaginary = whole[..., 0], whole[..., 1]
    imaginary = np.where(mirrored, r.call("neg", imaginary), imaginary)
    imaginary = np.where((k == 0) | (2 * k == last), r.tape.constant(0.0), imaginary)
    cos, sin = _waves(r, last, 1)
    result = r.call("sub", r.tape.dot(real[..., None, :], cos), r.tape.dot(imaginary[..., None, :], sin))[..., 0, :]
    sizes = [last if place == dim[-1] else x.shape[place] for place in dim]
    return _normalised(r, np.moveaxis(result, -1, d), sizes, normalization)
