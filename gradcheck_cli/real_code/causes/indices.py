"""Right numbers at the wrong place: transposed, flipped, shifted, of another argument; one summand of many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations

import numpy as np

from gradcheck_cli.real_code.causes.guess import Guess
from gradcheck_cli.real_code.causes.samples import Floats, Pair
from gradcheck_cli.records.code import Cause

Move = Callable[[Floats, int], Floats]
"""Of an array with some axes in front, which stay where they are."""


def another(pair: Pair) -> Iterator[Guess]:
    """The gradient of another argument, or of another output."""
    sample = pair.sample
    for k, x in enumerate(sample.inputs):
        if k != pair.argument and x.size == pair.truth.shape[1]:
            same = x.shape == pair.in_shape
            texts = {"other": sample.names[k]} if same else {"other": sample.names[k], "shape": "other"}
            yield Guess(Cause.ANOTHER, partial(_of_argument, k), texts=texts, everywhere=True)
    for k, out in enumerate(sample.outputs):
        if k != pair.output and out.shape == pair.out_shape:
            yield Guess(
                Cause.ANOTHER, partial(_of_output, k), texts={"other output": sample.output_names[k]}, everywhere=True
            )


def moved(pair: Pair) -> Iterator[Guess]:
    """The truth with its indices permuted."""
    for text, move in _moves(pair.in_shape):
        yield Guess(Cause.PERMUTED, partial(_columns, move), texts={"how": text, "of": pair.name}, everywhere=True)
    if pair.has_all_rows:
        output = pair.sample.output_names[pair.output]
        for text, move in _moves(pair.out_shape):
            texts = {"how": text, "of": f"the cotangent of {output}"}
            yield Guess(Cause.PERMUTED, partial(_rows, move), texts=texts, everywhere=True)


def transposed_jacobian(pair: Pair) -> Iterator[Guess]:
    if pair.has_all_rows and pair.truth.shape[0] == pair.truth.shape[1] > 1:
        texts = {"how": "transposed", "of": "the Jacobian"}
        yield Guess(Cause.PERMUTED, lambda pair: pair.truth.T, texts=texts, everywhere=True)


def one_summand(pair: Pair) -> Iterator[Guess]:
    """Of a sum over a dimension of the output, only the first or the last summand."""
    for dim, n in enumerate(pair.out_shape):
        if n < 2 or not _is_summed(pair, dim):
            continue
        for index in (0, n - 1):
            numbers = {"dimension": float(dim), "n": float(n), "index": float(index)}
            texts = {"output": pair.sample.output_names[pair.output]}
            yield Guess(Cause.ONE_SUMMAND, partial(_only, dim, index), numbers, texts, everywhere=True)


def _of_argument(k: int, pair: Pair) -> Floats:
    return pair.sample.pair(pair.output, k).truth


def _of_output(k: int, pair: Pair) -> Floats | None:
    other = pair.sample.pair(k, pair.argument).truth
    return other if other.shape == pair.truth.shape else None


def _moves(shape: tuple[int, ...]) -> Iterator[tuple[str, Move]]:
    """What may happen to an array of a shape."""
    dims = range(len(shape))
    for order in permutations(dims) if 1 < len(shape) <= 4 else ():
        if list(order) != list(dims) and tuple(shape[d] for d in order) != (1,) * len(shape):
            text = "transposed" if len(shape) == 2 else f"permuted to dimensions {', '.join(map(str, order))}"
            yield text, partial(_transposed, order)
    for d in dims:
        if shape[d] > 1:
            along = f" along dimension {d}" if len(shape) > 1 else ""
            for step in (1, -1) if shape[d] > 2 else (1,):
                yield f"shifted by one{along}", partial(_shifted, d, step, True)
                yield f"shifted by one{along}", partial(_shifted, d, step, False)
            yield f"flipped{along}", partial(_flipped, d)


def _transposed(order: tuple[int, ...], x: Floats, front: int) -> Floats:
    """Read as the shape that it should have, whatever it has."""
    return x.transpose(*range(front), *(d + front for d in order)).reshape(x.shape)


def _flipped(dim: int, x: Floats, front: int) -> Floats:
    return np.flip(x, dim + front)


def _shifted(dim: int, step: int, round_: bool, x: Floats, front: int) -> Floats:
    """round_: what leaves at one end comes in at the other; else zeros come in."""
    moved = np.roll(x, step, dim + front)
    if not round_:
        edge = [slice(None)] * x.ndim
        edge[dim + front] = slice(0, 1) if step > 0 else slice(-1, None)
        moved[tuple(edge)] = 0.0
    return moved


def _columns(move: Move, pair: Pair) -> Floats:
    return move(pair.truth.reshape(len(pair.rows), *pair.in_shape), 1).reshape(pair.truth.shape)


def _rows(move: Move, pair: Pair) -> Floats:
    by_column = pair.truth.T.reshape(-1, *pair.out_shape)
    return move(by_column, 1).reshape(pair.truth.shape[::-1]).T


def _is_summed(pair: Pair, dim: int) -> bool:
    """Whether an element of the argument has a part in outputs with different indices of that dimension."""
    index = np.unravel_index(pair.rows, pair.out_shape)[dim]
    parts = [((pair.truth != 0)[index == i]).any(axis=0) for i in np.unique(index)]
    return bool((np.sum(parts, axis=0) > 1).any())


def _only(dim: int, index: int, pair: Pair) -> Floats:
    there = np.unravel_index(pair.rows, pair.out_shape)[dim] == index
    return np.where(there[:, None], pair.truth, 0.0)
