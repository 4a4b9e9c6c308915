"""Zeros where there should be none, and the other way round; the sign alone; the derivative at other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import cast

import numpy as np

from gradcheck_cli.real_code.causes.guess import Guess
from gradcheck_cli.real_code.causes.samples import Floats, Mask, Pair
from gradcheck_cli.records.code import Cause

OPERATIONS = 10**6
"""Of numbers; code of more is not run at many other numbers."""
Change = Callable[[list[Floats], list[Floats]], list[Floats]]
"""From the inputs and the outputs of a sample to other inputs."""


def passed_on(pair: Pair) -> Iterator[Guess]:
    """The cotangent as it came."""
    if pair.in_shape == pair.out_shape:
        yield Guess(Cause.PASSED_ON, _identity, everywhere=True)


def _identity(pair: Pair) -> Floats:
    return np.asarray(pair.rows[:, None] == np.arange(pair.truth.shape[1]), np.float64)


def zero(pair: Pair) -> Iterator[Guess]:
    """0 where the truth is not: everywhere, or at some elements of the argument."""
    columns = cast(Mask, pair.wrong.any(axis=0))
    nonzero = ((pair.truth != 0) & pair.known).any(axis=0)
    texts = {} if np.array_equal(columns, nonzero) else {"where": region(pair.name, pair.in_shape, columns)}
    if pair.in_shape == pair.out_shape and pair.autograd.any() and not pair.autograd[_identity(pair) == 0].any():
        texts = {"diagonal": "only"}
    if pair.sample.has_no_gradient(pair):
        texts = {"none": "None"} if pair.in_shape else {"none": "None", "scalar": "yes"}
    yield Guess(Cause.ZERO, lambda pair: np.zeros(pair.truth.shape), texts=texts)


def not_zero(pair: Pair) -> Iterator[Guess]:
    """Every wrong entry is 0 in truth."""
    if pair.wrong.any() and not pair.truth[pair.wrong].any():
        diagonal = (
            pair.truth.shape[0] == pair.truth.shape[1] and not (pair.wrong & ~np.eye(len(pair.truth), dtype=bool)).any()
        )
        yield Guess(Cause.NOT_ZERO, _where_zero, texts={"elementwise": "yes"} if diagonal else {})


def _where_zero(pair: Pair) -> Floats:
    """Whatever autograd has, where the truth is 0."""
    return np.where(pair.truth == 0, pair.autograd, pair.truth)


def reshaped(pair: Pair) -> Iterator[Guess]:
    """A function of the truth itself."""
    yield Guess(Cause.SIGN_ONLY, lambda pair: np.sign(pair.truth), everywhere=True)
    yield Guess(Cause.SIGN_LOST, lambda pair: np.abs(pair.truth))


def at_other_numbers(pair: Pair) -> Iterator[Guess]:
    """The right derivative, at other numbers than those given."""
    sample = pair.sample
    if sample.operations > OPERATIONS:
        return
    for text, change in _changes(pair):
        yield Guess(Cause.ELSEWHERE, partial(_truth_at, change), texts={"where": text}, everywhere=True)
    out = sample.outputs[pair.output]
    if out.shape == pair.in_shape and pair.in_shape:
        yield Guess(Cause.OF_THE_OUTPUT, partial(_as_of_the_output, pair.output))


def _changes(pair: Pair) -> Iterator[tuple[str, Change]]:
    names, inputs, outputs = pair.sample.names, pair.sample.inputs, pair.sample.outputs
    k = pair.argument
    if outputs[pair.output].shape == pair.in_shape and pair.in_shape:
        name = pair.sample.output_names[pair.output]
        yield f"{name} in place of {names[k]}", partial(_output_for, k, pair.output)
    for i in range(len(inputs)):
        if i != k:
            yield f"{names[i]} = 1", partial(_filled, i, 1.0)
            yield f"{names[i]} = 0", partial(_filled, i, 0.0)
        yield f"-{names[i]} in place of {names[i]}", partial(_negated, i)
        if inputs[i].ndim == 2 and inputs[i].shape[0] == inputs[i].shape[1] > 1:
            yield f"{names[i]}.T in place of {names[i]}", partial(_transposed, i)
        for dim in range(inputs[i].ndim if i != k else 0):
            if inputs[i].shape[dim] > 1:
                yield f"{names[i]} flipped along dimension {dim}", partial(_flipped, i, dim)
    for i, j in combinations(range(len(inputs)), 2):
        if inputs[i].shape == inputs[j].shape:
            yield f"{names[i]} and {names[j]} exchanged", partial(_exchanged, i, j)


def _output_for(k: int, output: int, inputs: list[Floats], outputs: list[Floats]) -> list[Floats]:
    return [outputs[output] if i == k else x for i, x in enumerate(inputs)]


def _filled(k: int, number: float, inputs: list[Floats], outputs: list[Floats]) -> list[Floats]:
    return [np.full(x.shape, number) if i == k else x for i, x in enumerate(inputs)]


def _negated(k: int, inputs: list[Floats], outputs: list[Floats]) -> list[Floats]:
    return [-x if i == k else x for i, x in enumerate(inputs)]


def _transposed(k: int, inputs: list[Floats], outputs: list[Floats]) -> list[Floats]:
    return [x.T.copy() if i == k else x for i, x in enumerate(inputs)]


def _flipped(k: int, dim: int, inputs: list[Floats], outputs: list[Floats]) -> list[Floats]:
    return [np.flip(x, dim).copy() if i == k else x for i, x in enumerate(inputs)]


def _exchanged(k: int, other: int, inputs: list[Floats], outputs: list[Floats]) -> list[Floats]:
    places = {k: other, other: k}
    return [inputs[places.get(i, i)] for i in range(len(inputs))]


def _truth_at(change: Change, pair: Pair) -> Floats | None:
    there = pair.sample.code.at(change(pair.sample.inputs, pair.sample.outputs))
    if there is None or not np.isfinite(truth := there.pair(pair.output, pair.argument).truth).all():
        return None
    return truth if truth.shape == pair.truth.shape else None


def _as_of_the_output(output: int, pair: Pair) -> Floats | None:
    """What autograd has, if at the outputs it gives what is true at the inputs: a formula of the output that was given
    the input."""
    there = pair.sample.code.at(_output_for(pair.argument, output, pair.sample.inputs, pair.sample.outputs))
    if there is None:
        return None
    autograd = there.pair(pair.output, pair.argument).autograd
    if not autograd.any() or not pair.close(pair.autograd - autograd + pair.truth)[pair.known].all():
        return None
    return pair.autograd


def region(name: str, shape: tuple[int, ...], chosen: Mask) -> str:
    """The elements chosen, as a text: x[:,0], where they are a box; else how many."""
    grid = chosen.reshape(shape)
    if not shape or chosen.all():
        return name
    places = [np.unique(axis) for axis in np.nonzero(grid)]
    box = np.zeros(shape, bool)
    box[np.ix_(*places)] = True
    if not np.array_equal(box, grid) or any(_span(p, n) is None for p, n in zip(places, shape, strict=True)):
        return f"{int(chosen.sum())} of the {chosen.size} elements of {name}"
    return f"{name}[{','.join(str(_span(p, n)) for p, n in zip(places, shape, strict=True))}]"


def _span(places: np.ndarray[tuple[int], np.dtype[np.int64]], n: int) -> str | None:
    """Indices of a dimension as Python writes them."""
    first, last = int(places[0]), int(places[-1])
    if len(places) != last - first + 1:
        return None
    if len(places) == n:
        return ":"
    return str(first) if first == last else f"{first or ''}:{last + 1 if last + 1 < n else ''}"
