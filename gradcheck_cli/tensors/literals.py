"""Lists: of numbers, which are arrays, and of arrays."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.language.tokens import Token
from gradcheck_cli.tensors.cursor import Cursor, Term


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
        numbers = [numbers_of(item.value) for item in items]
        if all(number is not None for number in numbers):
            for item, number in zip(items, numbers, strict=True):
                if _lengths(number) != _lengths(numbers[0]):
                    self.fail("All rows of an array are equally long.", item.start, item.end)
            dtype = self.dtype
            made = self.call(lambda: torch.tensor(numbers, dtype=dtype), (), (), start, end)
            return made._replace(value=_Literal.of(made.value, numbers))
        for item in items:
            self.require_number(item)
        return Term([item.arg for item in items], [item.value for item in items], start, end)


class _Literal:
    """Numbers that were typed as a list: their tensor knows them, so that lists of them are arrays as well."""

    KNOWN = "_typed"

    @staticmethod
    def of(tensor: Tensor, numbers: Any) -> Tensor:
        setattr(tensor, _Literal.KNOWN, numbers)
        return tensor


def numbers_of(value: Any) -> Any:
    """The numbers of a literal; None for what is none."""
    if isinstance(value, bool):
        return None
    return value if isinstance(value, int | float) else getattr(value, _Literal.KNOWN, None)


def _lengths(numbers: Any) -> Any:
    return [_lengths(one) for one in numbers] if isinstance(numbers, list) else None
