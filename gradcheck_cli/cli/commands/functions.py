"""`gradcheck functions`: the table of functions."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from gradcheck_cli.cli import candidates, options
from gradcheck_cli.cli.destinations import destinations
from gradcheck_cli.cli.emit import emit_list
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.errors import UsageError
from gradcheck_cli.render.formats import LIST_FORMATS


def functions(
    word: Annotated[
        str,
        typer.Argument(
            metavar="[WORD]",
            help="Only rows that contain this.",
            show_default=False,
            autocompletion=candidates.functions,
        ),
    ] = "",
    output_format: options.ListFormat = None,
    output_file: options.ListFile = None,
    color: options.Color = None,
) -> ExitCode:
    """List the functions that expressions may use."""
    from gradcheck_cli.cli.function_list import all_functions
    from gradcheck_cli.render.functions import matching, render_functions, render_functions_json

    where = destinations(output_format, output_file, LIST_FORMATS)
    rows = matching(all_functions(), word)
    if not rows:
        raise UsageError(f"no function has {word!r} in its name or description; gradcheck functions lists all")
    emit_list(where, partial(render_functions, rows), partial(render_functions_json, rows))
    return ExitCode.PASSED
