"""A SymPy expression in our language, written as people write it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import sympy

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Call, Expr, call, constant, variable
from gradcheck_cli.symbolic.for_people import KEPT
from gradcheck_cli.symbolic.to_sympy import NoClosedForm

_BY_CLASS: dict[str, Function] = {
    row.sympy: row
    for row in reversed(FUNCTIONS.values())
    if isinstance(row.sympy, str) and len(row.arguments) in (1, 2) and not row.internal
}
_BY_CLASS.update({"Abs": op.ABS, "Max": op.MAXIMUM, "Min": op.MINIMUM})
_BY_CLASS.update({"loggamma": FUNCTIONS["lgamma"], "Heaviside": FUNCTIONS["heaviside"]})
_BY_CLASS.update({form.__name__: row for row, form in KEPT.items()})
_BY_RELATION = {"StrictLessThan": op.LT, "LessThan": op.LE, "StrictGreaterThan": op.GT, "GreaterThan": op.GE,
                "Equality": op.EQ, "Unequality": op.NE}  # fmt: skip
_NOT_OURS = frozenset({"sinc"})  # a SymPy name that means something else


def from_sympy(root: Any) -> Expr:
    """A SymPy expression in our language. Raises NoClosedForm for what it lacks (Derivative, Subs, DiracDelta ...)."""
    made: dict[Any, Expr] = {}
    for node in sympy.postorder_traversal(root):
        if node not in made and not isinstance(node, sympy.Tuple):
            made[node] = _from_node(node, made)
    return made[root]


def _from_node(node: Any, made: Mapping[Any, Expr]) -> Expr:
    args = [made[arg] for arg in node.args if arg in made]
    match node:
        case sympy.Rational():
            return _rational(node)
        case sympy.Symbol():
            return variable(node.name)
        case sympy.besseli() | sympy.besselj() if node.args[0] in (0, 1):
            kind = "i" if isinstance(node, sympy.besseli) else "bessel_j"
            return call(FUNCTIONS[f"{kind}{node.args[0]}"], args[1])
        case _ if node in (sympy.pi, sympy.E):
            return constant("pi" if node is sympy.pi else "e")
        case sympy.Add():
            return _sum(node, made)
        case sympy.Mul():
            return _product(node, made)
        case sympy.exp():
            return call(op.EXP, args[0])
        case sympy.Pow():
            if node.exp == sympy.S.Half:
                return call(op.SQRT, args[0])
            if node.exp.could_extract_minus_sign():
                return call(op.DIV, constant(1), _converted(node.base**-node.exp, made))
            return call(op.POW, *args)
        case sympy.Piecewise():
            return _piecewise(node, made)
        case sympy.And() | sympy.Or():
            result = args[0]
            for arg in args[1:]:
                result = call(op.AND if isinstance(node, sympy.And) else op.OR, result, arg)
            return result
        case sympy.Not():
            return call(op.NOT, args[0])
        case _ if node in (sympy.true, sympy.false):
            return call(op.TRUE if node is sympy.true else op.FALSE)
    return _from_function(type(node).__name__, args, node)


def _from_function(name: str, args: list[Expr], node: Any) -> Expr:
    if name in _BY_RELATION:
        return call(_BY_RELATION[name], *args)
    if name in ("Max", "Min") and len(args) > 2:
        result = args[0]
        for arg in args[1:]:
            result = call(_BY_CLASS[name], result, arg)
        return result
    if name == "polygamma" and node.args[0] == 0:
        return call(op.DIGAMMA, args[1])
    if name == "Heaviside" and len(args) == 1:
        args = [*args, constant(Fraction(1, 2))]
    function = _BY_CLASS.get(name)
    if function is None or name in _NOT_OURS or len(args) != len(function.arguments):
        raise NoClosedForm(f"SymPy's answer has {name} in it")
    return call(function, *args)


def _rational(value: Any) -> Expr:
    magnitude = constant(abs(int(value.p)))
    whole = magnitude if value.q == 1 else call(op.DIV, magnitude, constant(int(value.q)))
    return call(op.NEG, whole) if value < 0 else whole


def _sum(node: Any, made: Mapping[Any, Expr]) -> Expr:
    """A sum in the order in which SymPy prints it, with a - b for a + (-b), and x - m for -m + x."""
    result: Expr | None = None
    first, *others = node.as_ordered_terms()
    if (-first).is_Symbol and not others[0].could_extract_minus_sign():
        first, others[0] = others[0], first
    for term in (first, *others):
        negative = term.could_extract_minus_sign()
        part = made.get(-term) if negative and -term in made else _converted(-term if negative else term, made)
        assert part is not None
        if result is None:
            result = _negated(part) if negative else part
        else:
            result = call(op.SUB if negative else op.ADD, result, part)
    assert result is not None
    return result


def _converted(node: Any, made: Mapping[Any, Expr]) -> Expr:
    return made[node] if node in made else from_sympy(node)


def _product(node: Any, made: Mapping[Any, Expr]) -> Expr:
    """A product as sign * numerator / denominator."""
    numerator, denominator = sympy.fraction(node, exact=True)
    if denominator != 1 and numerator != node:
        negative = numerator.could_extract_minus_sign()
        top = _converted(-numerator if negative else numerator, made)
        return call(op.DIV, _negated(top) if negative else top, _converted(denominator, made))
    result: Expr | None = None
    factors = list(node.as_ordered_factors())
    negative = factors[0] == -1
    for factor in factors[1:] if negative else factors:
        part = _converted(factor, made)
        result = part if result is None else call(op.MUL, result, part)
    assert result is not None
    return _negated(result) if negative else result


def _negated(product: Expr) -> Expr:
    """-(2*x/y) with the sign where people write it: -2*x/y."""
    match product:
        case Call(function=(op.MUL | op.DIV) as function, args=(first, second)):
            return call(function, _negated(first), second)
    return call(op.NEG, product)


def _piecewise(node: Any, made: Mapping[Any, Expr]) -> Expr:
    *pairs, (last, condition) = node.args
    if condition != sympy.true:
        raise NoClosedForm("SymPy's answer has a gap")
    result = _converted(last, made)
    for value, test in reversed(pairs):
        result = call(op.WHERE, _converted(test, made), _converted(value, made), result)
    return result
