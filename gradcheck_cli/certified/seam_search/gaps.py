"""Where an expression may change: expressions ("gaps") that vanish at its seams, the branches in them unfolded.

A seam is where a comparison changes, where a function of the table is not smooth, or where one ceases to be defined.
A gap that has branches itself (`abs(x) - 5.3`) becomes a gap for each of them (`x - 5.3`, `-x - 5.3`), so that all that
is left is smooth. Some of these vanish where nothing changes: a place too many does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice, product

from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import ONE, fold
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
    topological,
)
from gradcheck_cli.language.magnitude import rational

MOST = 64
"""Gaps of a claim."""
PIECES = 16
"""Smooth gaps of one gap."""
INTEGERS = range(-3, 4)
"""The integers at which a function that jumps at all of them is looked at."""

# Each function with formulas that between them have its values near all of its seams.
_PIECES: dict[Function, tuple[str, ...]] = by_row(
    {
        "abs": ("x", "-x"),
        "sign": ("1", "-1", "0"),
        "relu": ("x", "0"),
        "maximum": ("x", "y"),
        "minimum": ("x", "y"),
        "fmax": ("x", "y"),
        "fmin": ("x", "y"),
        "copysign": ("x", "-x"),
        "floor": ("x", "x - 1"),
        "ceil": ("x", "x + 1"),
        "round": ("x - 1/2", "x + 1/2"),
        "offset_from_integer": tuple(f"x - {k}" if k >= 0 else f"x + {-k}" for k in INTEGERS),
        "square": ("x**2",),
        "reciprocal": ("1/x",),
        "positive": ("x",),
    }
)


def gaps(*roots: Expr) -> tuple[Expr, ...]:
    """The smooth gaps of expressions, at most MOST, each once."""
    found: dict[Expr, None] = {}
    for node in topological(*roots):
        for raw in raw_gaps(node):
            for smooth in islice(_unfolded(raw), PIECES):
                found.update(dict.fromkeys(_factors(smooth)))
        if len(found) >= MOST:
            break
    return tuple(islice(found, MOST))


def raw_gaps(node: Expr) -> Iterator[Expr]:
    """The gaps of one node, as they are."""
    if not isinstance(node, Call) or node.function.is_branch:
        return
    if node.function.is_comparison:
        yield fold(op.SUB, *node.args)
    elif node.function is op.POW:  # its row speaks of exponents that vary, too
        exponent = rational(node.args[1])
        if exponent is None or exponent < 0 or exponent.denominator != 1:
            yield node.args[0]
    else:
        for formula in _row_gaps(node.function):
            yield rules.instantiate(formula, node.function, node.args)


@cache
def _row_gaps(row: Function) -> tuple[Expr, ...]:
    """The gaps of a row, in terms of its arguments: its seams, and the edges of its domain."""
    found = [rules.formula(text) for text in row.seams]
    for node in topological(rules.formula(row.domain)) if row.domain else ():
        if isinstance(node, Call) and node.function.is_comparison:
            found.append(fold(op.SUB, *node.args))
    return tuple(dict.fromkeys(found))


def _unfolded(root: Expr) -> list[Expr]:
    """The smooth expressions that `root` is made of, branch by branch; PIECES of them at most for any node."""
    pieces: dict[Expr, list[Expr]] = {}
    for node in topological(root):
        match node:
            case Constant() | Variable():
                pieces[node] = [node]
            case Named(value=value):
                pieces[node] = pieces[value]
            case Call(function=function) if function.is_condition:
                pieces[node] = []
            case Call(function=function, args=(_, a, b)) if function.is_branch:
                pieces[node] = list(dict.fromkeys((*pieces[a], *pieces[b])))[:PIECES]
            case Call(function=function, args=args):
                below = islice(product(*(pieces[arg] for arg in args)), PIECES)
                made = (piece for chosen in below for piece in _pieces(function, chosen))
                pieces[node] = list(dict.fromkeys(islice(made, PIECES)))
    return pieces[root]


def _pieces(row: Function, args: tuple[Expr, ...]) -> Iterable[Expr]:
    if row in _PIECES:
        return [rules.instantiate(rules.formula(text), row, args) for text in _PIECES[row]]
    if row.definition and row.seams:
        return _unfolded(rules.instantiate(rules.formula(row.definition), row, args))
    return [fold(row, *args)]


def _factors(root: Expr) -> Iterator[Expr]:
    """Expressions one of which vanishes wherever `root` does, as simple as can be; none without a variable."""
    stack = [root]
    while stack:
        node = stack.pop()
        match node:
            case Call(function=op.MUL, args=args):
                stack += args
            case Call(function=op.DIV, args=(above, _)):
                stack.append(above)
            case Call(function=op.POW, args=(base, exponent)) if rational(exponent) is not None:
                stack.append(base)
            case Call(function=function, args=(arg,)) if function.zeros == "argument":
                stack.append(arg)
            case Call(function=op.LOG, args=(arg,)):
                stack.append(call(op.SUB, arg, ONE))
            case Call(function=function) if function.zeros == "never":
                pass
            case _ if any(isinstance(leaf, Variable) for leaf in topological(node)):
                yield node
