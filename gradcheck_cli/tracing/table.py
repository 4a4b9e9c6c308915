"""THE table of torch's operations: what each is on the tape. A rule is added where its family lives (see `rules/`).

A rule is a function of (recorder, result, *arguments as torch's) to the elements of the result, or to a tuple of those
with None for what is no number that depends on the inputs (indices). It may decline: see `NotHere`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Rule = Callable[..., Any]

RULES: dict[str, Rule] = {}
"""By "aten::max.dim", or "aten::max" for all overloads."""
COMPLEX_RULES: dict[str, Rule] = {}
"""Of operations that take or give complex numbers: their elements are pairs, along a last axis."""
MOVES: set[str] = set()
"""Operations that only move numbers: they are run on the element numbers themselves."""


UNDIFFERENTIATED: set[str] = set()
"""Operations whose results torch silently takes for constants."""


class NotHere(Exception):
    """A rule does not cover these arguments: torch's decomposition is tried, if there is one."""


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for operations, `aten::` understood."""

    def register(function: Rule) -> Rule:
        for name in names:
            RULES[qualified(name)] = function
        return function

    return register


def complex_rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule where an operand or the result is complex: those have elements by `recorder.parts`."""

    def register(function: Rule) -> Rule:
        for name in names:
            COMPLEX_RULES[qualified(name)] = function
        return function

    return register


def moves(names: Iterable[str]) -> None:
    MOVES.update(map(qualified, names))


def qualified(name: str) -> str:
    return name if "::" in name else f"aten::{name}"


def words(text: str) -> list[str]:
    """Names with spaces between."""
    return text.split()
