"""What the user's code prints: to standard error, since standard output is the report's, and each line once.

The code runs many times, and would say the same again and again.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress

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
def printed_once(*, whole_process: bool) -> Iterator[None]:
    """whole_process: also what does not go through Python's sys.stdout, of a process that has no report to write."""
    once = _Once()
    with suppress(OSError, ValueError):
        if whole_process:
            os.dup2(2, 1)
    try:
        with redirect_stdout(once):
            yield
    finally:
        once.finish()
