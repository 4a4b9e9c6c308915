"""JSON Lines: a first line, a problem a line, a last line; each can be written as soon as it is known."""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.json import dump, problem, row, summary


def render_json_lines(report: Report, display: Display) -> str:
    """All the lines of a finished report."""
    middle = map(problem_line, report.problems)
    return "".join((first_line(report.versions, display.options), *middle, last_line(report)))


def first_line(versions: Mapping[str, str], options: Mapping[str, object]) -> str:
    """options: as request.options_of gives them."""
    return dump({"versions": versions, "options": options}) + "\n"


def problem_line(result: AnyResult) -> str:
    return dump(problem(result)) + "\n"


def row_line(check: Check) -> str:
    """A row of the problem whose line comes after its rows."""
    return dump({"check": row(check)}) + "\n"


def last_line(report: Report) -> str:
    return dump({"summary": summary(report)}) + "\n"
