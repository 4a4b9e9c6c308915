"""The local derivatives of a tape, and where contributions through them are added up: made once for all sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcheck_cli.certified.float_filter.kernels import SMALLEST, WIDER, Approx
from gradcheck_cli.certified.widened.balls import ROUNDING_UNITS
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.formulas import constant_partial, partial_of, real_arguments, seam_gaps
from gradcheck_cli.tape.rows import CONDITIONS
from gradcheck_cli.tape.tape import Instruction, Tape
from gradcheck_cli.tape.values import Floats, Values, widening

INF = np.inf
BOUNDED = 1e200
"""The radius of a derivative that is bounded, and otherwise unknown: times a slope of 0 it is 0, as `max(relu(x), 0)`
is flat at -1."""
LIPSCHITZ = frozenset(
    {"abs", "relu", "relu6", "leaky_relu", "prelu", "elu", "celu", "selu", "hardtanh", "hardsigmoid", "hardswish",
     "softshrink", "maximum", "minimum", "fmax", "fmin", "clamp", "clamp_min", "clamp_max"}
)  # fmt: skip
"""Functions whose slopes beside their seams are bounded, and that do not jump there."""


class Local(NamedTuple):
    """The local derivative of an instruction by one argument. doubt: where there may be none, BOUNDED or infinite, and
    0 elsewhere; None: nowhere."""

    value: Any
    radius: Any
    doubt: Floats | None


class Scatter:
    """How contributions to elements, some of them several times, are added up. rows: those that matter; None: all."""

    def __init__(self, tape: Tape, elements: Elements) -> None:
        moving = tape.depends[elements]
        self.rows = None if moving.all() else np.flatnonzero(moving)
        targets = elements if self.rows is None else elements[self.rows]
        self.empty = not len(targets)
        self.starts: Elements | None = None
        self.order: Elements | None = None
        self.into: Any = targets
        if self.empty:
            return
        steps = np.diff(targets)
        if (steps == 1).all():
            self.into = slice(int(targets[0]), int(targets[-1]) + 1)
        elif not (steps > 0).all():
            self.order = np.argsort(targets, kind="stable")
            ordered = targets[self.order]
            self.starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
            self.into = ordered[self.starts]
            if len(self.into) == len(targets):
                self.starts = None

    def gathered(self, contributions: Floats) -> Floats:
        """The sums for each target."""
        if self.rows is not None:
            contributions = contributions[self.rows]
        if self.order is not None:
            contributions = contributions[self.order]
        if self.starts is not None:
            contributions = np.add.reduceat(contributions, self.starts, axis=0)
        return contributions


class Slopes:
    """The local derivatives of a tape at some values, computed once for all sweeps.

    slack: the absolute slack of each in units of 4u, where rounding is to be covered.
    """

    def __init__(self, values: Values, slack: float = 0.0) -> None:
        self.values, self.tape, self.rounding, self.slack = values, values.tape, values.rounding, slack
        self._locals: dict[tuple[int, int], Local | None] = {}
        self._jumps: dict[int, bool] = {}

    def local(self, instruction: Instruction, index: int) -> Local | None:
        """By the index-th argument of a row; None: no derivative flows there."""
        key = instruction.start, index
        if key not in self._locals:
            with np.errstate(all="ignore"):
                self._locals[key] = self._make(instruction, index)
        return self._locals[key]

    def jumps(self, instruction: Instruction) -> bool:
        """Whether it may jump somewhere, or have an infinite slope."""
        if instruction.start not in self._jumps:
            self._jumps[instruction.start] = not self.rounding and self._may_jump(instruction)
        return self._jumps[instruction.start]

    def _may_jump(self, instruction: Instruction) -> bool:
        if instruction.function == "where":
            return not self.values.choices.firm(instruction.args[0])[1].all()
        if instruction.function in CONDITIONS or instruction.function not in FUNCTIONS:
            return False
        found = [self.local(instruction, index) for index in real_arguments(instruction.function)]
        return any(one is not None and one.doubt is not None and np.isinf(one.doubt).any() for one in found)

    def scatter(self, instruction: Instruction, index: int, elements: Elements) -> Scatter:
        return scatter(self.tape, instruction, index, elements)

    def _make(self, instruction: Instruction, index: int) -> Local | None:
        name, target = instruction.function, instruction.args[index]
        if not self.tape.depends[target].any():
            return None
        constant = constant_partial(name, index)
        args = [self.values.at(arg) for arg in instruction.args]
        if self.rounding and name in LIPSCHITZ:
            args[0] = self._beside(name, args)
        if constant is not None:
            found: Approx | None = Approx(constant, None)
        else:
            found = partial_of(name, index, args, self.values.at(np.arange(instruction.start, instruction.stop)))
        count = instruction.stop - instruction.start
        if found is None:
            return Local(np.zeros(count), np.zeros(count), np.full(count, INF))
        value, radius = found.value, 0.0 if found.radius is None else found.radius * WIDER
        if self.rounding:
            radius = radius + self._lost(np.abs(value) + radius, instruction)
        doubt = np.zeros(count)
        if not self.rounding:
            for gap in seam_gaps(name, args):
                reach = 0.0 if gap.radius is None else gap.radius * WIDER
                doubt[~np.broadcast_to(np.abs(gap.value) > reach, count)] = BOUNDED if name in LIPSCHITZ else INF
        doubt[~np.isfinite(np.broadcast_to(value + radius, count))] = INF
        if (odd := np.flatnonzero(doubt)).size:
            doubt[odd[self.values.choices.steady(np.broadcast_to(target, count)[odd])]] = 0.0
        return Local(value, radius, doubt if doubt.any() else None)

    def _beside(self, name: str, args: Sequence[Approx]) -> Approx:
        """The first argument with a radius that takes in both sides of a seam, where it is exactly there."""
        x = args[0]
        radius = np.zeros(np.shape(x.value)) if x.radius is None else x.radius
        for gap in seam_gaps(name, args):
            there = (gap.value == 0) & (gap.radius is None or gap.radius == 0)
            radius = np.where(there, np.maximum(radius, SMALLEST), radius)
        return Approx(x.value, radius if np.any(radius) else None)

    def _lost(self, size: Any, instruction: Instruction) -> Any:
        slack = self.slack * ROUNDING_UNITS * instruction.dtype.unit_roundoff
        return widening(size, instruction.dtype) + slack


def scatter(tape: Tape, instruction: Instruction, index: int, elements: Elements) -> Scatter:
    """The plan for one argument of an instruction, made once."""
    plans: dict[tuple[int, int], Scatter] = tape.__dict__.setdefault("_scatters", {})
    key = instruction.start, index
    if key not in plans:
        plans[key] = Scatter(tape, elements)
    return plans[key]
