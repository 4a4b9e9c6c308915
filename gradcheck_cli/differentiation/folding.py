"""What is trivially constant in a derivative, folded away while the derivative is made."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Constant, Expr, call, constant

ZERO, ONE = constant(0, exact=True), constant(1, exact=True)
SMALLEST_NORMAL = Fraction(1, 2**14)  # of float16: nothing above becomes 0 in a working dtype
_SMALL = 256  # integers up to here are exact in every working dtype, so that rounding a literal does not change them


def integer_value(node: Expr) -> int | None:
    """The value of a constant that is an integer, exact or small enough to be exact in every dtype; else None."""
    if isinstance(node, Constant):
        value = node.value
        if isinstance(value, str) or value.denominator != 1:
            return None
        return value.numerator if node.exact or abs(value.numerator) <= _SMALL else None
    if isinstance(node, Call) and node.function is op.NEG and isinstance(node.args[0], Constant):
        value_of_inner = integer_value(node.args[0])
        return None if value_of_inner is None else -value_of_inner
    return None


def _ratio(node: Expr) -> Fraction | None:
    """The value of an integer, or of a quotient of two: 1/3 is one third in every dtype."""
    match node:
        case Call(function=op.DIV, args=(above, below)):
            a, b = integer_value(above), integer_value(below)
            return Fraction(a, b) if a is not None and b else None
    value = integer_value(node)
    return None if value is None else Fraction(value)


def fold(function: Function, *args: Expr) -> Expr:
    """`call(function, *args)` for the derivative DAG, with what is trivially constant folded away.

    Only the derivative is folded, never what a user typed: there, 0*exp(x) is NaN where exp overflows, and that is what
    one wants to see.
    """
    if function in _FOLDS and (folded := _FOLDS[function](*args)) is not None:
        return folded
    if function.has_parameters:
        args = tuple(
            _number(arg) if argument.kind in ("number", "integer") else arg
            for argument, arg in zip(function.arguments, args, strict=True)
        )
    return call(function, *args)


def _exactly(combine: Callable[[int, int], int], x: int | None, y: int | None) -> Expr | None:
    """x and y combined, if both are small."""
    if x is None or y is None or abs(x) > _SMALL or abs(y) > _SMALL:
        return None
    return constant(combine(x, y), exact=True)


def _add(a: Expr, b: Expr) -> Expr | None:
    x, y = integer_value(a), integer_value(b)
    if x == 0:
        return b
    if y == 0:
        return a
    return _exactly(operator.add, x, y)


def _sub(a: Expr, b: Expr) -> Expr | None:
    x, y = integer_value(a), integer_value(b)
    if y == 0:
        return a
    if x == 0:
        return fold(op.NEG, b)
    return _exactly(operator.sub, x, y)


def _mul(a: Expr, b: Expr) -> Expr | None:
    x, y = integer_value(a), integer_value(b)
    if x == 0 or y == 0:
        return ZERO
    if x == 1:
        return b
    if y == 1:
        return a
    if x == -1:
        return fold(op.NEG, b)
    if y == -1:
        return fold(op.NEG, a)
    if (product := _exactly(operator.mul, x, y)) is not None:
        return product
    inner_a, guards_a = _unguard(a)
    inner_b, guards_b = _unguard(b)
    if not (guards_a or guards_b):
        return None
    product = fold(op.MUL, inner_a, inner_b)
    for condition, zero_first in reversed(guards_a + guards_b):
        product = fold(op.WHERE, condition, *((ZERO, product) if zero_first else (product, ZERO)))
    return product


def _div(a: Expr, b: Expr) -> Expr | None:
    divisor = integer_value(b)
    if divisor == 1:
        return a
    return ZERO if divisor and integer_value(a) == 0 else None


def _pow(base: Expr, exponent: Expr) -> Expr | None:
    value = integer_value(exponent)
    return ONE if value == 0 else base if value == 1 else None


def _neg(a: Expr) -> Expr | None:
    value = integer_value(a)
    if value is not None:
        return constant(-value, exact=True)
    return a.args[0] if isinstance(a, Call) and a.function is op.NEG else None


def _log(a: Expr) -> Expr | None:
    return ONE if isinstance(a, Constant) and a.value == "e" and a.exact else None


def _where(condition: Expr, a: Expr, b: Expr) -> Expr | None:
    if a is b or condition is TRUE:
        return a
    return b if condition is FALSE else None


def _junction(decisive: Expr, neutral: Expr) -> Callable[..., Expr | None]:
    def folded(a: Expr, b: Expr) -> Expr | None:
        if a is decisive or b is decisive or (decisive is FALSE and _exclude_each_other(a, b)):
            return decisive
        return b if a is neutral else a if b is neutral else None

    return folded


def _exclude_each_other(a: Expr, b: Expr) -> bool:
    """x == y and x > y, say."""
    return isinstance(a, Call) and isinstance(b, Call) and a.args == b.args and {a.function, b.function} in _EXCLUSIVE


_EXCLUSIVE = ({op.EQ, op.NE}, {op.EQ, op.LT}, {op.EQ, op.GT}, {op.LT, op.GT}, {op.LT, op.GE}, {op.GT, op.LE})


def _is_never_zero(node: Expr) -> bool:
    """Whether a constant stays away from 0 in every working dtype."""
    return isinstance(node, Constant) and (isinstance(node.value, str) or abs(node.value) >= SMALLEST_NORMAL)


def _equality(equal: bool) -> Callable[..., Expr | None]:
    def folded(a: Expr, b: Expr) -> Expr | None:
        if (b is ZERO and _is_never_zero(a)) or (a is ZERO and _is_never_zero(b)):
            return FALSE if equal else TRUE
        x, y = _ratio(a), _ratio(b)
        return None if x is None or y is None else TRUE if (x == y) is equal else FALSE

    return folded


def _inequality(holds: Callable[[int, int], bool]) -> Callable[..., Expr | None]:
    def folded(a: Expr, b: Expr) -> Expr | None:
        x, y = integer_value(a), integer_value(b)
        return None if x is None or y is None else TRUE if holds(x, y) else FALSE

    return folded


TRUE, FALSE = call(op.TRUE), call(op.FALSE)

_FOLDS: dict[Function, Callable[..., Expr | None]] = {
    op.ADD: _add,
    op.SUB: _sub,
    op.MUL: _mul,
    op.DIV: _div,
    op.POW: _pow,
    op.NEG: _neg,
    op.LOG: _log,
    op.WHERE: _where,
    op.AND: _junction(FALSE, TRUE),
    op.OR: _junction(TRUE, FALSE),
    op.EQ: _equality(equal=True),
    op.NE: _equality(equal=False),
    op.LT: _inequality(operator.lt),
    op.LE: _inequality(operator.le),
    op.GT: _inequality(operator.gt),
    op.GE: _inequality(operator.ge),
}
"""What a call folds to, or None: it stays as it is."""


def _number(node: Expr) -> Expr:
    """A parameter: sums and products of constants as one constant, so that the node stays a number."""
    match node:
        case Call(function=(op.ADD | op.SUB | op.MUL | op.DIV | op.NEG) as function, args=args):
            parts = [_number(arg) for arg in args]
            numbers = [part.value for part in parts if isinstance(part, Constant) and isinstance(part.value, Fraction)]
            if len(numbers) == len(parts):
                match function, numbers:
                    case op.NEG, [a]:
                        return constant(-a, exact=True)
                    case op.ADD, [a, b]:
                        return constant(a + b, exact=True)
                    case op.SUB, [a, b]:
                        return constant(a - b, exact=True)
                    case op.MUL, [a, b]:
                        return constant(a * b, exact=True)
                    case op.DIV, [a, b] if b:
                        return constant(a / b, exact=True)
    return node


def _unguard(node: Expr) -> tuple[Expr, list[tuple[Expr, bool]]]:
    """Strip where(c, node, 0) and where(c, 0, node), outermost first: (what is inside, [(c, whether 0 comes first)]).

    A zero of a branch is a choice, not a factor: 1/(2*sqrt(relu(x))) times relu'(x) is 0 at -1, not infinity times 0.
    So a product goes inside the branch.
    """
    guards: list[tuple[Expr, bool]] = []
    while isinstance(node, Call) and node.function is op.WHERE:
        condition, a, b = node.args
        if ZERO not in (a, b):
            break
        guards.append((condition, b is not ZERO))
        node = a if b is ZERO else b
    return node, guards
