"""A text as lines: what `;` and line breaks part, as far as brackets, operators and quotes do not hold it together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from gradcheck_cli.errors import ExpressionError

NAME = r"[^\W\d]\w*"

_PIECE = re.compile(
    r"""
    (?P<latex>\\[\\;\#]) | (?P<math>\$\$)
    | (?P<comment>\#[^\n\r]*)
    | (?P<quoted>'''.*?'''|\"\"\".*?\"\"\"|'[^'\\\n\r]*(?:\\.[^'\\\n\r]*)*'|"[^"\\\n\r]*(?:\\.[^"\\\n\r]*)*")
    | (?P<open>[(\[{]|\\begin\b) | (?P<close>[)\]}]|\\end\b)
    | (?P<join>\\\r?\n) | (?P<line>\r?\n|\r) | (?P<stop>;)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK, _INDENT = re.compile(r"\s*"), re.compile(r"[ \t]*")
_GOES_ON = re.compile(r"(?:[-+*/^=<>&,~@−–×·÷√]|\b(?:and|or|not|if|else|return))\s*$")
_CONTINUES = re.compile(r"[*/^=<&,)\]}×·÷]|>(?!>>)|\.(?![\d.])|(?:and|or)\b|(?:if|else)\b(?![^\n\r]*:)")
_SIGN = re.compile("[-+−–]")
_PROMPT = re.compile(r"(?:>>>|\.\.\.(?=\s)|In\s*\[\d*\]\s*:)\s*")
_LEFT_SIDE = re.compile(rf"\s*{NAME}\s*(?:\([^()]*\)\s*)?:?=(?!=)")


class Line(NamedTuple):
    """A statement as it stands. indent: of its line; None where others stand before it on the same line."""

    text: str
    indent: int | None


def is_left_side(text: str) -> bool:
    """Whether it is y, or a(x)."""
    return _LEFT_SIDE.fullmatch(f"{text}=") is not None


def lines_of(text: str, passed: list[str]) -> Iterator[Line]:
    """The statements as they stand, without comments, which go to `passed`."""
    depth, start, kept, is_math = 0, 0, "", False
    indent: int | None = _indent(text, 0)
    for piece in _PIECE.finditer(text):
        match piece.lastgroup:
            case "math":
                depth += -1 if is_math else 1
                is_math = not is_math
            case "open":
                depth += 1
            case "close":
                depth = max(0, depth - 1)
            case "comment":
                passed.append(piece[0])
                kept, start = kept + text[start : piece.start()], piece.end()
            case "join":
                kept, start = f"{kept}{text[start : piece.start()]} ", piece.end()
            case "line" | "stop" if not depth:
                line = kept + text[start : piece.start()]
                if piece.lastgroup == "line" and line.strip() and _goes_on(line, text, piece.end()):
                    continue
                if line.strip():
                    yield Line(_without_prompt(line), indent)
                start, kept = piece.end(), ""
                if piece.lastgroup == "line":
                    indent = _indent(text, start)
                elif line.strip():
                    indent = None
    if line := (kept + text[start:]).strip():
        yield Line(_without_prompt(line), indent)


def _without_prompt(line: str) -> str:
    text = line.strip()
    return _PROMPT.sub("", text, count=1) if text.startswith((">>>", "...", "In")) else text


def _indent(text: str, start: int) -> int:
    blank = _INDENT.match(text, start)
    assert blank is not None
    return blank.end() - start


def _goes_on(line: str, text: str, end: int) -> bool:
    """Whether a statement goes on in the next line, which begins at `end`."""
    blank = _BLANK.match(text, end)
    assert blank is not None
    following = blank.end()
    if _GOES_ON.search(line, max(0, len(line) - 10)) or _CONTINUES.match(text, following):
        return True
    if not _SIGN.match(text, following):
        return False
    if _LEFT_SIDE.match(line):
        message = "This can be read in two ways: put the sign at the end of the line before, if that one goes on, "
        raise ExpressionError(f"{message}or ; between two formulas.", text, following)
    return True
