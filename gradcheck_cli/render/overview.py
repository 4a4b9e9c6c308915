"""A batch at a glance: a row a problem."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from gradcheck_cli import number_text
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import labels
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import one_line

MOST = 200
"""Problems that are all listed; of more, those that match are left out (-v shows all)."""
ERROR, CLAIMS, GAP = 14, 10, 2
"""Columns of the terminal."""


def overview(report: Report, display: Display) -> Iterator[RenderableType]:
    """The table, with a heading for each file where there are several."""
    problems = [result for result in report.problems if not (display.quiet and result.passed)]
    left_out = 0
    if len(problems) > MOST and not display.verbose:
        shown = [r for r in problems if not r.passed or r.verdict is not Verdict.MATCH]
        left_out, problems = len(problems) - len(shown), shown
    files = list(dict.fromkeys(result.file for result in problems))
    for number, file in enumerate(files):
        if len({result.file for result in report.problems}) > 1:
            if number:
                yield Text()
            yield Text(one_line(file or ""), style="bold")
        yield _table([result for result in problems if result.file == file], display.width)
    if left_out:
        yield Text(f"and {left_out:,} more that match (-v shows all)", style="dim")


def _table(problems: Sequence[AnyResult], width: int) -> Table:
    with_claims = any(result.claims for result in problems)
    outcomes = [labels.outcome(result) for result in problems]
    verdicts = [text for text, _ in outcomes]
    # The verdicts stay whole, and so does the rest; the names get what is left.
    left = width - max(map(cell_len, verdicts), default=0) - len("checks") - ERROR - 3 * GAP
    left -= (CLAIMS + GAP) if with_claims else 0
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("problem", overflow="fold", max_width=max(left, len("problem")))
    table.add_column("checks", justify="right")
    table.add_column("worst relative\nerror", justify="right", no_wrap=True)
    if with_claims:
        table.add_column("claims", overflow="fold", max_width=CLAIMS)
    table.add_column("verdict", no_wrap=True)
    for result, (verdict, style) in zip(problems, outcomes, strict=True):
        cells = [
            Text(one_line(result.title)),
            Text(f"{result.checks_total:,}"),
            Text(_worst(result)),
        ]
        if with_claims:
            cells.append(_claims(result))
        cells.append(Text(verdict, style=style))
        table.add_row(*cells)
    return table


def _worst(result: AnyResult) -> str:
    """The largest relative error; not a number is worse than any."""
    errors = [check.rel_error for check in result.checks if check.rel_error is not None]
    if not errors:
        return labels.NOTHING
    return number_text.small(max(errors, key=lambda error: math.inf if math.isnan(error) else error))


def _claims(result: AnyResult) -> Text:
    """`proven`, or `2 proven, 1 refuted`."""
    counts = Counter(
        f"{claim.status.value}{' (expected)' if claim.passed and not claim.status.passes else ''}"
        for claim in result.claims
    )
    several = len(result.claims) > 1
    text = ", ".join(f"{count} {name}" if several else name for name, count in counts.items())
    return Text(text or labels.NOTHING, style="" if all(claim.passed for claim in result.claims) else "red")
