"""The progress of a batch, on a terminal: a bar with rate and remaining time, gone at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gradcheck_cli.cli.streams import PATIENCE, is_terminal

EVERY = 0.1
"""Seconds between two drawings."""


@contextmanager
def batch_progress(total: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """What to call after each problem. Nothing is shown in the first second, nor where there is no terminal."""
    if quiet or not is_terminal(sys.stderr):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.completed / max(time.monotonic() - started, 1e-9):,.0f}/s")

    started = drawn = time.monotonic()
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        "problems",
        Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    )
    task = bar.add_task("", total=total)
    done = 0

    def advance() -> None:
        nonlocal done, drawn
        done += 1
        now = time.monotonic()
        if now - started < PATIENCE or now - drawn < EVERY:
            return
        drawn = now
        if not bar.live.is_started:
            bar.start()
        bar.update(task, completed=done, refresh=True)

    try:
        yield advance
    finally:
        bar.stop()
