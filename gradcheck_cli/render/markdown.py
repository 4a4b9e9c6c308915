"""Markdown: of a check, what one pastes into a pull request; of many, the summary of a CI job, what failed first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from gradcheck_cli.records.code import CodeResult, Entry
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check
from gradcheck_cli.render import labels, overview, plain
from gradcheck_cli.render.code import words
from gradcheck_cli.render.code.markdown import code_report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formula.markdown import claims, formula_report
from gradcheck_cli.render.markup import code, escaped, head, line, written
from gradcheck_cli.render.plain import counted, in_short
from gradcheck_cli.render.sentences import claim, pair, place, title, where
from gradcheck_cli.render.summary import summary_line

MOST = 50
"""Failing rows that are written out; of one problem, FEW."""
FEW = 5


def render_markdown(report: Report, display: Display) -> str:
    """Of a single problem all of it; else the failures, and all problems folded away below them."""
    sign = "✅" if report.passed else "❌"
    if len(report.problems) == 1 and not report.is_batch:
        [only] = report.problems
        if isinstance(only, CodeResult):
            what, shown = only.title, iter([*code_report(only, display), *claims(only)])
        else:
            what, shown = only.formula or only.expression, formula_report(only, display)
        end = f"<sub>{escaped(summary_line(report, display))}</sub>"
        top = code(what) if report.title is None else escaped(report.title)
        return "\n".join([f"## {sign} {top}", "", *shown, "", end, ""])
    lines = [f"## {sign} {escaped(report.title or 'gradcheck')}", ""]
    for heading in report.headings:
        paragraphs = list(map(written, plain.paragraphs(heading.description or "")))
        if heading.title:
            paragraphs[:1] = [": ".join([f"**{escaped(heading.title)}**", *paragraphs[:1]])]
        lines += chain.from_iterable((paragraph, "") for paragraph in paragraphs)
    lines += [escaped(summary_line(report, display)), ""]
    for trouble in report.troubles:
        lines += [f"- ❌ {escaped(in_short(trouble.message))}", ""]
    failed = [result for result in report.problems if not result.passed]
    if failed:
        lines += ["### Failed", "", *_failures(failed), ""]
    if report.problems:
        summary = f"<summary>{counted(len(report.problems), 'problem')}</summary>"
        lines += ["<details>", summary, "", *_all(report.problems), "", "</details>", ""]
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    return "\n".join([*lines, escaped(versions), ""])


def _failures(failed: Sequence[AnyResult]) -> Iterator[str]:
    """A table of the rows that failed, where there are any; the claims that failed."""
    found: list[str] = []
    left = MOST
    for result in failed:
        if result.error is not None:
            found.append(line(_problem(result), "", "", "", "", _outcome(result), escaped(in_short(result.error))))
        rows = _rows(result, min(FEW, left))
        left -= len(rows)
        found += rows
        if len(rows) < result.checks_failed:
            said = f"{len(rows):,} of {result.checks_failed:,} rows that failed, of {result.checks_total:,}"
            found.append(line(_problem(result), said, "", "", "", "", ""))
    if found:
        yield from head("problem", "point", "derivative", "analytical", "autograd", "verdict", "note")
        yield from found
    sentences = [(result, sentence) for result in failed for sentence in _known(result)]
    if found and sentences:
        yield ""
    if sentences:
        yield from (f"- {_problem(result)}: {escaped(sentence)}" for result, sentence in sentences)


def _known(result: AnyResult) -> Iterator[str]:
    """What is known of the cause, of code; the claims that failed."""
    if isinstance(result, CodeResult):
        yield from (plain.one_line(finding.text) for finding in result.findings)
    yield from (claim(result, one) for one in result.claims if not one.passed)


def _rows(result: AnyResult, most: int) -> list[str]:
    """The first of the rows that failed."""
    if isinstance(result, CodeResult):
        return [
            _row(result, entry, entry.at, words.derivative(entry.output, *entry.wrt), words.numbers(entry, result))
            for entry in [entry for entry in result.checks if not entry.passed][:most]
        ]
    return [
        _row(result, check, where(result, check.point), labels.derivative(result, check.wrt), pair(result, check))
        for check in [check for check in result.checks if not check.passed][:most]
    ]


def _row(result: AnyResult, found: Check | Entry, point: str, derivative: str, numbers: tuple[str, str]) -> str:
    texts = map(escaped, (point, derivative, *numbers))
    return line(_problem(result), *texts, _outcome(found), escaped(found.note or ""))


def _all(problems: Sequence[AnyResult]) -> Iterator[str]:
    are_described = any(result.description for result in problems)
    about = ["description"] if are_described else []
    yield from head("problem", *about, "expression", "checks", "failed", "claims", "verdict")
    for result in problems:
        own = [written(result.description or "")] if are_described else []
        counts = f"{result.checks_total:,}", f"{result.checks_failed:,}"
        claims = escaped(overview.claims_in_a_line(result)) if result.claims else ""
        what = result.expression or (result.signature if isinstance(result, CodeResult) else result.title)
        yield line(_problem(result), *own, code(what), *counts, claims, _outcome(result))


def _outcome(found: labels.Found) -> str:
    return escaped(labels.outcome(found)[0])


def _problem(result: AnyResult) -> str:
    return f"{escaped(title(result))}{f' ({escaped(place(result))})' if place(result) else ''}"
