"""Code that runs in a process of ours: what it prints goes to standard error, each line once, and it cannot end it.

Standard output is the report's; and the code runs many times, and would say the same again and again.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import NoReturn

MOST = 50
"""Lines that are shown."""


class _Once(io.TextIOBase):
    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.line = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self.line = (self.line + text).split("\n")
        for line in lines:
            self.show(line)
        return len(text)

    def show(self, line: str) -> None:
        if line not in self.seen and len(self.seen) < MOST:
            self.seen.add(line)
            with suppress(OSError, ValueError, AttributeError):
                sys.stderr.write(f"{line}\n")

    def finish(self) -> None:
        if self.line:
            self.show(self.line)
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()


@contextmanager
def contained(*, whole_process: bool) -> Iterator[None]:
    """whole_process: of one that has no report to write, also what does not go through Python's sys.stdout."""
    once, end = _Once(), os._exit
    if whole_process:
        with suppress(OSError, ValueError):
            os.dup2(2, 1)
        os._exit = _ends  # else nobody would be told why there is no result
    try:
        with redirect_stdout(once):
            yield
    finally:
        os._exit = end
        once.finish()


def _ends(status: int) -> NoReturn:
    raise SystemExit(status)
