"""Proofs that an expression is zero, by SymPy, within a time limit. A proof not found says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from gradcheck_cli.expression import Call, Expr, call, rebuild, topological
from gradcheck_cli.folding import fold
from gradcheck_cli.functions import FUNCTIONS
from gradcheck_cli.magnitude import rational
from gradcheck_cli.symbolic import NoClosedForm, branch_nesting, hide_constants, to_sympy, tree_size
from gradcheck_cli.time_limit import OutOfTime, time_limit

TREE_LIMIT = 2_000  # nodes of the expression as a tree
NESTED_BRANCHES = 2
ANALYTIC = frozenset(
    {"add", "sub", "mul", "div", "neg", "pow", "exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh"}
)


def _is_everyday(node: Call) -> bool:
    """Whether a function of constants is one that SymPy has rules for and can write out: log(2), 2**(1/3)."""
    values = [rational(arg) for arg in node.args]
    return FUNCTIONS[node.function].group in ("elementary", "trigonometric", "hyperbolic") and all(
        value is not None and max(abs(value.numerator), value.denominator) <= 100 for value in values
    )


def _numerator(form: Any) -> Any:
    return sympy.expand(sympy.fraction(sympy.together(form))[0])


# Cheap ones first. Each keeps the value wherever both sides are defined.
BOUNDED: tuple[Callable[[Any], Any], ...] = (lambda form: form, sympy.expand, _numerator)
OPEN_ENDED: tuple[Callable[[Any], Any], ...] = (
    lambda form: _numerator(form.rewrite(sympy.exp)),
    lambda form: sympy.powsimp(_numerator(sympy.expand_power_base(form))),
    lambda form: sympy.powsimp(_numerator(sympy.expand_log(sympy.expand_func(form), force=False))),
    lambda form: _numerator(sympy.expand_trig(form).rewrite(sympy.cos).rewrite(sympy.exp)),
    sympy.trigsimp,
    sympy.radsimp,
    sympy.simplify,
)


def equal(derivative: Expr, claim: Expr, seconds: float) -> bool:
    """Whether SymPy shows that the two are equal wherever both are defined. Takes at most `seconds`.

    derivative: a derivative that agrees with the claim at some points at least. Where no time limit can be set (see
    time_limit), only those steps are tried that are known to end soon.
    """
    return _is_zero(call("sub", _without_isolated_points(derivative), claim), seconds)


def _without_isolated_points(derivative: Expr) -> Expr:
    """The derivative with `u == 0` taken for false where u is analytic, and so zero at isolated points only.

    A derivative has no removable discontinuity (Darboux): what holds beside such a point holds at it, if the derivative
    exists there and the formula beside it is continuous.
    """

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        match node:
            case Call(function=("eq" | "ne") as function) if all(map(_is_analytic, node.args)):
                return call("true" if function == "ne" else "false")
            case Call(function=function) if function in FUNCTIONS or function in ("where", "and", "or"):
                return fold(function, *args)
        return None

    return rebuild(derivative, replace)


def _is_analytic(root: Expr) -> bool:
    return all(node.function in ANALYTIC for node in topological(root) if isinstance(node, Call))


def _is_zero(root: Expr, seconds: float) -> bool:
    if tree_size(root) > TREE_LIMIT or branch_nesting(root) > NESTED_BRANCHES:
        return False
    try:
        with time_limit(seconds):
            form = to_sympy(hide_constants(root, _is_everyday)[0])
            return any(_vanishes(step, form) for step in (*BOUNDED, *OPEN_ENDED))
    except (OutOfTime, NoClosedForm):
        return False
    except Exception:  # noqa: BLE001  SymPy raises what it likes; then there is no proof
        return False


def _vanishes(step: Callable[[Any], Any], form: Any) -> bool:
    try:
        return bool(step(form) == 0)
    except Exception:  # noqa: BLE001  this step cannot treat it; another may
        return False
