"""Formulas as MathML, which browsers show without a script: from the same LaTeX that reports have."""

from __future__ import annotations

import re
from functools import lru_cache

from latex2mathml.converter import convert
from markupsafe import Markup, escape

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.results import Claim
from gradcheck_cli.render import plain
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula import latex, parts
from gradcheck_cli.render.inline_math import pieces

_BRACKETS = re.compile(r'<mo stretchy="true" fence="true" form="(?:prefix|postfix)">(?=&#x0002[89];)')
_BY_NUMBER = re.compile(r"&#x([0-9A-F]+);")
LONGEST = 4000
"""Characters of LaTeX that are converted; longer formulas stay text."""


def equations(result: AnyResult, display: Display) -> list[Markup]:
    """The function and its derivatives, as far as they are formulas of numbers."""
    if isinstance(result, CodeResult) or not result.expression or result.error is not None:
        return []
    found, _ = parts.equations(result, display, room=display.width)
    rows = [f"{latex.label(result, equation)} = {latex.formula(result, equation.text)}" for equation in found]
    shown = [_converted(row) for row in rows]
    return [one for one in shown if one is not None] if all(shown) else []


def claim(result: AnyResult, one: Claim) -> tuple[Markup | None, Markup | None]:
    """(what is claimed, the derivative where it is another), each where it can be read."""
    if isinstance(result, CodeResult):
        return None, None
    left = latex.derivative(result, one.wrt)
    claimed, true = (
        None if text is None else _converted(f"{left} = {latex.formula(result, text)}")
        for text in (one.expression, one.analytical)
    )
    return claimed, true


def paragraphs(text: str) -> tuple[Markup, ...]:
    """What people write, with its formulas."""
    return tuple(Markup("").join(map(_piece, pieces(paragraph))) for paragraph in plain.paragraphs(text))


def _piece(part: tuple[str, bool]) -> Markup:
    text, is_formula = part
    return (is_formula and _converted(text)) or escape(f"${text}$" if is_formula else text)


@lru_cache(10_000)
def _converted(text: str) -> Markup | None:
    """None for what cannot be converted: texts of users stand in it as \\texttt, which MathML has not."""
    if len(text) > LONGEST or r"\texttt" in text:
        return None
    try:
        found = convert(text)
    except Exception:  # noqa: BLE001  whatever the library raises, the formula is shown as text
        return None
    return Markup(_shortened(found))  # what it makes is escaped


def _shortened(text: str) -> str:
    """Without what HTML knows by itself: the name space, how brackets stand, signs by their numbers."""
    text = text.replace(' xmlns="http://www.w3.org/1998/Math/MathML" display="inline"', "", 1)
    text = _BRACKETS.sub("<mo>", text)
    return _BY_NUMBER.sub(lambda found: _sign(int(found[1], 16), found[0]), text)


def _sign(code: int, written: str) -> str:
    return written if chr(code) in "<>&" else chr(code)
