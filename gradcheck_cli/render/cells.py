"""Which checks of a problem are shown, and the text of their cells."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

from rich.text import Text

from gradcheck_cli import number_text
from gradcheck_cli.records.results import MOST_ROWS, Check, ProblemResult, Verdict
from gradcheck_cli.render import labels
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.labels import NOTHING
from gradcheck_cli.render.layout import Column
from gradcheck_cli.render.plain import counted, of_which_failed

LIMIT = 20
"""How many rows are shown unless -v asks for all."""
NOTES = 8
"""How many notes are shown unless -v asks for all."""
LAST = 3
"""Of the columns that may go, the last: the relative error."""
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf|nan)(?!\w)")


def select(result: ProblemResult, display: Display) -> tuple[Check, ...]:
    """The rows to show: failures only with -q, all with -v, else the worst LIMIT, in the order of the points."""
    checks = [check for check in result.checks if not (display.quiet and check.passed)]
    if result.checks_omitted:  # such a record has its worst rows first
        checks.sort(key=lambda check: (*check.point.values(), check.wrt))
    if display.verbose or len(checks) <= LIMIT:
        return tuple(checks)
    worst = sorted(range(len(checks)), key=lambda index: _badness(checks[index]), reverse=True)[:LIMIT]
    return tuple(checks[index] for index in sorted(worst))


def rest(result: ProblemResult, checks: Sequence[Check], display: Display) -> str:
    """What these rows leave out; nothing, where they are all that there are, or all that -q asks for."""
    wanted = result.checks_failed if display.quiet else result.checks_total
    if len(checks) == wanted:
        return ""
    shown = f"{len(checks):,} of " if len(checks) < LIMIT else f"the {len(checks):,} worst of "
    rows = f"{counted(result.checks_total, 'row')}{of_which_failed(result.checks_failed)}"
    if display.quiet:
        said = f"{shown}the {counted(wanted, 'row')} that failed, of {result.checks_total:,}"
    else:
        counts = {verdict: result.counts.get(verdict, 0) for verdict in Verdict}
        for check in checks:
            counts[check.verdict] -= 1
        listed = ", ".join(f"{count:,} {verdict.value}" for verdict, count in counts.items() if count > 0)
        said = f"{shown}{rows}, in the order of the points; left out: {listed}"
    more = min(wanted, MOST_ROWS)
    hint = display.hint("all" if more == wanted else f"{more:,}")
    return said if display.verbose or len(checks) == more else said + hint


def _badness(check: Check) -> tuple[bool, int, float]:
    error = check.rel_error
    return not check.passed, check.verdict.severity, math.inf if error is None or math.isnan(error) else error


def columns(
    result: ProblemResult, checks: Sequence[Check], markers: Mapping[str, int], display: Display
) -> list[Column]:
    """The table, column by column; the point comes first, the verdict last."""
    dtype = labels.dtype_of(result)
    numbered = [labels.pair(check, dtype) for check in checks]

    def column(
        header: str,
        cell: Callable[[Check], str],
        right: bool = True,
        narrow: str | None = None,
        goes: int | None = None,
    ) -> Column:
        return Column(header, tuple(Text(cell(check)) for check in checks), right, narrow, goes)

    def error(value: float | None) -> str:
        return NOTHING if value is None else number_text.small(value)

    header = result.variables[0] if len(result.variables) == 1 else "point"
    shown = [column(header, lambda check: labels.point(result, check.point), right=header != "point")]
    if not all(labels.is_prime(result, check.wrt) for check in checks) or len({check.wrt for check in checks}) > 1:
        shown.append(column("derivative", lambda check: labels.derivative(result, check.wrt), right=False, narrow=""))
    if len({check.mode for check in checks}) > 1:
        shown.append(column("mode", lambda check: check.mode, right=False))
    shown += [
        Column("analytical", tuple(Text(first) for first, _ in numbered), right=True),
        Column("autograd", tuple(Text(second) for _, second in numbered), right=True),
    ]
    if any(check.expected is not None for check in checks):

        def expected(check: Check) -> str:
            return NOTHING if check.expected is None else number_text.exact(check.expected, dtype)

        shown.append(column("expected", expected))
    if display.verbose:
        shown.append(column("absolute error", lambda check: error(check.abs_error), True, "absolute\nerror", 2))
    shown.append(column("relative error", lambda check: error(check.rel_error), True, "relative\nerror", LAST))
    if display.verbose:
        shown.append(column("ulps", lambda check: error(check.ulps), goes=1))
    shown.append(Column("verdict", tuple(_verdict(check, markers) for check in checks)))
    return shown


def _verdict(check: Check, markers: Mapping[str, int]) -> Text:
    text = Text(*labels.outcome(check))
    if check.note is not None and check.note in markers:
        text.append(f" {labels.superscript(markers[check.note])}", style="default")
    return text


def number_notes(checks: Sequence[Check], display: Display) -> tuple[list[str], dict[str, int]]:
    """The notes to show, and the number of each row's note; no numbers where one note speaks of every row.

    Notes that differ only in their numbers count as one.
    """
    alike: dict[str, list[str]] = {}
    for note in dict.fromkeys(check.note for check in checks if check.note):
        alike.setdefault(_NUMBER.sub("0", note), []).append(note)
    groups = list(alike.values())
    shown = groups if display.verbose else groups[:NOTES]
    texts = [f"{group[0]} (and {len(group) - 1:,} more alike)" if len(group) > 1 else group[0] for group in shown]
    if len(groups) == 1 and all(check.note for check in checks):
        return texts, {}
    return texts, {note: number for number, group in enumerate(shown, 1) for note in group}


def unshown_notes(checks: Sequence[Check], markers: Mapping[str, int]) -> int:
    """How many distinct notes have no number."""
    return len({check.note for check in checks if check.note} - set(markers)) if markers else 0
