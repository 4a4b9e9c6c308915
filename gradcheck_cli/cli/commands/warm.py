"""`gradcheck warm`: a process that has torch loaded, for the commands that follow."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import Annotated

import typer

from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import write_report
from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import whole
from gradcheck_cli.warm import place
from gradcheck_cli.warm.client import ask

IDLE = 15
MOST_MINUTES = 24 * 60
LONGEST = 100
"""Bytes that the name of a socket may have everywhere."""


def warm(
    idle: Annotated[
        str | None, typer.Option(metavar="MINUTES", help=f"End after so many minutes without a command: {IDLE}.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End it now.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Say whether it is there for this environment.")] = False,
) -> ExitCode:
    """Keep a process that has torch loaded, so that the commands that follow start at once.

    It serves this user's commands in this environment; see docs/warm.md.
    """
    minutes = IDLE if idle is None else whole("idle", idle, 1, MOST_MINUTES)
    if sys.platform == "win32":
        raise UsageError("gradcheck warm copies processes, which Windows cannot do")
    address = place.address()
    if stop:
        _say("it ends" if _is_there(address, stop=True) else "there is none for this environment")
    elif _is_there(address):
        _say("it is there for this environment; gradcheck warm --stop ends it")
    elif status:
        _say("there is none for this environment")
        return ExitCode.FAILED
    else:
        _start(address, minutes)
        _say(
            "a process keeps torch loaded for the gradcheck commands of this environment; it ends after "
            f"{minutes} minutes without one, or by gradcheck warm --stop"
        )
    return ExitCode.PASSED


def _say(sentence: str) -> None:
    write_report(f"{sentence}\n")


def _is_there(address: str, *, stop: bool = False) -> bool:
    connection = ask(address, {"stop": True} if stop else {"ask": True})
    if connection is not None:
        connection.close()
    return connection is not None


def _start(address: str, minutes: int) -> None:
    """Raises UsageError where it cannot be started, or nobody else may be kept out."""
    folder = os.path.dirname(address)
    with suppress(FileExistsError):
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            raise
        except OSError as error:
            raise UsageError(f"gradcheck warm cannot make the folder {folder}: {error.strerror}") from error
    if not place.is_private(folder):
        raise UsageError(f"{folder} is not a folder that you alone can enter: remove it, and run gradcheck warm again")
    if len(os.fsencode(address)) > LONGEST:
        raise UsageError(f"the name {address} is too long for a socket: set XDG_RUNTIME_DIR or TMPDIR to a shorter one")
    with suppress(FileNotFoundError):
        os.unlink(address)  # nobody answers there
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    process = subprocess.Popen(
        [sys.executable, *flags, "-m", "gradcheck_cli.warm_server", address, str(60 * minutes)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline().decode(errors="replace").strip()
    if said == "ready":
        process.stdout.close()
        process.returncode = 0  # it goes on without this process, which would warn of it
    else:
        rest = process.stdout.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise UsageError(f"the process could not be started: {rest or said or f'exit code {process.wait()}'}")
