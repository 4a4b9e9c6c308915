"""The closed form of a derivative, as SymPy has it: for people, never for a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import sympy

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Named,
    children,
    depends_on,
    rebuild,
    substitute,
    topological,
    variable,
    variables,
)
from gradcheck_cli.symbolic.for_people import KEPT, shortest
from gradcheck_cli.symbolic.from_sympy import from_sympy
from gradcheck_cli.symbolic.to_sympy import ARITHMETIC, NoClosedForm, is_plain, row_form, symbol, to_sympy

TREE_LIMIT = 400  # nodes of the expression as a tree: SymPy's diff of a whole tree is exponential on shared nodes
DERIVATIVE_LIMIT = 3_000  # nodes of the derivative as a tree: beyond, nobody reads it
NESTED_BRANCHES = 2  # SymPy takes minutes to sort out branches within branches within branches


def closed_form(root: Expr, wrt: Sequence[str], names: Sequence[str], derivative: Expr) -> Expr:
    """The derivative as SymPy has it, in our language: for people.

    names: the named results that stay names; derivative: the same derivative over the DAG, to judge the size by. Raises
    NoClosedForm where SymPy would take too long or the answer cannot be written.
    """
    if tree_size(root) > TREE_LIMIT or tree_size(derivative) > DERIVATIVE_LIMIT:
        raise NoClosedForm("the expression is too large")
    if branch_nesting(root) > NESTED_BRANCHES:
        raise NoClosedForm("branches are nested too deep")
    keep = {name: symbol(name) for name in names if name in wrt}
    opaque, constants = hide_constants(root)
    try:
        form = to_sympy(opaque, keep, KEPT)
        for name in wrt:
            form = sympy.diff(form, symbol(name))
        return substitute(from_sympy(shortest(form)), constants)
    except NoClosedForm:
        raise
    except Exception as error:  # SymPy raises what it likes, and nothing rests on the closed form
        raise NoClosedForm(str(error)) from error


def factored(root: Expr) -> Expr:
    """A polynomial as a product of factors over the rationals. Raises NoClosedForm where it is prime."""
    form = to_sympy(root)
    product = sympy.factor(form)
    if product.is_Add or product == form:
        raise NoClosedForm("it does not factor")
    return from_sympy(product)


def hide_constants(root: Expr, shown: Callable[[Call], bool] = lambda _: False) -> tuple[Expr, dict[str, Expr]]:
    """`root` with a variable for each constant that SymPy would evaluate (gamma(10**9), exp(exp(exp(5))), 1e300), and
    what these variables stand for. shown: which functions of constants stay all the same."""
    varying = depends_on(topological(root), variables(root))
    hidden: dict[str, Expr] = {}

    def replace(node: Expr, _: tuple[Expr, ...]) -> Expr | None:
        match node:
            case Constant():
                evaluated = not is_plain(node)
            case Call(function=function):
                constant_call = node not in varying and function.role == "function" and function not in ARITHMETIC
                evaluated = constant_call and not shown(node)
            case _:
                evaluated = False
        if not evaluated:
            return None
        name = next((name for name, value in hidden.items() if value is node), f"constant {len(hidden) + 1}")
        hidden[name] = node
        return variable(name)

    parameters = {
        arg
        for node in topological(root)
        if isinstance(node, Call)
        for arg, argument in zip(node.args, node.function.arguments, strict=True)
        if argument.kind != "real"
    }
    return rebuild(root, lambda node, new: None if node in parameters else replace(node, new)), hidden


def branch_nesting(root: Expr) -> int:
    """How deep branches stand within branches, once each function is written out in SymPy's terms."""
    depth: dict[Expr, int] = {}
    for node in topological(root):
        below = max((depth[child] for child in children(node)), default=0)
        own = isinstance(node, Call) and (
            1 if node.function.is_branch else 0 if node.function.is_condition else _row_nesting(node.function)
        )
        depth[node] = below + own
    return depth[root]


@cache
def _row_nesting(row: Function) -> int:
    """How deep Piecewise stands within Piecewise in SymPy's form of the row."""
    if row.group not in ("activation", "piecewise"):
        return 0
    depth: dict[Any, int] = {}
    form = row_form(row, [symbol(argument.name) for argument in row.arguments])
    for node in sympy.postorder_traversal(form):
        below = max((depth.get(arg, 0) for arg in node.args), default=0)
        depth[node] = below + isinstance(node, sympy.Piecewise)
    return depth[form]


def tree_size(root: Expr) -> int:
    """How many nodes the expression has as a tree, shared ones counted each time."""
    sizes: dict[Expr, int] = {}
    for node in topological(root):
        match node:
            case Call(args=args):
                sizes[node] = 1 + sum(sizes[arg] for arg in args)
            case Named(value=value):
                sizes[node] = sizes[value]
            case _:
                sizes[node] = 1
    return sizes[root]
