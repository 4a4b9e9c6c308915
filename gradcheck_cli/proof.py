"""Proofs that an expression is zero, by SymPy, within a time limit. A proof not found says nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from gradcheck_cli.expression import Call, Expr
from gradcheck_cli.functions import FUNCTIONS
from gradcheck_cli.magnitude import rational
from gradcheck_cli.symbolic import NoClosedForm, branch_nesting, hide_constants, to_sympy, tree_size
from gradcheck_cli.time_limit import OutOfTime, available, time_limit

TREE_LIMIT = 2_000  # nodes of the expression as a tree
NESTED_BRANCHES = 2


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


def is_zero(root: Expr, seconds: float) -> bool:
    """Whether SymPy shows that `root` is zero wherever it is defined. Takes at most `seconds`.

    Where no limit can be set (see time_limit), only those steps are tried that are known to end soon.
    """
    if tree_size(root) > TREE_LIMIT or branch_nesting(root) > NESTED_BRANCHES:
        return False
    try:
        with time_limit(seconds):
            form = to_sympy(hide_constants(root, _is_everyday)[0])
            return any(_vanishes(step, form) for step in (*BOUNDED, *(OPEN_ENDED if available() else ())))
    except (OutOfTime, NoClosedForm):
        return False
    except Exception:  # noqa: BLE001  SymPy raises what it likes; then there is no proof
        return False


def _vanishes(step: Callable[[Any], Any], form: Any) -> bool:
    try:
        return bool(step(form) == 0)
    except Exception:  # noqa: BLE001  this step cannot treat it; another may
        return False
