"""What the shell may complete the value of an option or argument to, each declared with it as `autocompletion`.

These take the line so far and the text to be completed. The line is a Context of Typer: its `params` has by name of an
option or argument the texts that were typed for it, its `obj` the quote that is open. No file is run, and what cannot
be read has no candidates. torch and the like are not loaded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence

import typer

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.render.formats import LIST_FORMATS
from gradcheck_cli.text_files import DEFAULT_FILE, STANDARD_INPUT

Candidates = list[str] | list[tuple[str, str]]
"""Whole texts, perhaps each with what it is; Typer leaves out those that do not begin with the text typed."""
Autocompletion = Callable[[typer.Context, str], Candidates]

MOST_BYTES = 4 * 2**20
"""Of problem files that are read while somebody waits for the Tab key."""
MOST_FILES = 200
_NAME = re.compile(r"[^\W\d]\w*\Z")
_CALLED = re.compile(r"[^\W\d]\w*\(?\Z")
_WORD = re.compile(r"[^\s()]*\Z")
_TARGET = re.compile(r"(?P<file>.*\.py)(?P<colons>:{0,2})(?P<name>\w*)", re.DOTALL)
_IN_MODULE = re.compile(r"(?P<module>\w+(?:\.\w+)*):(?P<name>\w*)")


def one_of(known: Iterable[str]) -> Autocompletion:
    values = list(known)

    def candidates(ctx: typer.Context, incomplete: str) -> Candidates:
        return values

    return candidates


def choices(metavar: str | None) -> Autocompletion | None:
    """Of an option whose metavar lists them: reverse|forward|both. None where it does not."""
    parts = (metavar or "").split("|")
    return one_of(parts) if len(parts) > 1 and all(part.islower() for part in parts) else None


def formats(known: Sequence[str]) -> Autocompletion:
    def candidates(ctx: typer.Context, incomplete: str) -> Candidates:
        return list(LIST_FORMATS if ctx.params.get("list_only") else known)

    return candidates


def formulas(ctx: typer.Context, incomplete: str) -> Candidates:
    """The function whose name is typed at the end of a formula."""
    typed = (_CALLED if ctx.obj else _NAME).search(incomplete)
    if typed is None or incomplete[: typed.start()].endswith("\\") or _is_in_folder(incomplete):
        return []
    before, beginning = incomplete[: typed.start()], typed.group().removesuffix("(")
    is_called = typed.group() != beginning
    found = [row for row in _functions() if (row[0] == beginning if is_called else row[0].startswith(beginning))]
    if len(found) == 1 and ctx.obj:  # a single candidate would end the quote
        name, usage, what = found[0]
        return [(f"{before}{name}(", what), (f"{before}{usage}", what)]
    return [(before + name, what) for name, _, what in found]


def functions(ctx: typer.Context, incomplete: str) -> Candidates:
    return [(name, what) for name, _, what in _functions()]


def _functions() -> list[tuple[str, str, str]]:
    """(name, usage, what it is) of all functions of formulas, each name once."""
    from gradcheck_cli.cli.function_list import all_functions

    return list({row.name: (row.name, row.usage, row.doc) for row in reversed(all_functions())}.values())


def arrays(ctx: typer.Context, incomplete: str) -> Candidates:
    """The maker whose name is typed at the end: x=randn."""
    from gradcheck_cli.arrays.makers import MAKERS

    typed = _NAME.search(incomplete)
    if typed is None:
        return []
    return [incomplete[: typed.start()] + name for name in MAKERS]


def variables(ctx: typer.Context, incomplete: str) -> Candidates:
    """Those of the formula that was typed."""
    from gradcheck_cli.checking.points.texts import names_in
    from gradcheck_cli.checking.reading import read
    from gradcheck_cli.records.request import Request

    try:
        names = [*names_in(ctx.params.get("at", ()))]
        for expression in ctx.params.get("expression", ()):
            names += read(Request(expression, lets=tuple(ctx.params.get("let", ())))).variables
    except GradcheckError:  # told once the command is run; a formula of arrays is read with torch
        pass
    return _in_list(incomplete, dict.fromkeys(names))


def formulas_or_problems(ctx: typer.Context, incomplete: str) -> Candidates:
    return files_or_problems(ctx, incomplete) if "::" in incomplete else formulas(ctx, incomplete)


def files_or_problems(ctx: typer.Context, incomplete: str) -> Candidates:
    """The problems of a file, FILE::NAME; files are the shell's affair."""
    file, colon, _ = incomplete.partition(":")
    return [f"{file}::{name}" for name, _ in _problems([file or DEFAULT_FILE])] if colon else []


def problems(ctx: typer.Context, incomplete: str) -> Candidates:
    """The names of the problems of the files that were named, or FILE::NAME."""
    if ":" in incomplete:
        return files_or_problems(ctx, incomplete)
    return [name for name, _ in _problems(ctx.params.get("files", ()))]


def words_of_problems(ctx: typer.Context, incomplete: str) -> Candidates:
    """The last word of -k, as the beginning of a name."""
    typed = _WORD.search(incomplete)
    before = incomplete[: typed.start()] if typed else incomplete
    return [before + name for name, _ in _problems(ctx.params.get("files", ())) if _WORD.match(name)]


def tags(ctx: typer.Context, incomplete: str) -> Candidates:
    found = (tag for _, tags in _problems(ctx.params.get("files", ())) for tag in tags)
    return _in_list(incomplete, dict.fromkeys(found))


def targets(ctx: typer.Context, incomplete: str) -> Candidates:
    """The functions and classes of a file or module of Python, which is not imported."""
    from gradcheck_cli.user_code.target import names_in

    if found := _TARGET.fullmatch(incomplete):
        return [f"{found['file']}::{name}" for name in names_in(os.path.expanduser(found["file"]))]
    if found := _IN_MODULE.fullmatch(incomplete):
        path = found["module"].replace(".", os.sep)
        names = names_in(f"{path}.py") or names_in(os.path.join(path, "__init__.py"))
        return [f"{found['module']}:{name}" for name in names]
    return []


def _in_list(incomplete: str, known: Iterable[str]) -> list[str]:
    """With the last of several texts completed, which commas separate."""
    before, comma, _ = incomplete.rpartition(",")
    given = set(before.split(",")) if comma else set()
    return [f"{before}{comma}{one}" for one in known if one not in given]


def _is_in_folder(text: str) -> bool:
    """Whether a text is the beginning of the path of a file, rather than a quotient."""
    folder = os.path.dirname(text)
    return bool(folder) and os.path.isdir(folder)


def _problems(files: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """(name, tags) of the problems of the files, of which those count that can be read at once."""
    from gradcheck_cli.problem_files.find import find
    from gradcheck_cli.problem_files.names import named_in
    from gradcheck_cli.text_files import read_source

    found: list[tuple[str, tuple[str, ...]]] = []
    left = MOST_BYTES
    for name in files or [DEFAULT_FILE]:
        try:
            sources = [] if name == STANDARD_INPUT else find(os.path.expanduser(name))[:MOST_FILES]
        except GradcheckError:
            continue
        for source in sources:
            # What is no regular file, such as a pipe, would be waited for.
            if not os.path.isfile(source.file) or (left := left - os.path.getsize(source.file)) < 0:
                continue
            try:
                text = read_source(source.file)
            except GradcheckError:
                continue
            if source.is_of_problems(text):
                found += [(problem.name, problem.tags) for problem in named_in(text)]
    return found
