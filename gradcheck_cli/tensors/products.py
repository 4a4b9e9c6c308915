"""Products as on paper: w·x, xᵀ A x, x yᵀ. A vector is a column there, and its transpose a row."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gradcheck_cli.tensors.cursor import Term
from gradcheck_cli.tensors.latex import BESIDE
from gradcheck_cli.tensors.places import Places

DOT, CROSS = "·", "×"
PRODUCTS = (DOT, CROSS, BESIDE)


class Products(Places):
    """What these products, and others with a row, are."""

    def product(self, symbol: str, left: Term, right: Term) -> Term:
        start, end = left.start, right.end
        if is_number(left.value) or is_number(right.value):
            plain = "*" if symbol in PRODUCTS else symbol
            found = self.binary(plain, left._replace(is_row=False), right._replace(is_row=False))
            keeps = plain in ("*", "/")
            return found._replace(start=start, end=end, is_row=keeps and (left.is_row or right.is_row))
        if symbol not in (*PRODUCTS, "@"):
            return self.each(symbol, left, right)
        if symbol == DOT:
            self.note("· between arrays is read as @, the dot product of vectors; element by element it is *")
        if symbol == CROSS:
            self.fail(self.several(left, right, f"{self.shown(left)} @ {self.shown(right)}"), start, end)
        if _is_vector(left) and _is_vector(right):
            return self.of_vectors(symbol, left, right)
        if right.is_row:
            message = f"{self.shown(right)} is a row, and a matrix has no product with a row behind it."
            self.fail(message, start, end)
        return self.matrix_product(left, right)

    def of_vectors(self, symbol: str, left: Term, right: Term) -> Term:
        a, b = self.shown(left), self.shown(right)
        if left.is_row and right.is_row:
            self.fail(f"{a} and {b} are two rows, which have no product.", left.start, right.end)
        if right.is_row:
            self.note(f"{a} {b} is read as an outer product, which is a matrix")
            token = self.tokens[0]._replace(start=left.start)
            return self.function("outer", token, [left, right._replace(is_row=False)], {}, right.end)
        if symbol == BESIDE and not left.is_row:
            self.fail(self.several(left, right, f"dot({a}, {b})"), left.start, right.end)
        return self.matrix_product(left, right)

    def matrix_product(self, left: Term, right: Term) -> Term:
        found = self.binary("@", left._replace(is_row=False), right._replace(is_row=False))
        return found._replace(is_row=left.is_row and found.value.ndim == 1)

    def each(self, symbol: str, left: Term, right: Term) -> Term:
        """Element by element, with a row."""
        if symbol in ("+", "-") and left.is_row == right.is_row:
            found = self.binary(symbol, left._replace(is_row=False), right._replace(is_row=False))
            return found._replace(is_row=True)
        a, b = self.shown(left), self.shown(right)
        instead = f": write {a} @ {b} for the product" if symbol == "*" else ""
        message = f"{a if left.is_row else b} is a row, and {symbol} works element by element{instead}."
        return self.fail(message, left.start, right.end)

    def several(self, left: Term, right: Term, product: str) -> str:
        a, b = self.shown(left), self.shown(right)
        ways = [product, f"{a}*{b} (element by element)"]
        if _is_vector(left) and _is_vector(right):
            is_of_three = left.value.numel() == right.value.numel() == 3
            ways += [f"outer({a}, {b})", *([f"cross({a}, {b})"] if is_of_three else [])]
        return f"This can be read in several ways: write {', '.join(ways[:-1])} or {ways[-1]}."

    def refuse_inverse(self, left: Term, right: Term) -> None:
        """A^-1, of which the elements would be inverted."""
        is_square = isinstance(left.value, Tensor) and left.value.ndim == 2 and len(set(left.value.shape)) == 1
        if is_square and right.value == -1:
            a = self.shown(left)
            message = f"This can be read in two ways: write inv({a}), or 1/{a} for each element."
            self.fail(message, left.start, right.end)

    def note(self, text: str) -> None:
        self.program.readings.append(text)


def is_number(value: Any) -> bool:
    """Whether a value is no array."""
    return not isinstance(value, Tensor) or not value.ndim


def _is_vector(term: Term) -> bool:
    return isinstance(term.value, Tensor) and term.value.ndim == 1
