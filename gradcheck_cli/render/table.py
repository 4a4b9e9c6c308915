"""What people see: the formulas, one table, the notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check, ProblemResult, Verdict
from gradcheck_cli.render import cells, labels, layout, plain
from gradcheck_cli.render.claims import claims
from gradcheck_cli.render.code.table import code_report
from gradcheck_cli.render.console import to_text
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula import parts
from gradcheck_cli.render.layout import Column
from gradcheck_cli.render.overview import overview
from gradcheck_cli.render.sentences import place

LONGEST_FORMULA = 1500


def render_table(report: Report, display: Display) -> str:
    """Every problem, one below the other; with -q only those that did not pass.

    Of a batch: a row a problem, then the problems that did not pass; all of them with -v.
    """
    if report.is_batch:
        parts = [list(overview(report, display))]
        parts += [
            list(_problem(_in_batch(result, display), display))
            for result in report.problems
            if not result.passed or (display.verbose and not display.quiet)
        ]
    else:
        shown = [result for result in report.problems if not (display.quiet and result.passed)]
        parts = [list(_problem(result, display)) for result in shown]
    found = [part for part in parts if part]
    if report.title is not None and found:
        found.insert(0, [Text(plain.one_line(report.title), style="bold")])
    return "\n".join(to_text(part, display) for part in found)


def _in_batch(result: AnyResult, display: Display) -> AnyResult:
    """Without closed forms, which are there where another report has them: a table is the same whatever is written
    beside it."""
    if isinstance(result, CodeResult):
        return result
    if display.verbose:
        return replace(result, derivatives=None)
    return replace(result, derivatives=None, formula=None, definitions=None)


def render_problem(result: AnyResult, display: Display) -> str:
    """One problem, as it stands in the table of a report."""
    return to_text(list(_problem(result, display)), display)


def _problem(result: AnyResult, display: Display) -> Iterator[RenderableType]:
    if result.name is not None:
        yield Text(plain.one_line(f"{result.name} ({place(result)})"), style="bold")
    if result.description is not None:
        paragraphs = plain.paragraphs(result.description)
        yield Text("\n\n".join(paragraphs), style="dim")
        if len(paragraphs) > 1:
            yield Text()
    yield from code_report(result, display) if isinstance(result, CodeResult) else _formula(result, display)
    yield from claims(result, display.width)


def _formula(result: ProblemResult, display: Display) -> Iterator[RenderableType]:
    checks = cells.select(result, display)
    notes, markers = cells.number_notes(checks, display)
    if result.expression:
        yield _formulas(result, display)
    if result.error is not None:
        yield Text()
        yield layout.bullet("!", plain.lines(result.error), labels.STYLES[Verdict.ERROR])
    if checks:
        if (value := parts.value(result)) is not None:
            torch = "" if value.torch is None else f" (torch: {value.torch})"
            yield Text()
            yield Text(f"{labels.function_name(result)}({value.point}) = {value.value}{torch}")
        yield Text()
        yield from _table(result, checks, cells.columns(result, checks, markers, display), display.width)
        if rest := cells.rest(result, checks, display):
            yield Text(rest, style="dim")
    remarks = parts.remarks(result, checks, notes, markers, display)
    if remarks:
        yield Text()
    for number, remark in remarks:
        yield layout.bullet("•" if number is None else labels.superscript(number), plain.lines(remark))


def _formulas(result: ProblemResult, display: Display) -> Table:
    """The intermediate results, the function and its derivatives, with their equals signs in line."""
    equations, more = parts.equations(result, display, display.width // 3)
    shown = {equation.label: _cut(equation.text, display) for equation in equations}
    return layout.equations(shown.items(), display.width, [("…", more)] if more else [])


def _cut(formula: str, display: Display) -> str:
    shown = plain.one_line(formula)
    if len(shown) <= LONGEST_FORMULA or display.verbose:
        return shown
    return f"{shown[:LONGEST_FORMULA]}… ({len(shown):,} characters{display.hint(inside=True)})"


def _table(
    result: ProblemResult, checks: Sequence[Check], columns: list[Column], width: int
) -> Iterator[RenderableType]:
    """The columns as one table. Too wide, it gives up space in this order: the headers, the gaps, the columns that only
    -v shows, the point, the relative error; this one before the point, where each row has a point of its own.

    A point that has no room beside its rows goes on a line above them. What is still too wide is no table any more:
    each row becomes lines of a label and a value.
    """
    point, *others = columns
    groups = [list(group) for _, group in groupby(range(len(checks)), lambda index: point.cells[index].plain)]
    alone = len(groups) == len(checks)
    lasting = [replace(c, goes=None if c.goes == cells.LAST and not alone else c.goes) for c in columns]
    if (whole := layout.fitting(lasting, width)) is not None:
        yield whole
        return
    fitted = layout.fitted_columns(layout.narrowed(others), width)
    if fitted is None and alone:
        yield from layout.stacked(columns)
        return
    shown, gap = fitted or (others, 0)
    widths = [column.width for column in shown]  # found once, they keep the columns of all points in line
    for number, members in enumerate(groups):
        part = [replace(column, cells=tuple(column.cells[index] for index in members)) for column in shown]
        if number and fitted is None:
            yield Text()
        yield Text(f"at {_where(result, checks[members[0]], point.cells[members[0]].plain)}", style="bold")
        yield from layout.stacked(part) if fitted is None else [layout.table(part, gap, not number, widths)]


def _where(result: ProblemResult, check: Check, point: str) -> str:
    """The point, with its name also where there is only one."""
    return plain.one_line(f"{result.variables[0]}={point}" if len(check.point) == 1 and "=" not in point else point)
