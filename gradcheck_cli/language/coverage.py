"""Whether one of some conditions always holds, as those of `x if x >= 0, -x if x < 0` do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, product

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, constant, topological
from gradcheck_cli.language.magnitude import rational
from gradcheck_cli.language.printer import short_text

MOST = 1_000  # combinations that are looked at

Subject = Expr | tuple[Expr, Expr]
"""What is compared with numbers: an expression, or the difference of two."""

_MIRRORED = {op.LT: op.GT, op.LE: op.GE, op.GT: op.LT, op.GE: op.LE, op.EQ: op.EQ, op.NE: op.NE}
_SIGNS = {op.LT: (-1,), op.LE: (-1, 0), op.GT: (1,), op.GE: (1, 0), op.EQ: (0,), op.NE: (-1, 1)}


def gap(conditions: Sequence[Expr]) -> str | None:
    """A place where none of the conditions holds, such as "x = 0"; "" where there is none. None: it is not known.

    A condition changes only where something that it compares with a number is that number. So numbers between those
    and beside them stand for all others; several things that are compared are taken to be independent.
    """
    order = [node for node in topological(*conditions) if isinstance(node, Call) and node.function.is_condition]
    compared: dict[Call, tuple[Subject, Fraction, Function]] = {}
    thresholds: dict[Subject, set[Fraction]] = {}
    for node in order:
        if node.function.is_comparison:
            subject, number, row = _compared(node)
            if isinstance(subject, tuple) and (reverse := subject[::-1]) in thresholds:
                subject, row = reverse, _MIRRORED[row]
            compared[node] = subject, number, row
            thresholds.setdefault(subject, set()).add(number)
    samples = {subject: _samples(sorted(numbers)) for subject, numbers in thresholds.items()}
    if math.prod(map(len, samples.values())) > MOST:
        return None
    for place in product(*samples.values()):
        at = dict(zip(samples, place, strict=True))
        if not any(_holds(order, compared, at)[condition] for condition in conditions):
            return ", ".join(_shown(*pair) for pair in at.items())
    return ""


def _compared(node: Call) -> tuple[Subject, Fraction, Function]:
    """(what is compared, with which number, how)."""
    left, right = node.args
    if (number := rational(right)) is not None:
        return left, number, node.function
    if (number := rational(left)) is not None:
        return right, number, _MIRRORED[node.function]
    return (left, right), Fraction(0), node.function


def _samples(numbers: Sequence[Fraction]) -> list[Fraction]:
    """The numbers, one between each two, and one on either side."""
    between = [(low + high) / 2 for low, high in pairwise(numbers)]
    return sorted([*numbers, *between, numbers[0] - 1, numbers[-1] + 1])


def _holds(
    order: Iterable[Call], compared: Mapping[Call, tuple[Subject, Fraction, Function]], at: Mapping[Subject, Fraction]
) -> dict[Expr, bool]:
    values: dict[Expr, bool] = {}
    for node in order:
        if node in compared:
            subject, number, row = compared[node]
            values[node] = (at[subject] > number) - (at[subject] < number) in _SIGNS[row]
        elif node.function in (op.TRUE, op.FALSE):
            values[node] = node.function is op.TRUE
        else:
            args = [values[arg] for arg in node.args]
            values[node] = {op.AND: all(args), op.OR: any(args), op.NOT: not args[0]}[node.function]
    return values


def _shown(subject: Subject, value: Fraction) -> str:
    if isinstance(subject, tuple):
        sign = "<" if value < 0 else ">" if value else "="
        return f"{short_text(subject[0])} {sign} {short_text(subject[1])}"
    return f"{short_text(subject)} = {short_text(constant(value))}"
