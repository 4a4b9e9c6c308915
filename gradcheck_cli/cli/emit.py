"""The end of a command: the reports go where they were asked for, the summary to standard error, an exit code back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gradcheck_cli.cli.destinations import Destination
from gradcheck_cli.cli.exit_codes import ExitCode, exit_code
from gradcheck_cli.cli.growing_file import GrowingLines
from gradcheck_cli.cli.plots import Plot, draw
from gradcheck_cli.cli.streams import deliver, display_for, say, write_report
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.report import Report, Trouble
from gradcheck_cli.records.request import Request
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import LIST_FORMATS
from gradcheck_cli.render.summary import summary_line
from gradcheck_cli.versions import versions

T = TypeVar("T")
TAKE: ContextVar[Callable[[object], None] | None] = ContextVar("take", default=None)
"""What a caller that shows records by itself, as a notebook does, does with them. -q and -v are about the text."""
ON_SCREEN = Destination("table", None)


@dataclass(frozen=True)
class Output:
    """What a command line says of its output.

    options: what was asked for, for the formats that record it. plot: where pictures go. title: what the reports are
    called.
    """

    destinations: tuple[Destination, ...]
    quiet: bool = False
    verbose: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    plot: Plot | None = None
    title: str | None = None

    def display(self, *, to_file: bool = False) -> Display:
        return replace(
            display_for(quiet=self.quiet, verbose=self.verbose, to_file=to_file, options=self.options),
            title=self.title,
        )

    def titled(self, report: Report) -> Report:
        return report if self.title is None else replace(report, title=self.title)


def emit(report: Report, output: Output, *, written: Collection[Destination] = ()) -> ExitCode:
    """Write a report. written: where it has been written already, as it came."""
    report = output.titled(report)
    return emit_as(RENDERERS, report, report, output, written=written)


def emit_as(
    renderers: Mapping[str, Callable[[T, Display], str]],
    record: T,
    report: Report,
    output: Output,
    *,
    written: Collection[Destination] = (),
) -> ExitCode:
    """Write a record that is more than its report, by renderers of its own. Where all goes to files, the table is shown
    all the same. A caller that takes records gets it in place of a table."""
    all_to_files = all(destination.file is not None for destination in output.destinations)
    take = None if output.quiet or output.verbose else TAKE.get()
    for destination in output.destinations:
        if destination not in written and (take is None or destination != ON_SCREEN):
            _write(
                renderers[destination.format](record, output.display(to_file=destination.file is not None)), destination
            )
    if take is not None and (all_to_files or ON_SCREEN in output.destinations):
        take(record)  # with its picture
        if output.plot is not None and output.plot.file is not None:
            draw(output.plot, report, output.display())
        return exit_code(report)
    shown = output.display()
    if all_to_files:
        write_report(renderers["table"](record, shown))
    if output.plot is not None:
        draw(output.plot, report, shown)
    if not (output.quiet and report.passed):
        say(summary_line(report, shown))
    return exit_code(report)


@contextlib.contextmanager
def reporting(
    output: Output, report_of: Callable[[str], Report], growing: Mapping[Destination, GrowingLines] | None = None
) -> Iterator[None]:
    """What cannot be read or done ends the command, and is in its reports: a program that waits for one finds it.

    report_of: makes the report of a sentence. growing: the reports that have begun already. Standard output gets no
    table of it, since standard error has the sentence.
    """
    try:
        yield
    except GradcheckError as error:
        report, begun = output.titled(report_of(str(error))), growing or {}
        for destination in output.destinations:
            with contextlib.suppress(GradcheckError):  # the first error is the one that is told
                if destination in begun:
                    begun[destination].whole(report)
                elif destination.file is not None or destination.format != "table":
                    display = output.display(to_file=destination.file is not None)
                    _write(RENDERERS[destination.format](report, display), destination)
        raise


def emit_list(where: Sequence[Destination], *renderers: Callable[[Display], str]) -> None:
    """Write a list, which is not a report: to files, or to standard output. renderers: one for each of LIST_FORMATS."""
    by_format = dict(zip(LIST_FORMATS, renderers, strict=True))
    for destination in where:
        _write(by_format[destination.format](display_for(to_file=destination.file is not None)), destination)


def unread(error: str) -> Report:
    """The report of what could not be read."""
    return Report((), versions(), troubles=(Trouble(error),))


def failed(request: Request, error: str) -> Report:
    """The report of a check that could not be done."""
    from gradcheck_cli.checking.failures import failure

    return Report((failure(request, error, bad_input=True),), versions())


def _write(text: str, destination: Destination) -> None:
    if destination.file is None:
        write_report(text)
    else:
        deliver(text, destination.file)
