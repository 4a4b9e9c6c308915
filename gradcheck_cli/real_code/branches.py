"""Decisions outside of the expression (an `if`, a sort, an index made of numbers) that are at a tie, or nearly.

There the code may take another branch for inputs that differ by rounding alone. The other branches are recorded at
inputs moved that little: what belongs to one of them is no mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.subject import Subject, twin
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.formulas import seam_gaps
from gradcheck_cli.tape.rows import COMPARISONS
from gradcheck_cli.tape.tape import WHOLE
from gradcheck_cli.tape.values import Values
from gradcheck_cli.tracing.guard import Guard
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.tensors import FLOATS, numbers

Floats = NDArray[np.float64]
RANDOM = 14
"""Directions in which each element is moved to a side by chance."""
ULPS = 16
"""How far the inputs are moved."""


def tied(guards: Sequence[Guard], values: Values) -> list[Guard]:
    """The decisions that are within the radii of a tie."""
    return [guard for guard in guards if _is_tied(guard, values)]


def _is_tied(guard: Guard, values: Values) -> bool:
    x, radius, e = values.value, values.radius, guard.elements
    match guard.kind:
        case "order":
            a, b = e
            return bool(((np.abs(x[a] - x[b]) <= radius[a] + radius[b]) & (a != b)).any())
        case "integer":
            return any(_is_at_seam(int(element), values) for element in e)
        case "symmetric":
            return True
        case "branch":
            return any(_compares_equal(int(element), values) for element in e)
    order = np.argsort(x[e])
    return bool((np.diff(x[e][order]) <= radius[e][order][1:] + radius[e][order][:-1]).any())


def _compares_equal(element: int, values: Values) -> bool:
    instruction = values.tape.instruction_of(element)
    if instruction.function not in COMPARISONS:
        return False
    (a,), (b,) = instruction.operands(element)
    return bool(abs(values.value[a] - values.value[b]) <= values.radius[a] + values.radius[b])


def _is_at_seam(element: int, values: Values) -> bool:
    """Whether a number that was rounded to a whole one is where that jumps."""
    instruction = values.tape.instruction_of(element)
    if instruction.function not in WHOLE:
        return False
    args = [values.at(np.array(column)) for column in instruction.operands(element)]
    for gap in seam_gaps(instruction.function, args):
        reach = 0.0 if gap.radius is None else gap.radius
        if np.any(np.abs(gap.value) <= reach):
            return True
    return False


class OtherBranches:
    """The branches beside the one that was recorded. record: gives (recorder, elements of the outputs) of a run."""

    def __init__(self, subject: Subject, record: Callable[[Sequence[Tensor]], tuple[Recorder, list[Elements]]]) -> None:
        self.found: list[tuple[Truths, list[Elements]]] = []
        for given in _beside(subject):
            try:
                recorder, elements = record(given)
            except GradcheckError:
                continue
            self.found.append((Truths(recorder.tape), elements))

    def rows(self, output: int, row: int) -> Iterator[tuple[Floats, Floats]]:
        """(derivatives, radii) of an element of an output by all inputs, on each of the other branches."""
        for truths, elements in self.found:
            if row < elements[output].size:
                truth, radius = truths.rows(elements[output].reshape(-1)[row : row + 1])
                yield truth[0], radius[0]


def _beside(subject: Subject) -> Iterator[list[Tensor]]:
    generator = np.random.default_rng(subject.seed)
    for sign in (1.0, -1.0, *(None,) * RANDOM):
        yield [_moved(leaf.tensor, sign, generator) for leaf in subject.wanted]


def _moved(tensor: Tensor, sign: float | None, generator: Any) -> Tensor:
    dtype = FLOATS[tensor.dtype]
    x = numbers(tensor)
    signs = generator.choice([-1.0, 1.0], x.shape) if sign is None else sign
    step = ULPS * dtype.unit_roundoff * np.where(x == 0, 1.0, np.abs(x))
    return twin(tensor).copy_(torch.from_numpy(np.asarray(x + signs * step))).requires_grad_()
