"""What LaTeX reports are made of: environments, arrays, lists, and text that means nothing to LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gradcheck_cli.language.latex import number
from gradcheck_cli.render.labels import NOTHING
from gradcheck_cli.render.plain import one_line

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
    return "".join(_SPECIAL.get(c, c) for c in one_line(text))


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
    """A table for math mode, with a line below its heads."""
    yield r"\begin{equation*}"
    yield rf"\begin{{array}}{{{alignment}}}"
    yield rf"  {' & '.join(heads)} \\ \hline"
    yield from (rf"  {' & '.join(row)} \\" for row in rows)
    yield r"\end{array}"
    yield r"\end{equation*}"


def items(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A list of pairs (what marks it, as LaTeX; a text)."""
    yield r"\begin{itemize}"
    for mark, text in found:
        yield rf"  \item{mark} {'{}' if text.startswith('[') else ''}{prose(text)}"  # not its optional argument
    yield r"\end{itemize}"
