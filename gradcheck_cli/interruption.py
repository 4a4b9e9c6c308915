"""Ctrl-C, where it would otherwise come between two things that belong together."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType, TracebackType


@contextmanager
def interruptions() -> Iterator[AbstractContextManager[object]]:
    """What to put around each thing that is done whole: Ctrl-C takes effect at its end, a second one at once."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield nullcontext()  # it is ignored here, or goes to another thread
        return
    whole = _Whole()

    def press(number: int, frame: FrameType | None) -> None:
        if whole.inside and not whole.pressed:
            whole.pressed = True
        else:
            handler(number, frame)

    signal.signal(signal.SIGINT, press)
    try:
        yield whole
    finally:
        signal.signal(signal.SIGINT, handler)


class _Whole:
    """inside: whether we are in the block; pressed: whether Ctrl-C came in there."""

    def __init__(self) -> None:
        self.inside = self.pressed = False

    def __enter__(self) -> None:
        self.inside = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.inside = False
        if self.pressed:
            self.pressed = False
            raise KeyboardInterrupt
