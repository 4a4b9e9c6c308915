"""The answer to the script of a shell: candidates on standard output, and nothing else, whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from gradcheck_cli.cli.installing import VARIABLE


def answer(environment: Mapping[str, str]) -> int:
    """Writes the candidates for the line that the environment has. Returns the exit code, which fish asks for."""
    instruction, _, shell = environment[VARIABLE].partition("_")
    if instruction != "complete":
        return 2
    try:
        text, code = _answer(shell, environment)
        if text:
            sys.stdout.buffer.write(f"{text}\n".encode(errors="surrogateescape"))
            sys.stdout.flush()
    except Exception:  # noqa: BLE001  somebody is typing: a mistake of ours is no candidates, and no traceback
        return 1
    return code


def _answer(name: str, environment: Mapping[str, str]) -> tuple[str, int]:
    import typer

    from gradcheck_cli.cli.app import app
    from gradcheck_cli.cli.completion.line import candidates
    from gradcheck_cli.cli.completion.shells import SHELLS

    shell = SHELLS["powershell" if name == "pwsh" else name]
    typed = shell.read(environment)
    root: Any = typer.main.get_command(app)
    found = [one for one in candidates(typed, root.commands) if one.value.isprintable()]
    return shell.write(typed, found, environment)
