"""Closed forms as people write them: sigmoid where sigmoid was typed, and of forms that are equal the shortest."""

from __future__ import annotations

from typing import Any

import sympy

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import by_row

MOST_OPERATIONS = 120
"""Of a form that is written otherwise."""
LESS = 0.8
"""The part of the operations that are left where products are multiplied out."""


class Sigmoid(sympy.Function):  # type: ignore[misc]
    """With its derivative in terms of itself; SymPy would put exp(-x) in its place."""

    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        return self * (1 - self)


class Logsigmoid(sympy.Function):  # type: ignore[misc]
    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> Any:
        return 1 - Sigmoid(self.args[0])


KEPT: dict[Function, Any] = by_row({"sigmoid": Sigmoid, "logsigmoid": Logsigmoid})
"""Functions that SymPy has only as a formula, and that keep their names."""


def shortest(form: Any) -> Any:
    """The form, or one that is equal and shorter: with common factors cancelled, or multiplied out where that takes
    away much."""
    if form.has(sympy.Piecewise, sympy.Heaviside) or sympy.count_ops(form) > MOST_OPERATIONS:
        return form
    found = form.replace(_has_sum, _without_content)
    if sympy.count_ops(found) > sympy.count_ops(form):
        found = form
    expanded = sympy.expand_mul(found)
    return expanded if sympy.count_ops(expanded) <= LESS * sympy.count_ops(found) else found


def _has_sum(form: Any) -> bool:
    return bool(form.is_Mul) and any(factor.is_Add for factor in form.args)


def _without_content(product: Any) -> Any:
    """(2*x - 2*m)*y/2 as (x - m)*y, and -(m - x)*y too."""
    number, factors = sympy.S.One, []
    for factor in sorted(product.args, key=lambda factor: not factor.is_number):
        content, rest = (sympy.S.One, factor)
        if factor.is_Rational:
            content, rest = factor, sympy.S.One
        elif factor.is_Add:
            content, rest = factor.primitive()
        if number * content < 0 and rest.is_Add and rest.could_extract_minus_sign():
            content, rest = -content, -rest
        number *= content
        factors.append(rest)
    return number * sympy.Mul(*factors)
