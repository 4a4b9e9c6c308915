"""Statements of a program that are no formulas, each with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.statements import Statement
from gradcheck_cli.surfaces import Option

_REFUSED = (
    (re.compile(r"(?:for|while)\b"), "A loop is not read: write its steps as lines of their own."),
    (re.compile(r"(?:if|elif|else|try|except|class)\b"), "Of a program, formulas are read, and functions by def: for "
     "branches write where(x > 0, a, b), and leave the rest out."),
    (re.compile(r"\w+\[[^=]*\]\s*[-+*/]?=(?!=)"), "An array that is changed in place is not read: make a new one, by "
     "stack or where, and give it a name."),
    (re.compile(r"\w+\s*(?:\*\*|//|[-+*/@])="), "A name keeps what it is given here: put the result under a new one, "
     "as in z = y + x."),
    (re.compile(r"\(?\w+\s*,[^=()]*\)?=(?!=)"), "One name on the left side is read: write a line for each."),
    (re.compile(r"\w+\.requires_grad(?:_\(|\s*=)\s*False"), ("This ends the gradient: leave it out, and name the "
     "variables by ", Option("wrt"), ".")),
)  # fmt: skip


def require_formulas(items: Sequence[Statement]) -> None:
    """ExpressionError for the first that is none."""
    for item in items:
        for pattern, message in _REFUSED:
            if item.name is None and pattern.match(item.text):
                raise ExpressionError(message, item.said or item.text, 0, len(item.said or item.text))
