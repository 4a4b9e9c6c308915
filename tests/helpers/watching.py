"""A command that watches files, as a user has it: a process, what it has said, and the files that one saves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

PATIENCE = 20.0
"""Seconds after which what does not come is missing."""


class Watching:
    """What a running command has said, on both streams together."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""
        self._reader = threading.Thread(target=self._read, args=[process.stdout], daemon=True)
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.said += line

    def until(self, *parts: str) -> str:
        """What has been said since the last call, as soon as it has all of these parts, and is forgotten then."""
        due = time.monotonic() + PATIENCE
        while not all(part in self.said for part in parts):
            assert time.monotonic() < due, f"{parts} did not come, but: {self.said}"
            assert self.process.poll() is None or all(part in self.said for part in parts), self.said
            time.sleep(0.02)
        time.sleep(0.1)  # for what belongs to it
        said, self.said = self.said, ""
        return said

    def silent(self, seconds: float = 0.7) -> bool:
        time.sleep(seconds)
        return self.said == ""

    def end_reading(self) -> None:
        """Once the process and its workers, which have its streams, are gone."""
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def end(self, number: int = signal.SIGINT) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self._reader.join()
        return code


@contextmanager
def watching(*arguments: str, columns: int = 120) -> Iterator[Watching]:
    """`gradcheck ARGUMENTS --watch`, once it has checked for the first time and waits."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "gradcheck_cli", *arguments, "--watch"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "COLUMNS": str(columns)},
    )  # fmt: skip
    command = Watching(process)
    try:
        yield command
    finally:
        process.kill()
        command.end_reading()
