"""Expressions in terms of the few functions that normal forms know, of branches and of functions of two pieces."""

from __future__ import annotations

from functools import cache

from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import ONE
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.functions import by_row
from gradcheck_cli.expression.nodes import Call, Constant, Expr, rebuild, substitute, topological

FOLDED = by_row(
    {
        "abs": ("x", "x", "-x"),
        "relu": ("x", "x", "0"),
        "maximum": ("x - y", "x", "y"),
        "minimum": ("y - x", "x", "y"),
    }
)
"""Continuous functions with two pieces: what decides by its sign, the piece where it is not negative, the other."""
WRITTEN = by_row(
    {
        "erfc": "1 - erf(x)",
        "ndtri": "sqrt(2)*erfinv(2*x - 1)",
        "acos": "pi/2 - asin(x)",
        "ceil": "-floor(-x)",
        "offset_from_integer": "x - floor(x + 1/2)",
        "digamma": "polygamma(0, x)",
        "igammac": "1 - igamma(a, x)",
        "sinc": "where(x == 0, 1, sin(pi*x)/(pi*x))",
        "entr": "where(x == 0, 0, -x*log(x))",
        "xlogy": "where(x == 0, 0, x*log(y))",
        "xlog1py": "where(x == 0, 0, x*log1p(y))",
        "besselie": "exp(-abs(x))*besseli(n, x)",
        "nan_to_num": "x",
        "nan_to_num_bounded": "x",
    }
)
"""Functions in terms of others, where their row has no definition or one that leaves a point out."""
FIRST_DERIVATIVE_OF_SINC = "where(x == 0, 0, cos(pi*x)/x - sin(pi*x)/(pi*x**2))"


def has_branches(root: Expr) -> bool:
    return any(
        isinstance(node, Call) and (node.function.is_branch or node.function in FOLDED or node.function.jumps)
        for node in topological(root)
    )


def written(root: Expr, *, smooth: bool = False) -> Expr:
    """`root` in terms of the functions that normal forms know, of branches and of FOLDED.

    smooth: functions that need a branch here and have no seam stay as they are.
    """

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        if not isinstance(node, Call) or node.function.role != "function":
            return None
        text = _text(node)
        if text is None or (smooth and node.function is op.SINC):
            return None
        names = [argument.name for argument in node.function.arguments]
        return substitute(_written_formula(text), dict(zip(names, args, strict=True)))

    return rebuild(root, replace)


def _text(node: Call) -> str | None:
    first, last = node.args[0], node.args[-1]
    if node.function is op.DSINC and first is ONE:
        return FIRST_DERIVATIVE_OF_SINC
    if node.function is op.MVPOLYGAMMA and isinstance(last, Constant):
        return " + ".join(f"polygamma(n, x - {j}/2)" for j in range(int(last.value)))
    if node.function in FOLDED:
        return None
    return WRITTEN.get(node.function, node.function.definition)


@cache
def _written_formula(text: str) -> Expr:
    return written(rules.formula(text))
