"""Tasks out in chunks, results back in order: the same for processes of this machine and for a cluster.

A task takes half a millisecond or half a minute. So chunks grow until one takes about SPAN; and where a worker dies on
a chunk, its tasks are given out once more, one by one, to find the one that killed it.
"""

from __future__ import annotations

import faulthandler
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

SPAN = 0.05
"""Seconds that a chunk should take: much more than handing it over, much less than one wants to wait."""
LARGEST = 32
AHEAD = 4
"""Chunks handed to each worker before their turn, so that none waits."""

Task = tuple[T, float | None]
"""(argument, seconds it may take; None for no limit)."""
Chunk = Sequence[Task[T]]


@dataclass(frozen=True)
class Lost:
    """A task without a result. reason: why, as a sentence."""

    reason: str


class TooLate(Exception):
    """A chunk of one task was over its time, and was killed."""


class Died(Exception):
    """The worker of a chunk is no more. Carries how it ended."""


Wait = Callable[[], list[R | Lost]]
"""Waits for the results of a chunk. Raises TooLate or Died."""
Submit = Callable[[Chunk[T], float | None], Wait[R]]
"""Hands over a chunk, and the seconds after which it is killed (None: it looks after itself)."""


@dataclass
class _Given(Generic[T, R]):
    chunk: Chunk[T]
    wait: Wait[R]
    at: float


def dispatch(submit: Submit[T, R], tasks: Iterable[Task[T]], workers: int) -> Iterator[R | Lost]:
    """The result of each task, in order."""
    rest = iter(tasks)
    given: deque[_Given[T, R]] = deque()
    size, finished = 1, time.perf_counter()
    while True:
        while len(given) < AHEAD * workers and (chunk := list(islice(rest, size))):
            given.append(_give(submit, chunk))
        if not given:
            return
        first = given.popleft()
        results = _results(submit, first)
        now = time.perf_counter()
        size = _next_size(size, len(first.chunk), (now - finished) * workers)
        finished = now
        yield from results


def _give(submit: Submit[T, R], chunk: Chunk[T]) -> _Given[T, R]:
    alone = chunk[0][1] if len(chunk) == 1 else None
    return _Given(chunk, submit(chunk, alone), time.perf_counter())


def _results(submit: Submit[T, R], given: _Given[T, R]) -> list[R | Lost]:
    try:
        return given.wait()
    except TooLate:
        return [Lost(f"no verdict within the time limit of {given.chunk[0][1]:g} s, and it had to be killed")]
    except Died as death:
        if len(given.chunk) == 1:
            return [Lost(f"the process that checked it ended before its time ({death})")]
        return [result for task in given.chunk for result in _results(submit, _give(submit, [task]))]


def _next_size(size: int, done: int, seconds: float) -> int:
    """Twice as large, or half as large, as long as that brings a chunk nearer to SPAN. seconds: for `done` tasks."""
    each = seconds / done
    if each * size * 2 <= SPAN:
        return min(2 * size, LARGEST)
    return max(1, size // 2) if each * size > 2 * SPAN else size


def _never(_: object) -> None:
    return None


@dataclass(frozen=True)
class Work(Generic[T, R]):
    """What is done with a task; and with several of them at once, where that is faster and possible, else None."""

    one: Callable[[T], R]
    several: Callable[[Sequence[T]], list[R] | None] = _never


def run_chunk(work: Work[T, R], chunk: Chunk[T], watched: bool) -> list[R | Lost]:
    """In a worker: the tasks of a chunk, at once or in turn.

    watched: a task over its time ends the process. A thread of C does that, so that nothing can keep it from it.
    """
    if len(chunk) > 1:
        with _watchdog([seconds for _, seconds in chunk], watched):
            at_once = work.several([argument for argument, _ in chunk])
        if at_once is not None:
            return [*at_once]
    results: list[R | Lost] = []
    for argument, seconds in chunk:
        with _watchdog([seconds], watched):
            results.append(_guarded(work.one, argument))
    return results


@contextmanager
def _watchdog(limits: Iterable[float | None], watched: bool) -> Iterator[None]:
    """Ends the process after the shortest of the limits. Nothing in Python can stop it; see runtime.time_limit."""
    seconds = min((limit for limit in limits if limit is not None), default=None)
    if seconds is None or not watched:
        yield
        return
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def _guarded(function: Callable[[T], R], argument: T) -> R | Lost:
    try:
        return function(argument)
    except MemoryError:
        return Lost("it needs more memory than a check may take")
