"""How torch computes the derivatives of its functions, where that can lose digits or overflow though the derivative
does not: the rules of its derivatives.yaml, as formulas of the arguments.

They equal the partial derivatives of the table of functions as real functions, and are less careful in floating point:
`tanh` has 1 - y*y for its own result y, which rounds before it is squared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.widened.balls import RoundingModel
from gradcheck_cli.certified.widened.sweep import Sweep
from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.steps import Step
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import by_row
from gradcheck_cli.expression.nodes import Call, Expr, substitute

TORCH_RULES: dict[Function, tuple[str, ...]] = by_row(
    {
        # by function: a formula for each argument, in the order of its row; "" where the table's own rule is as good
        "acos": ("-rsqrt(1 - x*x)",),
        "acosh": ("rsqrt(x**2 - 1)",),
        "asin": ("rsqrt(1 - x*x)",),
        "asinh": ("rsqrt(x**2 + 1)",),
        "atan": ("1/(x*x + 1)",),
        "atan2": ("x*(1/(y*y + x*x))", "-y*(1/(y*y + x*x))"),
        "atanh": ("1/(1 - x**2)",),
        "div": ("", "-x/y/y"),
        "erfcx": ("2*x*erfcx(x) - 2/sqrt(pi)",),
        "erfinv": ("sqrt(pi)/2*exp(erfinv(x)**2)",),
        "exp2": ("exp2(x)*log(2)",),
        "expm1": ("expm1(x) + 1",),
        "hypot": ("x/hypot(x, y)", "y/hypot(x, y)"),
        "igamma": ("", "exp((a - 1)*log(x) - x - lgamma(a))"),
        "igammac": ("", "-exp((a - 1)*log(x) - x - lgamma(a))"),
        "log_ndtr": ("exp(-(log_ndtr(x) + x**2/2))/sqrt(2*pi)",),
        "logaddexp": ("1/(1 + exp(y - x))", "1/(1 + exp(x - y))"),
        "logaddexp2": ("1/(1 + 2**(y - x))", "1/(1 + 2**(x - y))"),
        "ndtri": ("sqrt(2*pi)*exp(ndtri(x)**2/2)",),
        "pow": ("", "x**y*log(x)"),
        "reciprocal": ("-reciprocal(x)*reciprocal(x)",),
        "rsqrt": ("-0.5*rsqrt(x)**3",),
        "sigmoid": ("(1 - sigmoid(x))*sigmoid(x)",),
        "silu": ("sigmoid(x)*(1 + x*(1 - sigmoid(x)))",),
        "sinc": ("(cos(pi*x)*pi*x - sin(pi*x))/(pi*x*x)",),
        "tan": ("1 + tan(x)**2",),
        "tanh": ("1 - tanh(x)*tanh(x)",),
    }
)


FORWARD: dict[Function, tuple[str, ...]] = by_row({"atan2": ("x/(y**2 + x**2)", "-y/(y**2 + x**2)")})
"""Where forward mode has a rule of its own."""


@dataclass(frozen=True)
class RuleLoss:
    """What rounding in torch's own rule does: the rule, over the expression itself, and the part of it that overflows,
    underflows or cancels; None where no part stands out."""

    rule: Expr
    overflow: Expr | None = None
    underflow: Expr | None = None
    cancellation: Expr | None = None


def rule_of(function: Function, index: int, mode: str = "reverse") -> Expr | None:
    """torch's rule for the index-th argument of a function; None where the table has none."""
    texts = FORWARD.get(function, ()) if mode == "forward" else ()
    texts = texts or TORCH_RULES.get(function, ())
    return rules.formula(texts[index]) if index < len(texts) and texts[index] else None


class Rule:
    """torch's own rule for the derivative of a step by one operand, if the table has it."""

    def __init__(self, step: Step, by: str, mode: str) -> None:
        self.formula: Expr | None = None  # in terms of the names of the operands
        if isinstance(step.formula, Call) and step.function is not None:
            names = [getattr(arg, "name", None) for arg in step.formula.args]
            rule = rule_of(step.function, names.index(by), mode) if names.count(by) == 1 else None
            if rule is not None:
                arguments = (argument.name for argument in step.function.arguments)
                self.formula = substitute(rule, dict(zip(arguments, step.formula.args, strict=True)))

    def explains(
        self, found: float, values: Mapping[str, float], numbers: Numbers, dtype: Dtype, nodes: Mapping[str, Expr]
    ) -> RuleLoss | None:
        """What happens in the rule, where rounding in it explains what torch found; else None.

        values: torch's, of the operands; nodes: what the operands' names stand for.
        """
        if self.formula is None:
            return None
        enclosure = Sweep(self.formula, values, numbers, RoundingModel(dtype)).value()
        if not enclosure.explains(found):
            return None
        parts = enclosure.overflow, enclosure.underflow, enclosure.cancellation
        overflow, underflow, cancellation = (None if part is None else substitute(part, nodes) for part in parts)
        if overflow is not None and underflow is not None and found and math.isfinite(found):
            overflow = None  # it may have, and did not
        return RuleLoss(substitute(self.formula, nodes), overflow, underflow, cancellation)
