"""--watch: a command checks again what changed, whenever a file that it rests on is saved.

That a file was saved is only the occasion. What is checked again is told from what the files hold: a result stands as
long as its problem is the same, by the key that --resume goes by, and the user's files that were run are as they were.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gradcheck_cli.batch.resume import files_of, problem_key
from gradcheck_cli.batch.run import PRELOAD_ALL
from gradcheck_cli.batch.workers import Workers
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.cli.streams import is_terminal, say
from gradcheck_cli.cli.watcher import Watcher
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.request import CodeRequest, ProblemSpec
from gradcheck_cli.render.plain import counted
from gradcheck_cli.runtime.interruption import Interrupted

NAMED = 3
"""Problems that are named where they were checked again; of more, only the number is said."""

State = Mapping[str, tuple[int, int, int] | None]
"""Of each file, which one it is, its size and when it was written; None where there is none."""


@dataclass(frozen=True)
class Round:
    """What came of a command, done once.

    files: that it rests on; folders: in which there may come to be more of them, with one of the suffixes. ended:
    whether it was interrupted.
    """

    code: ExitCode
    files: Collection[str]
    folders: Collection[str] = ()
    suffixes: tuple[str, ...] = (".py",)
    ended: bool = False

    def counts(self, path: str) -> bool:
        """Whether a change of the path may be one of what is checked. A folder may have come, or gone."""
        return path in self.files or path.endswith(self.suffixes) or not os.path.splitext(path)[1]


def watch(once: Callable[[Workers, Known], Round], jobs: int, *, quiet: bool) -> ExitCode:
    """Does it once, and again after each change, until a signal ends it.

    once: checks what is not known already, and says nothing where nothing is new. Raises UsageError where the system
    does not tell of changes.
    """
    known, workers = Known(), Workers(jobs, PRELOAD_ALL)
    try:
        with Watcher() as watcher:
            workers.start()
            done, first = once(workers, known), True
            while not done.ended:
                if known.was_checked:
                    workers.renew()
                if first and not quiet:
                    files = {os.path.realpath(file) for file in done.files if os.path.isfile(file)}
                    say(f"watching {counted(len(files), 'file')}; Ctrl-C ends it\n")
                first = False
                known.changed = _next_change(watcher, done)
                if known.changed is None:
                    return done.code
                done = once(workers, known)
            return done.code
    finally:
        workers.close()


def _next_change(watcher: Watcher, done: Round) -> set[str] | None:
    """The paths that changed, maybe none of them; None where a signal came instead."""
    paths = {way(file) for file in done.files for way in (os.path.abspath, os.path.realpath)}
    folders = {os.path.dirname(path) for path in paths} | set(map(os.path.abspath, done.folders))
    meant = Round(done.code, paths, folders, done.suffixes)
    try:
        return watcher.wait(folders, meant.counts)
    except (Interrupted, KeyboardInterrupt):
        if is_terminal(sys.stderr):
            say("\n")
        return None


class Known:
    """What has been found out, as long as it stands. changed: the paths that changed last."""

    def __init__(self) -> None:
        self.changed: set[str] | None = set()
        self.was_checked = False
        self._results: dict[str, AnyResult] = {}
        self._state: dict[str, State] = {}
        self._seen: object = None
        self._files: set[str] = set()

    def results(self) -> dict[str, AnyResult]:
        """The results that stand, by key."""
        code_changed = any(path.endswith(".py") for path in self.changed or ())
        return {
            key: result
            for key, result in self._results.items()
            if _state(self._state[key]) == self._state[key] and not (code_changed and _is_unread_code(result))
        }

    def is_news(self, specs: Sequence[ProblemSpec], stands: Collection[str], more: object = None) -> bool:
        """Whether these problems are others than those before, or not all of their results stand.

        more: what else is shown.
        """
        before, self._seen = self._seen, (specs, more)
        self.was_checked = any(problem_key(spec) not in stands for spec in specs)
        return self.was_checked or before != self._seen

    def keep(self, results: Iterable[AnyResult], since: float, *, and_others: bool = False) -> None:
        """Results of a round that began at that time (of time.time).

        What was saved meanwhile will be checked again. and_others: those of before stay too, for a file may have them
        that cannot be read just now.
        """
        if not and_others:
            self._results, self._state = {}, {}
        for result in results:
            files = (result.sources or {}) if isinstance(result, CodeResult) else {}
            state = _state(files)
            self._files.update(files)
            if result.key is not None and not any(one and one[2] > since * 1e9 for one in state.values()):
                self._results[result.key], self._state[result.key] = result, state

    def files(self, specs: Iterable[ProblemSpec]) -> set[str]:
        """The files that code and its inputs are read from, now or in a round before."""
        named = {str(f) for spec in specs if isinstance(spec.request, CodeRequest) for f in files_of(spec.request)}
        return named | self._files


def _is_unread_code(result: AnyResult) -> bool:
    """Whether it is code that could not be done: which files that was because of is not known."""
    return isinstance(result, CodeResult) and result.error is not None


def _state(files: Iterable[str]) -> State:
    found: dict[str, tuple[int, int, int] | None] = {}
    for file in files:
        try:
            now = os.stat(file)
            found[file] = (now.st_ino, now.st_size, now.st_mtime_ns)
        except OSError:
            found[file] = None
    return found


def heading(again: Sequence[str], total: int, unread: Sequence[str] = ()) -> str:
    """The line above a report that is not the first. again: the names of what was checked again, of so many; unread:
    files that cannot be read as they are."""
    names = ", ".join(again) if len(again) <= NAMED else ""
    waiting = f"waiting for {', '.join(unread)} to be saved again" if unread else ""
    if not again:
        what = waiting or "nothing to check again"
    elif total == 1:
        what = f"{names} checked again"
    else:
        what = f"{len(again):,} of {counted(total, 'problem')} checked again{names and f': {names}'}"
    if again and waiting:
        what += f"; {waiting}"
    return f"\n{time.strftime('%H:%M:%S')}  {what}\n"
