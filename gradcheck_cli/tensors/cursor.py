"""Where a reader of a formula of arrays stands: its tokens, the steps that it adds, errors that show a place."""

from __future__ import annotations

import keyword
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.arrays.reader import read_array
from gradcheck_cli.arrays.values import array_value
from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.cursor import MAX_LENGTH, MAX_NESTING
from gradcheck_cli.language.tokens import Kind, Token, shorten
from gradcheck_cli.surfaces import Message, Option
from gradcheck_cli.tensors import shapes
from gradcheck_cli.tensors.latex import BESIDE, TRANSPOSED
from gradcheck_cli.tensors.program import Operation, Program, Ref, Span, Step
from gradcheck_cli.tensors.shapes import Misfit
from gradcheck_cli.tensors.written import tokens_of

MAX_STEPS = 5_000


Literal = list["int | float | Literal"]
"""Numbers in nested lists."""


class Term(NamedTuple):
    """A part of the text: what stands for it in the program (a Ref, or a constant), and its value now.

    literal: the numbers of an array that was typed as a list, so that lists of such lists are arrays as well. is_row:
    whether it is the transpose of a vector by xᵀ, beside which a vector is a column.
    """

    arg: Any
    value: Any
    start: int
    end: int
    literal: Literal | None = None
    is_row: bool = False


@dataclass(frozen=True)
class UserFunction:
    """A function that a text defines. lines: what its body gives names to, (name, text), before the text that it
    returns. names, functions: what it may use."""

    name: str
    parameters: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    text: str
    names: Mapping[str, Term | Ref]
    functions: Mapping[str, UserFunction]


class Draws:
    """Random numbers of one definition: the same ones for the same name and seed. drawn: how they were written."""

    def __init__(self, name: str, seed: int) -> None:
        self.name, self.seed = name, seed
        self.drawn: list[str] = []

    def draw(self, text: str) -> Tensor:
        key = f"{self.name}#{len(self.drawn)}" if self.drawn else self.name
        self.drawn.append(text)
        return torch.from_numpy(np.array(array_value(read_array(text), key, self.seed)))


@dataclass(frozen=True)
class Scope:
    """What a text may use beside names. draws: None where nothing may be drawn. bound: what the parameters of the
    function stand for whose body it is. depth: of brackets and calls around the text."""

    functions: Mapping[str, UserFunction] = field(default_factory=dict)
    draws: Draws | None = None
    bound: Mapping[str, Ref | str] = field(default_factory=dict)
    depth: int = 0


PLAIN = Scope()
"""Names alone."""


class Cursor(ABC):
    """One text being read. names: what has been given a value, or a name. dtype: of the numbers in it. is_math: whether
    it is written as on paper, where what stands side by side is multiplied."""

    def __init__(self, text: str, program: Program, names: Mapping[str, Term | Ref], dtype: torch.dtype,
                 scope: Scope) -> None:  # fmt: skip
        if len(text) > MAX_LENGTH:
            raise ExpressionError(f"The text has {len(text):,} characters; {MAX_LENGTH:,} are allowed.")
        self.text, self.program, self.names, self.dtype, self.scope = text, program, names, dtype, scope
        self.tokens, self.index, self.level = tokens_of(text, {*names, *scope.functions}), 0, scope.depth
        self.is_math = any(token.is_symbol(TRANSPOSED, BESIDE) for token in self.tokens)

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def at_end(self) -> bool:
        return self.token.kind is Kind.END

    def comes(self, *symbols: str) -> bool:
        return self.token.is_symbol(*symbols)

    def took(self, *symbols: str) -> bool:
        if not self.comes(*symbols):
            return False
        self.index += 1
        return True

    def fail(self, message: str | Message, start: int, end: int) -> NoReturn:
        raise ExpressionError(message, self.text, start, end)

    def unexpected(self) -> NoReturn:
        token, before = self.token, self.tokens[max(self.index - 1, 0)]
        if token.kind is Kind.END:
            self.fail("Something is missing: the expression ends too early.", token.start, token.end)
        if token.text == "if" and token.kind is Kind.NAME:
            self.fail("A branch is written where(x > 0, a, b).", token.start, token.end)
        if token.kind is Kind.NAME and keyword.iskeyword(token.text):
            self.fail(f"{token.text} has no meaning here.", token.start, token.end)
        if token.kind is Kind.NAME and self.index and before.kind in (Kind.NAME, Kind.NUMBER):
            left, right = before.text, token.text
            shown = f"An operator is missing: write {left}*{right} (element by element) or {left} @ {right}."
            self.fail(shown, before.start, token.end)
        if token.is_symbol("=", ":="):
            message = "= has no meaning here: intermediate results have names by ", Option("let"), "."
            self.fail(message, token.start, token.end)
        if not self.index or before.kind is Kind.SYMBOL:
            self.fail(f"Something is missing before {shorten(token.text)}.", token.start, token.end)
        self.fail(f"{shorten(token.text)} has no meaning here.", token.start, token.end)

    def shown(self, term: Term) -> str:
        return shorten(self.text[term.start : term.end], 30)

    def deepen(self, token: Token) -> None:
        self.level += 1
        if self.level > MAX_NESTING:
            self.fail(f"This is nested more than {MAX_NESTING} deep.", token.start, token.end)

    # What is read

    @abstractmethod
    def expression(self) -> Term:
        """The longest expression from here. The caller judges what follows."""

    @abstractmethod
    def binary(self, symbol: str, left: Term, right: Term) -> Term:
        """What an operator makes of its operands."""

    def whole(self) -> Term:
        """All of the text."""
        term = self.expression()
        if not self.at_end():
            self.unexpected()
        return term

    def require_number(self, term: Term) -> None:
        """That a term is an array or a number."""
        value = term.value
        if isinstance(value, bool) or not isinstance(value, Tensor | int | float):
            what = "a list" if isinstance(value, list | tuple) else f"{self.shown(term)}"
            self.fail(f"An array or a number is wanted here, and this is {what}.", term.start, term.end)

    # Steps

    def call(self, run: Callable[..., Any], args: Sequence[Any], values: Sequence[Any], start: int, end: int,
             keywords: Mapping[str, Any] | None = None, operation: Operation | None = None) -> Term:  # fmt: skip
        """A step more. values: of the arguments."""
        if len(self.program.steps) >= MAX_STEPS:
            self.fail(f"The formula has more than {MAX_STEPS:,} operations.", start, end)
        keywords = keywords or {}
        try:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("ignore")
                shapes.require_room(run, tuple(values), dict(keywords))
                warnings.simplefilter("always")
                value = run(*values, **keywords)
        except Misfit as misfit:
            self.fail(sentence(str(misfit)), start, end)
        except ExpressionError:
            raise
        except Exception as error:  # noqa: BLE001  whatever torch raises is its answer
            said = str(error).strip().split("\n")[0][:200] or type(error).__name__
            self.fail(f"torch refuses this: {said}", start, end)
        self.program.warnings += [f"torch warns: {' '.join(str(one.message).split())}" for one in warned]
        span = Span(self.text, start, end, self.scope.bound)
        ref = self.program.add(Step(run, tuple(args), keywords, "", span, operation), value)
        return Term(ref, value, start, end)

    def constant(self, term: Term) -> Term:
        """A number as a tensor of the working dtype."""
        number, dtype = term.value, self.dtype
        return self.call(lambda: torch.tensor(number, dtype=dtype), (), (), term.start, term.end)


def sentence(text: str) -> str:
    return text if text.endswith((".", "?", ")")) else f"{text}."
