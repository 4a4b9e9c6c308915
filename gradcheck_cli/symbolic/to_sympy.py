"""An expression in SymPy's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

import sympy

from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, topological

PLAIN_BITS = 40  # of a number that SymPy may combine with others; longer ones stay as they were written
# SymPy multiplies out lowergamma(10**6, x) and the like: functions get numbers up to here, or there is no closed form.
LARGEST_ARGUMENT, LARGEST_SPECIAL = 10_000, 100
ARITHMETIC = op.ARITHMETIC - {op.POW}
ELEMENTARY = frozenset({"elementary", "trigonometric", "hyperbolic", "activation", "piecewise"})

_RELATIONS: dict[Function, Any] = {
    op.LT: sympy.Lt, op.LE: sympy.Le, op.GT: sympy.Gt, op.GE: sympy.Ge, op.EQ: sympy.Eq, op.NE: sympy.Ne,
    op.AND: sympy.And, op.OR: sympy.Or, op.NOT: sympy.Not,
}  # fmt: skip
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "tau": 2 * sympy.pi}


class NoClosedForm(Exception):
    """The expression is too large for SymPy, or SymPy's answer cannot be written in our language."""


def symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def to_sympy(
    root: Expr, values: Mapping[str, Any] | None = None, kept: Mapping[Function, Any] = MappingProxyType({})
) -> Any:
    """The expression as SymPy's. Literals are Rationals.

    values: what stands for the variables (default: symbols); kept: what stands for some functions.
    """
    made: dict[Expr, Any] = {}
    for node in topological(root):
        match node:
            case Constant(value=Fraction() as number):
                made[node] = sympy.Rational(number.numerator, number.denominator)
            case Constant(value=name):
                made[node] = _CONSTANTS[str(name)]
            case Variable(name=name):
                made[node] = values[name] if values and name in values else symbol(name)
            case Named(name=name, value=value):
                made[node] = symbol(name) if values is not None and name in values else made[value]
            case Call(function=function, args=args):
                made[node] = _call(function, [made[arg] for arg in args], kept)
    return made[root]


def _call(row: Function, args: list[Any], kept: Mapping[Function, Any]) -> Any:
    if row.is_branch:
        condition, a, b = args
        return sympy.Piecewise((a, condition), (b, True), evaluate=False)
    if row in (op.TRUE, op.FALSE):
        return sympy.true if row is op.TRUE else sympy.false
    if row.is_condition:
        return _RELATIONS[row](*args)
    largest = LARGEST_ARGUMENT if row.group in ELEMENTARY else LARGEST_SPECIAL
    if row not in op.ARITHMETIC and any(arg.is_number and abs(arg) > largest for arg in args):
        raise NoClosedForm(f"SymPy would write out {row.name} of a large number")
    if _has_long_numbers(row):
        raise NoClosedForm(f"SymPy would multiply out the numbers of {row.name}")
    return row_form(row, args, kept)


@cache
def _has_long_numbers(row: Function) -> bool:
    nodes = topological(rules.formula(row.definition)) if row.definition and row.sympy is None else []
    return any(isinstance(node, Constant) and not is_plain(node) for node in nodes)


def is_plain(node: Constant) -> bool:
    if isinstance(node.value, str):
        return True
    return max(node.value.numerator.bit_length(), node.value.denominator.bit_length()) <= PLAIN_BITS


def row_form(row: Function, args: Sequence[Any], kept: Mapping[Function, Any] = MappingProxyType({})) -> Any:
    """A row of the table applied, in SymPy's terms. kept: see to_sympy."""
    if row in kept:
        return kept[row](*args)
    if callable(row.sympy):
        return row.sympy(sympy, *args)
    if row.sympy is not None:
        return getattr(sympy, row.sympy)(*args)
    if row.definition is None:
        raise NoClosedForm(f"SymPy has no form of {row.name}")
    names = {argument.name: arg for argument, arg in zip(row.arguments, args, strict=True)}
    return to_sympy(rules.formula(row.definition), names, kept)
