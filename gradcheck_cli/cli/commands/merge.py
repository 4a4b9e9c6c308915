"""`gradcheck merge`: one report of several."""

from __future__ import annotations

from typing import Annotated

import typer

from gradcheck_cli.cli import options
from gradcheck_cli.cli.destinations import destinations
from gradcheck_cli.cli.emit import Output, emit, reporting, unread
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import complain
from gradcheck_cli.errors import UsageError
from gradcheck_cli.problem_files.find import matching
from gradcheck_cli.render.formats import FORMATS


def merge(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Reports as JSON or JSON Lines; or 'part-*.json'.")
    ],
    output_format: options.OutputFormat = None,
    output_file: options.OutputFile = None,
    junitxml: options.JunitFile = None,
    title: options.Title = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    color: options.Color = None,
) -> ExitCode:
    """Join the reports of several runs, such as those of --shard 1/3, 2/3 and 3/3, and exit as one run would.

    A report is what --output-format json or json-lines wrote.
    """
    where = destinations(output_format, output_file, FORMATS, junitxml)
    from gradcheck_cli.batch.report_files import merged, read_report, shared_options

    options.require_readable(title or "")
    with reporting(Output(where, title=title), unread):
        names = [file for name in files for file in matching(name) or [name]]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"{name} is named twice: each report counts once")
        written = {name: read_report(name) for name in names}
        report = merged(written)
    for trouble in report.troubles:
        complain(trouble.message)
    return emit(report, Output(where, quiet, verbose, shared_options(written.values()), title=title))
