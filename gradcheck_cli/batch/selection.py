"""Which problems of a file to run: `-k`, `--tag` and `--shard`.

expression = and {"or" and}
and        = not {"and" not}
not        = "not" not | "(" expression ")" | word
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.request import ProblemSpec

Matcher = Callable[[str], bool]
_TOKEN = re.compile(r"\s*([()]|[^\s()]+)")


def select(specs: Sequence[ProblemSpec], keyword: str | None, tags: Sequence[str]) -> list[ProblemSpec]:
    """The problems whose name matches the -k expression and which have one of the tags (where any is given),
    numbered."""
    matches = matcher(keyword) if keyword is not None else lambda _: True
    wanted = {tag.strip().casefold() for text in tags for tag in text.split(",")}
    selected = (
        spec
        for spec in specs
        if matches(spec.name) and (not wanted or not wanted.isdisjoint(tag.casefold() for tag in spec.tags))
    )
    return [replace(spec, index=index) for index, spec in enumerate(selected)]


def shard(specs: Sequence[ProblemSpec], text: str) -> list[ProblemSpec]:
    """The part of the problems that `--shard 2/5` names: every fifth one, from the second. The same ones each time."""
    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard {text}: it takes a part and the number of parts, for example 2/5")
    return list(specs[int(found[1]) - 1 :: int(found[2])])


def matcher(text: str) -> Matcher:
    """What -k says of a name: words are looked for in it, whatever their case, and joined by and, or, not."""
    tokens: list[str] = _TOKEN.findall(text)
    if not tokens:
        raise UsageError("-k is empty: it takes a part of a name, or several joined by and, or, not")
    reader = _Reader(text, tokens)
    result = reader.either()
    if reader.rest:
        raise reader.error(f"an operator is missing before {reader.rest[0]}")
    return result


class _Reader:
    def __init__(self, text: str, tokens: Sequence[str]) -> None:
        self.text, self.rest = text, list(tokens)

    def error(self, what: str) -> UsageError:
        return UsageError(f"-k {self.text!r}: {what}; it takes parts of names joined by and, or, not and parentheses")

    def take(self, *tokens: str) -> bool:
        if self.rest and self.rest[0] in tokens:
            del self.rest[0]
            return True
        return False

    def either(self) -> Matcher:
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return lambda name: any(part(name) for part in parts)

    def both(self) -> Matcher:
        parts = [self.single()]
        while self.take("and"):
            parts.append(self.single())
        return lambda name: all(part(name) for part in parts)

    def single(self) -> Matcher:
        negated = False
        while self.take("not"):
            negated = not negated
        inner = self.operand()
        return (lambda name: not inner(name)) if negated else inner

    def operand(self) -> Matcher:
        if self.take("("):
            inner = self.either()
            if not self.take(")"):
                raise self.error("a closing parenthesis is missing")
            return inner
        if not self.rest or self.rest[0] in (")", "and", "or"):
            raise self.error(f"there is nothing {f'before {self.rest[0]}' if self.rest else 'at the end'}")
        word = self.rest.pop(0).casefold()
        return lambda name: word in name.casefold()
