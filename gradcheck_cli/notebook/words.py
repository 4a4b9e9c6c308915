"""From the line of a magic to the words of a command line.

There is no shell between: outside of quotes, a backslash is one, and spaces within brackets, or in the formula that
begins the line, are no ends of words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_TEXTS = ("--claim", "--let")
"""Options whose value is a formula, which has spaces."""
_POINT = re.compile(r"[^\W\d]\w*=[^=]")


@dataclass(frozen=True)
class Word:
    """text: without its quotes. start, end: where it stands in the line. quoted: whether it begins with a quote."""

    text: str
    start: int
    end: int
    quoted: bool


def words(line: str) -> list[Word]:
    """The words of a line. A semicolon at its end is IPython's, and means that nothing is to be shown."""
    line = line.rstrip().removesuffix(";")
    found: list[Word] = []
    for match in re.finditer(r"\S+", line):
        if not found or match.start() >= found[-1].end:
            found.append(_word(line, match.start()))
    return found


def formula_first(line: str, found: Sequence[Word], options: Collection[str]) -> list[str]:
    """The texts of the words, where the first of them, up to an option or a point, are one formula, and so are those
    behind --claim and --let; a formula in quotes is the one that stands in them."""
    texts: list[str] = []
    at = 0
    while at < len(found):
        word, before = found[at], found[at - 1].text if at else ""
        name, equals, _ = word.text.partition("=")
        is_formula = before in _TEXTS or (equals and name in _TEXTS) or (not at and name not in options)
        count = _length(found[at:], options) if is_formula and not word.quoted else 1
        texts.append(word.text if count == 1 else line[word.start : found[at + count - 1].end])
        at += count
    return texts


def _length(found: Sequence[Word], options: Collection[str]) -> int:
    """How many words a formula has that the first of them begins."""
    pairs = enumerate(pairwise(found), 1)
    return next((i for i, (before, word) in pairs if _ends_formula(before, word, options)), len(found))


def _ends_formula(before: Word, word: Word, options: Collection[str]) -> bool:
    """A point, unless it stands in a list of statements: `y = x**2, x=1`."""
    is_point = _POINT.match(word.text) is not None and not before.text.endswith((",", ";"))
    return word.text in options or word.text.startswith("--") or is_point


def _word(line: str, start: int) -> Word:
    parts = list(_parts(line, start))
    end = start + sum(len(written) for written, _ in parts)
    return Word("".join(text for _, text in parts), start, end, line[start] in "'\"")


def _parts(line: str, start: int) -> Iterator[tuple[str, str]]:
    """(what stands in the line, what it means) of each part of the word that begins there.

    A quote counts at the beginning of a word or a value (`--at="x = 1"`): elsewhere it is a prime, as in f'(x).
    """
    at = start
    while at < len(line) and not line[at].isspace():
        written, text = line[at], line[at]
        if text in "'\"" and (at == start or line[at - 1] in "=\"'"):
            quoted = re.compile(r"'([^']*)'" if text == "'" else r'"((?:\\.|[^"\\])*)"').match(line, at)
            if quoted is not None:
                written, text = quoted[0], re.sub(r"\\([\"\\])", r"\1", quoted[1]) if text == '"' else quoted[1]
        elif text in _CLOSING and (closed := _closed(line, at)) is not None:
            written = text = line[at:closed]
        yield written, text
        at += len(written)


def _closed(line: str, at: int) -> int | None:
    """Where the bracket that opens at a place is closed; None: nowhere."""
    open_ones: list[str] = []
    for index in range(at, len(line)):
        if line[index] in _CLOSING:
            open_ones.append(_CLOSING[line[index]])
        elif open_ones and line[index] == open_ones[-1]:
            open_ones.pop()
            if not open_ones:
                return index + 1
    return None
