"""The tape in float64: every element with a bound on its error, by running error analysis.

Without rounding: the exact number lies within the radius. With rounding: so does whatever correctly working code in the
dtypes of the instructions could return (see `rounding.py`, of which this is the vectorised form).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.certified.float_filter.kernels import EPS, SMALLEST, Approx
from gradcheck_cli.certified.widened.balls import ROUNDING_UNITS
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.tape.choices import PICKS, STEPS, Choices
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.formulas import at_row, select
from gradcheck_cli.tape.rows import COMPARISONS, CONDITIONS, KERNELS
from gradcheck_cli.tape.tape import REDUCTIONS, Instruction, Tape

Floats = NDArray[np.float64]
INF = np.inf


class Values:
    """value, radius: by element. moved: other numbers for the inputs, by name; rounding: widen each result by what
    the working dtype may have lost."""

    def __init__(self, tape: Tape, moved: Mapping[str, Floats] | None = None, *, rounding: bool = False) -> None:
        self.tape, self.rounding = tape, rounding
        self.value, self.radius = np.empty(tape.size), np.zeros(tape.size)
        self._inputs = {int(given.elements.reshape(-1)[0]): given for given in tape.inputs if given.elements.size}
        self._moved = moved or {}
        self.choices = Choices(tape, self.value, self.radius)
        with np.errstate(all="ignore"):
            for instruction in tape.instructions:
                self._run(instruction)

    def at(self, elements: Elements) -> Approx:
        """Elements with their radii; None where all of them are exact."""
        radius = self.radius[elements]
        return Approx(self.value[elements], radius if radius.any() else None)

    def _run(self, instruction: Instruction) -> None:
        here = instruction.elements
        match instruction.function:
            case "constant":
                self.value[here] = self.tape.numbers[here]
                return
            case "unknown":
                self.value[here], self.radius[here] = np.nan, INF
                return
            case "input":
                given = self._inputs[instruction.start]
                moved = self._moved.get(given.name)
                self.value[here] = self.tape.numbers[here] if moved is None else moved.reshape(-1)
                return
            case "held":
                (source,) = instruction.args
                self.value[here], self.radius[here] = self.value[source], self.radius[source]
                self.choices.hold(instruction)
                return
            case "dot":
                result = self._dot(instruction)
            case function if function in REDUCTIONS:
                result = getattr(self, f"_{function}")(instruction)
            case function:
                result = self._function(function, instruction)
        self.value[here] = result.value
        if result.radius is not None:
            self.radius[here] = result.radius
        if self.rounding and instruction.function not in EXACT_STEPS:
            self._widen(here, instruction.dtype)
        self._choose(instruction)

    def _choose(self, instruction: Instruction) -> None:
        match instruction.function:
            case "max" | "min":
                self.choices.largest(instruction)
            case "where":
                self.choices.chosen(instruction)
            case "positive" if not self.rounding:
                self.choices.same[instruction.elements] = self.choices.same[instruction.args[0]]
            case function if function in PICKS:
                self.choices.picked(instruction)
            case function if function in STEPS:
                self.choices.stepped(instruction)
        self.choices.follow(instruction)

    def _function(self, function: str, instruction: Instruction) -> Approx:
        if function == "where" or function in CONDITIONS:
            return self._choice(function, instruction)
        args = [self.at(arg) for arg in instruction.args]
        result = at_row(function, args)
        if function in WHOLE_ARITHMETIC and result.radius is not None and all(arg.radius is None for arg in args):
            whole = np.abs(result.value) < 2.0**53
            for arg in args:
                whole = whole & (arg.value == np.rint(arg.value)) & (np.abs(arg.value) < 2.0**53)
            return Approx(result.value, np.where(whole, 0.0, result.radius))
        return result

    def _choice(self, function: str, instruction: Instruction) -> Approx:
        if function == "where":
            chosen, a, b = instruction.args
            return select(self.truth(chosen), self.at(a), self.at(b))
        if function in COMPARISONS:
            truth, known = self.choices.compared(instruction)
        else:
            truth, known = self.choices.combined(instruction)
        return Approx(np.asarray(truth, float), None if np.all(known) else np.where(known, 0.0, INF))

    def truth(self, elements: Elements) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(what conditions are, whether that is certain)."""
        return self.value[elements] != 0, self.radius[elements] == 0

    def _sum(self, instruction: Instruction) -> Approx:
        x, radius = self.value[instruction.args[0]], self.radius[instruction.args[0]].sum(axis=1)
        return Approx(x.sum(axis=1), radius + self._own(x.shape[1], instruction) * np.abs(x).sum(axis=1))

    def _own(self, width: int, instruction: Instruction) -> float:
        """The relative error of a sum of that many terms: NumPy adds in blocks of 16, and those pairwise."""
        depth = min(width, 22 + log2(width)) * EPS
        if not self.rounding:
            return depth
        return depth + log2(width) * ROUNDING_UNITS * instruction.dtype.unit_roundoff

    def _dot(self, instruction: Instruction) -> Approx:
        a, b = (self.value[arg] for arg in instruction.args)
        ra, rb = (self.radius[arg] for arg in instruction.args)
        own = (a.shape[-1] + 1) * EPS
        if self.rounding:
            own += (1 + log2(a.shape[-1])) * ROUNDING_UNITS * instruction.dtype.unit_roundoff
        value = product(a, b)
        radius = product(ra + own * np.abs(a), np.abs(b)) + product(np.abs(a) + ra, rb)
        if underflows(a, b):
            radius = radius + a.shape[-1] * SMALLEST
        return Approx(value.reshape(-1), radius.reshape(-1))

    def _prod(self, instruction: Instruction) -> Approx:
        elements = instruction.args[0]
        total = self.at(elements[:, 0])
        for k in range(1, elements.shape[1]):
            total = KERNELS["mul"](total, self.at(elements[:, k]))
        return total

    def _max(self, instruction: Instruction) -> Approx:
        elements = instruction.args[0]
        return Approx(self.value[elements].max(axis=1), self.radius[elements].max(axis=1))

    def _min(self, instruction: Instruction) -> Approx:
        elements = instruction.args[0]
        return Approx(self.value[elements].min(axis=1), self.radius[elements].max(axis=1))

    def _widen(self, here: slice, dtype: Dtype) -> None:
        size = np.abs(self.value[here]) + self.radius[here]
        radius = self.radius[here] + widening(size, dtype)
        self.radius[here] = np.where(self.value[here] == 0, np.where(size == 0, 0.0, radius), radius)


WHOLE_ARITHMETIC = frozenset({"add", "sub", "mul", "remainder", "fmod"})
"""Functions that are exact at whole numbers."""
EXACT_STEPS = frozenset({"neg", "max", "min", "maximum", "minimum", "relu", "where", "abs", *CONDITIONS})


def widening(size: Any, dtype: Dtype) -> Any:
    """What rounding in a dtype adds to the radius of a number of that size; beyond its range, everything."""
    added = size * (ROUNDING_UNITS * dtype.unit_roundoff) + dtype.tiny
    return np.where(size > dtype.max, INF, added)


def product(a: Any, b: Any) -> Any:
    """(b, p, k) by (b, q, k) to (b, p, q)."""
    return np.matmul(a, np.swapaxes(b, -1, -2))


def underflows(a: Floats, b: Floats) -> bool:
    """Whether a product of two may be so small that its rounding is no longer relative."""
    least = [np.min(size, where=size > 0, initial=1.0) for size in (np.abs(a), np.abs(b))]
    return bool(least[0] * least[1] < SMALLEST)
