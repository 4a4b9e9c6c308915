"""The table of functions, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.render import layout
from gradcheck_cli.render.console import to_text
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.json import dump

BESIDE = 60
"""Columns from which a function and what it is stand side by side."""


@dataclass(frozen=True)
class Listed:
    """A function as it is listed. arguments: (name, kind, default); domain, seams: of a function of numbers."""

    name: str
    usage: str
    doc: str
    group: str
    spellings: tuple[str, ...] = ()
    arguments: tuple[tuple[str, str, object], ...] = ()
    domain: str = ""
    seams: tuple[str, ...] = ()
    composed: bool = False
    differentiable: bool = True

    @property
    def searched(self) -> str:
        return " ".join((self.usage, *self.spellings, self.group, self.doc)).casefold()


def of_numbers() -> list[Listed]:
    """The rows of the table that users can type."""
    return [_listed(row) for row in FUNCTIONS.values() if not row.internal]


def _listed(row: Function) -> Listed:
    arguments = tuple((a.name, a.kind, None if a.default is None else float(a.default)) for a in row.arguments)
    return Listed(row.name, row.usage(), row.doc, row.group, row.spellings, arguments, row.domain, row.seams,
                  row.composed, row.differentiable)  # fmt: skip


def matching(rows: Sequence[Listed], word: str) -> list[Listed]:
    """Those that have `word` in their name, aliases, group or description."""
    return [row for row in rows if word.casefold() in row.searched]


def render_functions(rows: Sequence[Listed], display: Display) -> str:
    """One section a group: how to call the function and what it is."""
    groups = dict.fromkeys(row.group for row in rows)
    return "\n".join(_group(group, [row for row in rows if row.group == group], display) for group in groups)


def _group(group: str, rows: Sequence[Listed], display: Display) -> str:
    parts: list[RenderableType] = [Text(group, style="bold cyan")]
    if display.width < BESIDE:
        for row in rows:
            parts.append(Text("\n".join(_indented(row.usage, 2, display)), style="bold"))
            parts.append(Text("\n".join(_indented(_description(row), 4, display))))
        return to_text(parts, display)
    usages = [row.usage for row in rows]
    room = min(max(map(len, usages)), display.width // 2 - 2)
    pairs = [
        (layout.in_lines(usage, room), layout.in_lines(_description(row), display.width - room - 4))
        for row, usage in zip(rows, usages, strict=True)
    ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=room, style="bold")
    table.add_column()
    for pair in pairs:
        table.add_row(*(Text("\n".join(lines)) for lines in pair))
    return to_text([*parts, Padding(table, (0, 0, 0, 2))], display)


def _indented(text: str, indent: int, display: Display) -> list[str]:
    return [" " * indent + line for line in layout.in_lines(text, display.width - indent)]


def _description(row: Listed) -> str:
    remarks = [row.doc]
    if short := [alias for alias in row.spellings if "." not in alias]:
        remarks.append(f"also {', '.join(short)}")
    if row.composed:
        remarks.append("composed: torch has no such function")
    return "; ".join(filter(None, remarks))


def render_functions_json(rows: Sequence[Listed], display: Display) -> str:
    """The rows as a JSON list."""
    return dump([_row(row) for row in rows], indent=2) + "\n"


def _row(row: Listed) -> dict[str, object]:
    return {
        "name": row.name,
        "usage": row.usage,
        "description": row.doc,
        "group": row.group,
        "aliases": row.spellings,
        "arguments": [{"name": name, "kind": kind, "default": default} for name, kind, default in row.arguments],
        "domain": row.domain or None,
        "seams": row.seams,
        "composed": row.composed,
        "differentiable": row.differentiable,
    }
