"""Lists: of numbers, which are arrays, and of arrays."""

from __future__ import annotations

import torch

from gradcheck_cli.language.tokens import Token
from gradcheck_cli.tensors.cursor import Cursor, Literal, Term


class Literals(Cursor):
    """The brackets of lists."""

    def items(self, closing: str) -> list[Term]:
        """What is between commas, with the bracket before and the one behind."""
        opening = self.take()
        self.deepen(opening)
        found: list[Term] = []
        while not self.took(closing):
            if self.at_end():
                self.fail(f"This {opening.text} is never closed.", opening.start, opening.end)
            token = self.token
            found.append(
                self.listed(self.items("]"), token) if self.comes("[") and self.is_list() else self.expression()
            )
            if not self.took(",") and not self.comes(closing) and not self.at_end():
                self.unexpected()
        self.level -= 1
        return found

    def is_list(self) -> bool:
        """Whether the brackets that open here are all of an item."""
        depth = 0
        for index in range(self.index, len(self.tokens)):
            depth += self.tokens[index].is_symbol("[", "(") - self.tokens[index].is_symbol("]", ")")
            if not depth:
                return self.tokens[index + 1].is_symbol(",", "]", ")")
        return False

    def listed(self, items: list[Term], opening: Token) -> Term:
        """Numbers as an array; arrays and numbers as a list, which stack, cat and arrays in an array take."""
        start, end = opening.start, self.tokens[self.index - 1].end
        if not items:
            self.fail("An empty list has no numbers.", start, end)
        numbers = [_numbers(item) for item in items]
        known = [number for number in numbers if number is not None]
        if len(known) == len(numbers):
            for item, number in zip(items, known, strict=True):
                if _lengths(number) != _lengths(known[0]):
                    self.fail("All rows of an array are equally long.", item.start, item.end)
            dtype = self.dtype
            return self.call(lambda: torch.tensor(known, dtype=dtype), (), (), start, end)._replace(literal=known)
        for item in items:
            self.require_number(item)
        return Term([item.arg for item in items], [item.value for item in items], start, end)


def _numbers(term: Term) -> int | float | Literal | None:
    """The number, or those of a list; None for what is neither."""
    is_number = isinstance(term.value, int | float) and not isinstance(term.value, bool)
    number: int | float | None = term.value if is_number else None
    return number if term.literal is None else term.literal


def _lengths(numbers: int | float | Literal) -> object:
    return [_lengths(one) for one in numbers] if isinstance(numbers, list) else None
