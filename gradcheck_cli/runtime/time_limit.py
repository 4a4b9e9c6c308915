"""A time limit on Python code: by the alarm signal in the main thread, by an exception sent to any other.

Three limits hold a check to its time, each where the one before cannot. `time_limit`, here, stops Python code, and a
result says so; it waits until a call into C returns. In a worker process, what goes on nevertheless is killed a little
later (batch.run.GRACE): a task that is alone in its chunk by the pool, which looks at the clock (batch.workers); tasks
that share a chunk, and all tasks on a cluster, by the watchdog in their own process, a thread of C (batch.dispatch).
The tasks of a killed chunk are done again, one by one. Without worker processes (`gradcheck EXPR`, from Python) there
is `time_limit` only.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gradcheck_cli.runtime.interruption import importing


class OutOfTime(BaseException):
    """The limit has passed. Not an Exception, so that no library on the way takes it for an error of its own."""


def available() -> bool:
    """Whether limits work here by a signal, which also ends what waits in C."""
    return hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()


LONGEST = 1e9
"""Seconds that a timer of the system can count everywhere: 30 years."""
AGAIN = 0.1
"""Seconds after which an alarm that got lost is repeated."""


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raises OutOfTime in the block after `seconds`; None is no limit, and neither is more than LONGEST.

    Limits may be nested: the outer one goes on, and is not made longer by the inner one. Where Python discards the
    exception, since it is raised in a destructor or a callback of the garbage collector, it comes again. An import that
    is under way is finished first.
    """
    if seconds is None or seconds > LONGEST:
        yield
        return
    if not available():
        with _limit_by_thread(seconds):
            yield
        return
    over = False

    def expire(_signal: int, frame: FrameType | None) -> None:
        if not over and not importing(frame):  # else it comes again
            raise OutOfTime

    previous = signal.signal(signal.SIGALRM, expire)
    left_outside, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    started = time.monotonic()
    try:
        with _nothing_said_of_what_is_discarded():
            signal.setitimer(signal.ITIMER_REAL, min(seconds, left_outside or seconds), AGAIN)
            yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if left_outside:
            left = max(1e-3, left_outside - (time.monotonic() - started))
            signal.setitimer(signal.ITIMER_REAL, left, AGAIN)


@contextmanager
def _nothing_said_of_what_is_discarded() -> Iterator[None]:
    """Python says of every exception that it discards; of OutOfTime, which comes again, there is nothing to say."""
    hook = sys.unraisablehook

    def discarded(unraisable: sys.UnraisableHookArgs) -> None:
        if unraisable.exc_type is not OutOfTime:
            hook(unraisable)

    sys.unraisablehook = discarded
    try:
        yield
    finally:
        sys.unraisablehook = hook


@contextmanager
def _limit_by_thread(seconds: float) -> Iterator[None]:
    """The same in a thread that gets no signals: another thread watches the time."""
    this, ended, lock = threading.get_ident(), threading.Event(), threading.Lock()

    def watch() -> None:
        delay = seconds
        while not ended.wait(delay):
            with lock:
                if not ended.is_set() and not importing(sys._current_frames().get(this)):
                    _send(this, OutOfTime)
            delay = AGAIN

    watcher = threading.Thread(target=watch, name="time-limit", daemon=True)
    watcher.start()
    try:
        with _nothing_said_of_what_is_discarded():
            yield
    finally:
        with lock:
            ended.set()
            _send(this, None)  # what was sent and has not arrived is taken back
        watcher.join()


def _send(thread: int, exception: type[BaseException] | None) -> None:
    """Python raises the exception in that thread, at its next instruction."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(exception) if exception else None
    )
