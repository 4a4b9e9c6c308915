"""The table of functions, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.render.console import to_text
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.json import dump


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
    usages = [row.usage() for row in rows]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=min(max(map(len, usages)), display.width // 2 - 2), overflow="fold")
    table.add_column(overflow="fold")
    for row, usage in zip(rows, usages, strict=True):
        table.add_row(Text(usage, style="bold"), Text(_description(row)))
    return to_text([Text(group, style="bold cyan"), Padding(table, (0, 0, 0, 2))], display)


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
