"""The derivative of an expression as an expression: the chain rule over the DAG, in reverse order.

The rule of each function is a formula of its row (see functions.py). The result shares sub-expressions and is linear in
the size of the input. Applied to its own result it gives derivatives of any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gradcheck_cli.differentiation import rules
from gradcheck_cli.differentiation.folding import ONE, ZERO, fold
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, Named, depends_on, topological


def gradient(root: Expr, wrt: Iterable[str]) -> dict[str, Expr]:
    """The partial derivatives of `root` by the variables or named results in `wrt`, in one reverse sweep.

    By a named result, the derivative is that along the paths through it. Raises NoReference where a function on the way
    has no known derivative by one of its arguments.
    """
    partials: dict[str, Expr] = dict.fromkeys(wrt, ZERO)
    order = topological(root)
    dependent = depends_on(order, partials)
    adjoint: dict[Expr, Expr] = {root: ONE}
    for node in reversed(order):
        if node not in dependent or node not in adjoint:
            continue
        if (name := getattr(node, "name", None)) in partials:
            partials[name] = adjoint[node]
        for child, contribution in _contributions(node, adjoint[node], dependent):
            adjoint[child] = fold(op.ADD, adjoint[child], contribution) if child in adjoint else contribution
    return partials


def _contributions(node: Expr, cotangent: Expr, dependent: set[Expr]) -> Iterator[tuple[Expr, Expr]]:
    """(child, what the node adds to the child's adjoint) for each child that matters."""
    if isinstance(node, Named):
        if node.value in dependent:
            yield node.value, cotangent
    elif not isinstance(node, Call) or node.function.is_condition:
        return
    elif node.function.is_branch:
        condition, a, b = node.args
        if a in dependent:
            yield a, fold(op.WHERE, condition, cotangent, ZERO)
        if b in dependent:
            yield b, fold(op.WHERE, condition, ZERO, cotangent)
    else:
        for index, arg in enumerate(node.args):
            if arg in dependent:
                yield arg, fold(op.MUL, cotangent, _local(node.function, index, node.args))


def derivative(root: Expr, wrt: Sequence[str]) -> Expr:
    """The derivative of order len(wrt), by the names in turn."""
    for name in wrt:
        root = gradient(root, [name])[name]
    return root


def tangents(root: Expr, name: str) -> dict[Expr, Expr]:
    """The derivative of every node of `root` that depends on `name`, a variable or named result, by it: one forward
    sweep. Raises NoReference as `gradient` does."""
    order = topological(root)
    dependent = depends_on(order, [name])
    found: dict[Expr, Expr] = {}
    for node in order:
        if node in dependent:
            found[node] = ONE if getattr(node, "name", None) == name else _tangent(node, found)
    return found


def _tangent(node: Expr, found: Mapping[Expr, Expr]) -> Expr:
    match node:
        case Named(value=value):
            return found[value]
        case Call(function=function, args=(condition, a, b)) if function.is_branch:
            return fold(op.WHERE, condition, found.get(a, ZERO), found.get(b, ZERO))
        case Call(function=function, args=args) if not function.is_condition:
            total: Expr = ZERO
            for index, arg in enumerate(args):
                if arg in found:
                    total = fold(op.ADD, total, fold(op.MUL, _local(function, index, args), found[arg]))
            return total
    return ZERO


def _local(row: Function, index: int, args: Sequence[Expr]) -> Expr:
    """The partial derivative of a function by its index-th argument."""
    rule = rules.partial(row, index)
    if rule is None:
        raise NoReference(f"the derivative of {row.usage()} by {row.arguments[index].name} has no known closed form")
    return rules.instantiate(rule, row, args)
