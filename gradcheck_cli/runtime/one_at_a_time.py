"""One check at a time in a process: flint's precision is global to it, and equal expressions are one object."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_lock = threading.RLock()

if hasattr(os, "register_at_fork"):
    # A child must not begin in the middle of another thread's check, whose thread it does not have.
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def one_at_a_time(function: Callable[P, T]) -> Callable[P, T]:
    """The function, which waits until no other thread is in one of those that this was said of."""

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        with _lock:
            return function(*args, **kwargs)

    return alone
