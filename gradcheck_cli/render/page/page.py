"""The page: one file with everything in it, for one check or for many. What it says is in blocks.py and drawing.py."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from gradcheck_cli.records.array_explanation import ArrayExplanation
from gradcheck_cli.records.explanation import Explanation
from gradcheck_cli.records.report import AnyResult, Heading, Report
from gradcheck_cli.render import labels, overview, plain
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explanation import cells as steps
from gradcheck_cli.render.page import blocks, mathml
from gradcheck_cli.render.page.blocks import Block
from gradcheck_cli.render.page.drawing import Drawing, drawing
from gradcheck_cli.render.page.explanations import of_array_explanation, of_explanation
from gradcheck_cli.render.page.templates import template
from gradcheck_cli.render.summary import summary_line
from gradcheck_cli.versions import versions


@dataclass(frozen=True)
class Article:
    """One problem.

    anchor: of its place on the page. row: of the table. math: its formulas, if they are some. chain: the chain rule,
    below all else.
    """

    anchor: str
    block: Block
    row: Row | None = None
    math: Sequence[Markup] = ()
    drawing: Drawing | None = None
    chain: Block | None = None
    passed: bool = True


@dataclass(frozen=True)
class Row:
    """A problem in the table. error: the worst relative one, to sort by; -1 where there is none. severity: of the
    verdict, to sort by."""

    title: str
    outcome: tuple[str, str]
    verdict: str
    severity: int
    checks: int
    failed: int
    error: float
    error_text: str
    claims: str
    tags: Sequence[str]


def render_page(report: Report, display: Display) -> str:
    """All of a report, as HTML. What passes is there with -q too: a page is read later, and by others."""
    display = replace(display, quiet=False)
    articles = [_article(number, result, display) for number, result in enumerate(report.problems, 1)]
    only = report.headings[0] if len(report.headings) == 1 else Heading("")
    own = articles[0].block.title if articles and not report.is_batch else "gradcheck"
    return _shell(articles, report, display, report.title or only.title or own, only.description or "")


def render_explanations_page(shown: Sequence[Block], result: AnyResult, display: Display) -> str:
    """Of explanations, which are blocks already."""
    articles = [Article(f"p{number}", block, passed=result.passed) for number, block in enumerate(shown, 1)]
    return _shell(articles, Report((result,), versions()), display, shown[0].title)


def _shell(articles: Sequence[Article], report: Report, display: Display, title: str, description: str = "") -> str:
    """The page around its articles."""
    rows = [one.row for one in articles if one.row is not None]
    by_severity = sorted(rows, key=lambda row: -row.severity)
    page = template("page.html").render(
        articles=articles,
        title=title,
        description=description,
        headings=report.headings if len(report.headings) > 1 else (),
        troubles=[plain.lines(trouble.message) for trouble in report.troubles],
        outcome=("✓ passed", "good") if report.passed else ("✗ failed", "bad"),
        summary=summary_line(report, display).strip(),
        versions=report.versions,
        is_batch=report.is_batch,
        tags=sorted({tag for row in rows for tag in row.tags}),
        verdicts=list(dict.fromkeys(row.verdict for row in by_severity)),
    )
    return page.strip() + "\n"


def _article(number: int, result: AnyResult, display: Display) -> Article:
    block = blocks.of_result(replace(result, picture=None), display)  # which is drawn below
    math = mathml.equations(result, display)
    if math:
        block = replace(block, formulas=())
    return Article(f"p{number}", block, _row(result), math, drawing(result), _chain(result, display), result.passed)


def _chain(result: AnyResult, display: Display) -> Block | None:
    """What is not said of the problem already."""
    match result.chain:
        case Explanation() as explanation:
            block = of_explanation(explanation, display)
        case ArrayExplanation() as of_arrays if of_arrays.steps:
            block = replace(of_array_explanation(of_arrays, display), title=result.title, about="", claims=())
        case _:
            return None
    at = f" at {steps.point(result.chain)}" if isinstance(result.chain, Explanation) else ""
    return replace(block, title=f"the chain rule{at}", outcome=("", ""), formulas=())


def _row(result: AnyResult) -> Row:
    outcome, style = labels.outcome(result)
    errors = [check.rel_error for check in result.checks if check.rel_error is not None]
    worst = max(errors, key=lambda error: math.inf if math.isnan(error) else error, default=-1.0)
    severities = list(labels.SIGNS)
    return Row(
        title=result.title,
        outcome=(outcome, blocks.KINDS[style]),
        verdict=" ".join(labels.outcome_words(result)[1].split()),
        severity=severities.index(result.verdict) + 100 * (not result.passed),
        checks=result.checks_total,
        failed=result.checks_failed,
        error=1e308 if math.isnan(worst) else min(worst, 1e308),
        error_text=overview.worst(result),
        claims=", ".join(overview.claims(result).plain.split("\n")),
        tags=result.tags,
    )
