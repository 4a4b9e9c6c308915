"""The reverse sweep of a tape: derivatives of some elements by the inputs, each with a bound on its error.

Columns are outputs: all of them are swept at once. An infinite radius marks what the sweep cannot tell, since a branch
is decided at a tie, or a local derivative is not finite.
"""

from __future__ import annotations

from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.certified.float_filter.kernels import EPS, SMALLEST, WIDER, Approx
from gradcheck_cli.certified.widened.balls import ROUNDING_UNITS
from gradcheck_cli.tape.choices import PICKS
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.formulas import real_arguments
from gradcheck_cli.tape.rows import COMPARISONS, CONDITIONS, KERNELS
from gradcheck_cli.tape.slopes import BOUNDED, Local, Slopes
from gradcheck_cli.tape.tape import SOURCES, Instruction
from gradcheck_cli.tape.values import Floats, Values, underflows, widening

INF = np.inf


class ReverseSweep:
    """value, radius: (element, column) derivatives of each column's output by the element."""

    def __init__(self, slopes: Slopes, outputs: Elements, seeds: Floats | None = None) -> None:
        """outputs: the element of each column. seeds: (output, column) weights instead of one output for each."""
        self.slopes, self.values, self.tape = slopes, slopes.values, slopes.tape
        columns = len(outputs) if seeds is None else seeds.shape[1]
        self.outputs, self.seeds = outputs, seeds
        self.value, self.radius = np.zeros((self.tape.size, columns)), np.zeros((self.tape.size, columns))
        seeds = np.eye(columns) if seeds is None else seeds
        np.add.at(self.value, outputs, seeds)
        self._reach: NDArray[np.bool_] | None = None
        with np.errstate(all="ignore"):
            for instruction in reversed(self.tape.instructions):
                if instruction.function not in SOURCES and instruction.function != "held":
                    self._back(instruction)

    def by_inputs(self) -> tuple[Floats, Floats]:
        """(derivatives, radii), (column, input element)."""
        variables = self.tape.variables
        return self.value[variables].T, self.radius[variables].T

    def _back(self, instruction: Instruction) -> None:
        here = instruction.elements
        cotangent, radius = self.value[here], self.radius[here]
        if not self._touched(instruction):
            return
        nothing = not (cotangent.any() or radius.any())
        if nothing and not (self.slopes.jumps(instruction) and self._reached(instruction).any()):
            return  # 0 times a slope is 0, but for one that jumps: x*sign(x)
        match instruction.function:
            case "sum":
                self._spread(instruction, cotangent, radius)
            case "dot":
                self._dot(instruction, cotangent, radius)
            case "prod":
                self._prod(instruction, cotangent, radius)
            case "max" | "min":
                self._largest(instruction, cotangent, radius)
            case "where":
                self._where(instruction, cotangent, radius)
            case function if function in CONDITIONS:
                self._condition(instruction, radius)
            case function:
                for index in real_arguments(function):
                    local = self.slopes.local(instruction, index)
                    if local is not None:
                        self._through(instruction, index, local, cotangent, radius)

    def _touched(self, instruction: Instruction) -> bool:
        return bool(self.tape.depends[instruction.elements].any())

    def _through(self, instruction: Instruction, index: int, local: Local, cotangent: Floats, radius: Floats) -> None:
        """A contribution through a local derivative."""
        if local.doubt is None and np.ndim(local.value) == 0 and abs(local.value) == 1.0 and not self.slopes.rounding:
            self._add(instruction, index, cotangent * local.value if local.value < 0 else cotangent, radius)
            return
        slope, slack = _column(local.value), _column(local.radius)
        size = np.abs(slope)
        total = radius * size + (np.abs(cotangent) + radius) * (slack + size * EPS)
        value = cotangent * slope
        if local.doubt is not None:
            odd = np.flatnonzero(local.doubt)
            reached = self._reached(instruction)[odd]
            value, total = (
                np.broadcast_to(value, cotangent.shape).copy(),
                np.broadcast_to(total, cotangent.shape).copy(),
            )
            value[odd], total[odd] = 0.0, np.where(reached, local.doubt[odd][:, None], 0.0)
        self._add(instruction, index, value, total)

    def _add(
        self, instruction: Instruction, index: int, value: Floats, radius: Floats, elements: Elements | None = None
    ) -> None:
        """Add contributions (one row for each of `elements`, the argument's) to the adjoints."""
        target = instruction.args[index] if elements is None else elements
        if len(target) == 1 and len(value) > 1:
            value, radius = (
                value.sum(axis=0, keepdims=True),
                radius.sum(axis=0, keepdims=True) + len(value) * EPS * np.abs(value).sum(axis=0, keepdims=True),
            )
        plan = self.slopes.scatter(instruction, index, target)
        if plan.empty:
            return
        if self.slopes.rounding:
            radius = radius + widening(np.abs(value) + radius, instruction.dtype) * (value != 0)
        if plan.starts is not None:
            most = int(np.diff(plan.starts, append=len(target)).max())
            radius = radius + np.abs(value) * (most * EPS)
            if self.slopes.rounding:
                units = ROUNDING_UNITS * instruction.dtype.unit_roundoff
                radius = radius + (np.abs(value) + radius) * (log2(most) * units)
        total = self.value[plan.into] + plan.gathered(value)
        self.value[plan.into] = total
        self.radius[plan.into] += plan.gathered(radius) + np.abs(total) * EPS

    def _spread(self, instruction: Instruction, cotangent: Floats, radius: Floats) -> None:
        elements = instruction.args[0]
        shape = (*elements.shape, cotangent.shape[1])
        value, total = (np.broadcast_to(x[:, None], shape).reshape(-1, shape[2]) for x in (cotangent, radius))
        self._add(instruction, 0, value, total, elements.reshape(-1))

    def _dot(self, instruction: Instruction, cotangent: Floats, radius: Floats) -> None:
        a, b = instruction.args
        (batch, p, k), q, columns = a.shape, b.shape[1], cotangent.shape[1]
        shape = batch, p, q, columns
        for index, (this, other) in enumerate(((a, b), (b, a))):
            if not self.tape.depends[this].any():
                continue
            inner = p if index else q  # over which is summed
            grids = [x.reshape(shape) if index else x.reshape(shape).swapaxes(1, 2) for x in (cotangent, radius)]
            g, e = (np.ascontiguousarray(grid).reshape(batch, inner, -1) for grid in grids)
            weight, slack = self.values.value[other], self.values.radius[other] * WIDER
            size = np.abs(weight)
            own = (inner + 2) * EPS
            if self.slopes.rounding:
                own += (2 + log2(inner)) * ROUNDING_UNITS * instruction.dtype.unit_roundoff
                slack = slack + self.slopes.slack * ROUNDING_UNITS * instruction.dtype.unit_roundoff
            weight, slack, size = (np.swapaxes(x, 1, 2) for x in (weight, slack + own * size, size))
            value = np.matmul(weight, g)
            total = np.matmul(size, e) + np.matmul(slack, np.abs(g) + e)
            if underflows(weight, g):
                total = total + inner * SMALLEST
            rows = this.shape[1]
            # (batch, k, rows, column), as the elements below
            self._add(
                instruction, index, value.reshape(batch * k * rows, columns), total.reshape(batch * k * rows, columns),
                this.swapaxes(1, 2).reshape(-1),
            )  # fmt: skip

    def _prod(self, instruction: Instruction, cotangent: Floats, radius: Floats) -> None:
        """Of each factor the product of the others: of those before it and of those after it."""
        elements = instruction.args[0]
        width = elements.shape[1]
        factors = [self.values.at(elements[:, k]) for k in range(width)]
        before, after = [Approx(1.0, None)], [Approx(1.0, None)]
        for k in range(width - 1):
            before.append(KERNELS["mul"](before[-1], factors[k]))
            after.append(KERNELS["mul"](after[-1], factors[width - 1 - k]))
        values, radii = [], []
        for k in range(width):
            slope = KERNELS["mul"](before[k], after[width - 1 - k])
            slack = _column(0.0 if slope.radius is None else slope.radius * WIDER)
            if self.slopes.rounding:
                slack = slack + _column(self.slopes._lost(np.abs(slope.value), instruction) * width)
            size = np.abs(_column(slope.value))
            values.append(cotangent * _column(slope.value))
            radii.append(radius * size + (np.abs(cotangent) + radius) * (slack + size * EPS))
        self._add(instruction, 0, np.concatenate(values), np.concatenate(radii), elements.T.reshape(-1))

    def _largest(self, instruction: Instruction, cotangent: Floats, radius: Floats) -> None:
        elements = instruction.args[0]
        rows = np.arange(len(elements))
        best, rivals = self.values.choices.rivals(instruction)
        shape = *elements.shape, cotangent.shape[1]
        value, total = np.zeros(shape), np.zeros(shape)
        value[rows, best], total[rows, best] = cotangent, radius
        if rivals.any():
            rivals[rows, best] = rivals.any(axis=1)
            i, k = np.nonzero(rivals)
            if self.slopes.rounding:
                total[i, k] = np.abs(cotangent[i]) + radius[i]
            else:
                total[i, k] = np.where(self._reached(instruction)[i], BOUNDED, 0.0)
        self._add(
            instruction, 0, value.reshape(-1, value.shape[2]), total.reshape(-1, value.shape[2]), elements.reshape(-1)
        )

    def _where(self, instruction: Instruction, cotangent: Floats, radius: Floats) -> None:
        chosen = instruction.args[0]
        truth, known = self.values.choices.firm(chosen)
        for index, taken in ((1, truth), (2, ~truth)):
            if not self.tape.depends[instruction.args[index]].any():
                continue
            value = np.where(taken[:, None], cotangent, 0.0)
            total = np.where(taken[:, None], radius, 0.0)
            if not known.all():
                open_ = np.broadcast_to(~known, len(cotangent))
                reach = (
                    np.abs(cotangent) + radius if self.slopes.rounding else np.where(self._reached(instruction), INF, 0)
                )
                total = np.where(open_[:, None], reach, total)
            self._add(instruction, index, value, total)
        if not (known.all() or self.slopes.rounding) and self.tape.depends[chosen].any():
            total = np.where(np.broadcast_to(~known, len(cotangent))[:, None] & self._reached(instruction), INF, 0.0)
            self._add(instruction, 0, np.zeros_like(total), total)

    def _condition(self, instruction: Instruction, radius: Floats) -> None:
        """Nothing flows through a condition but doubt."""
        if instruction.function in COMPARISONS:
            same = np.broadcast_to(self.values.choices.equal(*instruction.args), len(radius))
            radius = np.where(same[:, None], 0.0, radius)
        for index in range(len(instruction.args)):
            if self.tape.depends[instruction.args[index]].any():
                self._add(instruction, index, np.zeros_like(radius), radius)

    def _reached(self, instruction: Instruction) -> NDArray[np.bool_]:
        """By (element of the instruction, column): whether the output rests on it at all."""
        if self._reach is None:
            self._reach = reach(self.values, self.outputs, self.seeds)
        return self._reach[instruction.elements]


def reach(
    values: Values, outputs: Elements, seeds: Floats | None = None, *, by_value: bool = False
) -> NDArray[np.bool_]:
    """By (element, column): whether the output rests on the element, branches not taken left out; by_value: whether its
    value does, also through what is held constant, and on operands that a maximum does not take."""
    tape = values.tape
    columns = len(outputs) if seeds is None else seeds.shape[1]
    found: NDArray[np.bool_] = np.zeros((tape.size, columns), bool)
    np.logical_or.at(found, outputs, np.eye(columns, dtype=bool) if seeds is None else seeds != 0)
    for instruction in reversed(tape.instructions):
        if instruction.function in SOURCES or (instruction.function == "held" and not by_value):
            continue
        here = found[instruction.elements]
        if not here.any():
            continue
        args = list(instruction.args)
        if instruction.function == "dot":
            batch, p, q = len(args[0]), args[0].shape[1], args[1].shape[1]
            wide = here.reshape(batch, p, q, columns)
            _mark(found, args[0], np.broadcast_to(np.any(wide, axis=2, keepdims=True), (*args[0].shape, columns)))
            _mark(
                found,
                args[1],
                np.broadcast_to(np.moveaxis(np.any(wide, axis=1, keepdims=True), 1, 2), (*args[1].shape, columns)),
            )
        elif instruction.function == "where":
            truth, firm = values.choices.firm(args[0])
            _mark(found, args[0], here)
            _mark(found, args[1], here & (truth | ~firm)[:, None])
            _mark(found, args[2], here & (~truth | ~firm)[:, None])
        elif instruction.function in PICKS and not by_value:
            for index, arg in enumerate(args):
                _mark(found, arg, here & values.choices.rests_on(instruction, index)[:, None])
        elif instruction.function in ("max", "min") and not by_value:
            best, rivals = values.choices.rivals(instruction)
            rivals[np.arange(len(best)), best] = True
            _mark(found, args[0], here[:, None] & rivals[:, :, None])
        else:
            for arg in args:
                _mark(found, arg, np.broadcast_to(here[:, None], (*arg.shape, columns)) if arg.ndim == 2 else here)
    return found


def _mark(found: NDArray[np.bool_], elements: Elements, rows: NDArray[np.bool_]) -> None:
    if elements.size == 1:
        found[elements.reshape(-1)] |= rows.reshape(-1, found.shape[1]).any(axis=0)
    else:
        np.logical_or.at(found, elements.reshape(-1), rows.reshape(-1, found.shape[1]))


def _column(x: Any) -> Any:
    return x[:, None] if np.ndim(x) else x
