"""Rewrites that no formula of u, v and w can tell: of sums of any length, of the inside of a branch, of polynomials.

Each takes any part of an expression, and gives what it may become: nothing where it does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from gradcheck_cli.differentiation.folding import integer_value
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    call,
    constant,
    depends_on,
    rebuild,
    topological,
    variables,
)

POLYNOMIAL = 100
"""The most nodes, and the highest power, of a polynomial that is factored."""
_POLYNOMIAL = op.ARITHMETIC - {op.DIV}


def double_where(node: Call) -> Iterator[Expr]:
    """where(c, f(x), y) with the arguments of f that may be outside its domain guarded by the same condition."""
    if node.function is not op.WHERE:
        return
    condition, *branches = node.args
    for index in (0, 1):
        order = topological(branches[index])
        dependent = depends_on(order, variables(branches[index]))
        for inner in reversed(order):
            if inner not in dependent or not isinstance(inner, Call) or inner.function in _HARMLESS:
                continue
            argument = inner.args[1] if inner.function is op.DIV else inner.args[0]
            if argument not in dependent:
                continue
            for safe in _SAFE:
                guarded = call(op.WHERE, condition, *((argument, safe) if index == 0 else (safe, argument)))
                branch = replaced(branches[index], argument, guarded)
                yield call(op.WHERE, condition, *((branch, branches[1]) if index == 0 else (branches[0], branch)))


_HARMLESS = frozenset({op.ADD, op.SUB, op.MUL, op.NEG, op.WHERE, op.IFELSE, *op.COMPARISONS, op.AND, op.OR})
_SAFE = (constant(1), constant(0))


def _exponents(node: Expr) -> list[Expr]:
    """u, v, ... of exp(u) + exp(v) + ..., where 1 is exp(0); empty for any other expression."""
    terms, exponents = [node], []
    while terms:
        match terms.pop():
            case Call(function=op.ADD, args=(a, b)):
                terms += [b, a]
            case Call(function=op.EXP, args=(exponent,)):
                exponents.append(exponent)
            case Constant() as one if integer_value(one) == 1:
                exponents.append(_ZERO)
            case _:
                return []
    return exponents


_ZERO = constant(0)


def _joined(function: Function, terms: Sequence[Expr]) -> Expr:
    """f(f(a, b), c)"""
    return reduce(lambda a, b: call(function, a, b), terms[1:], terms[0])


def _log_sum_exp(exponents: Sequence[Expr]) -> Expr:
    return _joined(op.LOGADDEXP, exponents)


def log_of_exponentials(node: Call) -> Iterator[Expr]:
    """log(exp(u) + exp(v) + exp(w)) as logaddexp(logaddexp(u, v), w)."""
    exponents = _exponents(node.args[0]) if node.function is op.LOG else []
    if len(exponents) > 2:
        yield _log_sum_exp(exponents)


def softmax(node: Call) -> Iterator[Expr]:
    """exp(u)/(exp(u) + exp(v) + exp(w)) as 1/(1 + exp(v - u) + exp(w - u)), or by logaddexp where another is the
    largest."""
    for own, exponents in _shares(node):
        rest = list(exponents)
        rest.remove(own)
        others = [call(op.EXP, call(op.SUB, exponent, own)) for exponent in rest]
        yield call(op.DIV, constant(1), _joined(op.ADD, [constant(1), *others]))
        yield call(op.EXP, call(op.SUB, own, _log_sum_exp(exponents)))


def log_softmax(node: Call) -> Iterator[Expr]:
    """log(exp(u)/(exp(u) + exp(v) + exp(w))) as u - logaddexp(logaddexp(u, v), w)."""
    if node.function is op.LOG and isinstance(node.args[0], Call):
        for own, exponents in _shares(node.args[0]):
            yield call(op.SUB, own, _log_sum_exp(exponents))


def _shares(node: Call) -> Iterator[tuple[Expr, list[Expr]]]:
    """(u, [u, v, w]) for exp(u)/(exp(u) + exp(v) + exp(w))."""
    if node.function is not op.DIV:
        return
    above, exponents = _exponents(node.args[0]), _exponents(node.args[1])
    if len(above) == 1 and len(exponents) > 2 and above[0] in exponents:
        yield above[0], exponents


def factored_polynomial(node: Call) -> Iterator[Expr]:
    """A polynomial of one variable as a product of factors."""
    if node.function not in (op.ADD, op.SUB) or len(variables(node)) != 1 or not _is_polynomial(node):
        return
    from gradcheck_cli.symbolic.closed_form import factored  # SymPy loads here
    from gradcheck_cli.symbolic.to_sympy import NoClosedForm

    try:
        yield factored(node)
    except NoClosedForm:
        return


def _is_polynomial(root: Expr) -> bool:
    order = topological(root)
    powers = [node for node in order if isinstance(node, Call) and node.function is op.POW]
    return (
        len(order) <= POLYNOMIAL
        and all(not isinstance(node, Call) or node.function in _POLYNOMIAL for node in order)
        and all(0 < (integer_value(node.args[1]) or 0) <= POLYNOMIAL for node in powers)
    )


def replaced(root: Expr, part: Expr, better: Expr) -> Expr:
    return rebuild(root, lambda node, _: better if node is part else None)
