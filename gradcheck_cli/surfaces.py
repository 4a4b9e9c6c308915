"""How the surfaces call an option that a message speaks of: the command line, a problem file, Python.

A message is texts and options, so that whoever shows it words the options as its readers write them; nothing looks for
options in a text. What only one surface can say is a text from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NUMBERS = frozenset({"order", "rtol", "atol", "claim_rtol", "samples", "seed", "timeout"})
"""The options whose values are numbers."""


@dataclass(frozen=True)
class Option:
    """name: as Python's arguments have it (claim_rtol). value: given for it, or an example, as a text of the command
    line; None: the option as such. again: it should be given several times."""

    name: str
    value: str | None = None
    again: bool = False


Message = tuple[str | Option, ...]
Words = Callable[[Option], str]
"""How a surface words an option."""


def worded(message: Message, words: Words) -> str:
    return "".join(part if isinstance(part, str) else words(part) for part in message)


def on_command_line(option: Option) -> str:
    """`--at 2`, `--let "y = x*x"`, `--shape "W: 3x4"`, `repeat --at`."""
    name = f"--{option.name.replace('_', '-')}"
    if option.again:
        return f"repeat {name}"
    if option.value is None:
        return name
    return f'{name} "{option.value}"' if _needs_quotes(option) else f"{name} {option.value}"


def _needs_quotes(option: Option) -> bool:
    is_drawn = option.name == "at" and "(" in (option.value or "")
    return option.name in ("let", "claim", "shape") or is_drawn


def in_file(option: Option) -> str:
    """`at: 2`, `let: {y: x*x}`, `shape: {W: 3x4}`, `write a list`."""
    if option.again:
        return "write a list"
    if option.value is None:
        return option.name
    if option.name == "let":
        name, _, definition = option.value.partition(" = ")
        return f"let: {{{name}: {definition}}}"
    if option.name == "shape" and ": " in option.value:
        return f"shape: {{{option.value}}}"
    return f"{option.name}: {option.value}"


def in_python(option: Option) -> str:
    """`at="2"`, `seed=0`, `let={"y": "x*x"}`, `shape={"W": (3, 4)}`, `give a list`."""
    if option.again:
        return "give a list"
    if option.value is None:
        return option.name
    if option.name == "let":
        name, _, definition = option.value.partition(" = ")
        return f'let={{"{name}": "{definition}"}}'
    if option.name == "shape" and ": " in option.value:
        name, _, sizes = option.value.partition(": ")
        numbers = ", ".join(sizes.split("x"))
        return f'shape={{"{name}": {f"({numbers})" if "x" in sizes else sizes}}}'
    return f"{option.name}={option.value}" if option.name in NUMBERS else f'{option.name}="{option.value}"'
