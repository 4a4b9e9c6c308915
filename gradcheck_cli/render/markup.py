"""Text as Markdown: cells, tables, code, and what means nothing to Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from gradcheck_cli.render.inline_math import pieces
from gradcheck_cli.render.plain import one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def head(*names: str) -> Iterator[str]:
    """The first two lines of a table."""
    yield line(*names)
    yield line(*("---" for _ in names))


def line(*cells: str) -> str:
    """One line of a table."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Text that means nothing to Markdown or HTML, on one line."""
    return _escaped(one_line(text))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: html.escape(match[0]) if match[0] in "<>" else f"\\{match[0]}", text)


def written(text: str) -> str:
    """What people write, on one line: its formulas stay, for GitHub and notebooks show them."""
    return "".join(
        f"${part}$" if is_formula and not set("<>|") & set(part) else _escaped(f"${part}$" if is_formula else part)
        for part, is_formula in pieces(one_line(text))
    )


def code(text: str) -> str:
    """A code span, whatever backticks are in it; a bar is escaped for the table around it."""
    shown = one_line(text).replace("|", "\\|")
    ticks = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def aligned_head(*columns: tuple[str, bool]) -> Iterator[str]:
    """The first two lines of a table, by pairs (name, whether its cells end in line)."""
    yield line(*(escaped(name) for name, _ in columns))
    yield line(*("---:" if right else "---" for _, right in columns))


def fenced(lines: Iterable[str]) -> Iterator[str]:
    """A block of code, whatever backticks are in it."""
    lines = list(lines)
    ticks = "`" * max(3, *(len(run) + 1 for text in lines for run in re.findall("`+", text)), 3)
    yield from (f"{ticks}text", *lines, ticks)
