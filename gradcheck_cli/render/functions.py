"""The table of functions, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

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


def matching(word: str = "") -> list[Function]:
    """The rows that users can type and that have `word` in their name, aliases, group or description."""
    wanted = word.casefold()
    return [row for row in FUNCTIONS.values() if not row.internal and wanted in _searched(row)]


def _searched(row: Function) -> str:
    return " ".join((row.usage(), *row.spellings, row.group, row.doc)).casefold()


def render_functions(rows: Sequence[Function], display: Display) -> str:
    """One section a group: how to call the function and what it is."""
    groups = dict.fromkeys(row.group for row in rows)
    return "\n".join(_group(group, [row for row in rows if row.group == group], display) for group in groups)


def _group(group: str, rows: Sequence[Function], display: Display) -> str:
    parts: list[RenderableType] = [Text(group, style="bold cyan")]
    if display.width < BESIDE:
        for row in rows:
            parts.append(Text("\n".join(_indented(row.usage(), 2, display)), style="bold"))
            parts.append(Text("\n".join(_indented(_description(row), 4, display))))
        return to_text(parts, display)
    usages = [row.usage() for row in rows]
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


def _description(row: Function) -> str:
    remarks = [row.doc]
    if short := [alias for alias in row.spellings if "." not in alias]:
        remarks.append(f"also {', '.join(short)}")
    if row.composed:
        remarks.append("composed: torch has no such function")
    return "; ".join(filter(None, remarks))


def render_functions_json(rows: Sequence[Function], display: Display) -> str:
    """The rows as a JSON list."""
    return dump([_row(row) for row in rows], indent=2) + "\n"


def _row(row: Function) -> dict[str, object]:
    return {
        "name": row.name,
        "usage": row.usage(),
        "description": row.doc,
        "group": row.group,
        "aliases": row.spellings,
        "arguments": [
            {"name": a.name, "kind": a.kind, "default": None if a.default is None else float(a.default)}
            for a in row.arguments
        ],
        "domain": row.domain or None,
        "seams": row.seams,
        "composed": row.composed,
        "differentiable": row.differentiable,
    }
