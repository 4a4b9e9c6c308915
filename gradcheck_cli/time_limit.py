"""A time limit on Python code of the main thread, by the alarm signal."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class OutOfTime(BaseException):
    """The limit has passed. Not an Exception, so that no library on the way takes it for an error of its own."""


def available() -> bool:
    """Whether limits work here: there is an alarm signal, and this is the main thread."""
    return hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raises OutOfTime in the block after `seconds`. None, or where limits are not available: no limit.

    Limits may be nested: the outer one goes on, and is not made longer by the inner one.
    """
    if seconds is None or not available():
        yield
        return

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    previous = signal.signal(signal.SIGALRM, expire)
    left_outside, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    started = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, min(seconds, left_outside or seconds))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if left_outside:
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, left_outside - (time.monotonic() - started)))
