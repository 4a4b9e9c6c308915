"""From the text of an array to what it says. What cannot be read shows its place.

value  = [sign] [number "*"] item
item   = number | python | word | text | list | maker | file
python = ("float" | "int") "(" number ")"
list   = "[" [value {"," value} [","]] "]"  |  "(" ... ")"
maker  = name "(" [argument {"," argument}] ")"
file   = "@" name
word   = "true" | "false" | "none" | "inf" | "nan"
"""

from __future__ import annotations

import difflib
import re
from typing import NoReturn

from gradcheck_cli.arrays.makers import MAKERS, MAX_DIMENSIONS, Argument, Unfit
from gradcheck_cli.arrays.nodes import ArrayText, File, Items, Made, Node, Plain
from gradcheck_cli.errors import ExpressionError

MAX_CHARACTERS = 1_000_000
DIGITS = 400

_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[^\W\d]\w*")
_FILE = re.compile(r"@(?:\"([^\"]+)\"|'([^']+)'|([^\s,\]\)]+))")
_TEXT = re.compile(r"\"([^\"\\]*)\"|'([^'\\]*)'")
_WORDS: dict[str, bool | float | None] = {
    "true": True, "false": False, "none": None, "null": None, "inf": float("inf"), "nan": float("nan"),
}  # fmt: skip
_OF_PYTHON = {"float": "float(1e-6)", "int": "int(3)"}
"""How a number that is not to be a tensor is written."""
_EXAMPLE = "it is written as [[1, 2], [3, 4]], randn(4, 3), 0.5 or @file.npy"


def read_array(text: str) -> ArrayText:
    """A value. Raises ExpressionError."""
    reader = _Reader(text)
    node = reader.value()
    reader.end()
    return ArrayText(text, node)


def read_arguments(text: str) -> list[tuple[str | None, ArrayText]]:
    """Values between commas, as in a call, each with its name where it has one: `8, eps=1e-5`."""
    reader = _Reader(text)
    found: list[tuple[str | None, ArrayText]] = []
    while not reader.is_at_end():
        found.append((reader.name(), ArrayText(text, reader.value())))
        if not reader.take(","):
            break
    reader.end()
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.place, self.depth = text, 0, 0
        if len(text) > MAX_CHARACTERS:
            raise ExpressionError(
                f"the text of an array has at most {MAX_CHARACTERS:,} characters: write it into a file"
            )

    def fail(self, message: str, start: int, end: int | None = None) -> NoReturn:
        raise ExpressionError(message, self.text, start, end)

    def skip(self) -> int:
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1
        return self.place

    def take(self, mark: str) -> bool:
        if self.text.startswith(mark, self.skip()):
            self.place += len(mark)
            return True
        return False

    def is_at_end(self) -> bool:
        return self.skip() == len(self.text)

    def end(self) -> None:
        if not self.is_at_end():
            if self.text[self.place] == "*":
                self.fail("a factor goes in front, and is a number: 3*randn(2, 2)", self.place)
            self.fail(f"here it should end; {_EXAMPLE}", self.place)

    def name(self) -> str | None:
        """`eps` of `eps=1e-5`."""
        found = _WORD.match(self.text, self.skip())
        if found is None or not self.text[found.end() :].lstrip().startswith("="):
            return None
        self.place = self.text.index("=", found.end()) + 1
        return found[0]

    def value(self) -> Node:
        start, sign = self.skip(), 1
        while (mark := self.text[self.skip() : self.place + 1]) in ("-", "+") and mark:
            sign = -sign if mark == "-" else sign
            self.place += 1
        number = _NUMBER.match(self.text, self.skip())
        if number is None:
            return self.item(sign, start)
        self.place = number.end()
        value = sign * self.number(number)
        if self.take("*"):
            self.require_64_bits(value, start, number.end())
            return self.item(value, start)
        return Plain(value, start, number.end())

    def number(self, found: re.Match[str]) -> int | float:
        if len(found[0]) > DIGITS:
            self.fail(f"a number has at most {DIGITS} digits", found.start(), found.end())
        if found.end() < len(self.text) and (self.text[found.end()].isalnum() or self.text[found.end()] in "_."):
            self.fail("this is no number", found.start(), found.end() + 1)
        return int(found[0]) if found[0].isdigit() else float(found[0])

    def require_64_bits(self, value: float, start: int, end: int) -> None:
        if isinstance(value, int) and abs(value) >= 2**63:
            self.fail("this whole number does not fit into 64 bits", start, end)

    def item(self, factor: int | float, start: int) -> Node:
        """What may have a factor in front, or a sign."""
        place = self.skip()
        mark = self.text[place : place + 1]
        if mark in ("[", "("):
            found: Node = self.items()
            if factor != 1:
                self.fail("a factor is for makers and files: multiply the numbers of the list", start, place)
            return found
        if mark == "@":
            return self.file(factor, start)
        if mark in ('"', "'"):
            if factor != 1:
                self.fail("a factor is for makers and files", start, place)
            return self.quoted()
        word = _WORD.match(self.text, place)
        if word is None:
            self.fail(f"a value is missing; {_EXAMPLE}" if not mark else f"this cannot be read; {_EXAMPLE}", place)
        self.place = word.end()
        if self.take("("):
            if word[0] in _OF_PYTHON:
                return self.of_python(word, factor, start)
            return self.maker(word, factor, start)
        return self.word(word, factor, start)

    def word(self, word: re.Match[str], factor: int | float, start: int) -> Plain:
        name = word[0].lower()
        if name not in _WORDS:
            known = difflib.get_close_matches(name, [*_WORDS, *MAKERS], n=1)
            advice = f"did you mean {known[0]}?" if known else f"{_EXAMPLE}; a text goes in quotes"
            self.fail(f"{word[0]} is not known here: {advice}", word.start(), word.end())
        value = _WORDS[name]
        if isinstance(value, float):
            return Plain(factor * value, start, word.end())
        if factor != 1:
            self.fail(f"{word[0]} is no number", word.start(), word.end())
        return Plain(value, start, word.end())

    def of_python(self, word: re.Match[str], factor: int | float, start: int) -> Plain:
        found = self.values_until(")", self.place - 1)
        value = found[0].value if len(found) == 1 and isinstance(found[0], Plain) else None
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(value, int) and abs(value) >= 2**63:
            self.fail("this whole number does not fit into 64 bits", start, self.place)
        if not fits or (word[0] == "int" and not isinstance(value, int)) or factor not in (1, -1):
            kind = "a whole number" if word[0] == "int" else "a number"
            self.fail(f"{word[0]}() makes {kind} of Python: {_OF_PYTHON[word[0]]}", start, self.place)
        assert isinstance(value, int | float)
        number = factor * value
        return Plain(int(number) if word[0] == "int" else float(number), start, self.place, of_python=True)

    def quoted(self) -> Plain:
        found = _TEXT.match(self.text, self.place)
        if found is None:
            self.fail("the quotes are not closed (and a text has no backslash)", self.place)
        self.place = found.end()
        return Plain(next(part for part in found.groups() if part is not None), found.start(), found.end())

    def items(self) -> Items:
        start, opening = self.place, self.text[self.place]
        closing = "]" if opening == "[" else ")"
        self.place += 1
        self.depth += 1
        if self.depth > MAX_DIMENSIONS:
            self.fail(f"lists are nested at most {MAX_DIMENSIONS} deep", start)
        found = self.values_until(closing, start)
        self.depth -= 1
        if opening == "(" and len(found) == 1 and "," not in self.text[start : self.place]:
            self.fail("a tuple of one has a comma: (1,); a list is [1]", start, self.place)
        return Items(tuple(found), opening == "(", start, self.place)

    def values_until(self, closing: str, start: int) -> list[Node]:
        """Values between commas. start: where what is to be closed begins."""
        found: list[Node] = []
        while not self.take(closing):
            if self.is_at_end():
                self.fail(f"this {self.text[start]} is not closed", start)
            found.append(self.value())
            if not self.take(",") and not self.is_at_end() and not self.text.startswith(closing, self.place):
                self.fail(f"a comma or {closing} is missing", self.place)
        return found

    def file(self, factor: int | float, start: int) -> File:
        found = _FILE.match(self.text, self.place)
        if found is None:
            self.fail("the name of a file is missing: @data.npy", self.place)
        self.place = found.end()
        name = next(part for part in found.groups() if part is not None)
        if not name.lower().endswith((".npy", ".pt", ".pth")):
            self.fail("files of arrays end with .npy (NumPy) or .pt (torch)", found.start(), found.end())
        return File(name, factor, start, found.end())

    def maker(self, word: re.Match[str], factor: int | float, start: int) -> Made:
        if word[0] not in MAKERS:
            near = difflib.get_close_matches(word[0], MAKERS, n=1)
            advice = f"did you mean {MAKERS[near[0]].usage}?" if near else f"there are {', '.join(MAKERS)}"
            self.fail(f"{word[0]} makes no array: {advice}", word.start(), word.end())
        nodes = self.values_until(")", self.place - 1)
        maker = MAKERS[word[0]]
        try:
            shape, numbers = maker.read([self.argument(node, maker.usage) for node in nodes])
        except Unfit as unfit:
            at = nodes[unfit.place] if unfit.place is not None and unfit.place < len(nodes) else None
            place = (word.start(), self.place) if at is None else (at.start, at.end)
            self.fail(f"{word[0]}: {unfit.message}; for example {maker.usage}", *place)
        return Made(word[0], shape, numbers, factor, start, self.place)

    def argument(self, node: Node, usage: str) -> Argument:
        """A number, or a tuple of whole numbers."""
        if isinstance(node, Plain) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            self.require_64_bits(node.value, node.start, node.end)
            return node.value
        if isinstance(node, Items):
            sizes = [item.value for item in node.items if isinstance(item, Plain) and type(item.value) is int]
            if len(sizes) == len(node.items):
                return tuple(sizes)
        return self.fail(f"this is neither a number nor a shape: {usage}", node.start, node.end)
