"""What a failing test says: the report, as wide as the terminal is."""

from __future__ import annotations

from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.summary import summary_line
from gradcheck_cli.render.table import render_problem
from gradcheck_cli.versions import versions


def report_of(result: AnyResult, width: int, *, color: bool = False) -> str:
    """The report of one problem, and the line that sums it up."""
    display = Display(width=width, color=color)
    text = render_problem(result, display) + summary_line(Report((result,), versions()), display)
    return text.rstrip("\n")
