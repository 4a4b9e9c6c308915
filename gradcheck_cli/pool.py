"""A worker process that can be killed: what hangs, dies or eats memory costs one task, and the rest goes on.

Pebble's pool is used, since it kills and replaces the one worker whose task is over its time; loky and the standard
library's executors have no time limit on a running task, and count the whole pool as broken when a worker dies. Workers
fork from a server that has imported the heavy libraries (where processes can be forked), so that torch is imported
once, not in this process, and replacing a worker costs next to nothing.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 64
"""Tasks handed to the worker before their turn, so that it never waits."""
MEMORY = 4 * 1024**3
"""Bytes that a worker may allocate; a check needs a few hundred million."""


@dataclass(frozen=True)
class Lost:
    """A task without a result. reason: why, as a sentence."""

    reason: str


def run_in_worker(
    function: Callable[[T], R],
    tasks: Iterable[tuple[T, float | None]],
    *,
    preload: Sequence[str] = (),
    memory: int = MEMORY,
) -> Iterator[R | Lost]:
    """`function` of each task in turn, in another process; results in the order of the tasks.

    tasks: (argument, seconds it may take, None for no limit). preload: modules that every worker has from the start. A
    task over its time or its memory, or whose worker dies, gives Lost. An exception of the function is raised here.
    Closing the iterator ends the worker at once, whatever it is doing.
    """
    pool = ProcessPool(max_workers=1, context=_context(preload), initializer=_prepare, initargs=[memory])
    pending: deque[tuple[ProcessFuture[R | Lost], float | None]] = deque()
    try:
        for task, seconds in tasks:
            pending.append((pool.schedule(_guarded, args=[function, task], timeout=seconds), seconds))
            if len(pending) >= AHEAD:
                yield _result(*pending.popleft())
        while pending:
            yield _result(*pending.popleft())
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _context(preload: Sequence[str]) -> multiprocessing.context.BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _prepare(memory: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this process
    with suppress(ImportError, ValueError, OSError):  # no limits on this system
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _guarded(function: Callable[[T], R], task: T) -> R | Lost:
    try:
        return function(task)
    except MemoryError:
        return Lost("it needs more memory than a check may take")


def _result(future: ProcessFuture[R | Lost], seconds: float | None) -> R | Lost:
    try:
        return future.result()
    except Late:
        return Lost(f"no verdict within the time limit of {seconds:g} s, and it had to be killed")
    except ProcessExpired as death:
        return Lost(f"the process that checked it was ended from outside ({_how(death.exitcode)})")


def _how(exitcode: int | None) -> str:
    """`signal SIGKILL: out of memory?`, or `exit code 3`."""
    if exitcode is None or exitcode >= 0:
        return f"exit code {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = str(-exitcode)
    return f"signal {name}{': out of memory?' if name in ('SIGKILL', 'SIGABRT') else ''}"
