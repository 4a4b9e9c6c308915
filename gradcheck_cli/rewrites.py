"""Forms that keep the digits: what to write instead of an expression whose arithmetic is unstable.

Each rewrite is a pair of patterns in the language of formulas, equal as real functions; `u` and `v` stand for any
sub-expression.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from gradcheck_cli import rules
from gradcheck_cli.expression import Call, Constant, Expr, Variable, children, substitute, topological
from gradcheck_cli.text import to_text

REWRITES = (
    ("log(1 + exp(u))", "softplus(u)"),
    ("log1p(exp(u))", "softplus(u)"),
    ("log(exp(u) + exp(v))", "logaddexp(u, v)"),
    ("log(sigmoid(u))", "logsigmoid(u)"),
    ("log(cosh(u))", "abs(u) + log1p(exp(-2*abs(u))) - log(2)"),
    ("log(1 + u)", "log1p(u)"),
    ("1/(1 + exp(-u))", "sigmoid(u)"),
    ("exp(u)/(exp(u) + exp(v))", "sigmoid(u - v)"),
    ("exp(u)/(1 + exp(u))", "sigmoid(u)"),
    ("exp(u) - 1", "expm1(u)"),
    ("1 - cos(u)", "2*sin(u/2)**2"),
    ("1 - tanh(u)**2", "sech(u)**2"),
    ("1 - sigmoid(u)", "sigmoid(-u)"),
    ("1 - erf(u)", "erfc(u)"),
    ("sqrt(u + 1) - sqrt(u)", "1/(sqrt(u + 1) + sqrt(u))"),
    ("sqrt(u**2 + v**2)", "hypot(u, v)"),
    ("sqrt(u*u + v*v)", "hypot(u, v)"),
    ("sqrt(u**2)", "abs(u)"),
    ("sqrt(u*u)", "abs(u)"),
)
LIMIT = 60  # characters: a longer form is no advice


def rewrite(root: Expr, blamed: Collection[Expr]) -> tuple[str, str] | None:
    """(a part of the expression, what to write for it), for the first rewrite of the list that fits a part with a
    blamed sub-expression in it; None where there is none."""
    nodes = topological(root)
    guilty = set(blamed)
    for node in nodes:
        if not guilty.isdisjoint(children(node)):
            guilty.add(node)
    nodes = [node for node in nodes if node in guilty]
    for pattern, better in REWRITES:
        for node in nodes:
            bound: dict[str, Expr] = {}
            if _fits(rules.formula(pattern), node, bound):
                try:
                    return to_text(node, limit=LIMIT), to_text(substitute(rules.formula(better), bound), limit=LIMIT)
                except ValueError:
                    continue
    return None


def _fits(pattern: Expr, node: Expr, bound: dict[str, Expr]) -> bool:
    """Whether the node is an instance of the pattern; `bound` collects what its variables stand for. Sums match in
    either order."""
    match pattern, node:
        case Variable(name=name), _:
            return bound.setdefault(name, node) is node
        case Constant(value=Fraction() as wanted), Constant(value=Fraction() as value):
            return wanted == value
        case Call(function=function, args=args), Call() if function == node.function and len(args) == len(node.args):
            orders = [node.args, node.args[::-1]] if function == "add" else [node.args]
            for order in orders:
                trial = dict(bound)
                if all(_fits(p, n, trial) for p, n in zip(args, order, strict=True)):
                    bound.update(trial)
                    return True
    return False
