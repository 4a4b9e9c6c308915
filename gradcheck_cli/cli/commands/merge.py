"""`gradcheck merge`: one report of several."""

from __future__ import annotations

from typing import Annotated

import typer

from gradcheck_cli.cli import options
from gradcheck_cli.cli.emit import Output, emit
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import writable
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import choice
from gradcheck_cli.render.formats import FORMATS


def merge(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Reports as JSON or JSON Lines.")],
    output_format: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="How to write the report.")] = "table",
    output_file: options.OutputFile = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> ExitCode:
    """Join the reports of several runs, such as those of --shard 1/3, 2/3 and 3/3, and exit as one run would.

    A report is what --output-format json or json-lines wrote.
    """
    choice("output_format", output_format, FORMATS)
    file = writable(output_file)
    from gradcheck_cli.batch.report_files import merged, read_report, shared_options

    for name in files:
        if files.count(name) > 1:
            raise UsageError(f"{name} is named twice: each report counts once")
    written = {name: read_report(name) for name in files}
    return emit(merged(written), Output(output_format, file, quiet, verbose, shared_options(written.values())))
