"""Sums, products, extremes, variances, norms, softmax and running sums."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.pointwise import row_rule
from gradcheck_cli.tracing.table import RULES, NotHere, Rule, qualified, rule
from gradcheck_cli.tracing.tensors import numbers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

Dims = int | Sequence[int] | None


class Reduced:
    """An array with the dimensions to reduce moved to one last axis."""

    def __init__(self, elements: Elements, dim: Dims) -> None:
        self.shape = elements.shape
        count = elements.ndim
        if dim is None or (not isinstance(dim, int) and not len(dim)):
            self.dims = tuple(range(count))
        else:
            self.dims = tuple(sorted({d % max(count, 1) for d in ((dim,) if isinstance(dim, int) else dim)}))
        if not count:
            self.rows, self.width = elements.reshape(1), 1
            return
        kept = [d for d in range(count) if d not in self.dims]
        self.width = math.prod(self.shape[d] for d in self.dims)
        moved = elements.transpose(*kept, *self.dims)
        self.rows = moved.reshape(*(self.shape[d] for d in kept), self.width)

    def shaped(self, result: Elements, keepdim: bool) -> Elements:
        """A result for each row, in the shape that torch gives it."""
        if not self.shape:
            return result.reshape(())
        if not keepdim:
            return result
        return result.reshape([1 if d in self.dims else size for d, size in enumerate(self.shape)])

    def back(self, rows: Elements) -> Elements:
        """Rows (one number for each that was reduced) in the shape of the array."""
        if not self.shape:
            return rows.reshape(())
        kept = [d for d in range(len(self.shape)) if d not in self.dims]
        order = [*kept, *self.dims]
        return rows.reshape([self.shape[d] for d in order]).transpose(np.argsort(order))


def _reduction(function: str) -> Rule:
    def apply(r: Recorder, out: Any, x: Any, dim: Dims = None, keepdim: bool = False, **_: Any) -> Any:
        value = reduce(r, function, x, dim, keepdim)
        return (value, None) if isinstance(out, tuple) else value

    return apply


def reduce(r: Recorder, function: str, x: Any, dim: Dims = None, keepdim: bool = False) -> Elements:
    reduced = Reduced(r.of(x), dim)
    return reduced.shaped(r.tape.reduce(function, reduced.rows), keepdim)


for _name, _function in {
    "amax": "max",
    "amin": "min",
    "max": "max",
    "min": "min",
    "prod": "prod",
    "sum": "sum",
}.items():
    RULES[qualified(_name)] = _reduction(_function)
for _name in ("max", "min"):
    RULES[qualified(f"{_name}.other")] = row_rule(f"{_name}imum")


@rule("prims::sum")
def prims_sum(r: Recorder, out: Tensor, x: Any, dims: Dims, **_: Any) -> Elements:
    return reduce(r, "sum", x, dims)


@rule("nansum")
def nansum(r: Recorder, out: Tensor, x: Tensor, dim: Dims = None, keepdim: bool = False, **_: Any) -> Elements:
    return reduce(r, "sum", np.where(np.isnan(numbers(x)), r.tape.constant(0.0), r.of(x)), dim, keepdim)


@rule("mean")
def mean(r: Recorder, out: Tensor, x: Any, dim: Dims = None, keepdim: bool = False, **_: Any) -> Elements:
    reduced = Reduced(r.of(x), dim)
    return reduced.shaped(_mean(r, reduced.rows), keepdim)


def _mean(r: Recorder, rows: Elements) -> Elements:
    total = r.tape.reduce("sum", rows)
    return total if rows.shape[-1] == 1 else r.call("div", total, float(rows.shape[-1]))


@rule("aminmax")
def aminmax(r: Recorder, out: Any, x: Any, *, dim: Dims = None, keepdim: bool = False) -> tuple[Elements, Elements]:
    return reduce(r, "min", x, dim, keepdim), reduce(r, "max", x, dim, keepdim)


def _spread(root: bool, with_mean: bool) -> Rule:
    """var, std, var_mean, std_mean."""

    def apply(
        r: Recorder, out: Any, x: Any, dim: Dims = None, *, correction: float | None = None, keepdim: bool = False
    ) -> Any:
        reduced = Reduced(r.of(x), dim)
        average, value = variance(r, reduced.rows, 1 if correction is None else correction)
        value = reduced.shaped(r.call("sqrt", value) if root else value, keepdim)
        return (value, reduced.shaped(average, keepdim)) if with_mean else value

    return apply


for _name, _root, _with in (
    ("var", False, False),
    ("std", True, False),
    ("var_mean", False, True),
    ("std_mean", True, True),
):
    RULES[qualified(f"{_name}.correction")] = _spread(_root, _with)


def variance(r: Recorder, rows: Elements, correction: float) -> tuple[Elements, Elements]:
    """(mean, variance) of each row."""
    average = _mean(r, rows)
    off = r.call("sub", rows, average[..., None])
    squares = r.tape.dot(off[..., None, :], off[..., None, :])[..., 0, 0]
    return average, r.call("div", squares, float(max(rows.shape[-1] - correction, 0)))


@rule("prims::var")
def prims_var(r: Recorder, out: Tensor, x: Any, dims: Dims, correction: float = 1.0, **_: Any) -> Elements:
    return variance(r, Reduced(r.of(x), dims).rows, correction)[1]


@rule("linalg_vector_norm", "norm")
def vector_norm(
    r: Recorder, out: Tensor, x: Any, ord: Any = 2, dim: Dims = None, keepdim: bool = False, **_: Any
) -> Elements:
    reduced = Reduced(r.of(x), dim)
    return reduced.shaped(norm(r, reduced.rows, 2 if ord is None else float(ord)), keepdim)


def norm(r: Recorder, rows: Elements, p: float) -> Elements:
    """The p-norm of each row."""
    if p == 0:
        one, zero = (np.int64(r.tape.constant(number)) for number in (1.0, 0.0))
        return r.tape.reduce("sum", r.tape.call("where", r.call("ne", rows, 0.0), one, zero))
    if rows.shape[-1] == 1:
        return r.call("abs", rows[..., 0])
    if p == 2:
        return r.call("sqrt", r.tape.dot(rows[..., None, :], rows[..., None, :])[..., 0, 0])
    size = r.call("abs", rows)
    if p == 1 or math.isinf(p):
        return r.tape.reduce("sum" if p == 1 else "max" if p > 0 else "min", size)
    return r.call("pow", r.tape.reduce("sum", r.call("pow", size, p)), r.call("div", 1.0, p))


@rule("dist")
def dist(r: Recorder, out: Tensor, x: Any, y: Any, p: float = 2) -> Elements:
    return norm(r, r.call("sub", x, y).reshape(-1), p).reshape(())


@rule("_cdist_forward", "_euclidean_dist")
def cdist(r: Recorder, out: Tensor, a: Any, b: Any, p: float = 2.0, mode: Any = None) -> Elements:
    return norm(r, r.call("sub", r.of(a)[..., :, None, :], r.of(b)[..., None, :, :]), p)


@rule("_pdist_forward")
def pdist(r: Recorder, out: Tensor, x: Tensor, p: float = 2.0) -> Elements:
    first, second = np.triu_indices(x.shape[0], 1)
    return norm(r, r.call("sub", r.of(x)[first], r.of(x)[second]), p)


class Shifted:
    """exp(x - c) along some dimensions, with c the largest number there: softmax and logsumexp do not depend on c, so
    it is a constant."""

    def __init__(self, r: Recorder, x: Tensor, dim: Dims) -> None:
        self.reduced = Reduced(r.of(x), dim)
        real = np.atleast_1d(numbers(x))
        with np.errstate(all="ignore"):
            largest = real.max(axis=self.reduced.dims, keepdims=True) if real.size else np.zeros(0)
        top = np.where(np.isfinite(largest), largest, 0.0)
        top = np.broadcast_to(top, real.shape) if real.size else real
        rows = self.reduced.rows
        order = Reduced(np.arange(real.size).reshape(real.shape), self.reduced.dims).rows if real.size else rows
        self.tops = (
            r.tape.constants(top.reshape(-1)[order[..., 0]]) if real.size else np.zeros(rows.shape[:-1], np.int64)
        )
        if real.size:  # a step that rounds: torch subtracts a rounded number of that size
            self.tops = r.call("positive", self.tops)
        self.shifted = r.call("sub", rows, self.tops[..., None])
        self.powers = r.call("exp", self.shifted)
        self.total = r.tape.reduce("sum", self.powers)


@rule("_softmax", "_safe_softmax")
def softmax(r: Recorder, out: Tensor, x: Tensor, dim: int, *_: Any, **__: Any) -> Elements:
    found = Shifted(r, x, dim)
    result = r.call("div", found.powers, found.total[..., None])
    if "safe" in r.tape.origin.operation:  # a row that is masked entirely is 0
        dead = (found.powers == r.tape.constant(0.0)).all(axis=-1, keepdims=True)
        result = np.where(dead, r.tape.constant(0.0), result)
    return found.reduced.back(result)


@rule("_log_softmax")
def log_softmax(r: Recorder, out: Tensor, x: Tensor, dim: int, *_: Any) -> Elements:
    found = Shifted(r, x, dim)
    return found.reduced.back(r.call("sub", found.shifted, r.call("log", found.total)[..., None]))


@rule("logsumexp")
def logsumexp(r: Recorder, out: Tensor, x: Tensor, dim: Dims, keepdim: bool = False) -> Elements:
    found = Shifted(r, x, dim)
    return found.reduced.shaped(r.call("add", r.call("log", found.total), found.tops), keepdim)


def _scan(function: str) -> Rule:
    def apply(r: Recorder, out: Any, x: Any, dim: int, **_: Any) -> Any:
        elements = r.of(x)
        if elements.ndim and elements.size:
            along = np.moveaxis(elements, dim, 0)
            done = np.empty(along.shape, np.int64)
            done[0] = along[0]
            for k in range(1, len(along)):
                done[k] = r.call(function, done[k - 1], along[k])
            elements = np.moveaxis(done, 0, dim)
        return (elements, None) if isinstance(out, tuple) else elements

    return apply


for _name, _function in {
    "cumsum": "add", "cumprod": "mul", "cummax": "maximum", "cummin": "minimum", "logcumsumexp": "logaddexp",
}.items():  # fmt: skip
    RULES[qualified(_name)] = _scan(_function)


@rule("trace")
def trace(r: Recorder, out: Tensor, x: Any) -> Elements:
    return r.tape.reduce("sum", np.diagonal(r.of(x))).reshape(())


@rule("sum")
def sum_(r: Recorder, out: Tensor, x: Any, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Elements:
    if out.dtype is torch.bool:
        raise NotHere
    return reduce(r, "sum", x, dim, keepdim)
