"""The formulas of the table, read once: partial derivatives, definitions, domains and seams as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from gradcheck_cli.differentiation.folding import fold
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, Variable, rebuild, substitute, topological
from gradcheck_cli.expression.program import Program
from gradcheck_cli.language.parser import parse


@cache
def formula(text: str) -> Expr:
    """A formula of the table. Its numbers are exact, and it may use the internal rows."""
    return parse(text, exact=True, internal=True)


@cache
def formula_program(text: str) -> Program:
    """A formula of the table, laid out for evaluation."""
    return Program(formula(text))


@cache
def partial(row: Function, index: int) -> Expr | None:
    """The partial derivative of a row by its index-th argument, in terms of its arguments; None: there is none."""
    text = partial_text(row, index)
    return formula(text) if text else None


def partial_text(row: Function, index: int) -> str:
    """The formula of that partial derivative, as the row has it."""
    real = [i for i, argument in enumerate(row.arguments) if argument.kind == "real"]
    return row.partials[real.index(index)]


def composed(root: Expr) -> tuple[Function, ...]:
    """The functions in `root` that torch does not have."""
    order = topological(root)
    return tuple(dict.fromkeys(x.function for x in order if isinstance(x, Call) and x.function.composed))


def expand_composed(root: Expr) -> Expr:
    """`root` with the functions that torch has not replaced by their definitions."""
    if not composed(root):
        return root

    def replace(node: Expr, args: tuple[Expr, ...]) -> Expr | None:
        match node:
            case Call(function=row) if row.composed:
                assert row.definition is not None
                names = dict(zip((argument.name for argument in row.arguments), args, strict=True))
                return expand_composed(substitute(formula(row.definition), names))
        return None

    return rebuild(root, replace)


def instantiate(rule: Expr, row: Function, args: Sequence[Expr]) -> Expr:
    """`rule` with the row's arguments put in. Simplified on the way: see `fold`."""
    new: list[Expr] = []
    for function, places, leaf in _steps(rule, row):
        if function:
            new.append(fold(function, *[new[i] for i in places]))
        else:
            new.append(args[places[0]] if leaf is None else leaf)
    return new[-1]


@cache
def _steps(rule: Expr, row: Function) -> tuple[tuple[Function | None, tuple[int, ...], Expr | None], ...]:
    """A rule laid out, children first: (function, where its arguments stand, None); (None, (), a constant); or
    (None, (i,), None) for the row's i-th argument."""
    order = topological(rule)
    place = {node: i for i, node in enumerate(order)}
    names = [argument.name for argument in row.arguments]
    steps: list[tuple[Function | None, tuple[int, ...], Expr | None]] = []
    for node in order:
        if isinstance(node, Call):
            steps.append((node.function, tuple(place[arg] for arg in node.args), None))
        else:
            steps.append((None, (names.index(node.name),), None) if isinstance(node, Variable) else (None, (), node))
    return tuple(steps)
