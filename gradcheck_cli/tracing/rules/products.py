"""Products of matrices, and what is made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.reductions import Reduced
from gradcheck_cli.tracing.table import rule

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


def matmul(r: Recorder, a: Any, b: Any) -> Elements:
    """(..., n, k) by (..., k, m)."""
    return r.tape.dot(r.of(a), np.swapaxes(r.of(b), -1, -2))


@rule("mm", "bmm", "matmul")
def mm(r: Recorder, out: Tensor, a: Any, b: Any, *_: Any) -> Elements:
    return matmul(r, a, b)


@rule("mv")
def mv(r: Recorder, out: Tensor, a: Any, b: Any) -> Elements:
    return r.tape.dot(r.of(a), r.of(b)[None])[:, 0]


@rule("dot", "vdot")
def dot(r: Recorder, out: Tensor, a: Any, b: Any) -> Elements:
    return r.tape.dot(r.of(a)[None], r.of(b)[None]).reshape(())


def _affine(r: Recorder, start: Any, product: Elements, beta: float, alpha: float) -> Elements:
    product = r.scaled(product, alpha)
    return product if beta == 0 else r.call("add", r.scaled(start, beta), product)


@rule("addmm", "baddbmm")
def addmm(r: Recorder, out: Tensor, start: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Elements:
    return _affine(r, start, matmul(r, a, b), beta, alpha)


@rule("addmv")
def addmv(r: Recorder, out: Tensor, start: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Elements:
    return _affine(r, start, mv(r, out, a, b), beta, alpha)


@rule("addr")
def addr(r: Recorder, out: Tensor, start: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Elements:
    return _affine(r, start, r.call("mul", r.of(a)[:, None], r.of(b)[None]), beta, alpha)


@rule("addbmm")
def addbmm(r: Recorder, out: Tensor, start: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Elements:
    total = r.tape.reduce("sum", np.moveaxis(matmul(r, a, b), 0, -1))
    return _affine(r, start, total, beta, alpha)


@rule("_trilinear")
def trilinear(
    r: Recorder, out: Tensor, a: Any, b: Any, c: Any, first: Any, second: Any, third: Any, dims: Any, unroll: int = 1
) -> Elements:
    factors = [np.expand_dims(r.of(x), tuple(d)) for x, d in ((a, first), (b, second), (c, third))]
    product = r.call("mul", r.call("mul", *factors[:2]), factors[2])
    return r.tape.reduce("sum", Reduced(product, list(dims)).rows).reshape(tuple(out.shape))


@rule("linalg_cross")
def cross(r: Recorder, out: Tensor, a: Any, b: Any, *, dim: int = -1) -> Elements:
    x, y = (np.moveaxis(z, dim, 0) for z in np.broadcast_arrays(r.of(a), r.of(b)))
    rows = [
        r.call("sub", r.call("mul", x[(i + 1) % 3], y[(i + 2) % 3]), r.call("mul", x[(i + 2) % 3], y[(i + 1) % 3]))
        for i in range(3)
    ]
    return np.moveaxis(np.stack(rows), 0, dim)


@rule("convolution", "_convolution")
def convolution(
    r: Recorder, out: Tensor, x: Any, weight: Any, bias: Any, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], transposed: bool, output_padding: Sequence[int], groups: int, *_: Any,
) -> Elements:  # fmt: skip
    """As products of the patches that each output sees with the weights; outside of the input there are zeros."""
    given, weights = r.of(x), r.of(weight)
    count = weights.ndim - 2
    batched = given.ndim == count + 2
    given = given if batched else given[None]
    stride, padding, dilation = ((*p,) * count if len(p) == 1 else (*p,) for p in (stride, padding, dilation))
    batch, channels, *space = given.shape
    kernel, result = weights.shape[2:], tuple(out.shape[-count:])
    if transposed:
        weights = np.swapaxes(weights.reshape(groups, channels // groups, -1, *kernel), 1, 2)
    outputs = weights.reshape(groups, -1, channels // groups, *kernel).shape[1] * groups
    patches = given
    for d in range(count):
        places = _seen(result[d], kernel[d], stride[d], padding[d], dilation[d], space[d], transposed)
        patches = np.take(patches, np.maximum(places, 0), axis=2 + 2 * d)
        outside = (places < 0).reshape((1,) * (2 + 2 * d) + places.shape + (1,) * (count - 1 - d))
        patches = np.where(outside, r.tape.constant(0.0), patches)
    order = [1, 0, *(2 + 2 * d for d in range(count)), *(3 + 2 * d for d in range(count))]
    patches = patches.transpose(order).reshape(groups, channels // groups, batch * math.prod(result), math.prod(kernel))
    patches = patches.transpose(0, 2, 1, 3).reshape(groups, batch * math.prod(result), -1)
    product = r.tape.dot(patches, weights.reshape(groups, outputs // groups, -1))
    product = product.reshape(groups, batch, *result, outputs // groups)
    product = np.moveaxis(product, -1, 2).swapaxes(0, 1).reshape(batch, outputs, *result)
    if bias is not None:
        product = r.call("add", product, r.of(bias).reshape(1, outputs, *(1,) * count))
    return product if batched else product[0]


def _seen(
    outputs: int, taps: int, stride: int, padding: int, dilation: int, size: int, transposed: bool
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(output, tap) -> the place of the input that it sees along one dimension; -1: none."""
    output, tap = np.arange(outputs)[:, None], np.arange(taps)[None] * dilation
    if not transposed:
        place = output * stride - padding + tap
        return np.where((place >= 0) & (place < size), place, -1)
    place, rest = np.divmod(output + padding - tap, stride)
    return np.where((rest == 0) & (place >= 0) & (place < size), place, -1)
