"""`$x^2$` in what people write about a problem: which formulas may stand in LaTeX, or on a page, as they are.

A problem file is data, and maybe somebody else's. So a formula is read before LaTeX reads it: it has known commands
only, none of which reads a file or defines anything, with all their arguments, and what it opens it closes.

formula = (atom "'"* (("^" | "_") argument)*)*           each of both signs once
atom    = "{" formula "}" | "\\left" sign formula "\\right" sign | command argument* | sign
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from gradcheck_cli.language.greek import GREEK

DEEPEST = 20
LONGEST = 300
"""Characters of a formula in a sentence."""
_FORMULA = re.compile(rf"(?<![\\$])\$(?=[^\s$])([^$]{{1,{LONGEST}}}?)(?<=[^\s\\$])\$(?![\d$])")
"""As in Pandoc's Markdown: no space within the signs, and no digit behind, so that sums of money are none."""
_ALONE = {
    *GREEK, "cdot", "times", "div", "pm", "partial", "nabla", "infty", "sum", "prod", "int", "lim", "exp", "log", "ln",
    "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "max", "min", "le", "leq", "ge", "geq",
    "ne", "neq", "approx", "in", "to", "mapsto", "top", "circ", "odot", "ldots", "cdots", "quad",
}  # fmt: skip
_ARGUMENTS = {"frac": 2, "sqrt": 1, "mathbb": 1, "mathbf": 1, "mathrm": 1, "mathit": 1, "hat": 1, "bar": 1, "vec": 1}
_LEFT, _RIGHT = re.compile(r"\\left *(?:[(\[|.]|\\\{)"), re.compile(r"\\right *(?:[)\]|.]|\\\})")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_SPACE = re.compile(r"(?:\\[,;:! ]| )*")
_SIGN = re.compile(r"[A-Za-z0-9+\-*/=<>()\[\]|.,;:!]|\\[{}|]")
_SHORT = re.compile(r"[A-Za-z0-9]")
_OPENING, _CLOSING = re.compile(r"\{"), re.compile(r"\}")
_SCRIPT, _PRIMES, _BLANK, _DEGREE = map(re.compile, (r" *([_^])", "'*", " *", r"\[[A-Za-z0-9]\]"))


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text, in order: (the part, whether it is a formula, then without its signs)."""
    start = 0
    for found in _FORMULA.finditer(text):
        if is_formula(found[1]):
            yield text[start : found.start()], False
            yield found[1], True
            start = found.end()
    yield text[start:], False


@lru_cache(1_000)
def is_formula(text: str) -> bool:
    """Whether LaTeX finds in it a whole formula, and nothing else."""
    reader = _Reader(text)
    return bool(text.strip()) and reader.formula() and reader.place == len(text)


class _Reader:
    """Each method reads what its name says, and is true where that is there."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.place)
        if found is not None:
            self.place = found.end()
        return found

    def formula(self) -> bool:
        """As much as there is of one, be it nothing."""
        self.depth += 1
        whole = self.depth <= DEEPEST
        self.take(_SPACE)
        while whole and self.atom():
            self.take(_PRIMES)
            whole = self.scripts()
            self.take(_SPACE)
        self.depth -= 1
        return whole

    def atom(self) -> bool:
        if self.take(_SIGN) or self.closed(_OPENING, _CLOSING) or self.closed(_LEFT, _RIGHT):
            return True
        start = self.place
        if found := self.take(_COMMAND):
            if found[1] == "sqrt":
                self.take(_DEGREE)
            if found[1] in _ALONE or (found[1] in _ARGUMENTS and all(map(self.argument, range(_ARGUMENTS[found[1]])))):
                return True
        self.place = start
        return False

    def closed(self, opening: re.Pattern[str], closing: re.Pattern[str]) -> bool:
        start = self.place
        if self.take(opening) and self.formula() and self.take(closing):
            return True
        self.place = start
        return False

    def argument(self, _: int = 0) -> bool:
        self.take(_BLANK)
        return self.closed(_OPENING, _CLOSING) or self.take(_SHORT) is not None

    def scripts(self) -> bool:
        """Up to one of each sign; false where one lacks its argument, or is there twice."""
        seen = []
        while found := self.take(_SCRIPT):
            seen.append(found[1])
            command = self.take(_COMMAND)
            if not (command[1] in _ALONE if command else self.argument()):
                return False
        return len(seen) == len(set(seen))
