"""What follows an operand: powers, .T, methods, and the brackets of an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from gradcheck_cli.language.tokens import Kind, Token
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tensors import shapes
from gradcheck_cli.tensors.cursor import Term, sentence
from gradcheck_cli.tensors.functions import ATTRIBUTES
from gradcheck_cli.tensors.latex import TRANSPOSED
from gradcheck_cli.tensors.named import Calls
from gradcheck_cli.tensors.program import Operation
from gradcheck_cli.tensors.shapes import Misfit

_AS_IT_IS = frozenset({"float", "double", "clone", "contiguous", "values", "requires_grad_", "to", "type"})
"""Methods that change none of the numbers, unless they are given a dtype that rounds."""
_ROUNDING = {"half": "float16", "float16": "float16", "bfloat16": "bfloat16", "long": "", "int": ""}


class Places(Calls):
    """Operands with what follows them."""

    def postfix(self, term: Term) -> Term:
        while True:
            token = self.token
            if token.kind is Kind.SUPERSCRIPT:
                self.take()
                power = int(token.value)
                term = self.binary("^", term, Term(power, power, token.start, token.end))
            elif token.is_symbol(TRANSPOSED):
                self.take()
                term = self.transposed(term, token)
            elif token.is_symbol("."):
                term = self.attribute(term)
            elif token.is_symbol("[") and isinstance(term.value, Tensor | int | float):
                term = self.indexed(term)
            else:
                return term

    def attribute(self, term: Term) -> Term:
        dot = self.take()
        if self.token.kind is not Kind.NAME:
            self.fail("A name is missing behind the dot: x.T or x.sum().", dot.start, dot.end)
        name = self.take()
        if self.comes("("):
            positional, named = self.arguments()
            end = self.tokens[self.index - 1].end
            if name.text in _AS_IT_IS | _ROUNDING.keys():
                self.require_exact(name, term, positional, end)
                return term._replace(end=end)
            self.require_number(term)
            if name.text in ("item", "detach", "numpy", "tolist", "detach_"):
                self.fail(f"{name.text}() makes a constant of it: leave it out.", name.start, end)
            if name.text in ("numel", "nelement"):
                return self.size_of(term, None, name, end)
            if name.text == "size" and len(positional) == 1 and isinstance(positional[0].value, int):
                return self.size_of(term, positional[0].value, name, end)
            if name.text == "reshape" or name.text == "view":
                positional = [self.shape_of(positional, end)] if len(positional) != 1 else positional
            return self.function(name.text, name, [term, *positional], named, end)
        if name.text == "values":
            return term._replace(end=name.end)
        if name.text == "shape" and self.comes("["):
            self.take()
            dim = self.whole_number()
            if dim is None or not self.took("]"):
                self.fail("Of a shape, one size is read: x.shape[0].", name.start, name.end)
            return self.size_of(term, dim, name, self.tokens[self.index - 1].end)
        if name.text not in ATTRIBUTES:
            known = "there are .T and .mT, and methods such as .sum()"
            self.fail(f".{name.text} has no meaning here: {known}.", name.start, name.end)
        if not isinstance(term.value, Tensor):
            self.fail("A number has no transpose.", term.start, name.end)
        if term.value.ndim > 2 and name.text == "T":
            self.fail("This has more than two dimensions: write .mT for the last two.", name.start, name.end)
        return self.turned(term, name.end)

    def turned(self, term: Term, end: int) -> Term:
        """With the last two dimensions exchanged."""
        if term.value.ndim < 2:
            return term._replace(end=end)
        what = Operation("t", {"input": term.arg})
        return self.call(_transposed, (term.arg,), (term.value,), term.start, end, operation=what)

    def transposed(self, term: Term, sign: Token) -> Term:
        """xᵀ: of a vector the row."""
        self.require_number(term)
        if not isinstance(term.value, Tensor) or not term.value.ndim:
            self.fail("A number has no transpose.", term.start, sign.end)
        turned = self.turned(term, sign.end)
        return turned._replace(is_row=term.value.ndim == 1 and not term.is_row)

    def require_exact(self, name: Token, term: Term, positional: Sequence[Term], end: int) -> None:
        """That a method, such as to(torch.float16), leaves the numbers as they are."""
        asked = {name.text, *(one.value for one in positional if isinstance(one.value, str))}
        dtype = next((_ROUNDING[one] for one in asked if _ROUNDING.get(one)), "")
        if dtype:
            message = (
                f"{name.text}() rounds: leave it out, and choose the working dtype by ",
                Option("dtype", dtype),
                ".",
            )
            self.fail(message, name.start, end)
        if asked & {"long", "int"} and not _is_whole(term.value):
            self.fail(f"{name.text}() rounds, and has no derivative: leave it out.", name.start, end)

    def shape_of(self, positional: Sequence[Term], end: int) -> Term:
        sizes = tuple(term.value for term in positional)
        return Term(sizes, sizes, positional[0].start if positional else end - 1, end)

    def indexed(self, term: Term) -> Term:
        opening = self.take()
        items: list[Any] = []
        while not self.took("]"):
            if self.at_end():
                self.fail("This [ is never closed.", opening.start, opening.end)
            items.append(self.place())
            if not self.took(",") and not self.comes("]") and not self.at_end():
                self.unexpected()
        end = self.tokens[self.index - 1].end
        if not items:
            self.fail("An index is missing: x[0].", opening.start, end)
        try:
            shapes.require_index(self.shown(term), term.value, items)
        except Misfit as misfit:
            self.fail(sentence(str(misfit)), opening.start, end)
        where = tuple(items)
        what = Operation("index", {"input": term.arg})
        return self.call(lambda x: x[where], (term.arg,), (term.value,), term.start, end, operation=what)

    def place(self) -> Any:
        """0, -1, 1:3, :, None, ..., or a list of whole numbers."""
        if self.comes(".") and all(t.is_symbol(".") for t in self.tokens[self.index : self.index + 3]):
            self.index += 3
            return Ellipsis
        parts: list[int | None] = [self.whole_number()]
        is_slice = False
        while self.took(":"):
            is_slice = True
            parts.append(self.whole_number())
        if is_slice and len(parts) <= 3:
            if len(parts) == 3 and parts[2] is not None and parts[2] < 1:
                token = self.tokens[self.index - 1]
                self.fail("The step of a slice is a whole number from 1.", token.start, token.end)
            return slice(*parts)
        if self.token.kind is Kind.NAME and self.token.text in ("None", "newaxis"):
            self.take()
            return None
        if parts[0] is None:
            token = self.token
            self.fail("An index is a whole number or a slice: x[0], x[1:3], W[:, 0].", token.start, token.end)
        return parts[0]

    def whole_number(self) -> int | None:
        """A whole number with a sign, if one comes."""
        sign = -1 if self.comes("-") and self.tokens[self.index + 1].kind is Kind.NUMBER else 1
        token = self.tokens[self.index + (sign < 0)]
        if token.kind is not Kind.NUMBER:
            return None
        if token.value.denominator != 1 or abs(token.value) >= 2**31:
            self.fail("An index is a whole number.", token.start, token.end)
        self.index += 1 + (sign < 0)
        return sign * int(token.value)


def _is_whole(value: Any) -> bool:
    return bool((value == value.round()).all()) if isinstance(value, Tensor) else isinstance(value, int)


def _transposed(x: Tensor) -> Tensor:
    return x.mT
