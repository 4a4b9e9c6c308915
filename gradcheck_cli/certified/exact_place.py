"""An expression at an exact place: rational numbers in, and all that is rational arithmetic worked out exactly.

Balls cannot tell that 0.3 of a claim, which is 3/10, equals the 3/10 of a place; fractions can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import FALSE, TRUE, fold
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import by_row
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Named,
    Variable,
    call,
    constant,
    rebuild,
)
from gradcheck_cli.language.magnitude import rational

_COMPARE: dict[Function, Callable[[Fraction, Fraction], bool]] = {
    op.LT: lambda a, b: a < b, op.LE: lambda a, b: a <= b, op.GT: lambda a, b: a > b, op.GE: lambda a, b: a >= b,
    op.EQ: lambda a, b: a == b, op.NE: lambda a, b: a != b,
}  # fmt: skip
_EXACT: dict[Function, Callable[..., Fraction | int]] = by_row({
    "abs": abs, "relu": lambda x: max(x, Fraction(0)), "sign": lambda x: (x > 0) - (x < 0),
    "maximum": max, "minimum": min, "fmax": max, "fmin": min, "floor": math.floor, "ceil": math.ceil,
    "offset_from_integer": lambda x: x - math.floor(x + Fraction(1, 2)), "square": lambda x: x * x,
})  # fmt: skip


def at_place(root: Expr, place: Mapping[str, Fraction]) -> Expr:
    """`root` at a place: without the variables that it names, conditions decided where arithmetic decides them."""
    return rebuild(root, lambda node, args: _settled(node, args, place))


def _settled(node: Expr, args: tuple[Expr, ...], place: Mapping[str, Fraction]) -> Expr | None:
    match node:
        case Variable(name=name) if name in place:
            return constant(place[name], exact=True)
        case Named():
            return args[0]
        case Call(function=function):
            return _called(function, args)
    return None


def _called(function: Function, args: tuple[Expr, ...]) -> Expr | None:
    if function.is_branch or function in (op.AND, op.OR):
        return fold(op.WHERE if function.is_branch else function, *args)
    if function is op.NOT:
        return FALSE if args[0] is TRUE else TRUE if args[0] is FALSE else None
    values = [arg.value for arg in args if isinstance(arg, Constant) and isinstance(arg.value, Fraction)]
    if len(values) < len(args) or not args:
        return None
    if function.is_comparison:
        return TRUE if _COMPARE[function](values[0], values[1]) else FALSE
    if function in _EXACT:
        return constant(Fraction(_EXACT[function](*values)), exact=True)
    if function.definition and function.seams:
        return at_place(rules.instantiate(rules.formula(function.definition), function, args), {})
    value = rational(call(function, *args))
    return None if value is None else constant(value, exact=True)
