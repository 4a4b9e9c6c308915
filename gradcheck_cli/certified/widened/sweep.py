"""Does rounding explain it? An enclosure of whatever correctly working floating-point code could return.

The value and the derivative sweep are run once more in balls, and after each operation the ball is widened by a few
units in the last place of the working dtype. A function of the table is one operation, and so is its local derivative.
Past the largest finite number a ball becomes the whole line. A branch that no value of the widened ball takes
contributes exactly nothing; where the ball straddles a branch, both do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from flint import arb

from gradcheck_cli.certified.ball import Numbers, Value, is_inside, precision, seam_value
from gradcheck_cli.certified.ball_functions import EVERYTHING
from gradcheck_cli.certified.widened.balls import RoundingModel, WideBalls, to_ball, wide_partial
from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, Named, Variable, children, depends_on
from gradcheck_cli.expression.program import Program

WORKING_PRECISION = 256
POLE = arb("inf")
"""A local derivative at operands that are known exactly, where there is none or it is infinite."""


@dataclass(frozen=True)
class Enclosure:
    """What floating-point code could return for one derivative.

    overflow: the first sub-expression whose ball left the range of the dtype; overflow_on_the_way: whether one did that
    depends on the variable; underflow: one that lost its digits below the range; cancellation: the sum or difference
    that lost most of its digits.
    """

    ball: arb
    overflow: Expr | None = None
    overflow_on_the_way: bool = False
    underflow: Expr | None = None
    cancellation: Expr | None = None

    @property
    def bounded(self) -> bool:
        return bool(self.ball.is_finite())

    def explains(self, autograd: float) -> bool:
        """Whether rounding or overflow alone could have made this number."""
        if not self.bounded:
            return True
        return math.isfinite(autograd) and bool(self.ball.contains(arb(autograd)))


class _Steps(WideBalls):
    """Widened after each operation. What overflows, what falls below the range and what cancels is kept in mind, for
    the note."""

    def __init__(self, env: Mapping[str, arb], numbers: Numbers, model: RoundingModel, slack: float) -> None:
        super().__init__(env, numbers, model)
        self.slack = slack
        self.overflows: list[Expr] = []
        self.underflow: Expr | None = None
        self.cancellation: Expr | None = None
        self._worst_loss = 2.0**10

    def apply(self, node: Call, args: Sequence[Value]) -> arb:
        balls = [to_ball(arg) for arg in args]
        result = super().apply(node, balls)
        exact = node.function.exact or self.model.holds(result)
        widened = result if exact else self.model.widen(result, self.slack)
        self._remember(node, balls, result, widened)
        return widened

    def _remember(self, node: Call, args: list[arb], result: arb, widened: arb) -> None:
        """The overflows, the first underflow and the worst cancellation."""
        if any(not arg.is_finite() for arg in args):
            return
        if not widened.is_finite():
            if result.is_finite() or any(abs(arg) > self.model.max for arg in args) or _beyond_balls(node, args):
                self.overflows.append(node)
            return
        if not result.is_zero() and abs(result).upper() < self.model.smallest_normal:
            self.underflow = self.underflow or node
        if node.function in (op.ADD, op.SUB) and not all(arg.is_exact() for arg in args):
            size = max(float(abs(arg).upper()) for arg in args)
            mid = abs(float(result.mid()))
            loss = math.inf if not mid else size / mid
            if loss > self._worst_loss:
                self._worst_loss, self.cancellation = loss, node


class Sweep:
    """The widened values of an expression at a point, ready for derivative sweeps.

    point: numbers of the working dtype. numbers: what constants mean. value_slack: absolute slack of each value.
    """

    def __init__(
        self, root: Expr, point: Mapping[str, float], numbers: Numbers, model: RoundingModel, value_slack: float = 0.0
    ) -> None:
        # What torch has not is run as its definition, so its steps round and overflow one by one.
        self.root, self.model = rules.expand_composed(root), model
        program = Program(self.root)
        self.order = program.nodes
        self.steps = _Steps({name: arb(value) for name, value in point.items()}, numbers, model, value_slack)
        with precision(WORKING_PRECISION):
            self.values = dict(zip(self.order, program.run(self.steps), strict=True))
        self.local_overflows: list[Expr] = []

    def live(self) -> list[Expr]:
        """The nodes that the root's value rests on, children first: branches not taken are left out."""
        reached = {self.root}
        for node in reversed(self.order):
            if node in reached:
                match node:
                    case Call(function=function, args=(condition, a, b)) if function.is_branch:
                        truth = self.values[condition]
                        reached.update((condition, *((a, b) if truth is None else (a,) if truth else (b,))))
                    case _:
                        reached.update(children(node))
        return [node for node in self.order if node in reached]

    def value(self) -> Enclosure:
        """The value of the root."""
        return self._enclosure(to_ball(self.values[self.root]), set(self.order))

    def reverse(self, name: str) -> Enclosure:
        """The derivative of the root by a variable or named result, as reverse mode computes it."""
        dependent = depends_on(self.order, [name])
        by = next((node for node in self.order if getattr(node, "name", None) == name), None)
        return self._enclosure(self._adjoints.get(by, arb(0)) if by is not None else arb(0), dependent)

    @cached_property
    def _adjoints(self) -> dict[Expr, arb]:
        """One reverse sweep: the derivative of the root by every node. What a node gets does not depend on where the
        sweep ends."""
        with precision(WORKING_PRECISION):
            names = [node.name for node in self.order if isinstance(node, Variable | Named)]
            dependent = depends_on(self.order, names)
            adjoint: dict[Expr, arb] = {self.root: arb(1)}
            for node in reversed(self.order):
                if node not in dependent or node not in adjoint:
                    continue
                for child, partial in self._partials(node, dependent):
                    part = self._times(adjoint[node], partial)
                    adjoint[child] = self._plus(adjoint[child], part) if child in adjoint else part
        return adjoint

    def forward(self, name: str) -> Enclosure:
        """The same as forward mode computes it: tangents. What does not depend on the variable, or only through a
        branch that makes it exactly nothing, carries a tangent of 0, which is NaN where it meets an overflow."""
        with precision(WORKING_PRECISION):
            names = {name, *(node.name for node in self.order if isinstance(node, Variable))}
            moving = depends_on(self.order, names)
            tangent: dict[Expr, arb] = {}
            for node in self.order:
                if node not in moving:
                    continue
                if isinstance(node, Variable | Named) and (node.name == name or isinstance(node, Variable)):
                    tangent[node] = arb(node.name == name)
                    continue
                total = arb(0)
                for child, partial in self._partials(node, moving):
                    total = self._plus(total, self._times(tangent[child], partial))
                tangent[node] = total
        return self._enclosure(tangent.get(self.root, arb(0)), moving)

    def _enclosure(self, ball: arb, dependent: set[Expr]) -> Enclosure:
        finite = ball if ball.is_finite() else EVERYTHING
        found = [*self.steps.overflows, *self.local_overflows]
        on_the_way = [node for node in found if node in dependent]
        overflow = next(iter([*on_the_way, *found]), None)
        return Enclosure(finite, overflow, bool(on_the_way), self.steps.underflow, self.steps.cancellation)

    def _times(self, cotangent: arb, partial: arb | None) -> arb:
        """None stands for the factor 1 of a branch or a name: nothing is computed, nothing rounds. Exactly 0 times a
        number, or times the pole of an exact operand, is exactly nothing: such a pole is no rounding."""
        if partial is None or (cotangent.is_zero() and (partial.is_finite() or partial is POLE)):
            return cotangent
        return self.model.widen(cotangent * partial)

    def _plus(self, total: arb, part: arb) -> arb:
        return part if total.is_zero() else total if part.is_zero() else self.model.widen(total + part)

    def _partials(self, node: Expr, dependent: set[Expr]) -> Iterator[tuple[Expr, arb | None]]:
        """(child, widened local derivative) for each child through which the derivative flows. A child that a branch
        leaves out is not there at all."""
        match node:
            case Named(value=value) if value in dependent:
                yield value, None
            case Call(function=function, args=(condition, a, b)) if function.is_branch:
                truth = self.values[condition]
                for child, taken in ((a, truth), (b, _negate(truth))):
                    if child in dependent and taken is not False:
                        yield child, None if taken is True else arb(0).union(arb(1))
            case Call(function=row, args=args) if not row.is_condition:
                balls = tuple(to_ball(self.values[arg]) for arg in args)
                for index, child in enumerate(args):
                    if child in dependent:
                        partial = wide_partial(row, index, self.model, balls)
                        if partial is not None:
                            yield child, self._widened_partial(node, row, partial, balls)

    def _widened_partial(self, node: Expr, row: Function, partial: arb, balls: tuple[arb, ...]) -> arb:
        widened = self.model.widen_partial(partial)
        if widened.is_finite():
            return widened
        if partial.is_finite():  # in itself, and too large for the dtype
            self.local_overflows.append(node)
        elif all(ball.is_exact() and ball.is_finite() for ball in balls) and (
            to_ball(self.values[node]).is_finite() or _at_pole(row, balls)
        ):
            return POLE
        return widened


def _at_pole(row: Function, args: Sequence[arb]) -> bool:
    """Whether the operands, known exactly, are where the function is not smooth or has no value."""
    seams = (seam_value(row, text, args) for text in row.seams)
    return is_inside(row, args) is False or any(isinstance(seam, arb) and seam.is_zero() for seam in seams)


def _beyond_balls(node: Call, args: Sequence[arb]) -> bool:
    """Whether a function has a value at operands that are known exactly, too large even for a ball."""
    return all(arg.is_exact() for arg in args) and not _at_pole(node.function, args)


def _negate(truth: Value) -> Value:
    return not truth if isinstance(truth, bool) else truth
