"""From what was typed to what Typer expects, and from the values of options to what they mean.

Expressions begin with a minus as readily as options do, and Typer would read `-x**2` as the options -x, -*, ... So the
arguments of a command that takes an expression are sorted here first: the options, each joined with its value, then
`--`, then the expression. The rule is DESIGN's: what is not an option's value and not exactly a known option is the
expression, unless it begins with two minuses, which is a misspelt option.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence

from gradcheck_cli.errors import UsageError

EXAMPLE = 'gradcheck "x**2 + sin(x)" --at 2'
OTHER_NAMES = {
    "double": "float64", "f64": "float64", "fp64": "float64",
    "float": "float32", "single": "float32", "f32": "float32", "fp32": "float32",
    "half": "float16", "f16": "float16", "fp16": "float16", "bf16": "bfloat16",
}  # fmt: skip
"""What the dtypes are called elsewhere."""


def choice(option: str, text: str, known: Sequence[str]) -> str:
    """One of the names that an option knows."""
    if text in known:
        return text
    name = text.strip().lower().removeprefix("torch.")
    near = difflib.get_close_matches(OTHER_NAMES.get(name, name), known, n=1)
    advice = f"did you mean {near[0]}? There are" if near else "there are"
    raise UsageError(f"{option} {text}: {advice} {', '.join(known)}")


def whole(option: str, text: str, low: int | None = None, high: int | None = None) -> int:
    """A whole number, with its limits."""
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or (low is not None and value < low) or (high is not None and value > high):
        limits = "" if low is None else f" from {low}" if high is None else f" from {low} to {high}"
        raise UsageError(f"{option} {text}: it takes a whole number{limits}")
    return value


def tolerance(option: str, text: str) -> float:
    """A finite number from 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise UsageError(f"{option} {text}: it takes a finite number from 0, for example 1e-9")
    return value


def seconds(option: str, text: str) -> float:
    """A finite number of seconds, more than none."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"{option} {text}: it takes a number of seconds, for example 30")
    return value


def arrange(arguments: Sequence[str], options: Mapping[str, bool]) -> list[str]:
    """The arguments in an order that leaves nothing to guess: `--at=-2 -v -- -x**2`.

    options: every option of the command -> whether it takes a value. Raises UsageError for an unknown option, a value
    that is missing or too much, and a second expression.
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
