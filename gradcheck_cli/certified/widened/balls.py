"""The arithmetic of widened balls: what floating-point numbers may be, each a ball that may be as wide as the line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from flint import arb

from gradcheck_cli.certified.ball import EXACT, Balls, Numbers, Undefined, Value, ball_function, to_fraction
from gradcheck_cli.certified.ball_functions import EVERYTHING
from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import ZERO
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr

ROUNDING_UNITS = 4  # slack per operation: ten times as much, or a tenth, changes hardly a verdict


class RoundingModel:
    """Widening in one dtype. slack: absolute slack of local derivatives, in units of 4u: 0, or 1 for `imprecise`."""

    def __init__(self, dtype: Dtype, slack: float = 0.0) -> None:
        self.dtype = dtype
        self.relative = arb(ROUNDING_UNITS * dtype.unit_roundoff)
        self.slack = slack * ROUNDING_UNITS * dtype.unit_roundoff
        self.tiny, self.max = arb(dtype.tiny), arb(dtype.max)
        self.smallest_normal = arb(2) ** (dtype.min_exponent + dtype.precision)

    def holds(self, ball: arb) -> bool:
        """Whether a result is exact in the dtype, as 1 + 2 is: then IEEE arithmetic returns just that."""
        return bool(ball.is_exact()) and ball.is_finite() and self.dtype.round(number := to_fraction(ball)) == number

    def widen(self, ball: arb, extra: float = 0.0) -> arb:
        if not ball.is_finite():
            return EVERYTHING
        upper = abs(ball).upper()
        if upper > self.max:
            return EVERYTHING
        return ball + arb(0, (upper * self.relative + self.tiny + extra).upper())

    def widen_partial(self, ball: arb) -> arb:
        """A local derivative v: by 4u*|v|, and for `imprecise` by 4u*max(1, |v|)."""
        return self.widen(ball, self.slack)


class WideBalls(Balls):
    """Balls that may be wide. Where a branch is undecided, it is anything that either side may be; a condition is None
    where some values take it and others do not."""

    def __init__(self, env: Mapping[str, arb], numbers: Numbers, model: RoundingModel) -> None:
        super().__init__(env, numbers)
        self.model = model

    def apply(self, node: Call, args: Sequence[Value]) -> arb:
        return wide_apply(node.function, self.model, *map(to_ball, args))

    def select(self, node: Call, condition: Value, a: Value, b: Value) -> Value:
        if condition is True:
            return a
        if condition is False:
            return b
        x, y = to_ball(a), to_ball(b)
        return x.union(y) if x.is_finite() and y.is_finite() else EVERYTHING

    def compare(self, node: Call, a: Value, b: Value) -> Value:
        truth = super().compare(node, to_ball(a), to_ball(b))
        return None if isinstance(truth, Undefined) else truth


class _OfFormula(WideBalls):
    """Of a formula of a row: it is one operation, but what a comparison in it compares was computed, and so rounded."""

    def compare(self, node: Call, a: Value, b: Value) -> Value:
        computed = zip((a, b), node.args, strict=True)
        return super().compare(
            node, *(self.model.widen(to_ball(v)) if isinstance(arg, Call) else v for v, arg in computed)
        )


def to_ball(value: Value) -> arb:
    return value if isinstance(value, arb) and value.is_finite() else EVERYTHING


def wide_apply(row: Function, model: RoundingModel, *args: arb) -> arb:
    """A row at balls that may be wide: where nothing is known, the row's bounds, or the whole line."""
    if row.ball is None:
        assert row.definition is not None
        value = _formula_values(row, row.definition, model, args)[rules.formula(row.definition)]
    else:
        value = ball_function(row)(*args)
    if isinstance(value, arb) and value.is_finite():
        return value
    if row.bounds and all(map(math.isfinite, row.bounds)):
        return arb(row.bounds[0]).union(arb(row.bounds[1]))
    return EVERYTHING


def wide_partial(row: Function, index: int, model: RoundingModel, args: tuple[arb, ...]) -> arb | None:
    """The partial derivative of a row at balls that may be wide; None where a branch makes it exactly nothing."""
    rule = rules.partial(row, index)
    if rule is None:
        return EVERYTHING
    if rule is ZERO:
        return arb(0)  # a factor like any other: 0 times an overflow is NaN
    values = _formula_values(row, rules.partial_text(row, index), model, args)
    node = rule
    while isinstance(node, Call) and node.function.is_branch:
        truth = values[node.args[0]]
        if truth is None:
            return to_ball(values[rule])
        node = node.args[1] if truth else node.args[2]
    if node is ZERO:
        return None
    return to_ball(values[node])


def _formula_values(row: Function, text: str, model: RoundingModel, args: tuple[arb, ...]) -> dict[Expr, Value]:
    """All values of a formula of the row at wide balls."""
    env = dict(zip((argument.name for argument in row.arguments), args, strict=True))
    program = rules.formula_program(text)
    return dict(zip(program.nodes, program.run(_OfFormula(env, EXACT, model)), strict=True))
