"""Pooling, and what adds up overlapping windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.rules.scatter import add_into
from gradcheck_cli.tracing.table import rule
from gradcheck_cli.tracing.tensors import integers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

Places = NDArray[np.int64]


def each(values: Any, count: int) -> tuple[int, ...]:
    """torch's int-or-list as one number for each dimension."""
    given: tuple[int, ...] = (values,) if isinstance(values, int) else tuple(values)
    return given * count if len(given) == 1 else given


def window_places(
    space: Sequence[int], result: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int],
) -> Places:  # fmt: skip
    """(*result, taps) -> the flat place that each tap of each window sees; -1: outside."""
    count = len(space)
    flat, inside = np.zeros((1,) * (2 * count), np.int64), np.ones((1,) * (2 * count), bool)
    for d in range(count):
        place = np.arange(result[d])[:, None] * stride[d] - padding[d] + np.arange(kernel[d])[None] * dilation[d]
        shape = [1] * (2 * count)
        shape[d], shape[count + d] = place.shape
        place = place.reshape(shape)
        flat = flat * space[d] + place
        inside = inside & (place >= 0) & (place < space[d])
    return np.where(inside, flat, -1).reshape(*result, -1)


def _pooled_places(r: Recorder, out: Tensor, x: Any, count: int) -> tuple[Elements, tuple[int, ...], tuple[int, ...]]:
    elements = r.of(x)
    area = math.prod(elements.shape[-count:])
    return elements.reshape(*elements.shape[:-count], area), elements.shape[-count:], tuple(out.shape[-count:])


@rule("max_pool2d_with_indices", "max_pool3d_with_indices")
def max_pool(
    r: Recorder,
    out: Any,
    x: Any,
    kernel: Any,
    stride: Any = (),
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> tuple[Elements, None]:
    count = 3 if "3d" in r.tape.origin.operation else 2
    kernel, padding, dilation = each(kernel, count), each(padding, count), each(dilation, count)
    stride = each(stride, count) if isinstance(stride, int) or len(stride) else kernel
    flat, space, result = _pooled_places(r, out[0], x, count)
    places = window_places(space, result, kernel, stride, padding, dilation)
    # A repeated element changes nothing, so a tap outside sees what another one sees.
    some = np.take_along_axis(places, np.argmax(places >= 0, axis=-1)[..., None], -1)
    return r.tape.reduce("max", flat[..., np.where(places < 0, some, places)]), None


@rule("adaptive_max_pool2d", "adaptive_max_pool3d", "fractional_max_pool2d", "fractional_max_pool3d")
def chosen_pool(r: Recorder, out: Any, x: Any, *_: Any, **__: Any) -> tuple[Elements, None]:
    """The windows are irregular or random: the winners that ran are taken. Adaptive ones are compared as well."""
    count = 3 if "3d" in r.tape.origin.operation else 2
    flat, space, result = _pooled_places(r, out[0], x, count)
    if "adaptive" in r.tape.origin.operation:
        return _adaptive(r, flat, space, result, "max"), None
    index = integers(out[1]).reshape(*flat.shape[:-1], math.prod(result))
    r.guard("decision", flat.reshape(-1))
    return np.take_along_axis(flat, index, -1).reshape(tuple(out[0].shape)), None


def _adaptive(r: Recorder, flat: Elements, space: Sequence[int], result: Sequence[int], function: str) -> Elements:
    """Windows that divide the space as evenly as they can; those of one size at a time."""
    found = np.zeros((*flat.shape[:-1], math.prod(result)), np.int64)
    grid = np.arange(math.prod(space)).reshape(tuple(space))
    by_size: dict[int, list[tuple[int, NDArray[Any]]]] = {}
    for k, output in enumerate(np.ndindex(*result)):
        cut = tuple(slice(o * s // n, -(-(o + 1) * s // n)) for o, s, n in zip(output, space, result, strict=True))
        window = grid[cut].reshape(-1)
        by_size.setdefault(len(window), []).append((k, window))
    for size, members in by_size.items():
        rows = flat[..., np.stack([window for _, window in members])]
        value = r.tape.reduce(function, rows)
        found[..., [k for k, _ in members]] = r.call("div", value, float(size)) if function == "sum" else value
    return found.reshape(*flat.shape[:-1], *result)


@rule("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d")
def adaptive_average(r: Recorder, out: Tensor, x: Any, size: Any) -> Elements:
    count = {"1": 1, "2": 2, "3": 3}[r.tape.origin.operation[-2]]
    flat, space, result = _pooled_places(r, out, x, count)
    return _adaptive(r, flat, space, result, "sum")


@rule("avg_pool1d", "avg_pool2d", "avg_pool3d")
def average_pool(
    r: Recorder, out: Tensor, x: Any, kernel: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Elements:  # fmt: skip
    count = int(r.tape.origin.operation[-2])
    kernel, padding = each(kernel, count), each(padding, count)
    stride = each(stride, count) if isinstance(stride, int) or len(stride) else kernel
    flat, space, result = _pooled_places(r, out, x, count)
    places = window_places(space, result, kernel, stride, padding, (1,) * count)
    total = r.tape.reduce("sum", np.where(places < 0, r.tape.constant(0.0), flat[..., places]))
    if divisor_override:
        return r.call("div", total, float(divisor_override))
    sizes = (places >= 0).sum(axis=-1)
    if count_include_pad:
        sizes = np.ones((1,) * count, np.int64)
        for d in range(count):
            start = np.arange(result[d]) * stride[d] - padding[d]
            size = np.minimum(start + kernel[d], space[d] + padding[d]) - start
            sizes = sizes * size.reshape([-1 if i == d else 1 for i in range(count)])
    return r.call("div", total, r.tape.constants(sizes.astype(float)))


@rule("col2im")
def col2im(
    r: Recorder, out: Tensor, x: Any, size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any
) -> Elements:
    elements = r.of(x)
    batched = elements.ndim == 3
    elements = elements if batched else elements[None]
    kernel, dilation, padding, stride = (each(p, 2) for p in (kernel, dilation, padding, stride))
    result = [(size[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) // stride[d] + 1 for d in range(2)]
    places = window_places(size, result, kernel, stride, padding, dilation)
    taps, area = places.shape[-1], math.prod(size)
    places = places.reshape(-1, taps).T
    batch, channels = len(elements), elements.shape[1] // taps
    columns = elements.reshape(batch, channels, *places.shape)
    first = np.arange(batch * channels).reshape(batch, channels, 1, 1) * area
    inside = np.broadcast_to(places >= 0, columns.shape)
    whole = np.broadcast_to(first + places, columns.shape)
    empty = np.full(batch * channels * area, r.tape.constant(0.0))
    image = add_into(r, empty, whole[inside], columns[inside], include_self=False)
    image = image.reshape(batch, channels, *size)
    return image if batched else image[0]
