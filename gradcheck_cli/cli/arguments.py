"""From what was typed to what Typer expects.

Expressions begin with a minus as readily as options do, and Typer would read `-x**2` as the options -x, -*, ... So the
arguments are sorted here first: the options, each joined with its value, then `--`, then the rest. The rule for a
command that takes an expression: what is not an option's value and not exactly a known option is the expression, unless
it begins with two minuses, which is a misspelt option. What else stands there are points: `x=2`, or numbers after an
`--at`.
"""

from __future__ import annotations

import difflib
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradcheck_cli.errors import UsageError

ANSWERED_ALONE = frozenset({"--help", "-h", "--version", "-V", "--install-completion", "--show-completion"})
"""Options that need no expression."""
EXAMPLE = 'gradcheck "x**2 + sin(x)" --at 2'
WITHOUT = {
    "check": ("what should be checked?", EXAMPLE),
    "explain": ("what should be explained?", 'gradcheck explain "x**2 + sin(x)" --at 2'),
    "code": ("what should be checked?", 'gradcheck code losses.py::focal_loss "logits=randn(4, 3)"'),
    "merge": ("which reports should be joined?", "gradcheck merge part-1.json part-2.json"),
}
"""Commands that do nothing without a word: what is asked then, and an example."""

Options = Mapping[str, bool | str]
"""Every option of a command -> whether it takes a value; "[FILE]", "[SHELL]": it takes one of that kind, where it
follows."""
NOT_NAMED = "-"
"""What stands for a value that does not follow."""

_ASSIGNMENT = re.compile(r"\s*[^\W\d]\w*\s*=(?!=)")
_FIGURE = re.compile(r".*\.(?:svg|png|pdf)|[^\s()*^=+]*\.(?!ya?ml\Z)[a-z]{2,5}", re.IGNORECASE | re.DOTALL)
"""A name of a file, be it of one that can be written or not: no formula ends like that. One of problems is another."""
_NAMED = {"[FILE]": _FIGURE, "[SHELL]": re.compile(r"[a-z]+")}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?,?", re.ASCII)


def arrange(arguments: Sequence[str], options: Options) -> list[str]:
    """The arguments of a command that takes an expression, with nothing left to guess: `--at=-2 -v -- -x**2`.

    Raises UsageError for an unknown option, a value that is missing or too much, and for no expression or a second one.
    """
    arranged: list[str] = []
    rest: list[str] = []
    for argument, is_option in _sorted_out(arguments, options, dash_is_text=True):
        if is_option:
            arranged.append(argument)
        elif arranged and arranged[-1].startswith("--at=") and (joint := _joint(arranged[-1], argument, rest)):
            arranged[-1] = f"{arranged[-1].rstrip(',')}{joint}{argument.rstrip(',')}"
        elif rest and _ASSIGNMENT.match(argument):
            arranged.append(f"--at={argument}")
        else:
            rest.append(argument)
    if len(rest) == 2 and _ASSIGNMENT.match(rest[0]):  # the point stands first
        arranged.append(f"--at={rest.pop(0)}")
    if len(rest) > 1:
        raise _several(rest, options)
    if not rest and not _is_answered(arranged):
        raise UsageError(f"there is no expression. For example:\n  {EXAMPLE}")
    return [*arranged, "--", *rest] if rest else arranged


def arrange_words(
    command: str, arguments: Sequence[str], options: Options, names: Sequence[Any], *, dash_is_text: bool = False
) -> list[str]:
    """The arguments of a command that takes names: of files, or a word.

    names: what Typer knows of the arguments that are no options. dash_is_text: they may begin with a minus. Raises
    UsageError as above, and for too many or none.
    """
    arranged: list[str] = []
    rest: list[str] = []
    for argument, is_option in _sorted_out(arguments, options, dash_is_text=dash_is_text):
        (arranged if is_option else rest).append(argument)
    if not rest and not _is_answered(arranged):
        require_words(command)
    if len(rest) > len(names) and all(name.nargs == 1 for name in names):
        takes = names[0].metavar.strip("[]").lower() if names else ""
        how = f"takes one {takes}" if names else "takes no arguments"
        raise UsageError(f"gradcheck {command} {how}, but there is {' '.join(map(repr, rest[:4]))}")
    return [*arranged, "--", *rest] if rest else arranged


def require_words(command: str) -> None:
    """UsageError for a command that does nothing without a word. There is none."""
    if command in WITHOUT:
        question, example = WITHOUT[command]
        raise UsageError(f"{question} For example:\n  {example}\n`gradcheck {command} --help` explains everything")


def _is_answered(options: Sequence[str]) -> bool:
    return any(option.partition("=")[0] in ANSWERED_ALONE for option in options)


def _sorted_out(arguments: Sequence[str], options: Options, *, dash_is_text: bool) -> Iterator[tuple[str, bool]]:
    """Each argument, joined with its value, and whether it is an option."""
    rest, seen = deque(arguments), False
    while rest:
        argument = rest.popleft()
        name, equals, _ = argument.partition("=")
        if argument == "--" and dash_is_text and seen:
            continue
        if argument == "--":  # what comes next is no option, whatever it looks like
            while rest:
                seen = True
                yield rest.popleft(), False
                if dash_is_text:
                    break
        elif isinstance(kind := options.get(argument), str):
            value = rest.popleft() if rest and may_follow(kind, rest[0]) else NOT_NAMED
            yield f"{argument}={value}", True
        elif argument in options and not options[argument]:
            yield argument, True
        elif argument in options:
            value = _value(argument, rest.popleft() if rest else None, options)
            yield from (
                [(f"{argument}={value}", True)] if argument.startswith("--") else [(argument, True), (value, True)]
            )
        elif argument.startswith("--") and equals and options.get(name, False) is not False:
            yield argument, True
        elif argument.startswith("--") and equals and name in options:
            raise UsageError(f"{name} takes no value: write {name} alone")
        elif argument.startswith("--"):
            raise UsageError(_unknown(argument, name, options, dash_is_text=dash_is_text))
        else:
            if not dash_is_text and argument.startswith("-") and argument != "-":
                raise UsageError(_joined(argument, options) or _unknown(argument, name, options, dash_is_text=False))
            seen = True
            yield argument, False


def may_follow(kind: str, word: str) -> bool:
    """Whether a word is the value of the option of that kind before it, which may have none."""
    return _NAMED[kind].fullmatch(word) is not None


def _joint(point: str, argument: str, before: Sequence[str]) -> str:
    """What joins an argument to the --at before it, as in `--at x=1 y=2`, `--at 1 2 3` or `--at [1, 2]`; else ""."""
    if sum(map(point.count, "([{")) > sum(map(point.count, ")]}")):
        return ","
    if _NUMBER.fullmatch(argument) is not None:
        return ";"
    if not before or _ASSIGNMENT.match(argument) is None:
        return ""
    name = argument.partition("=")[0].strip()
    given = [
        part.partition("=")[0].strip() for part in re.split("[,;]", point.rpartition(";")[2].removeprefix("--at="))
    ]
    return ";" if name in given else ","


def _several(expressions: Sequence[str], options: Options) -> UsageError:
    """The error for more than one expression."""
    for argument in expressions:
        _require_no_option(argument, options)
    shown = ", ".join(repr(expression) for expression in expressions[:4])
    more = f" and {len(expressions) - 4} more" if len(expressions) > 4 else ""
    return UsageError(
        f"one expression is checked at a time, but there are {len(expressions)}: {shown}{more}. "
        f"Put the expression in quotes, so that spaces, * and ( are part of it: {EXAMPLE}"
    )


def _require_no_option(argument: str, options: Options) -> None:
    """UsageError for what stands beside an expression and looks like `-qv`, `-z` or `-at`."""
    if (message := _joined(argument, options)) is not None:
        raise UsageError(message)
    if len(argument) == 2 and argument[0] == "-" and argument[1].isalpha():
        raise UsageError(
            f"there is no option {argument}: gradcheck --help lists the options "
            f"(and if {argument} belongs to the expression, put the whole expression in quotes)"
        )


def _joined(argument: str, options: Options) -> str | None:
    """The message for `-at`, and for the options -q and -v as `-qv`."""
    letters = argument[1:]
    if not argument.startswith("-") or not letters.isalpha():
        return None
    if f"-{argument}" in options:
        return f"there is no option {argument}: did you mean -{argument}?"
    short = list(dict.fromkeys(f"-{letter}" for letter in letters))
    if all(option in options for option in short):
        return f"{argument}: short options are not joined: write {' '.join(short)}"
    return None


def _value(option: str, value: str | None, options: Options) -> str:
    """The value that follows an option. It may begin with a minus, but is not an option itself."""
    if value is None or value == "--" or value.partition("=")[0] in options:
        found = "nothing" if value is None else value
        raise UsageError(f"{option} needs a value, but is followed by {found}")
    return value


def _unknown(argument: str, name: str, options: Options, *, dash_is_text: bool) -> str:
    """The message for `--typo`."""
    near = difflib.get_close_matches(name, [option for option in options if option.startswith("--")], cutoff=0.7)
    near.sort(key=lambda option: not option.startswith(name))
    advice = f"did you mean {' or '.join(near)}?" if near else "--help lists the options"
    if dash_is_text and not name.lstrip("-").replace("-", "").isalpha():
        advice += f" (an expression that begins with two minus signs goes after a lone --: gradcheck -- {argument!r})"
    return f"there is no option {name}: {advice}"
