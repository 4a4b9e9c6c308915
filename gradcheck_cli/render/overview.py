"""A batch at a glance: a row a problem."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from gradcheck_cli import number_text
from gradcheck_cli.records.code import Entry
from gradcheck_cli.records.report import AnyResult, Heading, Report
from gradcheck_cli.records.results import Check, Verdict
from gradcheck_cli.render import labels, layout
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.layout import Column
from gradcheck_cli.render.plain import one_line, paragraphs

MOST = 200
"""Problems that are all listed; of more, those that match are left out."""
_EXPECTED = "\n(expected)"


def overview(report: Report, display: Display) -> Iterator[RenderableType]:
    """The table, with what each file says of itself, and its name where there are several."""
    problems = [result for result in report.problems if not (display.quiet and result.passed)]
    left_out = 0
    if len(problems) > MOST and not display.verbose:
        shown = [r for r in problems if not r.passed or r.verdict is not Verdict.MATCH]
        left_out, problems = len(problems) - len(shown), shown
    files = list(dict.fromkeys(result.file for result in problems))
    of_several = len({result.file for result in report.problems}) > 1
    headings = {heading.file: heading for heading in report.headings}
    for number, file in enumerate(files):
        if number:
            yield Text()
        heading = headings.get(file or "", Heading(file or ""))
        names = ([heading.file] if of_several else []) + ([heading.title] if heading.title else [])
        if names:
            yield Text(one_line(": ".join(names)), style="bold")
        if heading.description:
            yield Text("\n\n".join(paragraphs(heading.description)), style="dim")
        if heading.title or heading.description:
            yield Text()
        yield from _table([result for result in problems if result.file == file], display.width)
    if left_out:
        yield Text(f"and {left_out:,} more that match{display.hint()}", style="dim")


def columns(problems: Sequence[AnyResult]) -> list[Column]:
    """What is said of each problem."""

    def column(header: str, cell: Callable[[AnyResult], str], goes: int, narrow: str | None = None) -> Column:
        return Column(header, tuple(Text(cell(result)) for result in problems), True, narrow, goes)

    found = [
        Column("problem", tuple(Text(one_line(result.title)) for result in problems), breaks=True),
        column("checks", lambda result: f"{result.checks_total:,}", goes=4),
    ]
    if any(result.checks_failed and result.checks_total > 1 for result in problems):
        found.append(column("failed", lambda result: f"{result.checks_failed:,}", goes=2))
    found.append(column("worst relative error", worst, goes=1, narrow="worst\nrelative\nerror"))
    if any(result.claims for result in problems):
        found.append(Column("claims", tuple(map(claims, problems)), goes=3))
    outcomes = [labels.outcome(result) for result in problems]
    return [*found, Column("verdict", tuple(Text(verdict, style=style) for verdict, style in outcomes))]


def _table(problems: Sequence[AnyResult], width: int) -> Iterator[RenderableType]:
    shown = columns(problems)
    table = layout.fitting(shown, width)
    yield from layout.stacked(shown) if table is None else [table]


def worst(result: AnyResult) -> str:
    """The largest relative error."""
    row = worst_row(result)
    return labels.NOTHING if row is None or row.rel_error is None else number_text.small(row.rel_error)


def worst_row(result: AnyResult) -> Check | Entry | None:
    """The one with the largest relative error; not a number is worse than any."""

    def size(row: Check | Entry) -> float:
        error = row.rel_error
        return -math.inf if error is None else math.inf if math.isnan(error) else error

    return max(result.checks, key=size, default=None)


def claims(result: AnyResult) -> Text:
    """`proven`, or `2 proven, 1 refuted`."""
    counts = Counter(
        f"{claim.status.value}{_EXPECTED if claim.passed and not claim.status.passes else ''}"
        for claim in result.claims
    )
    several = len(result.claims) > 1
    text = "\n".join(f"{count} {name}" if several else name for name, count in counts.items())
    return Text(text or labels.NOTHING, style="" if all(claim.passed for claim in result.claims) else "red")


def claims_in_a_line(result: AnyResult) -> str:
    """`2 proven, 1 refuted (expected)`."""
    return ", ".join(claims(result).plain.replace(_EXPECTED, _EXPECTED.replace("\n", " ")).split("\n"))
