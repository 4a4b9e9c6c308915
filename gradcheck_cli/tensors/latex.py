"""LaTeX of arrays: what means something else there than of numbers. Transposes, norms, and products side by side."""

from __future__ import annotations

import re
from typing import NoReturn

from gradcheck_cli.language.latex_reader import LatexReader
from gradcheck_cli.language.tokens import Kind, Token

TRANSPOSED = "ᵀ"
BESIDE = "\u2062"
"""The product of what stands side by side."""
_SIGN = r"(?:T|\\top|\\intercal|\\(?:mathsf|mathrm|mathit|text)\s*(?:T|\{\s*T\s*\}))"
_TRANSPOSE = re.compile(rf"\^\s*(?:{_SIGN}(?![a-zA-Z]*\{{)|\{{\s*{_SIGN}\s*\}})")
_NORMS = ("\\|", "\\lVert", "\\Vert")
_SUMS = {"sum": "sum(x)", "prod": "prod(x)"}


def latex_tokens(text: str) -> list[Token]:
    """As written.py has them."""
    return _ArrayReader(text).tokens()


class _ArrayReader(LatexReader):
    beside = BESIDE

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.is_math = True
        self.norm_ends = -1  # where the last norm ends in `out`
        self.items = _with_norms(self.items)

    def power(self, item: Token) -> None:
        found = _TRANSPOSE.match(self.text, item.start)
        if found is None or not self.is_operand:
            super().power(item)
            return
        while not self.at_end() and self.item.end <= found.end():
            self.take()
        if not self.at_end() and self.item.start < found.end():  # ^Tx
            cut = found.end() - self.item.start
            self.items[self.index] = self.item._replace(text=self.item.text[cut:], start=found.end())
        self.out.append(Token(Kind.SYMBOL, TRANSPOSED, found.start(), found.end()))
        self.is_callable = False

    def fenced(self, item: Token, function: str, *closing: str) -> None:
        if item.text not in _NORMS:
            super().fenced(item, function, *closing)
            return
        super().fenced(item, "norm", *closing)
        self.norm_ends = len(self.out)

    def sign(self, item: Token) -> None:
        """Of a norm, the subscript that it has anyway says nothing."""
        if item.text == "_" and self.norm_ends == len(self.out):
            which, end = self.raw(item)
            if which not in ("2", "F"):
                message = "Of norms the Euclidean is read: write \\operatorname{norm}(x, 1) for another."
                raise self.error(message, item, end)
            return
        super().sign(item)

    def command(self) -> None:
        name = self.item.text[1:]
        if name in ("det", "dim"):
            self.letter(self.take()._replace(text=name))
        else:
            super().command()

    def refuse(self, item: Token) -> NoReturn:
        name = item.text[1:]
        if name in _SUMS:
            raise self.error(f"The \\{name} of the elements of an array is written {_SUMS[name]}.", item)
        super().refuse(item)


def _with_norms(items: list[Token]) -> list[Token]:
    """Two bars side by side as the one sign of a norm."""
    found: list[Token] = []
    for item in items:
        if item.is_symbol("|") and found and found[-1].is_symbol("|") and found[-1].end == item.start:
            found[-1] = found[-1]._replace(text="\\|", end=item.end)
        else:
            found.append(item)
    return found
