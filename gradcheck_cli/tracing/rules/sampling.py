"""Reading images between their pixels."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tracing.table import NotHere, rule
from gradcheck_cli.tracing.tensors import numbers

if TYPE_CHECKING:
    from gradcheck_cli.tracing.recorder import Recorder

LINEAR, NEAREST = range(2)
ZEROS, BORDER = range(2)


@rule("grid_sampler_3d")
def grid_sampler(
    r: Recorder, out: Tensor, image: Any, grid: Tensor, mode: int, padding: int, align_corners: bool
) -> Elements:
    """Linear or nearest; outside there are zeros or the border. The pixels that ran are taken."""
    if mode not in (LINEAR, NEAREST) or padding not in (ZEROS, BORDER):
        raise NotHere
    pixels, places = r.of(image), r.of(grid)
    space = pixels.shape[2:]
    count, real = len(space), numbers(grid)
    coordinates: list[Elements] = []
    floors: list[NDArray[np.int64]] = []
    for d, size in enumerate(space):
        axis = count - 1 - d  # the grid has x first
        where, place = _pixel(r, places[..., axis], real[..., axis], size, align_corners)
        if padding == BORDER:
            where, place = r.call("clamp", where, 0.0, float(size - 1)), np.clip(place, 0, size - 1)
        coordinates.append(where)
        floors.append(np.floor(place).astype(np.int64) if mode == LINEAR else np.rint(place).astype(np.int64))
    if mode == NEAREST:
        return _at(r, pixels, floors)
    below = [r.call("floor", where) for where in coordinates]
    for each in below:
        r.guard("integer", each.reshape(-1))
    shares = [r.call("sub", where, low) for where, low in zip(coordinates, below, strict=True)]
    terms = []
    for corner in itertools.product((0, 1), repeat=count):
        term = _at(r, pixels, [low + step for low, step in zip(floors, corner, strict=True)])
        for step, share in zip(corner, shares, strict=True):
            term = r.call("mul", term, (share if step else r.call("sub", 1.0, share))[:, None])
        terms.append(term)
    return r.tape.reduce("sum", np.stack(terms, axis=-1))


def _pixel(
    r: Recorder, x: Elements, real: NDArray[np.float64], size: int, align_corners: bool
) -> tuple[Elements, NDArray[np.float64]]:
    """Places from -1 to 1 in pixels."""
    if align_corners:
        half = (size - 1) / 2
        return r.scaled(r.call("add", x, 1.0), half), (real + 1) * half
    where = r.call("sub", r.scaled(r.call("add", x, 1.0), float(size)), 1.0)
    return r.scaled(where, 0.5), ((real + 1) * size - 1) / 2


def _at(r: Recorder, pixels: Elements, places: list[NDArray[np.int64]]) -> Elements:
    """(batch, channel, ...) the pixels at some places, 0 outside."""
    space = pixels.shape[2:]
    inside = np.ones(places[0].shape, bool)
    for place, size in zip(places, space, strict=True):
        inside &= (place >= 0) & (place < size)
    index = tuple(np.clip(place, 0, size - 1) for place, size in zip(places, space, strict=True))
    rows = np.arange(len(pixels)).reshape(-1, *(1,) * (places[0].ndim - 1))
    found = np.moveaxis(np.moveaxis(pixels, 1, -1)[(rows, *index)], -1, 1)
    return np.where(inside[:, None], found, r.tape.constant(0.0))
