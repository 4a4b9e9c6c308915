"""Expressions and numbers as LaTeX: what amsmath has and MathJax knows, nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, topological
from gradcheck_cli.language.greek import GREEK, LETTERS
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.language.syntax import AND, ATOM, CHOICE, COMPARISON, NOT, OR, POWER, PRODUCT, SIGN, SUM

_RELATIONS = {op.LT: "<", op.LE: r"\le", op.GT: ">", op.GE: r"\ge", op.EQ: "=", op.NE: r"\ne"}
_SCIENTIFIC = re.compile(r"^(-?)([\d.]+)e(-?\d+)$")

Written = tuple[str, int]
"""A text, and how tightly it binds (as in syntax.py)."""


def to_latex(root: Expr) -> str:
    """The expression, for math mode. Iterative: depth is no limit."""
    made: dict[Expr, Written] = {}
    for node in topological(root):
        made[node] = _node(node, made)
    return made[root][0]


def number(text: str) -> str:
    """A number as our renderers write it: 1e-9 is 1 \\cdot 10^{-9}."""
    if text in ("inf", "-inf"):
        return text.replace("inf", r"\infty")
    if text == "nan":
        return r"\text{NaN}"
    found = _SCIENTIFIC.match(text)
    if found is None:
        return text
    sign, mantissa, exponent = found.groups()
    power = f"10^{{{exponent}}}"
    return f"{sign}{power}" if mantissa == "1" else rf"{sign}{mantissa} \cdot {power}"


def name(text: str) -> str:
    """A variable: x, w_{1}, \\alpha, \\mathit{rate}."""
    stem, digits = re.fullmatch(r"(.*?)_?(\d*)", text).groups()  # type: ignore[union-attr]
    if not stem:
        stem, digits = text, ""
    shown = _stem(stem)
    return f"{shown}_{{{digits}}}" if digits else shown


def _stem(text: str) -> str:
    if text in GREEK:
        return f"\\{text}"
    if text in LETTERS:
        return f"\\{LETTERS[text]}"
    if len(text) == 1 and text.isascii():
        return text
    return rf"\mathit{{{plain(text)}}}" if text.isascii() else rf"\text{{{plain(text)}}}"


def plain(text: str) -> str:
    """Text that means nothing to LaTeX."""
    special = {"\\": r"\backslash ", "{": r"\{", "}": r"\}", "~": r"\sim ", "^": r"\hat{}"}
    return "".join(special.get(c, f"\\{c}" if c in "_#$%&" else c) for c in text)


def _node(node: Expr, made: dict[Expr, Written]) -> Written:
    match node:
        case Constant():
            return _constant(node)
        case Variable(name=text) | Named(name=text):
            return name(text), ATOM
        case Call(function=function, args=args):
            return _call(function, args, [made[arg] for arg in args])
    raise TypeError(node)


def _constant(node: Constant) -> Written:
    if isinstance(node.value, str):
        return {"pi": r"\pi", "tau": r"\tau"}.get(node.value, node.value), ATOM
    if isinstance(node.value, Fraction) and "/" in (text := to_text(node)):
        above, below = text.lstrip("-").split("/")
        fraction = rf"\frac{{{above}}}{{{below}}}"
        return (f"-{fraction}", SIGN) if text.startswith("-") else (fraction, ATOM)
    text = number(to_text(node))
    return text, SIGN if text.startswith("-") else PRODUCT if r"\cdot" in text else ATOM


def _call(function: Function, args: Sequence[Expr], parts: Sequence[Written]) -> Written:
    def part(index: int, least: int) -> str:
        text, precedence = parts[index]
        return text if precedence >= least else _parentheses(text)

    texts = [text for text, _ in parts]
    if function in _RELATIONS:
        return f"{part(0, SUM)} {_RELATIONS[function]} {part(1, SUM)}", COMPARISON
    match function:
        case op.ADD:
            return f"{part(0, SUM)} + {part(1, PRODUCT)}", SUM
        case op.SUB:
            return f"{part(0, SUM)} - {part(1, PRODUCT)}", SUM
        case op.MUL:
            return rf"{part(0, PRODUCT)} \cdot {part(1, POWER)}", PRODUCT
        case op.DIV:
            minus, above = ("-", texts[0][1:]) if texts[0].startswith("-") and parts[0][1] == SIGN else ("", texts[0])
            return rf"{minus}\frac{{{above}}}{{{texts[1]}}}", SIGN if minus else PRODUCT
        case op.NEG:
            return f"-{part(0, PRODUCT)}", SIGN
        case op.POW:
            return f"{part(0, ATOM)}^{{{texts[1]}}}", POWER
        case op.SQUARE:
            return f"{part(0, ATOM)}^{{2}}", POWER
        case op.SQRT:
            return rf"\sqrt{{{texts[0]}}}", ATOM
        case op.ABS:
            return rf"\left\lvert {texts[0]} \right\rvert", ATOM
        case op.FLOOR:
            return rf"\left\lfloor {texts[0]} \right\rfloor", ATOM
        case op.CEIL:
            return rf"\left\lceil {texts[0]} \right\rceil", ATOM
        case op.AND:
            return rf"{part(0, AND)} \land {part(1, NOT)}", AND
        case op.OR:
            return rf"{part(0, OR)} \lor {part(1, AND)}", OR
        case op.NOT:
            return rf"\lnot {_parentheses(texts[0])}", NOT
        case op.TRUE | op.FALSE:
            return rf"\text{{{function.name}}}", ATOM
        case op.WHERE | op.IFELSE:
            rows = rf"{texts[1]} & \text{{if }} {texts[0]} \\ {texts[2]} & \text{{otherwise}}"
            return rf"\begin{{cases}} {rows} \end{{cases}}", CHOICE
    return _function(function, args, texts)


def _function(function: Function, args: Sequence[Expr], texts: list[str]) -> Written:
    """A function of the table: what has its default value is left out."""
    arguments = list(zip(function.arguments, args, texts, strict=True))
    while (default := arguments[-1][0].default) is not None:
        value = arguments[-1][1]
        if not (isinstance(value, Constant) and value.value == default):
            break
        arguments.pop()
    command = function.latex or rf"\operatorname{{{plain(function.name)}}}"
    return command + _parentheses(", ".join(text for *_, text in arguments)), ATOM


def _parentheses(text: str) -> str:
    return rf"\left({text}\right)"
