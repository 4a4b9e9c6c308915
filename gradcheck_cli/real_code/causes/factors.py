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
    size, number = next(sizes(pair, abs(factor)), None), _python_number(pair, abs(factor))
    exact, numbers, texts = factor, {}, {}
    if number is not None:
        texts = {"number": number}
    elif size is not None:
        form, n, what = size
        exact = math.copysign(form.of(n), factor)
        numbers, texts = {"n": float(n)}, {"form": form.text, "what": what}
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


def sizes(pair: Pair, factor: float) -> Iterator[tuple[Form, int, str]]:
    """What a factor may be, of the sizes that there are."""
    if any(math.isclose(factor, simple, rel_tol=SAME) for simple in (1, 2, 0.5)):
        return
    sample = pair.sample
    tensors = [(pair.name, pair.in_shape), (sample.output_names[pair.output], pair.out_shape)]
    tensors += [(leaf.name, tuple(leaf.tensor.shape)) for leaf in sample.subject.leaves if leaf.name != pair.name]
    for form in SIZES:
        for name, shape in tensors:
            known = [(n, f"dimension {d} of {name}") for d, n in enumerate(shape)]
            known += [(math.prod(shape), f"the number of elements of {name}")] if len(shape) > 1 else []
            if len(shape) > 2:
                known += [(a * b, f"dimensions {d} and {d + 1} of {name}") for d, (a, b) in enumerate(pairwise(shape))]
            for n, what in known:
                if n > 1 and math.isclose(form.of(n), factor, rel_tol=SAME):
                    yield form, n, what


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
