"""`gradcheck functions`: the table of functions."""

from __future__ import annotations

from typing import Annotated

import typer

from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import deliver, display_for, writable, write_report
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import choice
from gradcheck_cli.render.formats import LIST_FORMATS


def functions(
    word: Annotated[
        str, typer.Argument(metavar="[WORD]", help="Only rows that contain this.", show_default=False)
    ] = "",
    output_format: Annotated[
        str, typer.Option(metavar="|".join(LIST_FORMATS), help="How to write the list.")
    ] = "table",
    output_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the list there, not to standard output.")
    ] = None,
) -> ExitCode:
    """List the functions that expressions may use."""
    from gradcheck_cli.render.functions import matching, render_functions, render_functions_json

    choice("output_format", output_format, LIST_FORMATS)
    file = writable(output_file)
    rows = matching(word)
    if not rows:
        raise UsageError(f"no function has {word!r} in its name or description; gradcheck functions lists all")
    render = render_functions_json if output_format == "json" else render_functions
    text = render(rows, display_for(to_file=file is not None))
    if file is None:
        write_report(text)
    else:
        deliver(text, file)
    return ExitCode.PASSED
