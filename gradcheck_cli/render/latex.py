"""LaTeX, for a paper or a course: of a check all of it; of many, what became of each, and all of those that failed."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.render import labels
from gradcheck_cli.render.code.latex import code_report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula.latex import claims_about_arrays, formula_report
from gradcheck_cli.render.latex_text import array, prose
from gradcheck_cli.render.plain import in_short
from gradcheck_cli.render.sentences import place
from gradcheck_cli.render.summary import summary_line


def render_latex(report: Report, display: Display) -> str:
    """Paragraphs and environments for the body of a document; the summary is the last line."""
    return "\n".join(_lines(report, display)) + "\n"


def _lines(report: Report, display: Display) -> Iterator[str]:
    for heading in report.headings:
        if heading.title:
            yield rf"\section*{{{prose(in_short(heading.title))}}}"
        if heading.description:
            yield prose(in_short(heading.description))
        yield ""
    for trouble in report.troubles:
        yield from (prose(in_short(trouble.message)), "")
    if report.is_batch and report.problems:
        yield from array("lrrl", _HEADS, [_row(result) for result in report.problems])
        yield ""
    for result in report.problems:
        if report.is_batch and result.passed and not display.verbose:
            continue
        if result.name is not None:
            yield rf"\paragraph{{{prose(result.name)}}} {prose(f'({place(result)})')}"
        if result.description is not None:
            yield prose(result.description)
        if isinstance(result, CodeResult):
            yield from code_report(result, display)
            yield from claims_about_arrays(result)
        else:
            yield from formula_report(result, display)
        yield ""
    yield prose(summary_line(report, display))


_HEADS = [rf"\text{{{head}}}" for head in ("problem", "checks", "failed", "verdict")]


def _row(result: AnyResult) -> list[str]:
    counts = _whole(result.checks_total), _whole(result.checks_failed)
    return [rf"\text{{{prose(result.title)}}}", *counts, rf"\text{{{labels.outcome_words(result)[1]}}}"]


def _whole(count: int) -> str:
    return f"{count:,}".replace(",", "{,}")
