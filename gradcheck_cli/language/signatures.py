"""A call as it was typed, fitted to a row of the table: which row it means, and which argument goes where."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.syntax import COMPARISONS, CONNECTIVES, LOGICAL, OF_TENSORS

T = TypeVar("T")

MAX_INTEGER = 100  # of what counts: orders, degrees, decimals
OURS = frozenset({"x", "y", "a", "q"})  # names of arguments that torch calls otherwise: see Function.operands

# What is written as a call and is no function of the table, by its name here: its arguments.
FORMS = {
    "where": op.WHERE,
    "not": op.NOT,
    **COMPARISONS,
    **CONNECTIVES,
}

METHODS = {row.name: row.symbol for row in op.COMPARISONS} | LOGICAL  # of these, what torch.Tensor has as methods

_BY_NAME = {row.name: row for row in FUNCTIONS.values()}
_BY_NAME |= {alias: row for row in FUNCTIONS.values() for alias in row.spellings}
_OFFERED = {"where", "Piecewise"} | {name for name in _BY_NAME if "." not in name and not _BY_NAME[name].internal}
_BY_NAME |= {"log_2": _BY_NAME["log2"], "log_10": _BY_NAME["log10"], "log_e": _BY_NAME["log"]}


def find(name: str, *, internal: bool = False) -> Function | None:
    """The row that a name or an alias stands for. internal: the internal rows too."""
    row = _BY_NAME.get(name)
    return row if row is not None and (internal or not row.internal) else None


def is_known(name: str) -> bool:
    """Whether a name that is called is that of a function, or of what is written like one."""
    return name in _BY_NAME or name in FORMS or name in ("Piecewise", "Heaviside") or name in LOGICAL


def nearest(name: str, among: Collection[str] = _OFFERED) -> list[str]:
    """At most three names that `name` may be a misspelling of, the likeliest first."""
    same = sorted(other for other in among if sorted(other.lower()) == sorted(name.lower()))  # sni: sin
    close = difflib.get_close_matches(name, sorted(among), n=3, cutoff=0.75)
    return (same + [other for other in close if other not in same])[:3]


def hint(name: str, among: Collection[str] = _OFFERED, prefix: str = "") -> str:
    """A sentence on a function that is not known, with a space before it: the nearest names, or why there is none."""
    if name in OF_TENSORS:
        return " It takes an array: give x one as its value, x=[1, 2, 3] (in a file, x: {tensor: [1, 2, 3]})."
    names = [prefix + other for other in nearest(name, among)]
    return f" Did you mean {' or '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names)}?" if names else ""


def first_real(row: Function) -> int:
    """The index of the argument that a method's object becomes: x.polygamma(1) is polygamma(1, x)."""
    return next(index for index, argument in enumerate(row.arguments) if argument.kind == "real")


def bind(row: Function, positional: Sequence[T], keywords: Mapping[str, T]) -> tuple[Function, list[T | None]] | None:
    """The first of the row and its overloads that the arguments fit, with a value for each argument of it (None: the
    default). None where they fit none."""
    for candidate in (row, *(FUNCTIONS[name] for name in row.overloads)):
        values = _fit(candidate, positional, keywords)
        if values is not None:
            return candidate, values
    return None


def _fit(row: Function, positional: Sequence[T], keywords: Mapping[str, T]) -> list[T | None] | None:
    names = [argument.name for argument in row.arguments]
    if len(positional) > len(names):
        return None
    values: dict[str, T] = dict(zip(names, positional, strict=False))
    for keyword, value in keywords.items():
        index = _place(row, keyword)
        if index >= len(names) or names[index] in values:
            return None
        values[names[index]] = value
    if any(a.name not in values and a.default is None for a in row.arguments):
        return None
    return [values.get(name) for name in names]


def _place(row: Function, keyword: str) -> int:
    """The index of the argument that a keyword names; one beyond the last where there is none."""
    names = [argument.name for argument in row.arguments]
    if keyword in names:
        return names.index(keyword)
    if keyword == row.operands[0]:
        return first_real(row)
    is_second = keyword in row.operands and len(names) > 1 and names[1] in OURS and first_real(row) == 0
    return 1 if is_second else len(names)


def misfit(row: Function, typed: str, positional: int, keywords: Collection[str]) -> str:
    """The sentence for arguments that fit neither the row nor its overloads.

    typed: the name as it was typed; positional: how many arguments have no keyword.
    """
    rows = (row, *(FUNCTIONS[name] for name in row.overloads))
    accepted = {argument.name for each in rows for argument in each.arguments} | row.options.keys()
    usage = " or ".join(typed + each.usage().removeprefix(each.name) for each in rows)
    for keyword in keywords:
        places = [_place(each, keyword) for each in rows if _place(each, keyword) < len(each.arguments)]
        if keyword not in accepted and not places:
            return f"{typed} has no argument {keyword}: it is {usage}."
        if places and places[0] < positional:
            return f"{keyword} is given twice, by its place and by its name: it is {usage}."
    given = positional + len(keywords)
    least = min(sum(argument.default is None for argument in each.arguments) for each in rows)
    most = max(len(each.arguments) for each in rows)
    if least <= given <= most:
        return f"These arguments do not go together: it is {usage}."
    counts = f"{least} argument{'s' * (least != 1)}" if least == most else f"{least} to {most} arguments"
    return f"{usage} takes {counts}, but {given or 'none'} {'was' if given < 2 else 'were'} given."
