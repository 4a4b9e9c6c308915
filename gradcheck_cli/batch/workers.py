"""Worker processes that can be killed: what hangs, dies or eats memory costs one task, and the rest goes on.

Pebble's pool is used, since it kills and replaces the one worker whose task is over its time; loky and the standard
library's executors have no time limit on a running task, and count the whole pool as broken when a worker dies. Workers
fork from a server that has imported the heavy libraries (where processes can be forked), so that torch is imported
once, not in this process, and replacing a worker costs next to nothing.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import TimeoutError as Late
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from multiprocessing import forkserver, resource_tracker, util
from os import _exit  # by this name it ends the process also while a user's code may not (user_code.contained)
from typing import TypeVar

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from gradcheck_cli.batch.dispatch import Chunk, Died, Lost, Task, TooLate, Work, dispatch, run_chunk
from gradcheck_cli.runtime.interruption import held, let_in

T = TypeVar("T")
R = TypeVar("R")

MEMORY = 4 * 1024**3
"""Bytes that a worker may allocate; a check needs a few hundred million."""


class Workers:
    """Worker processes, for one run after another.

    jobs: how many. preload: modules that each of them has from the start. memory: bytes that each may allocate.
    """

    def __init__(self, jobs: int = 1, preload: Sequence[str] = (), memory: int = MEMORY) -> None:
        self.jobs, self._preload, self._memory = jobs, preload, memory
        self._pool = self._new_pool()
        self.busy = False
        """Whether a run was left before its end."""

    def _new_pool(self) -> ProcessPool:
        arguments = [self._memory, self.jobs, self._preload]
        return ProcessPool(
            max_workers=self.jobs, context=_context(self._preload), initializer=_prepare, initargs=arguments
        )

    def start(self) -> None:
        """The processes start, before there is work for them."""
        with let_in():  # the server may still be importing
            self._pool.active  # noqa: B018  starts it

    def run(self, work: Work[T, R], tasks: Iterable[Task[T]]) -> Iterator[R | Lost]:
        """The work on each task; results in the order of the tasks.

        A task over its time or its memory, or whose worker dies, gives Lost. An exception of the work is raised here.
        """

        def submit(chunk: Chunk[T], seconds: float | None) -> Callable[[], list[R | Lost]]:
            future: ProcessFuture[list[R | Lost]] = self._pool.schedule(
                run_chunk, args=[work, chunk, len(chunk) > 1], timeout=seconds
            )
            return lambda: _result(future)

        self.busy = True
        self.start()
        yield from dispatch(submit, tasks, self.jobs)
        self.busy = False

    def renew(self) -> None:
        """Other processes in place of these, which end; they fork from the same server."""
        with held():
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool, self.busy = self._new_pool(), False
        self.start()

    def close(self) -> None:
        """The processes end: at once, with the server that they fork from, if they are still at work."""
        with held():
            self._pool.stop()  # type: ignore[no-untyped-call]
            if self.busy:
                _end_server()
            self._pool.join()
            if self.busy:
                _end_server()  # the pool may have started another


def run_in_workers(
    work: Work[T, R],
    tasks: Iterable[Task[T]],
    *,
    jobs: int = 1,
    preload: Sequence[str] = (),
    memory: int = MEMORY,
) -> Iterator[R | Lost]:
    """The same with processes for this run alone. Closing the iterator ends them, whatever they are doing."""
    workers = Workers(jobs, preload, memory)
    try:
        yield from workers.run(work, tasks)
    finally:
        workers.close()


def warm_up(preload: Sequence[str]) -> None:
    """Start the server that workers fork from: it imports while this process goes on."""
    if _context(preload).get_start_method() == "forkserver":
        # They inherit what is blocked: the terminal's signals are for this process.
        with _blocked(signal.SIGHUP):
            resource_tracker.ensure_running()  # it blocks Ctrl-C itself, and then unblocks it
            with _blocked(signal.SIGINT):
                forkserver.ensure_running()


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _context(preload: Sequence[str]) -> multiprocessing.context.BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    _safe_path()
    atexit.register(_kill_server)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gradcheck_cli.batch.server", *preload])
    return context


@cache
def _safe_path() -> None:
    """With `python -E`, which goes on to all processes, PYTHONSAFEPATH is not heeded: they need -P."""
    if sys.flags.ignore_environment and not sys.flags.safe_path:
        flags = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
        util._args_from_interpreter_flags = lambda: [*flags, "-P"]  # type: ignore[attr-defined]


@contextmanager
def _blocked(*signals: int) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill_server() -> None:
    """Ends the server that workers fork from, and all of them, whatever they are doing."""
    if (pid := forkserver._forkserver._forkserver_pid) is not None:  # type: ignore[attr-defined]
        for kill in (os.kill, os.killpg):  # in its first moments it has no group of its own
            with suppress(OSError):
                kill(pid, signal.SIGKILL)


def _end_server() -> None:
    """The same; the next worker starts another."""
    _kill_server()
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    _exit(1)


def _prepare(memory: int, jobs: int, preload: Sequence[str]) -> None:
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=[parent], daemon=True).start()
    for module in preload:  # where the server has not done so
        import_module(module)
    if jobs > 1:
        from gradcheck_cli.pytorch.devices import use_threads

        use_threads(max(1, processors() // jobs))  # one process a processor: more threads would be in each other's way
    with suppress(ImportError, ValueError, OSError):  # no limits on this system
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _result(future: ProcessFuture[list[R | Lost]]) -> list[R | Lost]:
    try:
        with let_in():
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
