"""What LaTeX reports are made of: environments, arrays, lists, and text that means nothing to LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gradcheck_cli.language.latex import number
from gradcheck_cli.render import plain
from gradcheck_cli.render.inline_math import pieces
from gradcheck_cli.render.labels import NOTHING

FRAGMENT = r"% for the body of a document that has \usepackage{amsmath,amssymb,longtable}"
"""The first line of all that is written."""
LONGEST = 30
"""Rows of a table that stay on one page."""

_SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": "$|$", '"': "''",
    "∂": r"$\partial$", "–": "--", "—": "---", "…": r"\ldots{}", "·": r"$\cdot$", "×": r"$\times$", "→": r"$\to$",
    "−": "$-$", "π": r"$\pi$", "∞": r"$\infty$", **{c: f"\\{c}" for c in "{}_#$%&"},
    **{sign: f"$^{{{digit}}}$" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}  # fmt: skip
"""What other fonts and encodings read as something else, or not at all."""


def prose(text: str) -> str:
    """Text, on one line, outside of math mode."""
    return _escaped(plain.one_line(text))


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(c, c) for c in text)


def paragraphs(text: str) -> Iterator[str]:
    """What people write, each paragraph with a blank line below it, and its formulas in math mode."""
    for paragraph in plain.paragraphs(text):
        parts = pieces(paragraph)
        yield from ("".join(f"${part}$" if is_formula else _escaped(part) for part, is_formula in parts), "")


def interval(text: str) -> str:
    """A number, two one-sided ones, or none."""
    if text == NOTHING:
        return r"\text{--}"
    if text.startswith("["):
        return "[" + ", ".join(number(part) for part in text.strip("[]").split(", ")) + "]"
    return number(text)


def environment(kind: str, rows: Sequence[str]) -> Iterator[str]:
    """An environment of rows."""
    yield rf"\begin{{{kind}}}"
    yield from (rf"  {row} \\" if index < len(rows) - 1 else f"  {row}" for index, row in enumerate(rows))
    yield rf"\end{{{kind}}}"


def array(alignment: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table for math mode, with a line below its heads; a long one is a longtable, which goes over pages."""
    rows = list(rows)
    if len(rows) > LONGEST:
        yield rf"\begin{{longtable}}{{{alignment}}}"
        yield rf"  {_in_math(heads)} \\ \hline"
        yield r"\endhead"
        yield from (rf"  {_in_math(row)} \\" for row in rows)
        yield r"\end{longtable}"
        return
    yield r"\begin{equation*}"
    yield rf"\begin{{array}}{{{alignment}}}"
    yield rf"  {' & '.join(heads)} \\ \hline"
    yield from (rf"  {' & '.join(row)} \\" for row in rows)
    yield r"\end{array}"
    yield r"\end{equation*}"


def _in_math(cells: Iterable[str]) -> str:
    return " & ".join(f"${cell}$" if cell else "" for cell in cells)


def items(found: Iterable[tuple[str, str]], written: Callable[[str], str] = prose) -> Iterator[str]:
    """A list of pairs (what marks it, as LaTeX; a text). written: the text as LaTeX."""
    yield r"\begin{itemize}"
    for mark, text in found:
        yield rf"  \item{mark} {'{}' if text.startswith('[') else ''}{written(text)}"  # not its optional argument
    yield r"\end{itemize}"
