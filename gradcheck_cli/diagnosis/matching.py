"""Which rewrites fit which parts of an expression: the expressions that may be written instead of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from gradcheck_cli.diagnosis.rewrite_rules import replaced
from gradcheck_cli.diagnosis.rewrites import REWRITES, Rewrite
from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Variable, call, substitute, topological

TERMS = 8
"""The most terms of a sum of which two are looked for that belong together."""


@dataclass(frozen=True)
class Candidate:
    """An expression with one part rewritten: not verified yet."""

    rewrite: Rewrite
    part: Expr
    better: Expr
    root: Expr


def candidates(root: Expr, blamed: Sequence[Expr] = ()) -> Iterator[Candidate]:
    """Every rewrite of every part that it fits; those whose part has a blamed sub-expression in it come first."""
    nodes = [node for node in topological(root) if isinstance(node, Call)]
    guilty = _with(nodes, blamed)
    for wanted in (True, False) if guilty else (False,):
        for rewrite in REWRITES:
            for node in nodes:
                if (node in guilty) is wanted:
                    for better in _applied(rewrite, node):
                        yield Candidate(rewrite, node, better, replaced(root, node, better))


def _with(nodes: Sequence[Expr], blamed: Sequence[Expr]) -> set[Expr]:
    """Those of the nodes, children first, that have a blamed one in them."""
    guilty = set(blamed)
    for node in nodes:
        if isinstance(node, Call) and not guilty.isdisjoint(node.args):
            guilty.add(node)
    return guilty


def _applied(rewrite: Rewrite, node: Call) -> Iterator[Expr]:
    if callable(rewrite.better):
        yield from rewrite.better(node)
        return
    pattern, better = rules.formula(rewrite.pattern), rules.formula(rewrite.better)
    bound: dict[str, Expr] = {}
    if _fits(pattern, node, bound):
        yield substitute(better, bound)
    elif isinstance(pattern, Call) and pattern.function is op.ADD and node.function in (op.ADD, op.SUB):
        for part, rest in _pairs(node):
            bound = {}
            if _fits(pattern, part, bound):
                yield _plus(rest, substitute(better, bound))


def _terms(node: Expr) -> list[tuple[bool, Expr]]:
    """The terms of a sum, each with whether it is added."""
    match node:
        case Call(function=op.ADD, args=(a, b)):
            return _terms(a) + _terms(b)
        case Call(function=op.SUB, args=(a, b)):
            return _terms(a) + [(not plus, term) for plus, term in _terms(b)]
        case Call(function=op.NEG, args=(a,)):
            return [(not plus, term) for plus, term in _terms(a)]
    return [(True, node)]


def _pairs(node: Call) -> Iterator[tuple[Expr, list[tuple[bool, Expr]]]]:
    """(the sum of two of the terms that are added, the others) for each two of a sum of at least three."""
    terms = _terms(node)
    if not 3 <= len(terms) <= TERMS:
        return
    for i, j in combinations(range(len(terms)), 2):
        if terms[i][0] and terms[j][0]:
            rest = [term for k, term in enumerate(terms) if k not in (i, j)]
            yield call(op.ADD, terms[i][1], terms[j][1]), rest


def _plus(terms: Sequence[tuple[bool, Expr]], total: Expr) -> Expr:
    for plus, term in terms:
        total = call(op.ADD if plus else op.SUB, total, term)
    return total


def _fits(pattern: Expr, node: Expr, bound: dict[str, Expr]) -> bool:
    """Whether the node is an instance of the pattern; `bound` collects what its variables stand for.

    Sums and products match in either order, u*u is u**2, a + (-b) is a - b, and -u fits whatever it is the negative of.
    """
    match pattern, node:
        case Variable(name=name), _:
            return bound.setdefault(name, node) is node
        case Constant(value=Fraction() as wanted), Constant(value=Fraction() as value):
            return wanted == value
        case Call(function=op.NEG, args=(Variable(name=name),)), _:
            return bound.setdefault(name, negative(node)) in (negative(node), _plain_negative(node))
        case Call(function=op.POW, args=(base, Constant(value=two))), Call(function=op.MUL, args=(a, b)) if two == 2:
            return a is b and _fits(base, a, bound)
        case Call(function=op.SUB, args=(p, q)), Call(function=op.ADD, args=(a, b)):
            return any(
                isinstance(minus, Call) and minus.function is op.NEG and _all_fit((p, q), (plus, minus.args[0]), bound)
                for plus, minus in ((a, b), (b, a))
            )
        case Call(function=function, args=args), Call() if function is node.function and len(args) == len(node.args):
            if function is op.DIV and _all_fit(args[::-1], node.args[::-1], bound):  # what is below tells more
                return True
            orders = [node.args, node.args[::-1]] if function in (op.ADD, op.MUL) else [node.args]
            return any(_all_fit(args, order, bound) for order in orders)
    return False


def _all_fit(patterns: Sequence[Expr], nodes: Sequence[Expr], bound: dict[str, Expr]) -> bool:
    trial = dict(bound)
    if all(_fits(p, n, trial) for p, n in zip(patterns, nodes, strict=True)):
        bound.update(trial)
        return True
    return False


def negative(node: Expr) -> Expr:
    """-node, without a double minus: -x gives x, and -2*x gives 2*x."""
    match node:
        case Call(function=op.NEG, args=(inner,)):
            return inner
        case Call(function=(op.MUL | op.DIV) as function, args=(Call(function=op.NEG, args=(inner,)), b)):
            return call(function, inner, b)
    return call(op.NEG, node)


def _plain_negative(node: Expr) -> Expr:
    return call(op.NEG, node)
