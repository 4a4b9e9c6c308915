"""The branches of a `def` as one formula: if x > 0: return x, else: return 0 is x if x > 0 else 0."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.cursor import MAX_NESTING
from gradcheck_cli.language.lines import Line

_IF = re.compile(r"(?:el)?if\b([^:]*):(.*)", re.DOTALL)
_ELSE = re.compile(r"else\s*:(.*)", re.DOTALL)
_RETURN = re.compile(r"return\b(.*)", re.DOTALL)


def one_return(lines: Sequence[Line]) -> list[Line]:
    """The lines of a body, with branches at its end as a single return. ExpressionError for other branches."""
    first = next((index for index, line in enumerate(lines) if _IF.fullmatch(line.text)), len(lines))
    if first == len(lines):
        return list(lines)
    value, end = _value(lines, first, 0)
    if end < len(lines):
        raise _refused(lines[end])
    return [*lines[:first], Line(f"return {value}", lines[first].indent)]


def _value(lines: Sequence[Line], index: int, depth: int) -> tuple[str, int]:
    """(what the lines from there return, the index after them)."""
    if index >= len(lines):
        raise ExpressionError(
            "This def returns nothing where no branch is taken: end it with a return.", lines[-1].text
        )
    line = lines[index]
    if depth > MAX_NESTING:
        raise ExpressionError(f"There are more than {MAX_NESTING} branches within branches.", line.text)
    if returned := _RETURN.fullmatch(line.text):
        return returned[1].strip(), index + 1
    found = _IF.fullmatch(line.text)
    if found is None:
        raise _refused(line)
    taken, end = _block(lines, index, found[2], depth)
    otherwise = _ELSE.fullmatch(lines[end].text) if end < len(lines) else None
    if otherwise:
        other, end = _block(lines, end, otherwise[1], depth)
    else:
        other, end = _value(lines, end, depth + 1)  # elif, or what comes where no branch was taken
    return f"({taken}) if ({found[1].strip()}) else ({other})", end


def _block(lines: Sequence[Line], index: int, inline: str, depth: int) -> tuple[str, int]:
    """(what the block below that line returns, the index after it). inline: what stands beside its colon."""
    if inline.strip():
        return _value([Line(inline.strip(), None)], 0, depth + 1)[0], index + 1
    value, end = _value(lines, index + 1, depth + 1)
    indent = lines[index].indent or 0
    if end < len(lines) and (lines[end].indent is None or (lines[end].indent or 0) > indent):
        raise _refused(lines[end])
    return value, end


def _refused(line: Line) -> ExpressionError:
    message = "Of a program only branches that return are read, and the lines before them: write a if condition else b."
    return ExpressionError(message, line.text, 0, len(line.text))
