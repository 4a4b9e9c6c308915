"""Derivatives of functions as they are misremembered: a square or a sign that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import by_row
from gradcheck_cli.expression.nodes import Call, Expr, substitute


class Misremembered(NamedTuple):
    """wrong: a formula of the argument u and the output y; what: is wrong with it; right: the formula as it is."""

    wrong: str
    what: str
    right: str


SQUARE, ROOT, SIGN = "the square is missing", "the root is missing", "the sign within is wrong"
TANH, TAN, SIGMOID = "1 - tanh(u)**2 = 1/cosh(u)**2", "1 + tan(u)**2 = 1/cos(u)**2", "sigmoid(u)*(1 - sigmoid(u))"

KNOWN = by_row(
    {
        "tanh": (
            Misremembered("1 - y", SQUARE, TANH),
            Misremembered("1/cosh(u)", SQUARE, TANH),
            Misremembered("1 + y**2", SIGN, TANH),
        ),
        "tan": (
            Misremembered("1 + y", SQUARE, TAN),
            Misremembered("1/cos(u)", SQUARE, TAN),
            Misremembered("1 - y**2", SIGN, TAN),
        ),
        "sigmoid": (
            Misremembered("y*(1 + y)", SIGN, SIGMOID),
            Misremembered("1 - y", "the factor sigmoid(u) is missing", SIGMOID),
            Misremembered("1 - y**2", "it is that of tanh", SIGMOID),
        ),
        "atan": (
            Misremembered("1/(1 - u**2)", SIGN, "1/(1 + u**2)"),
            Misremembered("1/(1 + u)", SQUARE, "1/(1 + u**2)"),
            Misremembered("1/sqrt(1 + u**2)", "a root is there that does not belong", "1/(1 + u**2)"),
        ),
        "atanh": (Misremembered("1/(1 + u**2)", SIGN, "1/(1 - u**2)"),),
        "asin": (
            Misremembered("1/sqrt(1 + u**2)", SIGN, "1/sqrt(1 - u**2)"),
            Misremembered("1/(1 - u**2)", ROOT, "1/sqrt(1 - u**2)"),
        ),
        "acos": (
            Misremembered("-1/sqrt(1 + u**2)", SIGN, "-1/sqrt(1 - u**2)"),
            Misremembered("-1/(1 - u**2)", ROOT, "-1/sqrt(1 - u**2)"),
        ),
        "asinh": (
            Misremembered("1/sqrt(1 - u**2)", SIGN, "1/sqrt(1 + u**2)"),
            Misremembered("1/(1 + u**2)", ROOT, "1/sqrt(1 + u**2)"),
        ),
        "log": (Misremembered("1/u**2", "a square is there that does not belong", "1/u"),),
    }
)


def misremembered(node: Call) -> Iterator[tuple[str, Expr]]:
    """(what is wrong, the derivative of the function by its argument), the likeliest first."""
    for one in KNOWN.get(node.function, ()):
        sentence = f"{one.what} in the derivative of {node.function.name}(u), which is {one.right}"
        yield sentence, substitute(_formula(node.function, one.wrong), {"u": node.args[0]})


@cache
def _formula(function: Function, text: str) -> Expr:
    return substitute(rules.formula(text), {"y": rules.formula(f"{function.name}(u)")})
