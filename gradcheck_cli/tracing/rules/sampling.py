"""Reading images between their pixels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import rule
from gradcheck_cli.tracing.tensors import numbers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

LINEAR, NEAREST, CUBIC = range(3)
ZEROS, BORDER, REFLECTION = range(3)
Places = NDArray[np.float64]


@rule("grid_sampler_2d", "grid_sampler_3d")
def grid_sampler(
    r: Recorder, out: Tensor, image: Any, grid: Tensor, mode: int, padding: int, align_corners: bool
) -> Elements:
    """Outside there are zeros, the border, or the image again. The pixels that ran are taken."""
    pixels, places = r.of(image), r.of(grid)
    space = pixels.shape[2:]
    count, real = len(space), numbers(grid)
    taps = []
    for d, size in enumerate(space):
        axis = count - 1 - d  # the grid has x first
        where, place = _pixel(r, places[..., axis], real[..., axis], size, align_corners)
        taps.append(_taps(r, where, place, mode, padding, size, align_corners))
    terms = []
    for chosen in itertools.product(*taps):
        term = _at(r, pixels, [place for place, _ in chosen])
        for _, weight in chosen:
            if weight is not None:
                term = r.call("mul", term, weight[:, None])
        terms.append(term)
    return r.tape.reduce("sum", np.stack(terms, axis=-1))


def _pixel(r: Recorder, x: Elements, real: Places, size: int, align_corners: bool) -> tuple[Elements, Places]:
    """Places from -1 to 1 in pixels."""
    if align_corners:
        half = (size - 1) / 2
        return r.scaled(r.call("add", x, 1.0), half), (real + 1) * half
    where = r.call("sub", r.scaled(r.call("add", x, 1.0), float(size)), 1.0)
    return r.scaled(where, 0.5), ((real + 1) * size - 1) / 2


def _taps(
    r: Recorder, where: Elements, place: Places, mode: int, padding: int, size: int, align_corners: bool
) -> list[tuple[NDArray[np.int64], Elements | None]]:
    """(pixel, its weight) along one axis. Cubic weights are of the place as it is, and the pixels are moved inside."""
    if mode == CUBIC:
        low, share = _split(r, where, np.floor(place))
        pixels = [_inside(np.floor(place) + step, padding, size, align_corners) for step in (-1, 0, 1, 2)]
        return [(pixel.astype(np.int64), w) for pixel, w in zip(pixels, _cubic(r, share), strict=True)]
    if padding == REFLECTION:
        where, place = _reflected(r, where, place, size, align_corners)
    if padding != ZEROS:
        where, place = r.call("clamp", where, 0.0, float(size - 1)), np.clip(place, 0, size - 1)
    if mode == NEAREST:
        return [(np.rint(place).astype(np.int64), None)]
    low, share = _split(r, where, np.floor(place))
    return [(low, r.call("sub", 1.0, share)), (low + 1, share)]


def _split(r: Recorder, where: Elements, floor: Places) -> tuple[NDArray[np.int64], Elements]:
    """(the pixel below, as it ran, how far a place is beyond it: also where rounding took it over a pixel)."""
    r.guard("integer", r.call("floor", where).reshape(-1))
    return floor.astype(np.int64), r.call("sub", where, r.tape.constants(floor))


def _cubic(r: Recorder, t: Elements) -> Sequence[Elements]:
    """The weights of the four pixels around, torch's kernel with A = -0.75."""
    a = -0.75

    def near(x: Elements) -> Elements:
        slope = r.call("sub", r.scaled(x, a + 2), a + 3)
        return r.call("add", r.call("mul", r.call("mul", slope, x), x), 1.0)

    def far(x: Elements) -> Elements:
        inner = r.call("add", r.call("mul", r.call("sub", r.scaled(x, a), 5 * a), x), 8 * a)
        return r.call("sub", r.call("mul", inner, x), 4 * a)

    back = r.call("sub", 1.0, t)
    return far(r.call("add", t, 1.0)), near(t), near(back), far(r.call("add", back, 1.0))


def _inside(place: Places, padding: int, size: int, align_corners: bool) -> Places:
    """Whole places as they are padded."""
    if padding == ZEROS:
        return place
    if padding == REFLECTION:
        low, span = _borders(size, align_corners)
        off = np.abs(place - low)
        times = np.floor(off / span) if span else np.zeros_like(off)
        rest = off - times * span
        place = np.where(times % 2 == 0, rest, span - rest) + low
    return np.clip(place, 0, size - 1)


def _borders(size: int, align_corners: bool) -> tuple[float, float]:
    """(the lower border, the distance to the upper one) at which places are mirrored."""
    return (0.0, float(size - 1)) if align_corners else (-0.5, float(size))


def _reflected(r: Recorder, where: Elements, place: Places, size: int, align_corners: bool) -> tuple[Elements, Places]:
    """Places outside of the image, mirrored at its borders as often as it takes."""
    low, span = _borders(size, align_corners)
    if not span:
        return np.full(where.shape, r.tape.constant(0.0)), np.zeros(place.shape)
    off, times = r.call("abs", r.call("sub", where, low)), np.floor(np.abs(place - low) / span)
    r.guard("integer", r.call("floor", r.call("div", off, span)).reshape(-1))
    rest, real = r.call("sub", off, r.tape.constants(times * span)), np.abs(place - low) - times * span
    even = times % 2 == 0
    back = r.call("sub", span, rest)
    return r.call("add", np.where(even, rest, back), low), np.where(even, real, span - real) + low


def _at(r: Recorder, pixels: Elements, places: Sequence[NDArray[np.int64]]) -> Elements:
    """(batch, channel, ...) the pixels at some places, 0 outside."""
    space = pixels.shape[2:]
    inside = np.ones(places[0].shape, bool)
    for place, size in zip(places, space, strict=True):
        inside &= (place >= 0) & (place < size)
    index = tuple(np.clip(place, 0, size - 1) for place, size in zip(places, space, strict=True))
    rows = np.arange(len(pixels)).reshape(-1, *(1,) * (places[0].ndim - 1))
    found = np.moveaxis(np.moveaxis(pixels, 1, -1)[(rows, *index)], -1, 1)
    return np.where(inside[:, None], found, r.tape.constant(0.0))
