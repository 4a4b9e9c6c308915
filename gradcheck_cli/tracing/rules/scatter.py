"""Writing into places, some of them several times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import NotHere, rule
from gradcheck_cli.tracing.tensors import integers, on_host

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

REDUCE = {
    "sum": "sum", "add": "sum", "mean": "sum", "prod": "prod", "multiply": "prod", "amax": "max", "amin": "min",
}  # fmt: skip


def add_into(
    r: Recorder, start: Elements, places: NDArray[Any], source: Elements, reduce: str = "sum", include_self: bool = True
) -> Elements:
    """What is gathered at each place. places: for each source element the flat place that it goes to."""
    flat = np.array(start).reshape(-1)
    places, source = np.asarray(places).reshape(-1), np.asarray(source).reshape(-1)
    if include_self:
        touched = np.unique(places)
        places, source = np.concatenate([touched, places]), np.concatenate([flat[touched], source])
    order = np.argsort(places, kind="stable")
    targets, firsts, sizes = np.unique(places[order], return_index=True, return_counts=True)
    source = source[order]
    for size in np.unique(sizes).tolist():
        chosen = sizes == size
        rows = source[firsts[chosen][:, None] + np.arange(size)]
        value = r.tape.reduce(REDUCE[reduce], rows)
        flat[targets[chosen]] = r.call("div", value, float(size)) if reduce == "mean" else value
    return flat.reshape(np.shape(start))


def along(shape: tuple[int, ...], dim: int, index: NDArray[Any]) -> NDArray[Any]:
    """The flat places of out[..., index[..., j, ...], ...]."""
    if not shape:
        return np.zeros(index.shape, np.int64)
    every = np.arange(math.prod(shape)).reshape(shape)
    cut = tuple(slice(None) if d == dim % len(shape) else slice(0, size) for d, size in enumerate(index.shape))
    return np.take_along_axis(every[cut], index, dim)


def _cut(source: Elements, index: NDArray[Any]) -> Elements:
    """The part of the source that has an index; a number is repeated."""
    if source.ndim < index.ndim:
        return np.broadcast_to(source, index.shape)
    return source[tuple(slice(0, size) for size in index.shape)] if source.ndim else source


@rule("scatter_add")
def scatter_add(r: Recorder, out: Tensor, x: Any, dim: int, index: Tensor, source: Any) -> Elements:
    places = integers(index)
    return add_into(r, r.of(x), along(tuple(out.shape), dim, places), _cut(r.of(source), places))


@rule("scatter_reduce", "scatter.reduce", "scatter.value_reduce")
def scatter_reduce(
    r: Recorder, out: Tensor, x: Any, dim: int, index: Tensor, source: Any, reduce: str, *, include_self: bool = True
) -> Elements:
    places = integers(index)
    where = along(tuple(out.shape), dim, places)
    return add_into(r, r.of(x), where, _cut(r.of(source), places), reduce, include_self)


@rule("scatter.src", "scatter.value")
def scatter(r: Recorder, out: Tensor, x: Any, dim: int, index: Tensor, source: Any) -> Elements:
    places = integers(index)
    return _written(r, x, along(tuple(out.shape), dim, places), _cut(r.of(source), places))


def _written(r: Recorder, x: Any, places: NDArray[Any], source: Elements) -> Elements:
    flat = np.array(r.of(x)).reshape(-1)
    flat[places.reshape(-1)] = np.broadcast_to(source, places.shape).reshape(-1)
    return flat.reshape(np.shape(r.of(x)))


def _rows(x: Any, out: Tensor, dim: int, index: Tensor) -> NDArray[Any]:
    if not out.dim():
        return np.zeros(index.numel(), np.int64)
    every = np.arange(out.numel()).reshape(tuple(out.shape))
    return np.take(every, integers(index).reshape(-1), axis=dim)


@rule("index_add")
def index_add(r: Recorder, out: Tensor, x: Any, dim: int, index: Tensor, source: Any, *, alpha: float = 1) -> Elements:
    places = _rows(x, out, dim, index)
    values = np.broadcast_to(r.of(source).reshape(places.shape) if not out.dim() else r.of(source), places.shape)
    return add_into(r, r.of(x), places, r.scaled(values, alpha))


@rule("index_reduce")
def index_reduce(
    r: Recorder, out: Tensor, x: Any, dim: int, index: Tensor, source: Any, reduce: str, *, include_self: bool = True
) -> Elements:
    places = _rows(x, out, dim, index)
    values = np.broadcast_to(r.of(source).reshape(places.shape) if not out.dim() else r.of(source), places.shape)
    return add_into(r, r.of(x), places, values, reduce, include_self)


@rule("index_put", "_unsafe_index_put", "index_put_impl")
def index_put(
    r: Recorder, out: Tensor, x: Any, indices: Any, values: Any, accumulate: bool = False, *_: Any
) -> Elements:
    with _disable_current_modes():
        every = torch.arange(out.numel()).reshape(out.shape)
        places = torch.ops.aten.index.Tensor(every, [i if i is None else on_host(i, i.dtype) for i in indices]).numpy()
    source = np.broadcast_to(r.of(values), places.shape)
    return add_into(r, r.of(x), places, source) if accumulate else _written(r, x, places, source)


@rule("put")
def put(r: Recorder, out: Tensor, x: Any, index: Tensor, source: Any, accumulate: bool = False) -> Elements:
    places = integers(index).reshape(-1) % max(out.numel(), 1)
    values = r.of(source).reshape(-1)
    return add_into(r, r.of(x), places, values) if accumulate else _written(r, x, places, values)


@rule("_embedding_bag", "_embedding_bag_forward_only")
def embedding_bag(
    r: Recorder, out: Any, table: Any, index: Tensor, offsets: Tensor, scaled: bool = False, mode: int = 0,
    sparse: bool = False, weights: Any = None, has_last: bool = False, padding: int = -1,
) -> tuple[Elements, None, None, None]:  # fmt: skip
    """Rows of a table, gathered in bags: their sum, mean or largest numbers; of an empty bag 0."""
    places, starts = integers(index), integers(offsets)
    kept = places != padding
    bags = np.searchsorted(starts[:-1] if has_last else starts, np.arange(len(places)), side="right") - 1
    rows = r.of(table)[places[kept]]
    if weights is not None:
        rows = r.call("mul", rows, r.of(weights)[kept][:, None])
    width = rows.shape[-1]
    empty = np.full(tuple(out[0].shape), r.tape.constant(0.0))
    into = bags[kept][:, None] * width + np.arange(width)
    return add_into(r, empty, into, rows, ("sum", "mean", "amax")[mode], include_self=False), None, None, None


@rule("segment_reduce")
def segment_reduce(
    r: Recorder, out: Tensor, x: Any, reduce: str, *, lengths: Tensor | None = None, indices: Any = None,
    offsets: Tensor | None = None, axis: int = 0, unsafe: bool = False, initial: float | None = None,
) -> Elements:  # fmt: skip
    """Segments of an axis, one after the other; `initial` is one more number of each."""
    elements, axis = r.of(x), axis % r.of(x).ndim
    if lengths is not None:
        sizes = integers(lengths)
    elif offsets is not None:
        bounds = integers(offsets)
        sizes = bounds[..., 1:] - bounds[..., :-1]
    else:
        raise NotHere
    name = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    empty = {"sum": 0.0, "prod": 1.0, "amax": -math.inf, "amin": math.inf, "mean": math.nan}[name]
    shape = (*elements.shape[:axis], sizes.shape[-1], *elements.shape[axis + 1 :])
    found = np.full(shape, r.tape.constant(empty if initial is None else float(initial)))
    for outer in np.ndindex(*elements.shape[:axis]):
        stop = 0
        for k, size in enumerate(sizes[outer].tolist()):
            start, stop = stop, stop + size
            if size:
                rows = np.moveaxis(elements[outer][start:stop], 0, -1)
                if initial is not None:
                    rows = np.concatenate([rows, found[(*outer, k)][..., None]], axis=-1)
                value = r.tape.reduce(REDUCE[name], rows)
                found[(*outer, k)] = r.call("div", value, float(size)) if name == "mean" else value
    return found
