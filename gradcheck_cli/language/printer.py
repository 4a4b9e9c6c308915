"""An expression as text, in the syntax that the parser reads, with as few parentheses as are right."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function, number_text
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, call, variable
from gradcheck_cli.language.syntax import AND, ATOM, CHOICE, COMPARISON, NOT, OR, POWER, PRODUCT, SIGN, SUM
from gradcheck_cli.language.tokens import MAX_DIGITS
from gradcheck_cli.number_text import exact

LONGEST = 20_000  # characters of a text
DEEPEST = 6  # calls within calls that are shown of what is too long to be shown whole


class _Infix(NamedTuple):
    """How an operator is written, and how tightly it binds. left, right: how tightly its operands have to."""

    sign: str
    precedence: int
    left: int
    right: int


_INFIX = {
    op.ADD: _Infix(" + ", SUM, SUM, PRODUCT),
    op.SUB: _Infix(" - ", SUM, SUM, PRODUCT),
    op.MUL: _Infix("*", PRODUCT, PRODUCT, SIGN),
    op.DIV: _Infix("/", PRODUCT, PRODUCT, SIGN),
    op.POW: _Infix("**", POWER, ATOM, SIGN),
    op.AND: _Infix(" and ", AND, AND, NOT),
    op.OR: _Infix(" or ", OR, OR, AND),
} | {row: _Infix(f" {row.symbol} ", COMPARISON, SUM, SUM) for row in op.COMPARISONS}


def to_text(expr: Expr, *, expand: bool = False) -> str:
    """`expr` in Python syntax. Intermediate results are written by name; expand: by value.

    ValueError where the text would be longer than LONGEST: a DAG may be far larger as a text.
    """
    text = text_within(expr, LONGEST, expand=expand)
    if text is None:
        raise ValueError(f"the expression is longer than {LONGEST:,} characters")
    return text


def short_text(expr: Expr, limit: int = 60) -> str:
    """`expr` in at most about `limit` characters: where it is longer, what is deepest is left out: (… + …)**2."""
    text = text_within(expr, limit)
    depths = iter(range(DEEPEST, 0, -1))
    while text is None and (depth := next(depths, None)) is not None:
        text = text_within(_elided(expr, depth), limit)
    return text or (f"{expr.function.name}(…)" if isinstance(expr, Call) else "…")


def _elided(node: Expr, depth: int) -> Expr:
    """A sub-expression with `…` for what is more than `depth` calls deep, leaves apart."""
    if not isinstance(node, Call):
        return node
    if depth == 0:
        return variable("…")
    return call(node.function, *(_elided(arg, depth - 1) for arg in node.args))


def text_within(expr: Expr, limit: int, *, expand: bool = False) -> str | None:
    """As to_text; None where the text would be longer than `limit` characters."""
    written: list[str] = []
    length = 0
    stack: list[str | Expr] = [expr]
    while stack:
        piece = stack.pop()
        if not isinstance(piece, str):
            stack.extend(reversed(_pieces(piece, expand)))
            continue
        written.append(piece)
        length += len(piece)
        if length > limit:
            return None
    return "".join(written)


def _pieces(node: Expr, expand: bool) -> list[str | Expr]:
    """A node as strings and the sub-expressions between them, parentheses included."""

    def operand(child: Expr, least: int) -> list[str | Expr]:
        return [child] if _precedence(child, expand) >= least else ["(", child, ")"]

    if isinstance(node, Constant):
        return [node.value if isinstance(node.value, str) else _number(node.value)]
    if isinstance(node, Variable):
        return [node.name]
    if isinstance(node, Named):
        return [node.value] if expand else [node.name]
    if (infix := _INFIX.get(node.function)) is not None:
        left, right = node.args
        return [*operand(left, infix.left), infix.sign, *operand(right, infix.right)]
    match node.function, node.args:
        case op.NEG, (x,):
            return ["-", *operand(x, SIGN)]
        case op.NOT, (x,):
            return ["not ", *operand(x, NOT)]
        case (op.TRUE | op.FALSE) as row, _:
            return [row.name.capitalize()]
        case op.IFELSE, (condition, first, second):
            return [*operand(first, OR), " if ", *operand(condition, OR), " else ", *operand(second, CHOICE)]
        case op.WHERE, args:
            return _call("where", args)
        case (op.CLAMP_MIN | op.CLAMP_MAX) as row, (x, bound):
            return _call("clamp", [x], [(row.name.removeprefix("clamp_"), bound)])
        case row, args if row.associative:
            return _call(row.name, _flat(row, args))
    return _row(node.function, node.args)


_PREFIX = {op.NEG: SIGN, op.NOT: NOT, op.IFELSE: CHOICE}


def _precedence(node: Expr, expand: bool) -> int:
    while isinstance(node, Named) and expand:
        node = node.value
    if isinstance(node, Call):
        infix = _INFIX.get(node.function)
        return _PREFIX.get(node.function, ATOM) if infix is None else infix.precedence
    if isinstance(node, Constant) and not isinstance(node.value, str):
        return PRODUCT if "/" in _number(node.value) else SIGN if node.value < 0 else ATOM
    return ATOM


def _call(name: str, args: Sequence[Expr], keywords: Sequence[tuple[str, str | Expr]] = ()) -> list[str | Expr]:
    pieces: list[str | Expr] = [f"{name}("]
    for arg in args:
        pieces += [arg, ", "]
    for keyword, value in keywords:
        pieces += [f"{keyword}=", value, ", "]
    return [*pieces[:-1], ")"]


def _flat(row: Function, args: tuple[Expr, ...]) -> list[Expr]:
    """The arguments of max(max(a, b), c) as those of max(a, b, c)."""
    rest = []
    while isinstance(first := args[0], Call) and first.function is row:
        rest.append(args[1])
        args = first.args
    return [*args, *reversed(rest)]


def _row(row: Function, args: tuple[Expr, ...]) -> list[str | Expr]:
    """A call of a row as torch users write it: gelu(x, approximate='tanh'), round(x, decimals=2), no defaults."""
    name = row.torch.rpartition(".")[2] if isinstance(row.torch, str) else row.name
    arguments = list(zip(row.arguments, args, strict=True))
    while (default := arguments[-1][0].default) is not None:
        value = arguments[-1][1]
        if not (isinstance(value, Constant) and value.value == default):
            break
        arguments.pop()
    positional = [value for argument, value in arguments if not argument.keyword]
    by_keyword: list[tuple[str, str | Expr]] = [(a.name, value) for a, value in arguments if a.keyword]
    # The name alone is enough for the row that has it, and no keyword is written whose every value is the same row.
    chosen = [
        (key, repr(value))
        for key, value in row.keywords.items()
        if row.name != name and set(row.options.get(key, {}).values()) != {row.name}
    ]
    return _call(name, positional, [*by_keyword, *chosen])


@lru_cache(maxsize=4096)
def _number(value: Fraction) -> str:
    """A number so that reading it gives exactly that number: 20, 0.01, 1e300, 1/3."""
    if value.denominator == 1:
        digits = str(value.numerator)
        return digits if len(digits) <= 16 else min(digits, _float(value) or digits, key=len)
    return _float(value) or _decimal(value) or number_text(value)


def _float(value: Fraction) -> str:
    """The double nearest to it, or "" where that is not the number itself."""
    if abs(value) > Fraction(sys.float_info.max):
        return ""
    text = exact(float(value))
    return text if Fraction(text) == value else ""


def _decimal(value: Fraction) -> str:
    """In full, or "" where the decimals have no end."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return ""
    decimals = max(twos, fives)
    digits = abs(value.numerator) * 10**decimals // value.denominator
    if digits >= 10**MAX_DIGITS:
        return ""
    text = str(digits)
    if decimals < len(text):
        return f"{'-' * (value < 0)}{text[:-decimals]}.{text[-decimals:]}"
    return f"{'-' * (value < 0)}{text}e-{decimals}"
