"""Where the parser stands: the tokens of one text, the brackets that are open, and the checks that everything read goes
through, each with an error that shows its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Constant, Expr, call, constant
from gradcheck_cli.language.magnitude import Magnitudes, TooLarge, magnitude
from gradcheck_cli.language.syntax import MEANINGLESS
from gradcheck_cli.language.tokens import Kind, Token, shorten, tokenize
from gradcheck_cli.surfaces import Message, Option

MAX_LENGTH = 20_000  # characters of a text
MAX_NESTING = 100  # brackets within brackets
MAX_NODES = 100_000  # of an expression with all that it is made of


def latex_tokens(text: str) -> list[Token]:
    """The tokens of a text that has signs of LaTeX's own. Its reader is loaded where there is one."""
    from gradcheck_cli.language import latex_reader

    return latex_reader.latex_tokens(text)


class Operand(NamedTuple):
    """An expression with its place. last: the right end of a comparison that may go on (a < b in a < b < c)."""

    expr: Expr
    start: int
    end: int
    last: Expr | None = None


class Operator(NamedTuple):
    """An operator that waits for its right operand."""

    symbol: str
    precedence: int
    start: int
    end: int
    prefix: bool = False

    @property
    def is_unwritten(self) -> bool:
        """Whether it is the multiplication of 2x."""
        return self.start == self.end


class Arguments(NamedTuple):
    """What is in the brackets of a call. options: keywords with a quoted text; end: the place after the bracket."""

    positional: list[Operand]
    keywords: dict[str, Operand]
    options: dict[str, Token]
    end: int


class Defined(NamedTuple):
    """A function that the text itself defines, such as b(a) = exp(a).

    body: over its parameters. given: its parameters, as the intermediate results that have these names where there are
    some; own: its value for those.
    """

    name: str
    parameters: tuple[str, ...]
    body: Expr
    given: tuple[Expr, ...]
    own: Expr


class Work:
    """What the parsers of one formula and all that it is made of share: to begin anew each time would be quadratic.

    counted: the nodes of what has been read; copied: how many were made again, with arguments in them. greek: the names
    of variables that are Greek letters, as they were spelt first.
    """

    def __init__(self) -> None:
        self.magnitudes: Magnitudes = {}
        self.counted: set[Expr] = set()
        self.copied = 0
        self.greek: set[str] = set()

    def require_room(self, text: str = "") -> None:
        """ExpressionError where it becomes too much."""
        if max(len(self.counted), self.copied) > MAX_NODES:
            raise ExpressionError(f"The expression has more than {MAX_NODES:,} nodes.", text)


class Cursor:
    """One text being read, from token to token."""

    def __init__(
        self,
        text: str,
        *,
        names: Collection[str] = (),
        lets: Mapping[str, Expr] | None = None,
        exact: bool = False,
        internal: bool = False,
        constants_only: bool = False,
    ) -> None:
        if len(text) > MAX_LENGTH:
            raise ExpressionError(f"The text has {len(text):,} characters; {MAX_LENGTH:,} are allowed.")
        self.text = text
        self.is_latex = "\\" in text or "$" in text or "{" in text or "}" in text
        self.tokens = latex_tokens(text) if self.is_latex else tokenize(text)
        self.index = 0
        self.names = frozenset(names)
        self.lets = lets or {}
        self.later: Mapping[str, Message] = {}
        self.defined: Mapping[str, Defined] = {}
        self.notices: list[str] = []
        self.alone: frozenset[str] | None = None  # the names that stand without brackets behind them
        self.exact = exact
        self.internal = internal
        self.constants_only = constants_only
        self.level = 0  # brackets open here
        self.reached = 0  # the deepest level within the operand being read
        self.bars: list[int] = []  # the levels of the absolute values that are open
        self.last_bars = 0, 0  # where the last one that was closed stands
        self.work = Work()

    # Tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def previous(self) -> Token:
        return self.tokens[self.index - 1]

    def take(self) -> Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def at_end(self) -> bool:
        return self.token.kind is Kind.END

    def comes(self, *symbols: str, ahead: int = 0) -> bool:
        """Whether the next token (or one further ahead) is one of these symbols."""
        place = self.index + ahead
        return place < len(self.tokens) and self.tokens[place].is_symbol(*symbols)

    def shown(self, start: int, end: int) -> str:
        """A part of the text, for a message."""
        return shorten(self.text[start:end])

    def error(
        self, message: str | Message, place: Token | Operand | Operator, end: int | None = None
    ) -> ExpressionError:
        return ExpressionError(message, self.text, place.start, place.end if end is None else end)

    def too_deep(self, place: Token | Operator) -> ExpressionError:
        return self.error(
            (f"This is nested more than {MAX_NESTING} deep: name parts of it with ", Option("let"), "."), place
        )

    def notice(self, text: str) -> None:
        """Something to be said of how the text was read, once."""
        if text not in self.notices:
            self.notices.append(text)

    # Brackets

    def open(self) -> Token:
        token = self.take()
        self.deepen(token)
        return token

    def deepen(self, place: Token) -> None:
        """One bracket more is open."""
        self.level += 1
        self.reached = max(self.reached, self.level)
        if self.level > MAX_NESTING:
            raise self.too_deep(place)

    def close(self, opening: Token) -> Token:
        if self.at_end():
            raise self.error("This ( is never closed.", opening)
        if not self.comes(")"):
            raise self.unexpected()
        self.level -= 1
        return self.take()

    # Nodes

    def constant(self, value: Fraction | str) -> Expr:
        return constant(value, exact=self.exact)

    def make(self, function: Function, *args: Expr, start: int = 0, end: int = 0) -> Expr:
        """A call, unless it is a constant power beyond the bounds; start, end: its place in the text."""
        made = call(function, *args)
        if function is op.POW:
            try:
                magnitude(made, self.work.magnitudes)
            except TooLarge as error:
                raise ExpressionError(f"{self.shown(start, end)} {error}.", self.text, start, end) from None
        return made

    def number(self, operand: Operand) -> Expr:
        """The expression of `operand` as a number: of a condition, 1 where it holds, else 0."""
        expr = operand.expr
        if not (isinstance(expr, Call) and expr.function.is_condition):
            return expr
        if expr.function in (op.TRUE, op.FALSE):
            return self.constant(Fraction(expr.function is op.TRUE))
        return call(op.WHERE, expr, self.constant(Fraction(1)), self.constant(Fraction(0)))

    def function(self, operand: Operand) -> Expr:
        """The expression of `operand` as a function, which a condition alone is not."""
        expr = operand.expr
        if isinstance(expr, Call) and expr.function.is_condition:
            shown = self.shown(operand.start, operand.end)
            instead = {op.TRUE: "1", op.FALSE: "0"}.get(expr.function, f"where({shown}, 1, 0)")
            message = f"{shown} is a condition where a number is wanted: write {instead}."
            raise self.error(message, operand)
        return expr

    def condition(self, operand: Operand, user: str) -> Expr:
        """The expression of `operand`, which has to be a condition; user: what wants it."""
        expr = operand.expr
        if isinstance(expr, Call) and expr.function.is_condition:
            return expr
        shown = self.shown(operand.start, operand.end)
        advice = f"write {shown} != 0"
        if user in ("&", "|", "~"):  # they bind more tightly than comparisons
            advice = "put each comparison in parentheses"
        raise self.error(f"{user} wants a condition, and {shown} is a number: {advice}.", operand)

    def atom(self, operand: Operand) -> str:
        """The text of `operand`, in parentheses where it needs them beside another operator."""
        shown = self.shown(operand.start, operand.end)
        if isinstance(operand.expr, Constant) or shown.isidentifier() or enclosed(shown):
            return shown
        return f"({shown})"

    def unexpected(self, *, missing: bool = False) -> ExpressionError:
        """The error for the next token, which does not fit. missing: an operand was wanted."""
        token = self.token
        message: str | Message
        match token.kind:
            case Kind.END:
                message = "Something is missing: the expression ends too early."
            case Kind.QUOTED:
                message = "A text in quotes has no meaning here."
            case Kind.SYMBOL if token.text in MEANINGLESS and not (missing and token.text in ",)"):
                message = MEANINGLESS[token.text]
            case Kind.NAME if not missing:
                message = f"{token.text} has no meaning here."
            case _:
                message = f"Something is missing before {shorten(token.text)}."
        return self.error(message, token)


def enclosed(text: str) -> bool:
    """Whether one pair of parentheses holds all of `text`."""
    depths = list(accumulate((char == "(") - (char == ")") for char in text))
    return depths[-1] == 0 and 0 not in depths[:-1]
