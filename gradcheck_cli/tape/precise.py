"""The tape and its reverse sweep with some 30 digits, for what float64 leaves: sums and products in pairs of doubles,
functions of the table by balls, element by element. Only what some outputs rest on is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from gradcheck_cli.certified.ball import Balls, ball_function, precision
from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.tape.choices import COMPARE
from gradcheck_cli.tape.double_double import INF, Pair, add, div, exact, mul, neg, sub, total
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.formulas import constant_partial, real_arguments
from gradcheck_cli.tape.rows import COMPARISONS, CONDITIONS
from gradcheck_cli.tape.slopes import Scatter, scatter
from gradcheck_cli.tape.sweep import reach
from gradcheck_cli.tape.tape import REDUCTIONS, SOURCES, Instruction
from gradcheck_cli.tape.values import Floats, Values

BITS = 160
ARITHMETIC: dict[str, Callable[..., Pair]] = {"add": add, "sub": sub, "mul": mul, "div": div, "neg": neg}
CELLS = 2**22
"""Products of a matrix product at once."""


class PreciseValues:
    """The values that `outputs` rest on."""

    def __init__(self, values: Values, outputs: Elements) -> None:
        self.tape, self.values = values.tape, values
        self.needed: NDArray[np.bool_] = reach(values, outputs, np.ones((len(outputs), 1)), by_value=True)[:, 0]
        size = self.tape.size
        self.high, self.low, self.radius = np.zeros(size), np.zeros(size), np.zeros(size)
        self._partials: dict[tuple[int, int], tuple[Pair, NDArray[np.bool_]] | None] = {}
        with np.errstate(all="ignore"), precision(BITS):
            for instruction in self.tape.instructions:
                self._run(instruction)

    def at(self, elements: Elements) -> Pair:
        return Pair(self.high[elements], self.low[elements], self.radius[elements])

    def _put(self, elements: Any, value: Pair) -> None:
        self.high[elements], self.low[elements], self.radius[elements] = value.high, value.low, value.radius

    def _run(self, instruction: Instruction) -> None:
        here = instruction.elements
        if instruction.function in SOURCES:
            self._put(here, exact(self.values.value[here])._replace(radius=self.values.radius[here]))
            return
        rows = np.flatnonzero(self.needed[here])
        if not len(rows):
            return
        match instruction.function:
            case "dot":
                self._put(here, self._dot(*instruction.args))
                return
            case "held":
                result = self.at(instruction.args[0][rows])
            case function if function in REDUCTIONS:
                result = self._reduced(function, instruction.args[0][rows])
            case function:
                result = self._function(function, [_rows(arg, rows) for arg in instruction.args], len(rows))
        self._put(instruction.start + rows, result)

    def _reduced(self, function: str, elements: Elements) -> Pair:
        terms = self.at(elements)
        if function == "sum":
            return total(terms, 1)
        if function == "prod":
            product = terms.at((slice(None), 0))
            for k in range(1, elements.shape[1]):
                product = mul(product, terms.at((slice(None), k)))
            return product
        size = terms.high + terms.low
        best = size.argmax(axis=1) if function == "max" else size.argmin(axis=1)
        winner = terms.at((np.arange(len(best)), best))
        return winner._replace(radius=np.max(terms.radius, axis=1) + np.abs(winner.high) * 2.0**-100)

    def _dot(self, a: Elements, b: Elements) -> Pair:
        """A batch of products of matrices, some rows at a time."""
        (batch, p, k), q = a.shape, b.shape[1]
        step = max(1, CELLS // max(q * k, 1))
        parts = [
            total(mul(self.at(a[i, r : r + step, None, :]), self.at(b[i, None])), 2)
            for i in range(batch)
            for r in range(0, p, step)
        ]
        return Pair(*(np.concatenate([np.asarray(x).reshape(-1) for x in each]) for each in zip(*parts, strict=True)))

    def _function(self, function: str, args: Sequence[Elements], count: int) -> Pair:
        if function in ARITHMETIC:
            return _whole(ARITHMETIC[function](*map(self.at, args)), count)
        if function == "where":
            chosen, a, b = args
            truth, known = self.high[chosen] != 0, self.radius[chosen] == 0
            x, y = self.at(a), self.at(b)
            parts = [np.where(truth, one, other) for one, other in zip(tuple(x), tuple(y), strict=True)]
            return _whole(Pair(parts[0], parts[1], np.where(known, parts[2], INF)), count)
        if function in CONDITIONS:
            return _whole(self._condition(function, args), count)
        return self._by_balls(ball_function(FUNCTIONS[function]), args, count)

    def _condition(self, function: str, args: Sequence[Elements]) -> Pair:
        if function in COMPARISONS:
            gap = sub(*map(self.at, args))
            truth = COMPARE[function](gap.high + gap.low, 0.0)
            equal = self.values.choices.equal(*args)
            truth = np.where(equal & ~np.isnan(self.high[args[0]]), COMPARE[function](0.0, 0.0), truth)
            firm = equal | (np.abs(gap.high) > gap.radius) | ~(self.tape.depends[args[0]] | self.tape.depends[args[1]])
            return exact(truth)._replace(radius=np.where(firm, 0.0, INF))
        values = [self.high[arg] != 0 for arg in args]
        truth = (
            ~values[0] if function == "not" else values[0] & values[1] if function == "and" else values[0] | values[1]
        )
        return exact(truth)._replace(radius=sum(self.radius[arg] for arg in args))

    def _by_balls(self, function: Callable[..., Any], args: Sequence[Elements], count: int) -> Pair:
        columns = [[self._ball(e) for e in np.broadcast_to(arg, count).tolist()] for arg in args]
        return _pairs([function(*row) for row in zip(*columns, strict=True)])

    def _ball(self, element: int) -> arb:
        ball = arb(self.high[element]) + arb(self.low[element])
        radius = float(self.radius[element])
        return ball + arb(0, radius) if radius else ball

    def partial(self, instruction: Instruction, index: int) -> tuple[Pair, NDArray[np.bool_]] | None:
        """(the local derivative by the index-th argument at the needed rows, where it is doubtful); None: none."""
        key = instruction.start, index
        if key not in self._partials:
            with np.errstate(all="ignore"), precision(BITS):
                self._partials[key] = self._partial(instruction, index)
        return self._partials[key]

    def _partial(self, instruction: Instruction, index: int) -> tuple[Pair, NDArray[np.bool_]] | None:
        name = instruction.function
        if not self.tape.depends[instruction.args[index]].any():
            return None
        rows = np.flatnonzero(self.needed[instruction.elements])
        args, count = [_rows(arg, rows) for arg in instruction.args], len(rows)
        slope, odd = self._slope(name, index, args, count), self._at_seam(FUNCTIONS[name], args, count)
        whole = instruction.stop - instruction.start
        found, doubtful = Pair(np.zeros(whole), np.zeros(whole), np.zeros(whole)), np.zeros(whole, bool)
        for part, value in zip(tuple(found), tuple(slope), strict=True):
            part[rows] = value
        doubtful[rows] = odd | ~np.isfinite(slope.high + slope.radius)
        return found, doubtful

    def _slope(self, name: str, index: int, args: Sequence[Elements], count: int) -> Pair:
        constant = constant_partial(name, index)
        if constant is not None:
            return exact(np.full(count, constant))
        match name, index:
            case "mul", _:
                return _whole(self.at(args[1 - index]), count)
            case "div", 0:
                return _whole(div(exact(1.0), self.at(args[1])), count)
        text = rules.partial_text(FUNCTIONS[name], index)
        if not text:
            return Pair(np.zeros(count), np.zeros(count), np.full(count, INF))
        return self._by_balls(_formula(FUNCTIONS[name], text), args, count)

    def _at_seam(self, row: Function, args: Sequence[Elements], count: int) -> NDArray[np.bool_]:
        odd = np.zeros(count, bool)
        for text in row.seams:
            gap = self._by_balls(_formula(row, text), args, count)
            odd |= ~(np.abs(gap.high) > gap.radius)
        return odd


@cache
def _formula(row: Function, text: str) -> Callable[..., Any]:
    program, names = rules.formula_program(text), [argument.name for argument in row.arguments]
    return lambda *balls: program.run(Balls(dict(zip(names, balls, strict=True))))[program.roots[0]]


def _pairs(balls: Sequence[Any]) -> Pair:
    high, low, radius = np.full(len(balls), np.nan), np.zeros(len(balls)), np.full(len(balls), INF)
    for i, ball in enumerate(balls):
        if isinstance(ball, arb) and ball.is_finite():
            middle = ball.mid()
            high[i] = float(middle)
            low[i] = float(middle - arb(high[i]))
            radius[i] = float(ball.rad()) * (1 + 2.0**-20) + abs(low[i]) * 2.0**-52 + (0.0 if low[i] == 0 else 1e-320)
    return Pair(high, low, radius)


def _rows(arg: Elements, rows: NDArray[np.int64]) -> Elements:
    return arg if len(arg) == 1 else arg[rows]


def _whole(x: Pair, count: int) -> Pair:
    return Pair(*(np.broadcast_to(part, count) for part in tuple(x)))


class PreciseSweep:
    """Derivatives of the outputs of some precise values by the inputs. seeds: as in ReverseSweep."""

    def __init__(self, values: PreciseValues, outputs: Elements, seeds: Floats | None = None) -> None:
        self.values, self.tape = values, values.tape
        self.reach = reach(values.values, outputs, seeds)
        start = np.eye(len(outputs)) if seeds is None else seeds
        shape = self.tape.size, start.shape[1]
        self.adjoint = Pair(np.zeros(shape), np.zeros(shape), np.zeros(shape))
        np.add.at(self.adjoint.high, outputs, start)
        with np.errstate(all="ignore"):
            for instruction in reversed(self.tape.instructions):
                here = instruction.elements
                touched = instruction.function not in SOURCES and instruction.function != "held"
                if touched and self.tape.depends[here].any() and self.reach[here].any():
                    self._back(instruction, self.adjoint.at(here))

    def by_inputs(self) -> tuple[Floats, Floats]:
        """(derivatives rounded to doubles, radii), (output, input element)."""
        found = self.adjoint.at(self.tape.variables)
        value = found.high + found.low
        return value.T, (found.radius + np.abs(value) * 2.0**-53).T

    def _back(self, instruction: Instruction, adjoint: Pair) -> None:
        match instruction.function:
            case "sum":
                elements = instruction.args[0]
                shape = (*elements.shape, adjoint.high.shape[1])
                wide = Pair(*(np.broadcast_to(x[:, None], shape).reshape(-1, shape[2]) for x in tuple(adjoint)))
                self._add(instruction, 0, wide, elements.reshape(-1))
            case "dot":
                self._dot(instruction, adjoint)
            case "prod":
                self._prod(instruction, adjoint)
            case "max" | "min":
                self._largest(instruction, adjoint)
            case "where":
                self._where(instruction, adjoint)
            case function if function in CONDITIONS:
                for index, arg in enumerate(instruction.args):
                    if self.tape.depends[arg].any():
                        nothing = np.zeros_like(adjoint.high)
                        self._add(instruction, index, Pair(nothing, nothing, adjoint.radius))
            case function:
                for index in real_arguments(function):
                    found = self.values.partial(instruction, index)
                    if found is not None:
                        self._through(instruction, index, adjoint, *found)

    def _through(
        self, instruction: Instruction, index: int, adjoint: Pair, slope: Pair, doubtful: NDArray[np.bool_]
    ) -> None:
        value = mul(adjoint, Pair(*(np.asarray(x)[:, None] for x in tuple(slope))))
        if doubtful.any():
            unknown = self.reach[instruction.elements] & doubtful[:, None]
            clear = doubtful[:, None] & ~unknown
            gone = unknown | clear
            value = Pair(
                np.where(gone, 0.0, value.high), np.where(gone, 0.0, value.low),
                np.where(unknown, INF, np.where(clear, 0.0, value.radius)),
            )  # fmt: skip
        self._add(instruction, index, value)

    def _add(self, instruction: Instruction, index: int, value: Pair, elements: Elements | None = None) -> None:
        target = instruction.args[index] if elements is None else elements
        if len(target) == 1 and len(value.high) > 1:
            value = Pair(*(x[None] for x in tuple(total(value, 0))))
        plan = scatter(self.tape, instruction, index, target)
        if plan.empty:
            return
        joined = add(self.adjoint.at(plan.into), _gathered(plan, value))
        for part, new in zip(tuple(self.adjoint), tuple(joined), strict=True):
            part[plan.into] = new

    def _dot(self, instruction: Instruction, adjoint: Pair) -> None:
        a, b = instruction.args
        (batch, p, k), q, columns = a.shape, b.shape[1], adjoint.high.shape[1]
        grid = Pair(*(x.reshape(batch, p, q, columns) for x in tuple(adjoint)))
        for index, (this, other) in enumerate(((a, b), (b, a))):
            if not self.tape.depends[this].any():
                continue
            axis, rows = (2, p) if index == 0 else (1, q)
            weights = self.values.at(other)
            step = max(1, CELLS // max(p * q * columns, 1))
            parts = []
            for first in range(0, k, step):
                w = Pair(*(x[:, :, first : first + step] for x in tuple(weights)))
                shape = (slice(None), None, slice(None)) if index == 0 else (slice(None), slice(None), None)
                spread = Pair(*(x[shape][..., :, None] for x in tuple(w)))
                product = mul(Pair(*(x[:, :, :, None, :] for x in tuple(grid))), spread)
                parts.append(total(product, axis))  # (batch, rows, k, columns)
            value = Pair(*(np.concatenate(each, axis=2) for each in zip(*map(tuple, parts), strict=True)))
            flat = Pair(*(x.swapaxes(1, 2).reshape(batch * k * rows, columns) for x in tuple(value)))
            self._add(instruction, index, flat, this.swapaxes(1, 2).reshape(-1))

    def _prod(self, instruction: Instruction, adjoint: Pair) -> None:
        elements = instruction.args[0]
        width, columns = elements.shape[1], adjoint.high.shape[1]
        factors = [Pair(*(x[:, None] for x in tuple(self.values.at(elements[:, k])))) for k in range(width)]
        before = [adjoint]
        for k in range(width - 1):
            before.append(mul(before[-1], factors[k]))
        after, parts = exact(np.ones((len(elements), columns))), []
        for k in range(width - 1, -1, -1):
            parts.append(mul(before[k], after))
            after = mul(after, factors[k])
        parts.reverse()
        whole = Pair(*(np.concatenate(each) for each in zip(*map(tuple, parts), strict=True)))
        self._add(instruction, 0, whole, elements.T.reshape(-1))

    def _largest(self, instruction: Instruction, adjoint: Pair) -> None:
        elements = instruction.args[0]
        terms = self.values.at(elements)
        sign = 1.0 if instruction.function == "max" else -1.0
        rows = np.arange(len(elements))
        best = (sign * (terms.high + terms.low)).argmax(axis=1)
        winner = elements[rows, best]
        gap = sub(Pair(*(x[rows, best][:, None] for x in tuple(terms))), terms)
        rivals = ~self.values.values.choices.equal(elements, winner[:, None]) & ~(
            sign * (gap.high + gap.low) > gap.radius
        )
        shape = (*elements.shape, adjoint.high.shape[1])
        parts = [np.zeros(shape) for _ in range(3)]
        for part, x in zip(parts, tuple(adjoint), strict=True):
            part[rows, best] = x
        if rivals.any():
            rivals[rows, best] = rivals.any(axis=1)
            i, k = np.nonzero(rivals)
            parts[2][i, k] = np.where(self.reach[instruction.elements][i], INF, 0.0)
        self._add(instruction, 0, Pair(*(part.reshape(-1, shape[2]) for part in parts)), elements.reshape(-1))

    def _where(self, instruction: Instruction, adjoint: Pair) -> None:
        chosen = instruction.args[0]
        truth, known = self.values.high[chosen] != 0, self.values.radius[chosen] == 0
        unknown = np.broadcast_to(~known, len(adjoint.high))[:, None] & self.reach[instruction.elements]
        for index, taken in ((1, truth), (2, ~truth)):
            if self.tape.depends[instruction.args[index]].any():
                parts = [np.where(np.broadcast_to(taken, len(x))[:, None], x, 0.0) for x in tuple(adjoint)]
                self._add(instruction, index, Pair(parts[0], parts[1], np.where(unknown, INF, parts[2])))
        if unknown.any() and self.tape.depends[chosen].any():
            nothing = np.zeros_like(adjoint.high)
            self._add(instruction, 0, Pair(nothing, nothing, np.where(unknown, INF, 0.0)))


def _gathered(plan: Scatter, value: Pair) -> Pair:
    """The sums for each target of a plan."""
    parts = [*tuple(value)]
    if plan.rows is not None:
        parts = [part[plan.rows] for part in parts]
    if plan.order is not None:
        parts = [part[plan.order] for part in parts]
    if plan.starts is None:
        return Pair(*parts)
    sizes = np.diff(plan.starts, append=len(parts[0]))
    sums = [np.zeros((len(sizes), parts[0].shape[1])) for _ in range(3)]
    for size in np.unique(sizes).tolist():
        chosen = sizes == size
        places = plan.starts[chosen][:, None] + np.arange(size)
        for whole, part in zip(sums, tuple(total(Pair(*(part[places] for part in parts)), 1)), strict=True):
            whole[chosen] = part
    return Pair(*sums)
