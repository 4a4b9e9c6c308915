"""What asks a command to end before its time: Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed.

Until a command runs, nothing is lost by ending at once. Then the signal is an exception, so that what is open is
closed; save in an import, where an exception could be swallowed, or leave half a module. Where things belong together
it waits (`held`), until they are done or until nothing is done but waiting (`let_in`).
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

AGAIN = 0.1
"""Seconds after which a signal that got lost is repeated."""

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(BaseException):
    """A signal asks for the end. Not a KeyboardInterrupt, for which libraries have answers of their own."""


class Signals:
    """received: the last one, if any; held: whether it has to wait; waiting: whether one does."""

    def __init__(self) -> None:
        self.received: int | None = None
        self.held = self.waiting = False

    @property
    def exit_code(self) -> int:
        """As shells count it: 130 for Ctrl-C, 143 for SIGTERM; 0 where there was no signal."""
        return 0 if self.received is None else 128 + self.received

    def receive(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        if self.held and not self.waiting:
            self.waiting = True
        elif importing(frame):
            end_at_once(number)
        else:
            self.waiting = False
            raise Interrupted

    def take_effect(self) -> None:
        """Raises Interrupted where a signal waits."""
        if self.waiting:
            self.waiting = False
            raise Interrupted


_signals: Signals | None = None
"""Of the command that runs in the main thread."""


def end_at_once(number: int, _: FrameType | None = None) -> NoReturn:
    """The end of the process, with a line and the exit code of the signal."""
    signal.signal(number, signal.SIG_DFL)  # a second one does not wait for what follows
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            os.write(sys.stderr.fileno(), b"gradcheck: interrupted\n")
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    os._exit(128 + number)


def handle(handler: Callable[[int, FrameType | None], None]) -> None:
    """The handler of all signals that end a command; those that are ignored here, as in the background, stay so."""
    for number in _SIGNALS:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            signal.signal(number, handler)


@contextmanager
def listening() -> Iterator[Signals]:
    """In the block, signals raise Interrupted. In the main thread only: others get none."""
    global _signals
    signals = Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before, outer, hook = {number: signal.getsignal(number) for number in _SIGNALS}, _signals, sys.unraisablehook

    def discarded(unraisable: sys.UnraisableHookArgs) -> None:
        """An exception in a destructor or a callback goes nowhere: then it comes again."""
        if unraisable.exc_type is Interrupted:
            again = threading.Timer(AGAIN, _send, [signals.received])
            again.daemon = True
            again.start()
        else:
            hook(unraisable)

    _signals = signals
    sys.unraisablehook = discarded
    handle(signals.receive)
    try:
        yield signals
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
        sys.unraisablehook, _signals = hook, outer


def _send(number: int) -> None:
    """The signal to the main thread, which wakes up."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        _thread.interrupt_main(signal.Signals(number))


@contextmanager
def held() -> Iterator[None]:
    """The block is done whole: a signal takes effect at its end, or in a `let_in` within; a second one at once."""
    if (signals := _here()) is None or signals.held:
        yield
        return
    signals.held = True
    try:
        yield
    finally:
        signals.held = False
        signals.take_effect()


@contextmanager
def let_in() -> Iterator[None]:
    """Within `held`, a block that a signal may end, be it one that waits since before."""
    if (signals := _here()) is None or not signals.held:
        yield
        return
    signals.held = False
    try:
        signals.take_effect()
        yield
    finally:
        signals.held = True


def _here() -> Signals | None:
    """What the signals of this thread are."""
    return _signals if threading.current_thread() is threading.main_thread() else None


def importing(frame: FrameType | None) -> bool:
    """Whether an import is under way: cut off in the middle, it would leave half a module for all that comes later."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
