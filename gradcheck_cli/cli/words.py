"""Which command is meant: what stands first may be a command, a misspelt one, a file of problems or a formula."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Collection, Sequence

from gradcheck_cli.errors import GradcheckError, UsageError

DEFAULT_COMMAND = "check"
_FLAGS = frozenset({"-q", "--quiet", "-v", "--verbose", "-x", "--fail-fast", "--strict", "--list"})
VALUES = ("--at", "--wrt", "--let", "--claim", "--range", "--samples", "--gradient", "--value")
"""Options that show that a single word is meant as a formula."""

_FILE = re.compile(r".*(?:\.(?:ya?ml|json)(?:::.*)?|/)", re.DOTALL | re.IGNORECASE)
_CODE = re.compile(r".*\.py(?:::?\w[\w.]*)?|\w+(?:\.\w+)+:[A-Za-z_]\w*", re.DOTALL)
_WORD = re.compile(r"-?(?=\w*[^\W\d_]\w*[^\W\d_])[^\W\d]\w+|-[^\W\d_]")
OTHER_NAMES = {
    "test": "run", "tests": "run", "problems": "run", "batch": "run", "verify": "run", "ops": "functions",
    "list": "functions or gradcheck run --list", "show": "explain", "chain": "explain", "join": "merge",
    "combine": "merge", "usage": "--help", "options": "--help", "info": "--version", "about": "--version",
}  # fmt: skip
"""What commands are called elsewhere."""


def with_command(arguments: Sequence[str], commands: Collection[str]) -> tuple[str, list[str]]:
    """(command, its arguments). Raises UsageError for a command that does not exist."""
    first, rest = arguments[0], list(arguments[1:])
    if first in commands:
        return first, rest
    if first == "help" and not _has_value(arguments):
        if rest and rest[0] not in commands:
            raise UsageError(f"there is no command {rest[0]}: {_advice(rest[0], commands, 'help ')}")
        return (rest[0] if rest else DEFAULT_COMMAND), ["--help"]
    if first in ("version", "-V") and not rest:
        return DEFAULT_COMMAND, ["--version"]
    leading = next((argument for argument in arguments if argument not in _FLAGS), "")
    if is_file(leading) and not _has_value(arguments):
        return "run", list(arguments)
    if _CODE.fullmatch(leading) and not _has_value(arguments):
        return "code", list(arguments)
    following = [argument for argument in rest if not argument.startswith("-")]
    if following and _WORD.fullmatch(first) and not _has_value(arguments[:2]):
        near = _near(first, commands)
        if near is not None and _is_variable(first):
            raise UsageError(f"there is no command {first}: did you mean gradcheck {near} {shlex.join(rest)}?")
    return DEFAULT_COMMAND, list(arguments)


def is_file(argument: str) -> bool:
    """Whether an argument can only be a file of problems, or a folder of them: no formula ends like that."""
    return _FILE.fullmatch(argument) is not None


def is_problem(argument: str) -> bool:
    """Whether an argument can only be a problem of a file, or a file that has one."""
    return argument.startswith("::") or (is_file(argument) and not argument.endswith("/"))


def require_formula(arranged: Sequence[str], commands: Collection[str]) -> None:
    """UsageError for a word that is read as a formula only because it is no command: `gradcheck problems`, `-x`, and
    for the path of a folder, which is a quotient.

    arranged: the options, and last what would be the formula.
    """
    word = arranged[-1]
    if ("/" in word or os.sep in word) and not _has_value(arranged) and os.path.exists(word):
        raise UsageError(
            f"{word} is there, and may be a formula as well: gradcheck run {word} checks the problems in it, "
            f"gradcheck check {word} the formula"
        )
    if _WORD.fullmatch(word) is None or _has_value(arranged) or not _is_variable(word):
        return
    if word.startswith("-"):
        message = f"there is no option {word}: gradcheck --help lists the options"
    else:
        message = f"{word} is no command: {_advice(word, commands)}"
    raise UsageError(f"{message} (as a formula it needs a value: gradcheck {word} --at 2)")


def _advice(word: str, commands: Collection[str], before: str = "") -> str:
    near = _near(word, commands)
    return "gradcheck --help lists the commands" if near is None else f"did you mean gradcheck {before}{near}?"


def _near(word: str, commands: Collection[str]) -> str | None:
    plain = word.lower().lstrip("-")
    if plain in OTHER_NAMES:
        return OTHER_NAMES[plain]
    near = difflib.get_close_matches(plain[:40], [*commands, "help", "version"], n=1)
    return near[0] if near else next((name for name in commands if len(plain) > 1 and name.startswith(plain)), None)


def _has_value(arguments: Sequence[str]) -> bool:
    return any(argument.partition("=")[0] in VALUES for argument in arguments)


def _is_variable(word: str) -> bool:
    """Whether a word alone is read as a variable: sin and pi have messages of their own."""
    from gradcheck_cli.expression.nodes import variables
    from gradcheck_cli.language.parser import parse

    try:
        return bool(variables(parse(word)))
    except GradcheckError:
        return False
