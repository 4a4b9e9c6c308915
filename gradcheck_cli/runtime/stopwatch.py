"""Where the time of a run goes: seconds by phase, for --profile. Off unless asked for, and then it costs nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

PHASES = (
    "imports",
    "parsing",
    "derivative",
    "closed forms",
    "float64",
    "balls",
    "autograd",
    "diagnosis",
    "claims",
    "rendering",
    "other",
)
"""In the order in which they come. `other` is what belongs to none."""

process_started: float | None = None
"""When this process began, by time.perf_counter; None where it is somebody else's."""


class Stopwatch:
    """Seconds by phase. Each moment counts for one phase, the innermost, so that together they are the time passed."""

    def __init__(self, since: float) -> None:
        self.seconds: dict[str, float] = {}
        self._since = since
        self._current = "other"

    def switch(self, name: str) -> str:
        """Begin a phase. Returns the one that was under way."""
        now, before = time.perf_counter(), self._current
        self.seconds[before] = self.seconds.get(before, 0.0) + now - self._since
        self._since, self._current = now, name
        return before

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        before = self.switch(name)
        try:
            yield
        finally:
            self.switch(before)


_running: Stopwatch | None = None
_OFF = nullcontext()


def phase(name: str) -> AbstractContextManager[None]:
    """The block is of this phase, save for the phases within it."""
    return _OFF if _running is None else _running.phase(name)


@contextmanager
def measuring(wanted: bool = True) -> Iterator[Mapping[str, float]]:
    """The phases of the block are measured. Yields the seconds by phase, complete when the block has ended.

    All that this process has done so far counts as imports: that is nearly all that happens before a command runs.
    """
    global _running, process_started
    if not wanted:
        yield {}
        return
    now = time.perf_counter()
    watch = Stopwatch(now)
    if process_started is not None:
        watch.seconds["imports"], process_started = now - process_started, None
    before, _running = _running, watch
    try:
        yield watch.seconds
    finally:
        _running = before
        watch.switch("other")
