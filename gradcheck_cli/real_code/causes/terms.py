"""Wrong by a term: one that is constant along a dimension, or proportional to a known tensor there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from gradcheck_cli.real_code.causes.factors import size_of
from gradcheck_cli.real_code.causes.guess import Guess
from gradcheck_cli.real_code.causes.samples import Floats, Mask, Pair
from gradcheck_cli.records.code import Cause

Direction = Callable[[Pair], Floats | None]


def missing(pair: Pair) -> Iterator[Guess]:
    """What is missing has one direction, or two, along one dimension, or over all that an output depends on."""
    directions = list(_directions(pair))
    groups: list[int | None] = [d for d in reversed(range(len(pair.in_shape))) if pair.in_shape[d] > 2]
    groups.append(None)
    for chosen in [[one] for one in directions] + [[directions[0], other] for other in directions[1:]]:
        for dim in groups:
            predict = partial(_without, dim, [vector for _, vector in chosen])
            if _is_telling(pair, dim, len(chosen)):
                texts = {"direction": " and ".join(text for text, _ in chosen)}
                numbers = {} if dim is None else {"dimension": float(dim), "n": float(pair.in_shape[dim])}
                yield Guess(Cause.TERM, predict, numbers, texts)


def offset(pair: Pair) -> Iterator[Guess]:
    """Every wrong entry is off by the same number."""
    off = (pair.autograd - pair.truth)[pair.wrong]
    if not off.size or not np.isfinite(off).all():
        return
    constant = float(np.median(off))
    numbers, texts = {"off": constant}, {}
    if (size := size_of(pair, constant, _off_by)) is not None:
        numbers, texts = numbers | {"n": float(size.n)}, size.texts
        constant = float(np.copysign(size.form.of(size.n), constant))
    if pair.in_shape and _is_one_hot(pair):
        texts["where"] = "one hot"
    yield Guess(Cause.OFFSET, partial(_off_by, constant), numbers, texts)


def _off_by(constant: float, pair: Pair) -> Floats:
    return pair.truth + constant


def _is_one_hot(pair: Pair) -> bool:
    """Whether one element of each last row of the argument is wrong."""
    columns = pair.wrong.any(axis=0).reshape(pair.in_shape)
    return columns.shape[-1] > 1 and bool((columns.sum(axis=-1) == 1).all())


def _directions(pair: Pair) -> Iterator[tuple[str, Direction]]:
    """The constant first."""
    yield "constant", lambda pair: np.ones(pair.in_shape)
    sample = pair.sample
    for k in (pair.argument, *(k for k in range(len(sample.names)) if k != pair.argument)):
        if sample.inputs[k].shape == pair.in_shape and sample.inputs[k].ndim:
            yield f"proportional to {sample.names[k]}", partial(_argument, k)
    if pair.out_shape == pair.in_shape and pair.in_shape:
        yield f"proportional to {sample.output_names[pair.output]}", _output


def _argument(k: int, pair: Pair) -> Floats:
    return pair.sample.inputs[k]


def _output(pair: Pair) -> Floats:
    return pair.sample.outputs[pair.output]


def _without(dim: int | None, vectors: list[Direction], pair: Pair) -> Floats | None:
    """The truth less the multiples of the directions that fit best, row by row and group by group."""
    basis = [_normalised(vector(pair)) for vector in vectors]
    if any(vector is None for vector in basis) or not np.isfinite(pair.scale):
        return None
    shape = (len(pair.rows), *pair.in_shape)
    missing = np.where(pair.known & np.isfinite(pair.autograd), pair.truth - pair.autograd, 0.0) / pair.scale
    axis = -1 if dim is None else dim + 1
    flat = missing if dim is None else np.moveaxis(missing.reshape(shape), axis, -1)
    support = _support(pair) if dim is None else np.ones(flat.shape, bool)
    weighted = []
    for vector in basis:
        assert vector is not None
        placed = vector.reshape(-1) if dim is None else np.moveaxis(vector, dim, -1)
        weighted.append(np.where(support, np.broadcast_to(placed[None], flat.shape), 0.0))
    matrix = np.stack(weighted, -1)
    gram = np.einsum("...ni,...nj->...ij", matrix, matrix)
    right = np.einsum("...ni,...n->...i", matrix, flat)
    with np.errstate(all="ignore"):
        fitted = np.einsum("...ni,...i->...n", matrix, np.einsum("...ij,...j->...i", np.linalg.pinv(gram), right))
    back: Floats = fitted if dim is None else np.moveaxis(fitted, -1, axis)
    return pair.truth - pair.scale * back.reshape(pair.truth.shape)


def _normalised(vector: Floats | None) -> Floats | None:
    """Of the size 1; None where it is no direction."""
    size = 0.0 if vector is None else float(np.abs(vector).max(initial=0.0))
    return None if vector is None or not 0 < size < np.inf else vector / size


def _support(pair: Pair) -> Mask:
    """By row: what the output depends on."""
    support: Mask = (np.abs(pair.truth) > 0) | (np.abs(pair.autograd) > 0)
    return support


def _is_telling(pair: Pair, dim: int | None, terms: int) -> bool:
    """Whether there are at least two wrong entries more to a group than what is fitted."""
    if dim is None:
        count = pair.wrong.sum(axis=1)
    else:
        count = pair.wrong.reshape(len(pair.rows), *pair.in_shape).sum(dim + 1)
    return bool(count.any() and count[count > 0].mean() >= terms + 1)
