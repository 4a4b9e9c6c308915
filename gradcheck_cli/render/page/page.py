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

LONG = 100
"""Problems of a page up to which all of it is laid out at once."""


@dataclass(frozen=True)
class Article:
    """One problem.

    anchor: of its place on the page. heading: what it is called there. row: of the table. chain: the chain rule, below
    all else.
    """

    anchor: str
    heading: str
    block: Block
    row: Row | None = None
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


@dataclass(frozen=True)
class Section:
    """The problems of a file, with what it says of itself; or all of them, without a heading."""

    articles: Sequence[Article]
    heading: Heading | None = None

    @property
    def description(self) -> tuple[Markup, ...]:
        return mathml.paragraphs(self.heading.description or "") if self.heading is not None else ()


def render_page(report: Report, display: Display) -> str:
    """All of a report, as HTML. What passes is there with -q too: a page is read later, and by others."""
    display = replace(display, quiet=False, all_by="")
    sections = _sections(report, display)
    only = report.headings[0] if len(report.headings) == 1 and len(sections) == 1 else Heading("")
    own = report.problems[0].title if report.problems and not report.is_batch else "gradcheck"
    return _shell(sections, report, display, report.title or only.title or own, only.description or "")


def _sections(report: Report, display: Display) -> list[Section]:
    """One for each file, where there are several."""
    articles = [_article(number, result, display) for number, result in enumerate(report.problems, 1)]
    files = list(dict.fromkeys(result.file for result in report.problems))
    if len(files) < 2:
        return [Section(articles)]
    headings = {heading.file: heading for heading in report.headings}
    return [
        Section(
            [article for article, result in zip(articles, report.problems, strict=True) if result.file == file],
            headings.get(file or "", Heading(file or "")),
        )
        for file in files
    ]


def render_explanations_page(shown: Sequence[Block], result: AnyResult, display: Display) -> str:
    """Of explanations, which are blocks already. What all of them are of stands above them."""
    title = result.title
    headings = [block.title.removeprefix(title).strip() or "as a whole" for block in shown]
    articles = [
        Article(f"p{number}", heading, block, passed=result.passed)
        for number, (heading, block) in enumerate(zip(headings, shown, strict=True), 1)
    ]
    own = title if len(shown) > 1 else shown[0].title
    return _shell([Section(articles)], Report((result,), versions()), display, display.title or own)


def _shell(sections: Sequence[Section], report: Report, display: Display, title: str, description: str = "") -> str:
    """The page around its articles."""
    articles = [article for section in sections for article in section.articles]
    rows = [one.row for one in articles if one.row is not None]
    by_severity = sorted(rows, key=lambda row: -row.severity)
    page = template("page.html").render(
        sections=sections,
        count=len(articles),
        is_long=len(articles) > LONG,
        title=title,
        description=mathml.paragraphs(description),
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
    pairs = zip(block.claims, (mathml.claim(result, one) for one in result.claims), strict=True)
    block = replace(block, claims=tuple(replace(one, math=a, true_math=b) for one, (a, b) in pairs))
    if math := mathml.equations(result, display):
        block = replace(block, formulas=(), math=tuple(math))
    chain = _chain(result, display)
    return Article(f"p{number}", result.title, block, _row(result), drawing(result), chain, result.passed)


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
        claims=overview.claims_in_a_line(result),
        tags=result.tags,
    )
