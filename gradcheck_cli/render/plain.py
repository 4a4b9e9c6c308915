"""Text that any terminal can show: no control characters, and ASCII where nothing else will do."""

from __future__ import annotations

import re
import textwrap

# One character each, so that the columns of a table stay where they are.
_ASCII = str.maketrans({
    "✓": "+", "≈": "=", "∧": "^", "✗": "x", "∅": "0", "∂": "d", "′": "'", "²": "2", "³": "3", "⁴": "4", "⁵": "5",
    "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9", "⁰": "0", "¹": "1", "⁽": "(", "⁾": ")", "·": "|", "•": "*", "–": "-",
    "—": "-", "−": "-", "─": "-", "━": "-", "…": "~", "×": "*", "→": ">", "π": "p", "’": "'", "“": '"', "”": '"',
    "│": "|", "┤": "|", "└": "+", "┬": "+", "┊": ":", "┄": "-", "░": ":", "▒": "=", "▓": "%", "█": "#", "◆": "@",
    **{chr(braille): "." for braille in range(0x2800, 0x2900)},
})  # fmt: skip


_SIGNS = "".join(map(chr, _ASCII))


def visible(text: str) -> str:
    """`text` with its control characters written as escapes, so that they cannot steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def counted(count: int, what: str) -> str:
    """`1 row`, `1,000 rows`, `2 entries`."""
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {what[:-1]}ies" if what.endswith("y") else f"{count:,} {what}s"


def of_which_failed(count: int) -> str:
    """What follows the number of all: ` (3 failed)`, or nothing."""
    return f" ({count:,} failed)" if count else ""


def one_line(text: str) -> str:
    """`visible`, on one line."""
    return visible(" ".join(text.split()))


def paragraphs(text: str) -> list[str]:
    """What is between blank lines, each `one_line`."""
    return [one_line(part) for part in re.split(r"\n[^\S\n]*\n", text.strip()) if part.strip()]


def in_short(text: str) -> str:
    """A message on one line, without a formula and the carets below it, which are indented."""
    return one_line("\n".join(line for line in text.split("\n") if not line.startswith(" ")) or text)


def lines(text: str) -> str:
    """`visible`, keeping the line breaks."""
    return "\n".join(visible(line) for line in text.split("\n"))


def wrapped(text: str, width: int) -> str:
    """`text` in lines of at most `width` columns. Indented lines, a formula and the carets below it, stay whole."""
    return "\n".join(
        line if line.startswith(" ") else textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


def encodable(text: str, encoding: str) -> str:
    """`text` in what `encoding` can hold: where that lacks any of our signs, all of them are ASCII, in every stream."""
    try:
        _SIGNS.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII)
    return text.encode(encoding, "backslashreplace").decode(encoding)
