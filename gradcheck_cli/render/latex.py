"""LaTeX, for a paper or a course: of a check all of it; of many, file by file, what became of each, and what failed."""

from __future__ import annotations

from collections.abc import Iterator

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult, Heading, Report
from gradcheck_cli.render import labels
from gradcheck_cli.render.code.latex import code_report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula.latex import claims_about_arrays, formula_report
from gradcheck_cli.render.latex_text import FRAGMENT, array, paragraphs, prose
from gradcheck_cli.render.plain import in_short
from gradcheck_cli.render.sentences import place
from gradcheck_cli.render.summary import summary_line


def render_latex(report: Report, display: Display) -> str:
    """Paragraphs and environments for the body of a document; the summary is the last line."""
    return "\n".join(_lines(report, display)) + "\n"


def _lines(report: Report, display: Display) -> Iterator[str]:
    yield FRAGMENT
    files = list(dict.fromkeys(result.file for result in report.problems))
    headings = {heading.file: heading for heading in report.headings}
    of_several = len(files) > 1
    only = headings.get(files[0] or "") if len(files) == 1 else None
    if title := report.title or (only.title if only is not None else None):
        yield from _section("section", title)
    for trouble in report.troubles:
        yield from (prose(in_short(trouble.message)), "")
    for file in files:
        heading = headings.get(file or "", Heading(file or ""))
        if of_several:
            yield from _section("subsection" if report.title else "section", heading.title or heading.file)
        if heading.description:
            yield from paragraphs(heading.description)
        results = [result for result in report.problems if result.file == file]
        if report.is_batch:
            yield from array("lrrl", _HEADS, map(_row, results))
            yield ""
        for result in results:
            if not (report.is_batch and result.passed and not display.verbose):
                yield from _problem(result, display)
    yield prose(summary_line(report, display))


def _section(kind: str, title: str) -> Iterator[str]:
    yield from (rf"\{kind}*{{{prose(title)}}}", "")


def _problem(result: AnyResult, display: Display) -> Iterator[str]:
    if result.name is not None:
        yield from (rf"\paragraph{{{prose(result.name)}}} {prose(f'({place(result)})')}", "")
    if result.description is not None:
        yield from paragraphs(result.description)
    if isinstance(result, CodeResult):
        yield from code_report(result, display)
        yield from claims_about_arrays(result)
    else:
        yield from formula_report(result, display)
    yield ""


_HEADS = [rf"\text{{{head}}}" for head in ("problem", "checks", "failed", "verdict")]


def _row(result: AnyResult) -> list[str]:
    counts = _whole(result.checks_total), _whole(result.checks_failed)
    return [rf"\text{{{prose(result.title)}}}", *counts, rf"\text{{{labels.outcome_words(result)[1]}}}"]


def _whole(count: int) -> str:
    return f"{count:,}".replace(",", "{,}")
