"""An expression at many points in float64, each number with a bound on its error: the quick tier of certification.

Its bounds are tested, not proven; what they do not settle beyond doubt is left to ball arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.certified.float_filter.kernels import EPS, INFINITE, KERNELS, WIDER, Approx, Floats, sum_of
from gradcheck_cli.differentiation.rules import formula_program
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import Call, Constant, Named, Variable
from gradcheck_cli.expression.program import Program

Bools = NDArray[np.bool_]
NAMED_CONSTANTS = {"pi": np.pi, "e": np.e, "tau": 2 * np.pi}


class Condition:
    """truth: at each point; known: whether it holds for all values within the radii."""

    def __init__(self, truth: Any, known: Any) -> None:
        self.truth, self.known = truth, known


Value = Approx | Condition


def supports(program: Program) -> bool:
    """Whether every function of the program can be evaluated here, and every seam."""
    rows = _rows(program)
    seams = [formula_program(text) for row in rows for text in row.seams]
    return all(map(_has_kernel, rows)) and all(map(_has_kernel, (row for seam in seams for row in _rows(seam))))


@cache
def _has_kernel(row: Function) -> bool:
    """Whether a row has a kernel, or a definition of such rows."""
    if row in KERNELS:
        return True
    return bool(row.definition) and all(map(_has_kernel, _rows(formula_program(row.definition))))


def _rows(program: Program) -> set[Function]:
    calls = {node.function for node in program.nodes if isinstance(node, Call)}
    return {row for row in calls if row.role == "function"}


class ErrorBounds:
    """The arithmetic of floats with error bounds, at many points.

    columns: of each variable, at each point. dtype: of the constants, as in ball.Numbers; None: they are as written.
    """

    def __init__(self, columns: Mapping[str, Approx], dtype: Dtype | None) -> None:
        self.columns, self.dtype = columns, dtype

    def constant(self, node: Constant) -> Approx:
        if not node.exact and self.dtype is not None:
            return Approx(np.float64(rounded_constant(node, self.dtype)), None)
        value = np.float64(NAMED_CONSTANTS[node.value] if isinstance(node.value, str) else float(node.value))
        is_exact = not isinstance(node.value, str) and node.value == value.item()
        return Approx(value, None if is_exact else np.abs(value) * EPS)

    def variable(self, node: Variable) -> Approx:
        return self.columns[node.name]

    def named(self, node: Named, value: Value) -> Value:
        return value

    def apply(self, node: Call, args: Sequence[Any]) -> Approx:
        row = node.function
        kernel = KERNELS.get(row)
        if kernel is not None:
            return kernel(*args)
        assert row.definition is not None
        return _formula(row, row.definition, args)

    def select(self, node: Call, condition: Any, a: Any, b: Any) -> Approx:
        value = np.where(condition.truth, a.value, b.value)
        if a.radius is None and b.radius is None:
            if condition.known is np.True_:
                return Approx(value, None)
            return Approx(value, np.where(condition.known, 0.0, INFINITE))
        radius = np.where(condition.truth, 0.0 if a.radius is None else a.radius, 0.0 if b.radius is None else b.radius)
        return Approx(value, radius if condition.known is np.True_ else np.where(condition.known, radius, INFINITE))

    def compare(self, node: Call, a: Any, b: Any) -> Condition:
        if node.args[0] is node.args[1]:
            return Condition(np.bool_(node.function in (op.LE, op.GE, op.EQ)), np.isfinite(a.value))
        compare = _COMPARE[node.function]
        known = _gap_is_known(a, b)
        if np.all(known):
            return Condition(compare(a.value, b.value), np.True_)
        exact = sum_of(a.radius, b.radius)
        known = known | (np.isfinite(a.value) & np.isfinite(b.value) & (exact is None or exact == 0))
        return Condition(compare(a.value, b.value), np.True_ if np.all(known) else known)

    def join(self, node: Call, args: Sequence[Any]) -> Condition:
        match node.function, args:
            case op.AND, (a, b):
                return Condition(a.truth & b.truth, a.known & b.known)
            case op.OR, (a, b):
                return Condition(a.truth | b.truth, a.known & b.known)
            case op.NOT, (a,):
                return Condition(~np.asarray(a.truth), a.known)
        return Condition(np.bool_(node.function is op.TRUE), np.True_)


def live(program: Program, values: Sequence[Value], root: int) -> Mapping[int, Any]:
    """By node that the root rests on: at which points it does. Branches not taken are left out."""
    masks: dict[int, Any] = {root: np.True_}
    for i in range(root, -1, -1):
        if i not in masks:
            continue
        node, args = program.nodes[i], program.args[i]
        flows = [(j, masks[i]) for j in args]
        if isinstance(node, Call) and node.function.is_branch:
            condition = values[args[0]]
            assert isinstance(condition, Condition)
            flows = [
                (args[0], masks[i]),
                (args[1], masks[i] & condition.truth),
                (args[2], masks[i] & ~np.asarray(condition.truth)),
            ]
        for j, mask in flows:
            masks[j] = masks[j] | mask if j in masks else mask
    return masks


def tied(program: Program, values: Sequence[Value], root: int, candidates: Sequence[int]) -> Any:
    """Where a live candidate (a comparison, or a function with seams) may be decided at a tie."""
    if not candidates:
        return np.False_
    masks = live(program, values, root)
    found: Any = np.False_
    for i in candidates:
        if i in masks:
            found = found | (masks[i] & ~np.asarray(_apart(program, values, i)))
    return found


def _apart(program: Program, values: Sequence[Value], i: int) -> Any:
    """Where no seam of node i is within the radii."""
    node = program.nodes[i]
    assert isinstance(node, Call)
    args: list[Any] = [values[j] for j in program.args[i]]
    if node.function.is_comparison:
        return _gap_is_known(*args)
    apart: Any = np.True_
    row = node.function
    for text in row.seams:
        seam = _formula(row, text, args)
        apart = apart & (np.abs(seam.value) > (0.0 if seam.radius is None else WIDER * seam.radius))
    return apart


def _formula(row: Function, text: str, args: Sequence[Any]) -> Approx:
    program = formula_program(text)
    env = {argument.name: arg for argument, arg in zip(row.arguments, args, strict=True)}
    value = program.run(ErrorBounds(env, None))[program.roots[0]]
    assert isinstance(value, Approx)
    return value


_COMPARE: dict[Function, Callable[..., Any]] = {
    op.LT: np.less, op.LE: np.less_equal, op.GT: np.greater, op.GE: np.greater_equal, op.EQ: np.equal,
    op.NE: np.not_equal,
}  # fmt: skip


def _gap_is_known(a: Approx, b: Approx) -> Any:
    """Where the two differ for all values within their radii."""
    total = sum_of(a.radius, b.radius)
    return np.abs(a.value - b.value) > (0.0 if total is None else WIDER * total + EPS * np.abs(a.value))


def columns_of(points: Mapping[str, Floats]) -> dict[str, Approx]:
    """Points whose coordinates are exact."""
    return {name: Approx(values, None) for name, values in points.items()}
