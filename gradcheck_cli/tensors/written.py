"""The tokens of a formula of arrays, with what is written as on paper: xᵀ, x^T, and LaTeX (latex.py).

A transpose is the symbol ᵀ, whatever stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from gradcheck_cli.language.joined import product_in
from gradcheck_cli.language.tokens import Kind, Token, tokenize
from gradcheck_cli.tensors.latex import TRANSPOSED, latex_tokens

_TRANSPOSE = re.compile(r"\^\s*\{\s*(?:T|⊤)\s*\}|\^\s*⊤|\^\s*T(?P<rest>\w*)|ᵀ")
_BRACES = {"{": "(", "}": ")"}


def tokens_of(text: str, names: Collection[str]) -> list[Token]:
    """An END token last. names: of variables; one that is called T is no transpose. ExpressionError as of any text."""
    if "\\" in text or "$" in text:
        return latex_tokens(text)
    found = [one for one in _TRANSPOSE.finditer(text) if _is_transpose(one, names)]
    masked = list(text)
    for one in found:
        masked[one.start() : _end(one)] = " " * (_end(one) - one.start())
    own = [Token(Kind.SYMBOL, TRANSPOSED, one.start(), _end(one)) for one in found]
    tokens = sorted([*tokenize("".join(masked)), *own], key=lambda token: (token.start, token.kind is Kind.END))
    return [token._replace(text=_BRACES[token.text]) if token.is_symbol(*_BRACES) else token for token in tokens]


def _is_transpose(found: re.Match[str], names: Collection[str]) -> bool:
    """Of x^Tau, T is none; of A^TA it is one."""
    rest = found["rest"] or ""
    return "T" not in names and f"T{rest}" not in names and (rest in {"", *names} or product_in(rest, names) != "")


def _end(found: re.Match[str]) -> int:
    return found.end() - len(found["rest"] or "")


def is_dot(token: Token, text: str) -> bool:
    """Whether a product is the dot of mathematics: w·x."""
    return token.is_symbol("*") and text[token.start : token.end] in ("·", "⋅", "∙", "\\cdot", "\\bullet")


def is_cross(token: Token, text: str) -> bool:
    return token.is_symbol("*") and text[token.start : token.end] in ("×", "\\times")
