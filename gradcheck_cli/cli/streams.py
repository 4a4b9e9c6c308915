"""Where output goes: reports to standard output or a file, trouble to standard error, as the streams allow."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gradcheck_cli.errors import UsageError
from gradcheck_cli.text_files import cannot_write

if TYPE_CHECKING:
    from gradcheck_cli.render.display import Display

COLOR: ContextVar[bool | None] = ContextVar("color", default=None)
"""What --color and --no-color say; None where neither was given."""
PATIENCE = 1.0
"""Seconds without a sign of progress."""


def display_for(
    *, quiet: bool = False, verbose: bool = False, to_file: bool = False, options: Mapping[str, object] | None = None
) -> Display:
    """What the terminal, or the file, can show."""
    from gradcheck_cli.render.display import Display

    color = not to_file and _has_color(sys.stdout)
    width = shutil.get_terminal_size((80, 24)).columns
    return Display(width=max(width, 20), color=color, quiet=quiet, verbose=verbose, all_by="-v", options=options or {})


def _has_color(stream: TextIO | None) -> bool:
    """--color counts before NO_COLOR, this before FORCE_COLOR, and this before what is known of the terminal."""
    if (asked := COLOR.get()) is not None:
        return asked
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (os.environ.get("TERM") != "dumb" and is_terminal(stream))


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):  # it is closed
        return False


@contextlib.contextmanager
def points_progress(*, quiet: bool) -> Iterator[Any]:
    """What to call with the number of points done: a line on the terminal after PATIENCE, gone at the end."""
    if quiet or not is_terminal(sys.stderr):
        yield None
        return
    from gradcheck_cli.render.plain import counted

    due, shown = time.monotonic() + PATIENCE, ""

    def on_progress(done: int) -> None:
        nonlocal due, shown
        if (now := time.monotonic()) >= due:
            due, shown = now + 0.1, f"{counted(done, 'point')} checked"
            say(f"\r{shown}", wrap=False)

    try:
        yield on_progress
    finally:
        if shown:
            say(f"\r{' ' * len(shown)}\r", wrap=False)


@contextlib.contextmanager
def seconds_progress(*, quiet: bool) -> Iterator[None]:
    """While the block waits for another process: a line on the terminal after PATIENCE, gone at the end."""
    if quiet or not is_terminal(sys.stderr):
        yield
        return
    started, over, shown = time.monotonic(), threading.Event(), ""

    def tell() -> None:
        nonlocal shown
        while not over.wait(PATIENCE):
            shown = f"still checking: {time.monotonic() - started:.0f} s"
            say(f"\r{shown}", wrap=False)

    teller = threading.Thread(target=tell, name="progress", daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
        if shown:
            say(f"\r{' ' * len(shown)}\r", wrap=False)


def writable(name: str | None) -> Path | None:
    """The file of --output-file, which can be opened; one that exists stays as it is until the report is ready."""
    if name is None:
        return None
    if not name:
        raise UsageError("--output-file needs the name of a file, but is followed by nothing")
    file = Path(name)
    try:
        existed = os.path.lexists(file)
        if existed and not (file.is_file() or file.is_dir()):
            return file  # a pipe or a device is opened once only
        file.open("ab").close()
        if not existed:
            file.unlink()
    except OSError as error:
        raise cannot_write(name, error) from error
    return file


def deliver(text: str, file: Path) -> None:
    """The report, to a file."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise cannot_write(file, error) from error


def write_report(text: str) -> None:
    try:
        _write(text, sys.stdout)
    except OSError as error:
        raise cannot_write("to standard output", error) from error


def say(text: str, *, wrap: bool = True) -> None:
    """Text to standard error. Where that fails there is nobody to tell."""
    from gradcheck_cli.render.plain import wrapped

    if wrap and is_terminal(sys.stderr):
        text = wrapped(text, _error_width())
    with contextlib.suppress(OSError):
        _write(text, sys.stderr)


def _error_width() -> int:
    """The columns of standard error's terminal, which may not be standard output's."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def _write(text: str, stream: TextIO | None) -> None:
    """Text to a stream, in what its encoding can hold. OSError where it fails, except for a reader that is gone."""
    from gradcheck_cli.render.plain import encodable

    if not text:
        return
    if stream is None or stream.closed:
        raise OSError(errno.EBADF, "it is closed")
    try:
        stream.write(encodable(text, stream.encoding or "utf-8"))
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
    except OSError:
        _silence(stream)
        raise


def _silence(stream: TextIO) -> None:
    """What is left in the stream goes nowhere: the interpreter flushes once more at its end, and would fail."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def complain(message: str) -> None:
    from gradcheck_cli.render.plain import lines

    say(f"gradcheck: {lines(message)}\n")
