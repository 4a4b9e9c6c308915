"""What a record shows of itself, without a command line that says how: in a notebook, or on Rich's console."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from gradcheck_cli.records.array_explanation import ArrayExplanation
from gradcheck_cli.records.explanation import Explained, Explanation
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.shown import Shown
from gradcheck_cli.render import ARRAY_EXPLANATIONS, EXPLAINED, EXPLANATIONS, RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import encodable
from gradcheck_cli.render.summary import summary_text

_DISPLAYED = re.compile(r"^\\begin\{(align\*|equation\*)\}\n.*?^\\end\{\1\}$", re.DOTALL | re.MULTILINE)


def summary(record: Shown) -> str:
    """One line."""
    return summary_text(_report(record))


def bundle(record: Shown, include: Collection[str] | None, exclude: Collection[str] | None) -> dict[str, str]:
    """The report by media type: those of `include`, all where it is None, without those of `exclude`."""
    wanted = [name for name in TYPES if (include is None or name in include) and name not in (exclude or ())]
    texts = {name: TYPES[name](record) for name in wanted}
    return {name: text for name, text in texts.items() if text}


@dataclass(frozen=True)
class OnConsole:
    """A record as Rich prints it."""

    record: Shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        display = Display(width=options.max_width, color=console.color_system is not None)
        table = _table(self.record, display)
        yield Text.from_ansi(encodable(table, options.encoding), no_wrap=True)
        yield Text(encodable(summary(self.record), options.encoding))


def _table(record: Shown, display: Display) -> str:
    """The table, and what is drawn below it."""
    pictured = [result for result in _report(record).problems if result.picture is not None]
    if not pictured:
        return _rendered(record, "table", display)
    from gradcheck_cli.render.plot.terminal import render_plot

    return "\n".join([_rendered(record, "table", display), *(render_plot(result, display) for result in pictured)])


def _rendered(record: Shown, name: str, display: Display) -> str:
    if isinstance(record, Explanation):
        return EXPLANATIONS[name](record, display)
    if isinstance(record, ArrayExplanation):
        return ARRAY_EXPLANATIONS[name](record, display)
    if isinstance(record, Explained):
        return EXPLAINED[name](record, display)
    return RENDERERS[name](_report(record), display)


def _report(record: Shown) -> Report:
    if isinstance(record, Report):
        return record
    result = record.result if isinstance(record, Explanation | Explained | ArrayExplanation) else record
    assert isinstance(result, AnyResult)
    return Report((result,), {})


def _displayed(record: Shown) -> str:
    """The formulas and the rows, in display math. MathJax, which notebooks have, knows no lists and no paragraphs: what
    is said in words is in the other forms. Where there are words only, of an error, there is none; nor where a table is
    so long that it goes over pages, which MathJax does not know either."""
    report = _report(record)
    if report.troubles or report.problems_without_check:
        return ""
    text = _rendered(record, "latex", Display())
    if r"\begin{longtable}" in text:
        return ""
    return "\n\n".join(found[0] for found in _DISPLAYED.finditer(text))


def _html(record: Shown) -> str:
    from gradcheck_cli.render.page.fragment import Record, fragment

    assert isinstance(record, Record)
    return fragment(record, summary(record))


TYPES: dict[str, Callable[[Shown], str]] = {
    "text/plain": lambda record: f"{_table(record, Display())}{summary(record)}",
    "text/markdown": lambda record: _rendered(record, "markdown", Display()),
    "text/latex": _displayed,
    "text/html": _html,
}
