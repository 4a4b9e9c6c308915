"""Decisions on the order of numbers: what ran is taken, and the comparisons are guarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import NotHere, rule
from gradcheck_cli.tracing.tensors import integers, numbers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder


def pick(r: Recorder, x: Any, index: Tensor, dim: int) -> Elements:
    elements = r.of(x)
    return np.take_along_axis(elements, integers(index), dim) if elements.ndim else elements


def guard_order(r: Recorder, x: Tensor, dim: int) -> None:
    """Neighbours in the sorted order were compared."""
    elements = r.of(x)
    if elements.ndim and elements.shape[dim] > 1:
        order = np.argsort(numbers(x), axis=dim, kind="stable")
        sorted_ = np.moveaxis(np.take_along_axis(elements, order, dim), dim, -1)
        r.guard("order", np.stack([sorted_[..., :-1].reshape(-1), sorted_[..., 1:].reshape(-1)]))


@rule("sort.default", "sort.stable")
def sort(r: Recorder, out: Any, x: Tensor, *args: Any, stable: bool | None = None, dim: int | None = None,
         descending: bool = False) -> tuple[Elements, None]:  # fmt: skip
    dim = next((a for a in args if isinstance(a, int) and not isinstance(a, bool)), -1) if dim is None else dim
    guard_order(r, x, dim)
    return pick(r, x, out[1], dim), None


@rule("topk")
def topk(r: Recorder, out: Any, x: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    guard_order(r, x, dim)
    return pick(r, x, out[1], dim), None


def _one(r: Recorder, out: Any, x: Tensor, dim: int, keepdim: bool) -> tuple[Elements, None]:
    guard_order(r, x, dim)
    if not x.dim():
        return r.of(x), None
    index = integers(out[1])
    found = np.take_along_axis(r.of(x), index if keepdim else np.expand_dims(index, dim), dim)
    return (found if keepdim else found.squeeze(dim)), None


@rule("median.dim", "nanmedian.dim", "mode")
def median_dim(r: Recorder, out: Any, x: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    return _one(r, out, x, dim, keepdim)


@rule("kthvalue")
def kthvalue(r: Recorder, out: Any, x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    return _one(r, out, x, dim, keepdim)


@rule("median", "nanmedian")
def median(r: Recorder, out: Tensor, x: Tensor) -> Elements:
    here = np.flatnonzero(numbers(x).reshape(-1) == numbers(out).item())
    if not len(here):
        raise NotHere
    elements = r.of(x).reshape(-1)
    order = elements[np.argsort(numbers(x).reshape(-1), kind="stable")]
    r.guard("order", np.stack([order[:-1], order[1:]]))
    return elements[here[:1]].reshape(())
