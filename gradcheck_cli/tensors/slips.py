"""The slip behind a wrong claim about arrays: what is usually done wrong, and leads to exactly these numbers."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli import number_text
from gradcheck_cli.tensors.program import Ref
from gradcheck_cli.tensors.question import Question

Floats = NDArray[np.float64]
Again = Callable[[str], Floats | None]
SAME = 1e-9
OCCURRENCES = 40
"""Names in a claim that are tried in another's place."""


def slip(
    question: Question, text: str, truth: Floats, claim: Floats, again: Again, label: Callable[[int], str], of: int
) -> str | None:
    """What was probably done, as a sentence; None where nothing leads to the truth, or to exactly what is claimed.

    again: the numbers of another text in place of the claim. label: of an entry. of: how many dimensions, from the
    first, are those of the function.
    """
    if not (np.isfinite(truth).all() and np.isfinite(claim).all()):
        return None
    slips = (
        _simple(truth, claim), _diagonal(question, text, truth, claim, of), _symmetric(question, text, truth, again),
        _factor(question, truth, claim), _outer(question, truth, claim),
        _other_operand(question, text, truth, again), _missing_term(question, truth, claim),
        _beside_diagonal(question, truth, claim), _off(truth, claim, label), _summed(question, truth, claim, of),
    )  # fmt: skip
    return next(itertools.chain.from_iterable(slips), None)


def _simple(truth: Floats, claim: Floats) -> Iterator[str]:
    if not claim.any():
        yield "the derivative is not zero"
    elif _same(claim, -truth):
        yield "the sign is wrong: every entry is -1 times the derivative"
    elif truth.ndim == 2 and truth.shape[0] == truth.shape[1] and _same(claim.T, truth):
        yield "it is transposed"


def _diagonal(question: Question, text: str, truth: Floats, claim: Floats, of: int) -> Iterator[str]:
    """A row stands for a matrix, as if the function were a sum, or each element of it a function of one."""
    if not _is_square(truth) or not _same(claim, np.tile(np.diag(truth), (len(truth), 1))):
        return
    if (truth - np.diag(np.diag(truth))).any():
        yield f"these are the entries of its diagonal only, and there are others beside it{_softmax(question, truth)}"
    elif of:
        yield f"these are the entries of its diagonal: write diag({text}), or check sum({question.formula})"
    else:
        yield f"these are the entries of its diagonal: write diag({text})"


def _beside_diagonal(question: Question, truth: Floats, claim: Floats) -> Iterator[str]:
    """A diagonal matrix stands for one that is not, as if each element of the function were one of one element."""
    if _is_square(truth) and _same(claim, np.diag(np.diag(truth))):
        yield f"its diagonal is right, and the entries beside it are missing{_softmax(question, truth)}"


def _is_square(array: Floats) -> bool:
    return array.ndim == 2 and array.shape[0] == array.shape[1] > 1


def _softmax(question: Question, truth: Floats) -> str:
    """How it is written, where it is the Jacobian of a softmax; f is the function itself."""
    value = question.value.detach().double().cpu().numpy()
    is_that = value.ndim == 1 and _same(truth, np.diag(value) - np.outer(value, value))
    return ": write diag(f) - outer(f, f)" if is_that and "f" not in question.inputs else ""


def _symmetric(question: Question, text: str, truth: Floats, again: Again) -> Iterator[str]:
    """A matrix stands for the symmetric part of it, or for twice that."""
    for name, array in _arrays(question):
        if not _is_square(array) or _same(array, array.T):
            continue
        for better, told in (
            (f"({name} + {name}.T)/2", f"it holds for a symmetric {name} only: "),
            (f"({name} + {name}.T)", ""),
        ):
            other = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w|\s*\()", f"({better})", text)
            numbers = again(other) if other != text else None
            if numbers is not None and _same(numbers, truth):
                yield f"{told}with {better} in place of {name} it is right"


def _same(a: Floats, b: Floats) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=SAME, atol=SAME * float(np.abs(b).max(initial=0.0))))


def _factor(question: Question, truth: Floats, claim: Floats) -> Iterator[str]:
    """Every entry is the same number of times the derivative."""
    at = np.unravel_index(int(np.abs(truth).argmax()), truth.shape)
    if not truth[at]:
        return
    number = float(claim[at] / truth[at])
    if not math.isfinite(number) or not number or not _same(claim, number * truth):
        return
    factor = Fraction(number).limit_denominator(10_000)
    is_simple = abs(float(factor) - number) <= SAME * abs(number)
    shown = str(factor) if is_simple else number_text.pair(number, 1.0)[0]
    yield f"every entry is {shown} times the derivative{_meaning(question, factor)}"


def _meaning(question: Question, factor: Fraction) -> str:
    """What the factor is, where a size of an array tells."""
    for whole, said in ((factor, "a mean is summed"), (1 / factor, "a sum is averaged")):
        for name, value in question.inputs.items():
            for size, what in ((value.numel(), "elements"), (value.shape[0] if value.ndim > 1 else 0, "rows")):
                if size > 2 and abs(whole) == size:
                    return f": {name} has {size} {what}, so it may be that {said}"
    return ": the 2 of a square is missing" if factor == Fraction(1, 2) else ""


def _arrays(question: Question) -> Iterator[tuple[str, Floats]]:
    """What has a name, and its numbers."""
    for name, known in question.names.items():
        value = question.program.values[known.step] if isinstance(known, Ref) else known.value
        if isinstance(value, Tensor) and value.ndim and value.is_floating_point():
            yield name, value.detach().double().cpu().numpy()


def _vectors(question: Question) -> Iterator[tuple[str, Floats]]:
    return ((name, array) for name, array in _arrays(question) if array.ndim == 1)


def _outer(question: Question, truth: Floats, claim: Floats) -> Iterator[str]:
    """What is constant along a dimension, and should have been multiplied by a vector there."""
    if truth.ndim != 2:
        return
    for name, vector in _vectors(question):
        for dim in (0, 1):
            if len(vector) == truth.shape[dim]:
                along = vector[:, None] if dim == 0 else vector[None, :]
                if not _same(claim, truth) and _same(claim * along, truth):
                    yield f"the outer product with {name} is missing"


def _other_operand(question: Question, text: str, truth: Floats, again: Again) -> Iterator[str]:
    """Another array stands, in one place, where one should."""
    names = sorted(question.names, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, names))})(?!\w|\s*\()")
    for found in itertools.islice(pattern.finditer(text), OCCURRENCES):
        for other in (f"{found[1]}.T", *question.names):
            if other != found[1]:
                numbers = again(text[: found.start()] + other + text[found.end() :])
                if numbers is not None and _same(numbers, truth):
                    yield f"with {other} in place of the {_ordinal(text, found)}{found[1]} it is right"


def _ordinal(text: str, found: re.Match[str]) -> str:
    """Which of several: "second " or "", where there is but one."""
    every = [m.start() for m in re.finditer(rf"(?<![\w.]){re.escape(found[1])}(?!\w|\s*\()", text)]
    place = every.index(found.start())
    words = ("first", "second", "third", "fourth")
    return "" if len(every) == 1 else f"{words[place]} " if place < len(words) else f"{place + 1}th "


def _missing_term(question: Question, truth: Floats, claim: Floats) -> Iterator[str]:
    """The difference is one of the arrays, or an outer product of two of them."""
    lacking = truth - claim
    for name, array in _arrays(question):
        yield from _term(lacking, array, name)
    if truth.ndim == 2:
        for (a, first), (b, second) in itertools.product(_vectors(question), repeat=2):
            yield from _term(lacking, np.outer(first, second), f"outer({a}, {b})")


def _term(lacking: Floats, term: Floats, name: str) -> Iterator[str]:
    if term.shape == lacking.shape and term.any():
        if _same(lacking, term):
            yield f"the term + {name} is missing"
        elif _same(lacking, -term):
            yield f"the term - {name} is missing"


def _off(truth: Floats, claim: Floats, label: Callable[[int], str]) -> Iterator[str]:
    """It is wrong at one entry alone, or everywhere by the same number."""
    scale = float(np.abs(truth).max(initial=0.0))
    off = (claim - truth).reshape(-1)
    wrong = np.flatnonzero(np.abs(off) > SAME * scale)
    if len(wrong) == 1 and truth.size > 2:
        yield f"all but {label(int(wrong[0]))} is right, which is off by {off[wrong[0]]:.6g}"
    elif truth.size > 1 and np.ptp(off) <= SAME * scale and abs(off[0]) > SAME * scale:
        yield f"every entry is off by {off[0]:.6g}: a term is missing, or one too many"


def _summed(question: Question, truth: Floats, claim: Floats, of: int) -> Iterator[str]:
    """A sum over elements of the function, or over a dimension of the variable, that is there and should not be, or the
    other way round."""
    if of and _same(claim, _total(truth, tuple(range(of)))):
        yield f"that is the gradient of sum({question.formula}): the derivative has entries for each element of it"
    for dims in [(dim,) for dim in range(of, truth.ndim)] + [tuple(range(of, truth.ndim))]:
        where = f" along dim {dims[0] - of}" if len(dims) == 1 and truth.ndim - of > 1 else ""
        if dims and all(truth.shape[dim] > 1 for dim in dims):
            if _same(claim, _total(truth, dims)):
                yield f"it is summed{where}, and the derivative is not"
            if _same(truth, _total(claim, dims)):
                yield f"the derivative is summed{where}, and it is not"


def _total(array: Floats, dims: tuple[int, ...]) -> Floats:
    return np.broadcast_to(array.sum(dims, keepdims=True), array.shape)
