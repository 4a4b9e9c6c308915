"""Which files are meant by names, folders, patterns such as **/*.yaml, and which problem of a file by FILE::NAME."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.request import ProblemSpec
from gradcheck_cli.text_files import DEFAULT_FILE, STANDARD_INPUT, shown

SUFFIXES = (".yaml", ".yml")
MOST_ENTRIES = 100_000
"""Of folders that are searched."""
_PROBLEMS = re.compile(r"""^[\s{]*["']?problems["']?\s*:""", re.MULTILINE)
_MAGIC = re.compile(r"[*?[]")  # what glob.has_magic looks for, which is imported where it is used
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True)
class Source:
    """A file. problem: the only one that is wanted. searched: it was not named itself, and may be of another kind."""

    file: str
    problem: str | None = None
    searched: bool = False

    def is_of_problems(self, text: str) -> bool:
        """Whether the file, with that text, is one of problems."""
        return not self.searched or _PROBLEMS.search(text) is not None

    def chosen(self, specs: Sequence[ProblemSpec]) -> list[ProblemSpec]:
        """Of the problems of the file those that are wanted. Raises UsageError where there is no such problem."""
        if self.problem is None:
            return list(specs)
        found = [spec for spec in specs if spec.name == self.problem]
        if not found and not self.searched:
            raise UsageError(no_problem(self.problem, shown(self.file), specs))
        return found


class Once:
    """Which files, and which problems of them, have been taken: each counts once, by whatever names it is meant."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._problems: set[tuple[str, int, str]] = set()

    def is_taken(self, source: Source) -> bool:
        """Whether all of the file was taken before. It is from now on."""
        place = os.path.realpath(source.file)
        taken = place in self._files
        if source.problem is None:
            self._files.add(place)
        return taken

    def left(self, source: Source, specs: Sequence[ProblemSpec]) -> list[ProblemSpec]:
        """Of these problems of the file those that were not taken before."""
        place = os.path.realpath(source.file)
        left = [spec for spec in specs if (place, spec.line, spec.name) not in self._problems]
        self._problems.update((place, spec.line, spec.name) for spec in left)
        return left


def no_problem(name: str, where: str, specs: Sequence[ProblemSpec]) -> str:
    """The message for a name that no problem has."""
    near = difflib.get_close_matches(name[:60], [spec.name for spec in specs], n=1)
    advice = f"did you mean {near[0]}?" if near else "gradcheck run --list shows the names"
    return f"{where} has no problem {name[:60]}: {advice}"


def find(name: str) -> list[Source]:
    """The files that a name on the command line stands for, in order. Raises UsageError where there is none."""
    if name == STANDARD_INPUT or os.path.isfile(name):
        return [Source(name)]
    file, separator, problem = name.partition("::")
    if separator and problem:
        return [replace(source, problem=problem) for source in find(file or DEFAULT_FILE)]
    if os.path.isdir(name):
        files = sorted(_within(name))
        if not files:
            raise UsageError(f"{shown(name)}: there is no YAML file in this folder")
    elif (found := matching(name)) is not None:
        files = found
    else:
        return [Source(name)]
    return [Source(file, searched=True) for file in files]


def matching(name: str) -> list[str] | None:
    """The files that a pattern stands for, in order; None: the name is no pattern. Raises UsageError for none."""
    if not _MAGIC.search(name) or os.path.lexists(name):
        return None
    from glob import iglob

    files = sorted(file for file in islice(iglob(name, recursive=True), MOST_ENTRIES) if os.path.isfile(file))
    if not files:
        raise UsageError(f"{shown(name)}: {_nothing_there(name)}")
    return files


def places(name: str) -> Iterator[str]:
    """The folders in which files are, or may come to be, that a name on the command line stands for."""
    file = name.partition("::")[0] or DEFAULT_FILE
    if os.path.isdir(file):
        yield from (place for place, _, _ in _walk(file))
    elif _MAGIC.search(file) and not os.path.lexists(file):
        base = os.path.dirname(_MAGIC.split(file)[0])
        deep = len(Path(os.path.relpath(file, base or ".")).parts) - 1
        for place, folders, _ in _walk(base or "."):
            yield place
            if "**" not in file and len(Path(os.path.relpath(place, base or ".")).parts) >= deep:
                folders.clear()
    else:
        yield os.path.dirname(file) or "."


def _nothing_there(pattern: str) -> str:
    """Why no file is called so: the folder in which the pattern begins may not be there."""
    folder = os.path.dirname(_MAGIC.split(pattern)[0])
    return f"there is no folder {shown(folder)}" if folder and not os.path.isdir(folder) else "no file has such a name"


def _within(folder: str) -> Iterator[str]:
    """The YAML files of a folder and the folders in it, but for hidden ones and those of installed packages."""
    for place, _, files in _walk(folder):
        yield from (
            os.path.normpath(os.path.join(place, file))
            for file in files
            if file.endswith(SUFFIXES) and not file.startswith(".")
        )


def _walk(folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """As os.walk, but for hidden folders and those of installed packages."""
    entries = 0
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        entries += len(folders) + len(files)
        if entries > MOST_ENTRIES:
            raise UsageError(f"{shown(folder)} has more than {MOST_ENTRIES:,} files: name a folder of problem files")
        yield place, folders, files
