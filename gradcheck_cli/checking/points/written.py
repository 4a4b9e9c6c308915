"""How people write points: a text of `--at` taken apart, as far as that needs no knowledge of the variables.

    text  = point {";" point}                    x=1,y=2; x=3,y=4; a new line separates as well
    point = part {"," part} | "[" text "]" | "(" text ")" | "{" text "}"
    part  = [name "="] value                     x=1 y=2 without a comma; within braces also x: 1
    value = a number, a constant expression, a range, or a list of those in brackets

What belongs to which variable, and whether `1,2` is one point or two, is for `points_in`, which knows the variables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gradcheck_cli.errors import UsageError
from gradcheck_cli.option_values import CLOSERS, split
from gradcheck_cli.surfaces import Option

MAX_LENGTH = 1_000_000
"""Characters of a text."""

Part = tuple[str | None, str]
"""A value, and the name before it."""
Parts = tuple[Part, ...]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_PLAIN = re.compile(r"[^\s;\[({'\"]*")
_NAME = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)")
_NEXT_NAME = re.compile(r"\s+(?=[^\W\d]\w*\s*=(?!=))")
_KEY = re.compile(r"\s*(['\"]?)([^\W\d]\w*)\1\s*:\s*")
_SPACED = re.compile(r"\s+")
_BRACKETS = re.compile(r"[()\[\]{}]")
_ARRAY = re.compile(r"(?:(?:np|numpy|torch|jnp)\.)?(?:array|asarray|tensor|as_tensor|Tensor)\s*(?=\()")
_SETTING = re.compile(r"\s*(?:requires_grad|dtype|device)\s*=(?!=)")


@dataclass(frozen=True)
class Written:
    """pieces: between semicolons. brackets: the one around the whole; "" where there is none."""

    pieces: tuple[Parts, ...]
    brackets: str = ""

    @property
    def parts(self) -> Parts:
        return tuple(part for piece in self.pieces for part in piece)


@lru_cache(maxsize=256)  # a text is read for its names, and then for its values
def take_apart(text: str) -> Written:
    """A text of `--at`, `--range` or what stands between brackets in one."""
    if _PLAIN.fullmatch(text):
        return Written((tuple(map(_part, text.split(","))),))
    if len(text) > MAX_LENGTH:
        raise UsageError(Option("at"), f" has {len(text):,} characters; {MAX_LENGTH:,} are allowed: write ranges")
    opening, inside = unwrapped(text)
    if not opening:
        inside = text
    pieces = [piece for piece in split(inside, ";\n") if piece.strip()] or [inside]
    return Written(tuple(_parts(piece, opening) for piece in pieces), opening)


def unwrapped(text: str) -> tuple[str, str]:
    """The bracket around a whole text, as in `[1, 2]` or `np.array([1, 2])`, and what is inside.

    ("", text) where there is none: `(1 + 2)` is a number in parentheses.
    """
    text = text.strip()
    array = _ARRAY.match(text)
    if array is not None and _closed_at(text, array.end()) == len(text) - 1:
        arguments = split(text[array.end() + 1 : -1], ",")
        inner = ",".join(argument for argument in arguments if _SETTING.match(argument) is None).strip().rstrip(",")
        opening, values = _bracketed(inner)
        return opening or "[", values
    return _bracketed(text)


def _bracketed(text: str) -> tuple[str, str]:
    opening = text[:1]
    if opening not in CLOSERS or _closed_at(text) != len(text) - 1:
        return "", text
    inside = text[1:-1].strip()
    several = len(split(inside, ",;\n")) > 1 or _NAME.match(inside) is not None
    return (opening, inside.rstrip(",")) if opening != "(" or several else ("", text)


def _closed_at(text: str, start: int = 0) -> int:
    """Where the bracket at `start` is closed; -1 where it is not."""
    closers: list[str] = []
    for found in _BRACKETS.finditer(text, start):
        if found[0] in CLOSERS:
            closers.append(CLOSERS[found[0]])
        elif found[0] == closers[-1]:
            closers.pop()
        if not closers:
            return found.start()
    return -1


def _parts(piece: str, opening: str) -> Parts:
    parts: list[Part] = []
    for text in split(piece, ","):
        parts.extend(_part(one, opening) for one in _named_apart(text))
    if opening == "[" and len(parts) == 1 and parts[0][0] is None:
        numbers = _SPACED.split(parts[0][1])  # as NumPy prints an array
        if all(map(NUMBER.fullmatch, numbers)):
            return tuple((None, number) for number in numbers)
    return tuple(parts)


def _part(text: str, opening: str = "") -> Part:
    named = _NAME.match(text)
    if named is not None:
        return named[1], text[named.end() :].strip()
    if opening == "{" and (key := _KEY.match(text)) is not None:
        return key[2], text[key.end() :].strip()
    return None, text.strip()


def _named_apart(text: str) -> list[str]:
    """`x=1 y=2` -> its two parts."""
    text = text.strip()
    if _NAME.match(text) is None:
        return [text]
    parts, start, seen, depth = [], 0, 0, 0
    for found in _NEXT_NAME.finditer(text):
        passed = text[seen : found.start()]
        depth += sum(map(passed.count, "([{")) - sum(map(passed.count, ")]}"))
        seen = found.start()
        if not depth:
            parts.append(text[start:seen])
            start = found.end()
    return [*parts, text[start:]]


def key_of(part: Part, names: Sequence[str]) -> Part:
    """`x: 2`, where x is one of the names, as `x=2`; another part as it is."""
    key = _KEY.match(part[1]) if part[0] is None else None
    return part if key is None or key[2] not in names else (key[2], part[1][key.end() :].strip())
