"""From what was typed to what Typer expects.

Expressions begin with a minus as readily as options do, and Typer would read `-x**2` as the options -x, -*, ... So the
arguments of a command that takes an expression are sorted here first: the options, each joined with its value, then
`--`, then the expression. The rule: what is not an option's value and not exactly a known option is the
expression, unless it begins with two minuses, which is a misspelt option.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from gradcheck_cli.errors import UsageError

ANSWERED_ALONE = frozenset({"--help", "-h", "--version"})
"""Options that need no expression."""
EXAMPLE = 'gradcheck "x**2 + sin(x)" --at 2'


def arrange(arguments: Sequence[str], options: Mapping[str, bool]) -> list[str]:
    """The arguments in an order that leaves nothing to guess: `--at=-2 -v -- -x**2`.

    options: every option of the command -> whether it takes a value. Raises UsageError for an unknown option, a value
    that is missing or too much, and for no expression or a second one.
    """
    arranged: list[str] = []
    expressions: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            expressions.extend(rest)
        elif argument in options and not options[argument]:
            arranged.append(argument)
        elif argument in options:
            arranged.append(f"{argument}={_value(argument, next(rest, None), options)}")
        elif argument.startswith("--") and equals and options.get(name):
            arranged.append(argument)
        elif argument.startswith("--") and equals and name in options:
            raise UsageError(f"{name} takes no value: write {name} alone")
        elif argument.startswith("--"):
            raise UsageError(_unknown(argument, name, options))
        else:
            expressions.append(argument)
    if len(expressions) > 1:
        for argument in expressions:
            _require_no_option(argument, options)
        shown = ", ".join(repr(expression) for expression in expressions[:4])
        more = f" and {len(expressions) - 4} more" if len(expressions) > 4 else ""
        raise UsageError(
            f"one expression is checked at a time, but there are {len(expressions)}: {shown}{more}. "
            f"Put the expression in quotes, so that the shell leaves spaces, * and ( alone: {EXAMPLE}"
        )
    if not expressions and ANSWERED_ALONE.isdisjoint(arranged):
        raise UsageError("there is no expression")
    return [*arranged, "--", *expressions] if expressions else arranged


def _require_no_option(argument: str, options: Mapping[str, bool]) -> None:
    """UsageError for what stands beside an expression and looks like `-qv`, `-z` or `-at`."""
    letters = argument[1:]
    if not argument.startswith("-") or not letters.isalpha():
        return
    if f"-{argument}" in options:
        raise UsageError(f"there is no option {argument}: did you mean -{argument}?")
    short = list(dict.fromkeys(f"-{letter}" for letter in letters))
    if all(option in options for option in short):
        raise UsageError(f"{argument}: short options are not joined: write {' '.join(short)}")
    if len(letters) == 1:
        raise UsageError(
            f"there is no option {argument}: gradcheck --help lists the options "
            f"(and if {argument} belongs to the expression, put the whole expression in quotes)"
        )


def _value(option: str, value: str | None, options: Mapping[str, bool]) -> str:
    """The value that follows an option. It may begin with a minus, but is not an option itself."""
    if value is None or value == "--" or value.partition("=")[0] in options:
        found = "nothing" if value is None else value
        raise UsageError(f"{option} needs a value, but is followed by {found}")
    return value


def _unknown(argument: str, name: str, options: Mapping[str, bool]) -> str:
    """The message for `--typo`."""
    near = difflib.get_close_matches(name, [option for option in options if option.startswith("--")])
    near.sort(key=lambda option: not option.startswith(name))
    advice = f"did you mean {' or '.join(near)}?" if near else "gradcheck --help lists the options"
    if not name.lstrip("-").replace("-", "").isalpha():
        advice += f" (an expression that begins with two minus signs goes after a lone --: gradcheck -- {argument!r})"
    return f"there is no option {name}: {advice}"
