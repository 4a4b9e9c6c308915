"""Which problems a run has: from the names of files to what is selected of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck_cli.batch.run import DEFAULT_TIMEOUT
from gradcheck_cli.batch.selection import select
from gradcheck_cli.cli import last_failed
from gradcheck_cli.errors import FileError, GradcheckError, UsageError
from gradcheck_cli.problem_files.find import Once, Source, find, no_problem
from gradcheck_cli.records.report import Heading, Trouble
from gradcheck_cli.records.request import ProblemSpec
from gradcheck_cli.render.plain import counted
from gradcheck_cli.text_files import DEFAULT_FILE, read_source, shown


@dataclass(frozen=True)
class Wanted:
    """What is asked of all that the files have. keyword, tags: of names and tags; deselected: names, or FILE::NAME."""

    keyword: str | None = None
    tags: Sequence[str] = ()
    deselected: Sequence[str] = ()
    last_failed: bool = False

    @property
    def asked(self) -> str:
        """As it was typed."""
        keyword = [f"-k {self.keyword!r}"] if self.keyword is not None else []
        tags = [f"--tag {tag}" for tag in self.tags]
        return " ".join([*keyword, *tags, *(f"--deselect {name}" for name in self.deselected)])


@dataclass
class Files:
    """All that files have. troubles: what is wrong with those that cannot be read; others: those of another kind;
    sources: the paths of all."""

    specs: list[ProblemSpec] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


def read_files(names: Sequence[str], given: dict[str, Any], *, allow_code: bool = False) -> Files:
    """What the files have.

    given: options that hold for every problem. allow_code: see load_problems. Raises UsageError for a pyproject.toml
    that cannot be read.
    """
    from gradcheck_cli.problem_files.load import load_problems
    from gradcheck_cli.problem_files.pyproject import read_pyproject

    defaults = {"timeout": DEFAULT_TIMEOUT, **read_pyproject(Path.cwd())}
    found = Files()
    troubles = found.troubles

    once = Once()

    def read(source: Source) -> bool:
        """Whether there are problems that are meant."""
        text = read_source(source.file)
        if source.is_of_problems(text):
            folder = os.path.dirname(source.file)
            problems, heading = load_problems(
                text, shown(source.file), given, defaults, folder=folder, allow_code=allow_code
            )
            chosen = source.chosen(problems)
            found.specs.extend(once.left(source, chosen))
            if heading is not None and heading not in found.headings:
                found.headings.append(heading)
            return bool(chosen)
        found.others.append(shown(source.file))
        return False

    for name in names or [DEFAULT_FILE]:
        try:
            sources = find(name)
        except GradcheckError as error:
            troubles.append(Trouble(str(error), shown(name)))
            continue
        some = False
        found.sources += [source.file for source in sources]
        for source in sources:
            try:
                some = once.is_taken(source) or read(source) or some
            except GradcheckError as error:
                file, line = error.place if isinstance(error, FileError) else (shown(source.file), None)
                troubles.append(Trouble(str(error), file, line))
                some = True
        if not some:
            files = counted(len(sources), "file")
            troubles.append(Trouble(f"{shown(name)}: none of {files} has problems: at its top", shown(name)))
    return found


def only_problem(name: str, given: dict[str, Any]) -> ProblemSpec:
    """The problem that FILE::NAME stands for, or the only one of a file. given: options that prevail over its own.

    Code that it names is not imported. Raises UsageError and FileError where there is no such problem, or several, and
    for one that cannot be read.
    """
    found = read_files([name], given, allow_code=True)
    if found.troubles:
        raise UsageError(found.troubles[0].message)
    first = found.specs[0]
    if len(found.specs) > 1:
        this = "::" if "::" in name else f"{name}::"
        raise UsageError(f"{name} stands for {len(found.specs):,} problems: name one, for example {this}{first.name}")
    if first.request is None:
        raise UsageError(first.error or f"{name} cannot be read")
    return first


def selected(specs: Sequence[ProblemSpec], wanted: Wanted) -> tuple[list[ProblemSpec], str | None]:
    """The problems that are wanted, numbered, and a sentence on those that failed before. UsageError for none."""
    kept = _without(specs, wanted.deselected)
    chosen = select(kept, wanted.keyword, wanted.tags)
    if specs and not chosen:
        problems = counted(len(specs), "problem")
        if not kept:
            raise UsageError(f"{wanted.asked} leaves none of {problems}")
        raise UsageError(f"none of {problems} matches {wanted.asked}: --list shows the names")
    if not wanted.last_failed:
        return chosen, None
    known = last_failed.last_failed()
    again = [spec for spec in chosen if last_failed.key(spec.file, spec.name) in known]
    if not again:
        return chosen, "no problem is known to have failed in a run before: all are checked"
    of = counted(len(chosen), "problem")
    return select(again, None, ()), f"{len(again):,} of {of} failed in a run before"


def _without(specs: Sequence[ProblemSpec], deselected: Sequence[str]) -> list[ProblemSpec]:
    kept = list(specs)
    for text in deselected:
        file, separator, name = text.rpartition("::")
        here = os.path.realpath(file) if separator else None
        left = [
            spec for spec in kept if spec.name != name or (here is not None and os.path.realpath(spec.file) != here)
        ]
        if len(left) == len(kept) and specs:
            raise UsageError(f"--deselect {text}: {no_problem(name, file or 'this run', specs)}")
        kept = left
    return kept
