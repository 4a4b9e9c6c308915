"""`gradcheck schema`: the JSON Schema of problem files, for editors."""

from __future__ import annotations

from gradcheck_cli.cli import options
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import deliver, writable, write_report


def schema(
    output_file: options.SchemaFile = None,
) -> ExitCode:
    """Print the JSON Schema of problem files, with which editors complete and check them."""
    from gradcheck_cli.problem_files.models import json_schema
    from gradcheck_cli.render.json import dump

    file = writable(output_file)
    text = dump(json_schema(), indent=2) + "\n"
    if file is None:
        write_report(text)
    else:
        deliver(text, file)
    return ExitCode.PASSED
