"""Wrong by a factor: a constant, and what it equals here; a number of the inputs; or one that is the same along a
dimension."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from gradcheck_cli.real_code.causes.guess import Guess
from gradcheck_cli.real_code.causes.samples import Floats, Pair
from gradcheck_cli.records.code import Cause

SAME = 1e-6
"""Relative difference of factors that are one."""
LOOKED_AT = 64
"""Wrong entries at which a number is compared, before it is verified at all."""
WIDE = 100
"""A factor that varies by more than that says nothing."""


@dataclass(frozen=True)
class Form:
    """A factor made of a number. text: of its name."""

    text: str
    of: Callable[[Any], Any]


SIZES = (
    Form("n", lambda n: n), Form("1/n", lambda n: 1 / n), Form("sqrt(n)", math.sqrt),
    Form("1/sqrt(n)", lambda n: 1 / math.sqrt(n)), Form("(n-1)/n", lambda n: (n - 1) / n),
    Form("n/(n-1)", lambda n: n / (n - 1)), Form("n-1", lambda n: n - 1), Form("1/(n-1)", lambda n: 1 / (n - 1)),
)  # fmt: skip
"""Of the size n of a dimension."""
NUMBERS = (
    Form("1/{}", lambda v: 1 / v), Form("{}", lambda v: v), Form("1/abs({})", lambda v: 1 / abs(v)),
    Form("abs({})", np.abs), Form("1/{}**2", lambda v: 1 / (v * v)), Form("{}**2", lambda v: v * v),
    Form("1/sqrt({})", lambda v: 1 / np.sqrt(v)), Form("sqrt({})", np.sqrt), Form("1/(1 - {})", lambda v: 1 / (1 - v)),
    Form("(1 - {})", lambda v: 1 - v), Form("exp({})", np.exp), Form("exp(-{})", lambda v: np.exp(-v)),
    Form("1/sigmoid({})", lambda v: 1 + np.exp(-v)), Form("sigmoid({})", lambda v: 1 / (1 + np.exp(-v))),
    Form("1/(1 - sigmoid({}))", lambda v: 1 + np.exp(v)), Form("(1 - sigmoid({}))", lambda v: 1 / (1 + np.exp(v))),
    Form("1/(1 - tanh({})**2)", lambda v: np.cosh(v) ** 2), Form("(1 - {}**2)", lambda v: 1 - v * v),
    Form("1/(1 - {}**2)", lambda v: 1 / (1 - v * v)),
)  # fmt: skip
"""Of a number that the code is given, or returns."""
ALONG: dict[str, Callable[..., Floats]] = {
    "the norm of {} along dimension {}": lambda x, d: np.sqrt((x * x).sum(d, keepdims=True)),
    "the standard deviation of {} along dimension {}": lambda x, d: x.std(d, keepdims=True),
    "the variance of {} along dimension {}": lambda x, d: x.var(d, keepdims=True),
    "the root mean square of {} along dimension {}": lambda x, d: np.sqrt((x * x).mean(d, keepdims=True)),
    "the sum of {} along dimension {}": lambda x, d: x.sum(d, keepdims=True),
    "the mean of {} along dimension {}": lambda x, d: x.mean(d, keepdims=True),
    "the largest of {} along dimension {}": lambda x, d: x.max(d, keepdims=True),
}
"""By what it is called: numbers that norms and losses divide by."""


def constant(pair: Pair) -> Iterator[Guess]:
    """The same factor for every wrong entry."""
    ratio = _ratios(pair)
    if ratio is None:
        return
    factor = float(np.median(ratio))
    if not np.allclose(ratio, factor, rtol=100 * SAME, atol=0) or factor == 0:
        return
    number = _python_number(pair, abs(factor))
    exact, numbers, texts = factor, {}, {}
    if number is not None:
        texts = {"number": number}
    elif (size := size_of(pair, factor, _times)) is not None:
        exact = math.copysign(size.form.of(size.n), factor)
        numbers, texts = {"n": float(size.n)}, size.texts
    yield Guess(Cause.FACTOR, partial(_times, exact), numbers | {"factor": exact}, texts)


def named(pair: Pair) -> Iterator[Guess]:
    """A factor that is a number of the inputs or of the output."""
    ratio = _ratios(pair)
    if ratio is None:
        return
    some = tuple(places[:LOOKED_AT] for places in np.nonzero(pair.wrong))
    for text, quantity in _quantities(pair):
        for form in NUMBERS:
            found = _evaluated(quantity, form, pair)
            if found is None or not np.allclose(found[some], ratio[:LOOKED_AT], rtol=100 * SAME, atol=0):
                continue
            yield Guess(Cause.FACTOR, partial(_by, quantity, form), texts={"quantity": form.text.format(text)})


def along(pair: Pair) -> Iterator[Guess]:
    """A factor that is the same along a dimension."""
    ratio = _ratios(pair)
    if ratio is None or ratio.min() <= 0 or ratio.max() > WIDE * ratio.min():
        return
    for dim in range(len(pair.in_shape)):
        if pair.in_shape[dim] < 2 or not _is_telling(pair, dim):
            continue
        numbers = {"dimension": float(dim), "low": float(ratio.min()), "high": float(ratio.max())}
        yield Guess(Cause.FACTOR_ALONG, partial(_same_along, dim), numbers)


def _ratios(pair: Pair) -> Floats | None:
    """Of the wrong entries; None where some of them are zero in truth, or nothing else than zero here."""
    truth, autograd = pair.truth[pair.wrong], pair.autograd[pair.wrong]
    if not truth.size or (np.abs(truth) <= pair.sample.code.digits * pair.scale).any() or not autograd.any():
        return None
    with np.errstate(all="ignore"):
        ratio: Floats = autograd / truth
    return ratio if np.isfinite(ratio).all() else None


def _times(factor: float, pair: Pair) -> Floats:
    return factor * pair.truth


def _by(quantity: Callable[[Pair], Floats | None], form: Form, pair: Pair) -> Floats | None:
    found = _evaluated(quantity, form, pair)
    return None if found is None else found * pair.truth


def _evaluated(quantity: Callable[[Pair], Floats | None], form: Form, pair: Pair) -> Floats | None:
    number = quantity(pair)
    if number is None:
        return None
    with np.errstate(all="ignore"):
        found: Floats = np.broadcast_to(form.of(number), pair.truth.shape)
    return found


@dataclass(frozen=True)
class Size:
    """What a number may be: a form of a size n. what: it is of. confirmed: the number changes as the size does; else
    the code cannot be run at another size."""

    form: Form
    n: int
    what: str
    confirmed: bool

    @property
    def texts(self) -> dict[str, str]:
        return {"form": self.form.text, "what": self.what, **({} if self.confirmed else {"unconfirmed": "yes"})}


def size_of(pair: Pair, number: float, predict: Callable[[float, Pair], Floats]) -> Size | None:
    """The size that a number is made of, if it is one. predict: what autograd then has, of such a number."""
    found = None
    for form, (n, what, tensor, dim) in sizes(pair, abs(number)):
        there = _at_another_size(pair, n, tensor, dim)
        if there is None:
            found = found or Size(form, n, what, confirmed=False)
            continue
        other = next((m for m, of, *_ in _known_sizes(there) if of == what), n)
        predicted = predict(math.copysign(form.of(other), number), there)
        if there.wrong.any() and there.close(predicted)[there.wrong].all():
            return Size(form, n, what, confirmed=True)
    return found


def sizes(pair: Pair, number: float) -> Iterator[tuple[Form, Known]]:
    """What a number may be, of the sizes that there are."""
    if any(math.isclose(number, simple, rel_tol=SAME) for simple in (1, 2, 0.5)):
        return
    for form in SIZES:
        for known in _known_sizes(pair):
            if known[0] > 1 and math.isclose(form.of(known[0]), number, rel_tol=SAME):
                yield form, known


Known = tuple[int, str, str, int]
"""A size, what it is of, and the tensor and its dimension that are made larger to change it."""


def _known_sizes(pair: Pair) -> Iterator[Known]:
    sample = pair.sample
    tensors = [(pair.name, pair.in_shape), (sample.output_names[pair.output], pair.out_shape)]
    tensors += [(leaf.name, tuple(leaf.tensor.shape)) for leaf in sample.subject.leaves if leaf.name != pair.name]
    for name, shape in tensors:
        for d, n in enumerate(shape):
            yield n, f"dimension {d} of {name}", name, d
        if len(shape) > 1:
            yield math.prod(shape), f"the number of elements of {name}", name, 0
        if len(shape) > 2:
            for d, (a, b) in enumerate(pairwise(shape)):
                yield a * b, f"dimensions {d} and {d + 1} of {name}", name, d


def _at_another_size(pair: Pair, n: int, tensor: str, dim: int) -> Pair | None:
    sample = pair.sample
    shapes = {leaf.name: tuple(leaf.tensor.shape) for leaf in sample.subject.leaves}
    shape = shapes.get(tensor, pair.out_shape)
    there = sample.code.larger(shape[dim], tensor, dim)
    if there is None or there.outputs[pair.output].ndim != len(pair.out_shape):
        return None
    return there.pair(pair.output, pair.argument)


def _python_number(pair: Pair, factor: float) -> str | None:
    """A plain number among the arguments of which the factor is made."""
    for name, number in pair.sample.subject.plain_numbers():
        for form in NUMBERS:
            with np.errstate(all="ignore"):
                made = form.of(np.float64(number))
            if number not in (0, 1, 2) and math.isclose(made, factor, rel_tol=SAME):
                return form.text.format(name)
    return None


def _quantities(pair: Pair) -> Iterator[tuple[str, Callable[[Pair], Floats | None]]]:
    """Named numbers, by entry: of an argument at a column, of the output at a row."""
    sample = pair.sample
    for k, name in enumerate(sample.names):
        yield name, partial(_of_argument, k)
    yield sample.output_names[pair.output], _of_output
    for text, reduction in ALONG.items():
        for k, name in enumerate(sample.names):
            for dim in range(sample.inputs[k].ndim):
                yield text.format(name, dim), partial(_reduced, k, dim, reduction)


def _of_argument(k: int, pair: Pair) -> Floats | None:
    return _placed(pair, pair.sample.inputs[k])


def _reduced(k: int, dim: int, reduction: Callable[..., Floats], pair: Pair) -> Floats | None:
    return _placed(pair, reduction(pair.sample.inputs[k], dim))


def _of_output(pair: Pair) -> Floats | None:
    return pair.sample.outputs[pair.output].reshape(-1)[pair.rows][:, None]


def _placed(pair: Pair, numbers: Floats) -> Floats | None:
    """An array beside the entries: by column where it fits the argument, else by row."""
    for shape, by_row in ((pair.in_shape, False), (pair.out_shape, True)):
        try:
            if np.broadcast_shapes(numbers.shape, shape) != shape:
                continue
        except ValueError:
            continue
        flat = np.broadcast_to(numbers, shape).reshape(-1)
        return flat[pair.rows][:, None] if by_row else flat[None, :]
    return None


def _same_along(dim: int, pair: Pair) -> Floats:
    """The truth times the mean factor along a dimension of the argument."""
    shape = (len(pair.rows), *pair.in_shape)
    with np.errstate(all="ignore"):
        ratio = np.where(pair.wrong, pair.autograd / pair.truth, 0.0).reshape(shape)
    count = pair.wrong.reshape(shape).sum(dim + 1, keepdims=True)
    mean = ratio.sum(dim + 1, keepdims=True) / np.maximum(count, 1)
    predicted: Floats = pair.truth.reshape(shape) * mean
    return predicted.reshape(pair.truth.shape)


def _is_telling(pair: Pair, dim: int) -> bool:
    """Whether there are at least two wrong entries to each factor."""
    count = pair.wrong.reshape(len(pair.rows), *pair.in_shape).sum(dim + 1)
    return bool(count.sum() >= 2 * (count > 0).sum())
