"""Worker processes that can be killed: what hangs, dies or eats memory costs one task, and the rest goes on.

Pebble's pool is used, since it kills and replaces the one worker whose task is over its time; loky and the standard
library's executors have no time limit on a running task, and count the whole pool as broken when a worker dies. Workers
fork from a server that has imported the heavy libraries (where processes can be forked), so that torch is imported
once, not in this process, and replacing a worker costs next to nothing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from typing import TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from gradcheck_cli.dispatch import Chunk, Died, Lost, Task, TooLate, Work, dispatch, run_chunk

T = TypeVar("T")
R = TypeVar("R")

MEMORY = 4 * 1024**3
"""Bytes that a worker may allocate; a check needs a few hundred million."""


def run_in_workers(
    work: Work[T, R],
    tasks: Iterable[Task[T]],
    *,
    jobs: int = 1,
    preload: Sequence[str] = (),
    memory: int = MEMORY,
) -> Iterator[R | Lost]:
    """The work on each task, in other processes; results in the order of the tasks.

    jobs: how many processes. preload: modules that every worker has from the start. A task over its time or its memory,
    or whose worker dies, gives Lost. An exception of the work is raised here. Closing the iterator ends the workers
    at once, whatever they are doing.
    """
    pool = ProcessPool(max_workers=jobs, context=_context(preload), initializer=_prepare, initargs=[memory, jobs])

    def submit(chunk: Chunk[T], seconds: float | None) -> Callable[[], list[R | Lost]]:
        future: ProcessFuture[list[R | Lost]] = pool.schedule(
            run_chunk, args=[work, chunk, len(chunk) > 1], timeout=seconds
        )
        return lambda: _result(future)

    try:
        yield from dispatch(submit, tasks, jobs)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def warm_up(preload: Sequence[str]) -> None:
    """Start the server that workers fork from: it imports while this process goes on."""
    if _context(preload).get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _context(preload: Sequence[str]) -> multiprocessing.context.BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _prepare(memory: int, jobs: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this process
    if jobs > 1:
        import torch  # there is one process a processor already: threads would only be in each other's way

        torch.set_num_threads(max(1, processors() // jobs))
    with suppress(ImportError, ValueError, OSError):  # no limits on this system
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _result(future: ProcessFuture[list[R | Lost]]) -> list[R | Lost]:
    try:
        return future.result()
    except Late:
        raise TooLate from None
    except ProcessExpired as death:
        raise Died(_how(death.exitcode)) from None


def _how(exitcode: int | None) -> str:
    """`signal SIGKILL: out of memory?`, or `exit code 3`."""
    if exitcode is None or exitcode >= 0:
        return f"exit code {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = str(-exitcode)
    return f"signal {name}{': out of memory?' if name in ('SIGKILL', 'SIGABRT') else ''}"
