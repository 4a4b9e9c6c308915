"""The end of a command: the report goes where it was asked for, its summary to standard error, an exit code back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from gradcheck_cli.cli.exit_codes import ExitCode, exit_code
from gradcheck_cli.cli.streams import deliver, display_for, say, write_report
from gradcheck_cli.records.report import Report
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.summary import summary_line

T = TypeVar("T")


@dataclass(frozen=True)
class Output:
    """What a command line says of its output.

    file: None for standard output. options: what was asked for, for the formats that record it.
    """

    format: str
    file: Path | None = None
    quiet: bool = False
    verbose: bool = False
    options: Mapping[str, object] = field(default_factory=dict)

    def display(self, *, to_file: bool = False) -> Display:
        return display_for(quiet=self.quiet, verbose=self.verbose, to_file=to_file, options=self.options)


def emit(report: Report, output: Output, *, written: bool = False) -> ExitCode:
    """Write a report. written: it has been already, as it came; then its file's reader has the table still to see."""
    return emit_as(RENDERERS, report, report, output, written=written)


def emit_as(
    renderers: Mapping[str, Callable[[T, Display], str]],
    record: T,
    report: Report,
    output: Output,
    *,
    written: bool = False,
) -> ExitCode:
    """Write a record that is more than its report, by renderers of its own."""
    if output.file is not None and not written:
        deliver(renderers[output.format](record, output.display(to_file=True)), output.file)
    shown = output.display()
    if output.file is not None or not written:
        write_report(renderers[output.format if output.file is None else "table"](record, shown))
    if not (output.quiet and report.passed):
        say(summary_line(report, shown))
    return exit_code(report)
