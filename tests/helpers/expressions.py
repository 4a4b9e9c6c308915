"""Expressions as tests write them: rows by their names."""

from __future__ import annotations

from gradcheck_cli.expression import nodes, operators
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Call, Expr, rebuild


def row(name: str) -> Function:
    """A row of the table, or a branch or condition."""
    found = FUNCTIONS.get(name) or getattr(operators, name.upper())
    assert isinstance(found, Function)
    return found


def call(name: str, *args: Expr) -> Call:
    return nodes.call(row(name), *args)


def with_row(root: Expr, planted: Function) -> Expr:
    """`root` with the calls of the function of that name as calls of this row."""

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        is_meant = isinstance(node, Call) and node.function.name == planted.name
        return nodes.call(planted, *args) if is_meant else None

    return rebuild(root, replace)
