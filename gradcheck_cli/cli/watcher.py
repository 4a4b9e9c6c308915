"""Which files of some folders change, as watchfiles has it from the system; and what to say where it cannot."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator
from typing import Any

from gradcheck_cli.errors import UsageError

EXTRA = "pip install 'gradcheck-cli[watch]'"
QUIET = 20
"""Milliseconds without another change after which a file counts as saved: editors write in several steps."""
LONGEST = 500
"""Milliseconds after which changes are told though there are ever more."""
TICK = 250
"""Milliseconds after which it is seen that a folder is gone, or there again."""

Changes = Generator[set[Any], None, None]
"""Sets of (what happened, path)."""
Place = tuple[str, int, int]
"""A folder, and which one it is: another may come to be called the same."""


class Watcher:
    """Watches folders, but not the folders in them. Raises UsageError where watchfiles is missing."""

    def __init__(self) -> None:
        try:
            import watchfiles  # noqa: F401
        except ImportError:
            raise UsageError(f"--watch needs the package watchfiles: {EXTRA}") from None
        self._places: frozenset[Place] = frozenset()
        self._changes: Changes | None = None

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def wait(self, folders: Collection[str], counts: Callable[[str], bool]) -> set[str]:
        """Waits until a file in the folders changes that counts, and returns the paths of all that changed with it.

        None of them where it has only begun to watch: what changed before that is not known. Raises UsageError where
        the system does not let it, KeyboardInterrupt for a signal.
        """
        while True:
            places = frozenset(map(_place, folders))
            begins = self._changes is None or places != self._places
            try:
                if self._changes is None or begins:
                    self._end()
                    self._places, self._changes = places, _changes_in({folder for folder, _, _ in places})
                changes = {path for _, path in next(self._changes)}
            except FileNotFoundError:  # a folder went in this very moment
                self._end()
                continue
            except (OSError, RuntimeError) as error:
                raise UsageError(
                    f"the system does not tell what changes in {', '.join(sorted(folders))}: {error}; with "
                    "WATCHFILES_FORCE_POLLING=1 in the environment, gradcheck looks again and again instead"
                ) from error
            if begins or any(map(counts, changes)):
                return changes

    def _end(self) -> None:
        if self._changes is not None:
            self._changes.close()
            self._changes = None


def _changes_in(folders: Collection[str]) -> Changes:
    from watchfiles import watch

    return watch(
        *sorted(folders), watch_filter=None, debounce=LONGEST, step=QUIET, rust_timeout=TICK, yield_on_timeout=True,
        recursive=False,
    )  # fmt: skip


def _place(folder: str) -> Place:
    """The folder, or the nearest one above it that there is."""
    while True:
        try:
            found = os.stat(folder)
            return folder, found.st_dev, found.st_ino
        except OSError:
            above = os.path.dirname(folder)
            if above == folder:
                raise
            folder = above
