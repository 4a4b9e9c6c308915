"""What the formats share: which steps are shown, and what their cells say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gradcheck_cli.dtypes import DTYPES, Dtype
from gradcheck_cli.records.array_explanation import ArrayExplanation, ArrayStep, Contribution
from gradcheck_cli.render import labels
from gradcheck_cli.render.code.arrays import LARGEST, grid
from gradcheck_cli.render.labels import NOTHING

MOST = 30
"""Steps that are shown, unless -v asks for all."""


def shown_steps(explanation: ArrayExplanation, everything: bool) -> tuple[list[ArrayStep], int]:
    """(the steps to show, how many are left out): the first and the last, and those that are off."""
    steps = list(explanation.steps)
    if everything or len(steps) <= MOST:
        return steps, 0
    off = [i for i, step in enumerate(steps) if step.blamed or (step.adjoint is not None and not step.adjoint.passed)]
    half = MOST // 3
    chosen = sorted({*range(half), *range(len(steps) - half, len(steps)), *off[:half]})
    return [steps[i] for i in chosen], len(steps) - len(chosen)


def definition(step: ArrayStep) -> str:
    """`b = a - y`; just the name of a variable."""
    return step.name if step.formula is None else f"{step.name} = {step.formula}"


def shape(step: ArrayStep) -> str:
    """`2x3`; a number has none."""
    return "x".join(map(str, step.shape)) or "number"


def dtype_of(explanation: ArrayExplanation) -> Dtype:
    return DTYPES[explanation.result.dtype]


def array(
    numbers: Sequence[float | None] | None, shape: tuple[int, ...], dtype: Dtype, everything: bool
) -> list[str] | None:
    """The lines of a vector or a matrix; None where it is too large."""
    size = (1, math.prod(shape)) if len(shape) < 2 else (shape[0], math.prod(shape[1:]))
    if numbers is None or len(shape) > 2 or (max(size) > LARGEST and not everything):
        return None
    return grid(numbers, size, dtype)


def value(explanation: ArrayExplanation, step: ArrayStep, everything: bool) -> list[str]:
    found = array(step.numbers, step.shape, dtype_of(explanation), everything)
    return [f"{math.prod(step.shape):,} numbers"] if found is None else found


def adjoints(explanation: ArrayExplanation, steps: Sequence[ArrayStep]) -> list[ArrayStep]:
    """The steps that have one, the last first: the way that derivatives flow."""
    return [step for step in reversed(steps) if step.adjoint is not None]


def adjoint(explanation: ArrayExplanation, step: ArrayStep) -> str:
    return f"d{explanation.name}/d{step.name}"


def pair(explanation: ArrayExplanation, step: ArrayStep, everything: bool) -> tuple[list[str], list[str]]:
    """The lines of the certified adjoint, and of torch's; of a large one those of its worst entry."""
    block, dtype = step.adjoint, dtype_of(explanation)
    assert block is not None
    found = [array(numbers, step.shape, dtype, everything) for numbers in (block.analytical, block.autograd)]
    if found[0] is not None and found[1] is not None:
        return found[0], found[1]
    if step.worst is None:
        return [f"{block.entries:,} numbers"], [NOTHING]
    place = step.worst.wrt[0].removeprefix(step.name)
    first, second = labels.pair(step.worst, dtype, NOTHING)
    return [f"{first} at {place}"], [second]


def verdict(step: ArrayStep) -> str:
    """`✗ mismatch, 2 of 6`; that the step is to blame stands with it."""
    block = step.adjoint
    if block is None:
        return NOTHING
    count = block.counts.get(block.verdict, 0)
    of = "" if count in (0, block.entries) else f", {count:,} of {block.entries:,}"
    return f"{labels.SIGNS[block.verdict]} {block.verdict.value}{of}"


def product(explanation: ArrayExplanation, step: ArrayStep) -> list[str]:
    """What the adjoint is the sum of, a line each."""
    texts = [_text(explanation, one) for one in step.contributions]
    return [f"{'+ ' if index else ''}{text}" for index, text in enumerate(texts)]


def _text(explanation: ArrayExplanation, one: Contribution) -> str:
    if one.text is not None:
        return one.text
    return f"d{explanation.name}/d{one.step} through {one.step}"


def remarks(explanation: ArrayExplanation) -> Iterator[str]:
    if explanation.summed:
        name = explanation.name
        yield f"{name} is an array: d{name}/d· is the derivative of sum({name})"
    yield from explanation.sentences
    yield from explanation.result.notices
