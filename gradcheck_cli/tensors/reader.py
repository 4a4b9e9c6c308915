"""Formulas of arrays: text to a program of torch calls. Python evaluates nothing; what does not fit shows its place.

    expression = sum [("<" | "<=" | ">" | ">=" | "==" | "!=") sum]
    sum        = product {("+" | "-") product}
    product    = signed {("*" | "/" | "@" | "·" | nothing) signed}   nothing: 2x, 2(x + y), xᵀ A x
    signed     = {"-" | "+"} power
    power      = postfix [("**" | "^") signed]
    postfix    = operand {superscript | "ᵀ" | ".T" | "." name "(" arguments ")" | "[" indices "]"}
    operand    = number | name | "(" expression ")" | list | name "(" arguments ")" | "|" expression "|" | "||" ... "||"

Each call is made once while it is read, on the numbers that were given: so all shapes are known.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.tokens import Kind, Token
from gradcheck_cli.tensors import shapes
from gradcheck_cli.tensors.cursor import PLAIN, Scope, Term, sentence
from gradcheck_cli.tensors.latex import BESIDE
from gradcheck_cli.tensors.products import CROSS, DOT, PRODUCTS, Products, is_number
from gradcheck_cli.tensors.program import Operation, Program, Ref
from gradcheck_cli.tensors.shapes import Misfit
from gradcheck_cli.tensors.written import is_cross, is_dot

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "@": operator.matmul,
    "**": operator.pow, "^": operator.pow,
}  # fmt: skip
_SUM, _PRODUCT, _SIGN, _POWER = 1, 2, 3, 4
_BINDING = {
    "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "@": _PRODUCT, BESIDE: _PRODUCT, "**": _POWER, "^": _POWER,
}  # fmt: skip


def read(text: str, program: Program, names: Mapping[str, Term | Ref], dtype: torch.dtype, *, what: str = "",
         scope: Scope = PLAIN) -> Term:  # fmt: skip
    """The term that a text is, after its steps were added to the program. ExpressionError with the place.

    names: what has been given a value, or a name. dtype: of the numbers in lists. scope: what else may be used.
    """
    reader = _Reader(text, program, names, dtype, scope)
    if reader.at_end():
        raise ExpressionError(f"There is no {what or 'expression'}.", text)
    return reader.whole()


class _Reader(Products):
    """Operators and operands."""

    def whole(self) -> Term:
        return self.as_array(super().whole())

    def as_array(self, term: Term) -> Term:
        """A list of arrays as one array; anything else as it is."""
        if not isinstance(term.value, list) or not all(isinstance(item, Tensor) for item in term.value):
            return term
        return self.function("stack", self.tokens[0]._replace(start=term.start), [term], {}, term.end)

    def expression(self) -> Term:
        left = self.arithmetic()
        if self.token.kind is Kind.SYMBOL and self.token.text in _COMPARISONS:
            symbol = self.take().text
            right = self.arithmetic()
            if not isinstance(left.value, Tensor) and not isinstance(right.value, Tensor):
                left = self.constant(left)
            return self.binary(symbol, left, right)
        return left

    def arithmetic(self) -> Term:
        """Operators wait on a stack, so that a chain of them is a loop, however long."""
        waiting: list[tuple[str, int, int]] = []  # symbol, binding, place
        operands: list[Term] = []
        while True:
            while self.comes("-", "+"):
                token = self.take()
                waiting.append((f"unary {token.text}", _SIGN, token.start))
            operands.append(self.operand())
            binding = self.infix()
            if binding is None:
                break
            if self.token.start == binding[2] and waiting and self.may_go_on(waiting[-1][0], operands):
                self.refuse_two_readings(waiting[-1][0], operands)
            strength = binding[1]
            while waiting and (waiting[-1][1] > strength or (waiting[-1][1] == strength and strength != _POWER)):
                self.apply(waiting.pop(), operands)
            waiting.append(binding)
        while waiting:
            self.apply(waiting.pop(), operands)
        return operands[0]

    def infix(self) -> tuple[str, int, int] | None:
        token, before = self.token, self.tokens[self.index - 1]
        if token.kind is Kind.SYMBOL and token.text in _BINDING:
            self.take()
            symbol = DOT if is_dot(token, self.text) else CROSS if is_cross(token, self.text) else token.text
            return symbol, _BINDING[token.text], token.start
        starts = token.is_symbol("(") or (token.kind is Kind.NAME and token.text not in ("if", "else", "and", "or"))
        if starts and (self.is_math or before.kind is Kind.NUMBER):
            return BESIDE, _PRODUCT, token.start
        return None

    def may_go_on(self, symbol: str, operands: list[Term]) -> bool:
        """Whether what comes next may belong to the right operand of a quotient or power. Not in x^2 sin(x)."""
        if symbol not in ("**", "^"):
            return symbol == "/"
        base, exponent = operands[-2:]
        if not isinstance(base.value, Tensor) or not isinstance(exponent.value, int | float):
            return True
        is_apart = self.tokens[self.index - 1].end < self.token.start
        if self.token.kind is not Kind.NAME or self.token.text in self.names:
            known = self.names.get(self.token.text)
            value = self.program.values[known.step] if isinstance(known, Ref) else known and known.value
            return not (is_apart and (self.is_math or (known is not None and is_number(value))))
        return not self.tokens[self.index + 1].is_symbol("(")

    def refuse_two_readings(self, symbol: str, operands: list[Term]) -> NoReturn:
        """The error for `1/2x`."""
        left = operands[-2]
        token, shown = self.token, self.shown(operands[-1])
        factor = token.text if token.kind is Kind.NAME else "(...)"
        first = f"({self.shown(left)}{symbol}{shown})*{factor}"
        second = f"{self.shown(left)}{symbol}({shown}*{factor})"
        self.fail(f"This can be read in two ways: write {first} or {second}.", left.start, token.end)

    def apply(self, operator_: tuple[str, int, int], operands: list[Term]) -> None:
        symbol, _, place = operator_
        right = self.as_array(operands.pop())
        if symbol.startswith("unary"):
            operands.append(self.signed(symbol[-1], right, place))
        else:
            operands.append(self.binary(symbol, self.as_array(operands.pop()), right))

    def signed(self, symbol: str, right: Term, place: int) -> Term:
        self.require_number(right)
        if symbol == "+":
            return right._replace(start=place)
        if not isinstance(right.value, Tensor):
            return Term(-right.value, -right.value, place, right.end)
        what = Operation("neg", {"a": right.arg})
        negative = self.call(operator.neg, (right.arg,), (right.value,), place, right.end, operation=what)
        return negative._replace(is_row=right.is_row)

    def binary(self, symbol: str, left: Term, right: Term) -> Term:
        for term in (left, right):
            self.require_number(term)
        start, end = left.start, right.end
        if symbol in PRODUCTS or left.is_row or right.is_row:
            return self.product(symbol, left, right)
        if symbol == "^":
            self.refuse_inverse(left, right)
        operands = (self.shown(left), left.value), (self.shown(right), right.value)
        try:
            (shapes.require_product if symbol == "@" else _fit_each)(*operands)
        except Misfit as misfit:
            self.fail(sentence(str(misfit)), start, end)
        run = _ARITHMETIC.get(symbol) or _COMPARISONS[symbol]
        if not isinstance(left.value, Tensor) and not isinstance(right.value, Tensor):
            number = self.of_numbers(symbol, left, right)
            return Term(number, number, start, end)
        what = Operation("**" if symbol == "^" else symbol, {"a": left.arg, "b": right.arg})
        return self.call(run, (left.arg, right.arg), (left.value, right.value), start, end, operation=what)

    def of_numbers(self, symbol: str, left: Term, right: Term) -> int | float:
        a, b = left.value, right.value
        try:
            if symbol in ("**", "^"):
                found = float(a) ** b
                if isinstance(a, int) and isinstance(b, int) and b >= 0 and abs(found) < 2**53:
                    return int(a**b)
            else:
                found = _ARITHMETIC[symbol](a, b)
        except (ArithmeticError, ValueError):
            found = complex(0, 1)
        if isinstance(found, complex) or not math.isfinite(found):
            self.fail("This has no finite value.", left.start, right.end)
        number: int | float = found
        return number

    def operand(self) -> Term:
        token = self.token
        match token.kind, token.text:
            case Kind.NUMBER, _:
                self.take()
                term = self.number(token)
            case Kind.QUOTIENT, _:
                self.take()
                term = Term(float(token.value), float(token.value), token.start, token.end)
            case Kind.NAME, _:
                term = self.name()
            case Kind.SYMBOL, "(":
                term = self.parenthesised()
            case Kind.SYMBOL, "[":
                term = self.listed(self.items("]"), token)
            case Kind.SYMBOL, "|":
                term = self.bars()
            case Kind.SYMBOL, "√":
                self.take()
                inner = self.operand()
                term = self.function("sqrt", token, [inner], {}, inner.end)
            case _:
                self.unexpected()
        return self.postfix(term)

    def number(self, token: Token) -> Term:
        value = token.value
        whole = value.denominator == 1 and "." not in token.text and "e" not in token.text.lower()
        if whole and abs(value) >= 2**63:
            whole = False
        try:
            number = int(value) if whole else float(value)
        except OverflowError:
            self.fail("This is larger than any double.", token.start, token.end)
        return Term(number, number, token.start, token.end)

    def parenthesised(self) -> Term:
        opening = self.take()
        self.deepen(opening)
        inner = self.expression()
        if self.comes(","):
            self.index = self.tokens.index(opening)
            items = self.items(")")
            values = tuple(item.value for item in items)
            self.level -= 1
            return Term(tuple(item.arg for item in items), values, opening.start, self.tokens[self.index - 1].end)
        if not self.comes(")"):
            self.fail("This ( is never closed.", opening.start, opening.end) if self.at_end() else self.unexpected()
        self.level -= 1
        return inner._replace(start=opening.start, end=self.take().end)

    def bars(self) -> Term:
        opening, is_norm = self.take(), self._second_bar()
        self.deepen(opening)
        inner = self.arithmetic()
        self.require_number(inner)
        if not self.took("|") or (is_norm and not self._second_bar()):
            bars = "||" if is_norm else "|"
            if not self.at_end() and self.token.kind is Kind.NAME:
                self.unexpected()
            self.fail(f"This {bars} is never closed.", opening.start, opening.start + len(bars))
        self.level -= 1
        end = self.tokens[self.index - 1].end
        if is_norm:
            return self.function("norm", opening, [inner], {}, end)
        if isinstance(inner.value, Tensor) and inner.value.ndim > 1:
            shown = self.shown(inner)
            self.fail(f"This can be read in two ways: write abs({shown}) or det({shown}).", opening.start, end)
        return self.function("abs", opening, [inner], {}, end)

    def _second_bar(self) -> bool:
        """Whether a bar follows the one before without a space, which is taken: together they are those of a norm."""
        return self.token.start == self.tokens[self.index - 1].end and self.took("|")


def _fit_each(*operands: tuple[str, Any]) -> None:
    shapes.require_same(operands)
