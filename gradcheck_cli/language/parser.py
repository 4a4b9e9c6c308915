"""Text to expression. Nothing is evaluated, nothing is folded: what was typed is what comes out.

    expression = choice
    choice     = or ["if" or "else" choice]
    or         = and {"or" and}
    and        = not {"and" not}
    not        = {"not"} comparison
    comparison = bits {("<" | "<=" | ">" | ">=" | "==" | "!=") bits}        a < b < c is a < b and b < c
    bits       = sum {("&" | "|") sum}                                      between conditions
    sum        = product {("+" | "-") product}
    product    = signed {("*" | "/" | nothing) signed}                      nothing: 2x, w x, 3(x + 1), (x + 1)(x - 1)
    signed     = {"-" | "+" | "~"} power
    power      = postfix [("**" | "^") signed]
    postfix    = operand {superscript | "." name "(" arguments ")"}
    operand    = number | name | "(" expression ")" | "|" expression "|" | function [power] "(" arguments ")"
               | function [power] factor | "√" factor
    factor     = number [name] | operand                                    sin 2x; see notation.py
    arguments  = {expression | name "=" (expression | quoted text)} separated by ","

Operators wait on a stack of their own, so a chain of them is a loop, however long; only brackets recurse, and their
nesting is bounded.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Constant, Expr, call, count
from gradcheck_cli.language.cursor import MAX_NESTING, Defined, Operand, Operator, enclosed
from gradcheck_cli.language.notation import Notation
from gradcheck_cli.language.syntax import (
    ARITHMETIC,
    CHOICE,
    COMPARISONS,
    CONNECTIVES,
    INFIX,
    NAMING,
    POWER,
    PREFIX,
    PRODUCT,
    REPLACEMENTS,
    SIGN,
)
from gradcheck_cli.language.tokens import DERIVES, Kind, Token, shorten
from gradcheck_cli.surfaces import Option

_NUMBER = re.compile(r"[-+]?[0-9.]+")
_ASKED = re.compile(
    r"\s*(?:(?:find|compute|calculate|what is)\s+)?(?:the\s+)?"
    r"(?:(?:(?:first\s+)?derivative|gradient)\s+of|differentiate)\s+(?P<rest>.+)",
    re.IGNORECASE | re.DOTALL,
)


def parse(
    text: str,
    *,
    names: Collection[str] = (),
    lets: Mapping[str, Expr] | None = None,
    defined: Mapping[str, Defined] | None = None,
    exact: bool = False,
    internal: bool = False,
) -> Expr:
    """The expression that `text` stands for. ExpressionError, with the place, for what is none.

    names: what is a variable whatever it is called (so pi may be one); lets: intermediate results by name; defined:
    functions by name.
    exact, internal: for the formulas of the table, whose numbers are never rounded, which may call internal rows with
    parameters still open, and may be a condition.
    """
    parser = Parser(text, names=names, lets=lets or {}, exact=exact, internal=internal)
    parser.defined = defined or {}
    return parser.whole()


def parse_constant(text: str) -> Expr:
    """An expression without variables, as in a point (pi/4): its numbers are exact."""
    return Parser(text, exact=True, constants_only=True).whole()


class LeftSide(NamedTuple):
    """name: its token. parameters: of a function; None where it is none."""

    name: Token
    parameters: tuple[str, ...] | None


class Parser(Notation):
    """One text being read. The methods named after the grammar take tokens and return operands."""

    # The whole text

    def whole(self) -> Expr:
        """The expression from here to the end of the text."""
        if self.at_end():
            raise self.error("There is no expression.", self.token)
        self.refuse_equation()
        if self.token.text == "d":
            self.refuse_derivative()
        if (asked := _ASKED.match(self.text)) and not self.is_variable(self.token.text):
            message = f"gradcheck differentiates by itself: give the function alone, {shorten(asked['rest'].strip())}."
            raise self.error(message, self.token, asked.start("rest"))
        operand = self.expression()
        if not self.at_end():
            if self.comes(",") and _NUMBER.fullmatch(rest := self.text[self.token.end :].strip()):
                raise self.error(("A point is given by ", Option("at", rest), "."), self.token, len(self.text))
            raise self.unexpected()
        expr = operand.expr if self.internal else self.function(operand)
        count(expr, self.work.counted)
        self.work.require_room(self.text)
        return expr

    def refuse_equation(self) -> None:
        """The error for a text such as y = x**2 or f(x) = x**2."""
        if "=" not in self.text or self.index or self.token.kind is not Kind.NAME:
            return
        equals = self.tokens[min(self.extent() + 1, len(self.tokens) - 1)]
        if equals.is_symbol("=", ":=") and (right := self.shown(equals.end, len(self.text)).strip()):
            raise self.error((f"{equals.text} has no meaning here: give the right-hand side alone, {right} (",
                              NAMING, " names an intermediate result)."), equals)  # fmt: skip

    def refuse_derivative(self) -> None:
        """The error for d/dx (x^2)."""
        end = self.tokens[-1]
        slash, below, after = (*self.tokens[self.index + 1 : self.index + 4], end, end, end)[:3]
        is_below = below.kind is Kind.NAME and below.text[0] == "d" and below.text != "d"
        is_factor = after.is_symbol("(", "[", "√", "|", "\\") or after.kind in (Kind.NAME, Kind.NUMBER)
        known = self.is_variable("d") or self.is_variable(below.text) or after.text in INFIX
        if slash.is_symbol("/") and is_below and is_factor and not known:
            raise self.error(DERIVES, self.token, below.end)

    def left_side(self) -> LeftSide | None:
        """What is before the equals sign of `y = x**2` and `f(x) = x**2`, which is taken; None where nothing is."""
        token, end = self.token, self.index + 1
        if token.kind is not Kind.NAME:
            return None
        parameters = None
        if self.comes("(", ahead=1):
            parameters, end = self._parameters(end)
        if end == self.index or not self.tokens[min(end, len(self.tokens) - 1)].is_symbol("=", ":="):
            return None
        for name in (token, *(parameters or ())):
            self.check_name(name)
        self.index = end + 1
        return LeftSide(token, None if parameters is None else tuple(name.text for name in parameters))

    def _parameters(self, opening: int) -> tuple[list[Token], int]:
        """(the names in the brackets that open there, the index behind them); none where something else is in them."""
        names, index = [], opening + 1
        while index + 1 < len(self.tokens) and self.tokens[index].kind is Kind.NAME:
            names.append(self.tokens[index])
            if self.tokens[index + 1].is_symbol(")") and len({name.text for name in names}) == len(names):
                return names, index + 2
            if not self.tokens[index + 1].is_symbol(",", ";", "|"):
                break
            index += 2
        return [], self.index

    # Operators

    def expression(self) -> Operand:
        """The longest expression from here. The caller judges what follows."""
        waiting: list[Operator] = []
        operands: list[Operand] = []
        while True:
            while (prefix := self.prefix()) is not None:
                waiting.append(prefix)
            operands.append(self.operand())
            infix = self.infix(waiting, operands)
            if infix is None:
                break
            self.reduce(waiting, operands, infix.precedence, right=infix.precedence in (POWER, CHOICE))
            if infix.symbol == "else":
                while waiting and waiting[-1].symbol == "else":
                    self.apply(waiting.pop(), operands)
                if not waiting:
                    raise self.error("else without an if: write a if condition else b.", infix)
                waiting.pop()
            waiting.append(infix)
            if infix.precedence == POWER and sum(one.precedence == POWER for one in waiting) > MAX_NESTING:
                raise self.too_deep(infix)
        self.reduce(waiting, operands, 0)
        return operands[0]

    def prefix(self) -> Operator | None:
        """The sign or `not` that comes next, if any."""
        token = self.token
        if token.text not in PREFIX or token.kind not in (Kind.SYMBOL, Kind.NAME):
            return None
        self.take()
        return Operator(token.text, PREFIX[token.text], token.start, token.end, prefix=True)

    def infix(self, waiting: list[Operator], operands: list[Operand]) -> Operator | None:
        """The operator that comes next, be it the multiplication that is not written; None where there is none."""
        token, before = self.token, self.previous
        if token.text in INFIX and (token.kind is Kind.SYMBOL or token.kind is Kind.NAME):
            if before.kind is Kind.SUPERSCRIPT and token.text in ("**", "^"):
                raise self.error("This can be read in two ways: put parentheses.", before, token.end)
            self.take()
            return Operator(token.text, INFIX[token.text], token.start, token.end)
        if token.kind is Kind.SYMBOL:
            if token.text == "|":
                return self.bar(waiting, operands)
            if token.text not in ("(", "√"):
                return None
        elif token.kind is Kind.NUMBER or token.kind is Kind.QUOTIENT:
            raise self.side_by_side(operands[-1])
        elif token.kind is not Kind.NAME or keyword.iskeyword(token.text):
            return None
        if before.kind is Kind.NAME and token.text != "(":
            self.require_factor(operands)
        return self.factor(waiting, operands)

    def factor(self, waiting: list[Operator], operands: list[Operand]) -> Operator:
        """The multiplication that is not written, before the operand that comes next."""
        self.reduce(waiting, operands, SIGN, over_powers=False)
        if waiting and waiting[-1].precedence == POWER and self.is_exponent_whole(*operands[-2:]):
            self.apply(waiting.pop(), operands)
            self.reduce(waiting, operands, SIGN, over_powers=False)
        if waiting and waiting[-1].symbol in ("/", "**", "^"):
            raise self.ambiguous(waiting, operands)
        return Operator("*", PRODUCT, self.token.start, self.token.start)

    def is_exponent_whole(self, base: Operand, exponent: Operand) -> bool:
        """Whether what comes next is surely no part of an exponent: e^(2x) x, x^2 y, x^2sin(x). Of e^2 x it may be."""
        written = self.text[exponent.start : exponent.end]
        if written[0] == "(" and enclosed(written):
            return True
        if not _NUMBER.fullmatch(written) or isinstance(base.expr, Constant):
            return False
        is_name = self.token.kind is Kind.NAME
        if is_name and self.is_called_function():
            return True
        between = self.text[self.previous.end : self.token.start]
        is_apart = between != "" and "\n" not in between
        return is_apart and not (is_name and not self.takes_factor(self.token.text))

    def ambiguous(self, waiting: list[Operator], operands: list[Operand]) -> ExpressionError:
        """The error for `1/2x` and `e^2x`, with both readings in terms of what was typed."""
        left, right = operands[-2:]
        if self.shown(right.start, right.end) == "T" and not self.is_variable("T"):
            message = "^T is the transpose of an array: give arrays as values, as in "
            raise self.error((message, Option("at", "x=[1, 2]"), "."), left, right.end)
        place = 2
        while len(waiting) >= place and waiting[-1].precedence == waiting[-place].precedence == POWER:
            left, place = operands[-place - 1], place + 1  # x^2^3 y
        start, before = left, ""
        while len(waiting) >= place and waiting[-place].is_unwritten:
            start, place = operands[-place - 1], place + 1
            before = f"{self.shown(start.start, start.end)}*{before}"
        factor = self.operand()
        while self.comes("**", "^"):
            self.take()
            while self.prefix() is not None:
                pass
            factor = factor._replace(end=self.operand().end)
        shown = self.shown(factor.start, factor.end)
        first = f"{before}({self.shown(left.start, right.end)})*{shown}"
        second = f"{before}{self.shown(left.start, right.start)}({self.shown(right.start, right.end)}*{shown})"
        return self.error(f"This can be read in two ways: write {first} or {second}.", start, factor.end)

    def reduce(
        self,
        waiting: list[Operator],
        operands: list[Operand],
        precedence: int,
        *,
        right: bool = False,
        over_powers: bool = True,
    ) -> None:
        """Apply the operators that bind tighter than `precedence`, and those that bind as tightly unless `right`.

        over_powers: False stops at a power, which the missing operator after it would make ambiguous.
        """
        while waiting and (waiting[-1].precedence > precedence or (waiting[-1].precedence == precedence and not right)):
            if waiting[-1].precedence == POWER and not over_powers:
                return
            self.apply(waiting.pop(), operands)

    def apply(self, operator: Operator, operands: list[Operand]) -> None:
        """Replace the operands of `operator`, which are the last ones, by its result."""
        right = operands.pop()
        symbol = operator.symbol
        if operator.prefix:
            operands.append(Operand(self.signed(symbol, right), operator.start, right.end))
            return
        left = operands.pop()
        last = None
        if symbol in ARITHMETIC:
            first, second = self.number(left), self.number(right)
            if first is not left.expr or second is not right.expr:
                self.refuse_arithmetic(symbol, left, right)
            expr = self.make(ARITHMETIC[symbol], first, second, start=left.start, end=right.end)
        elif symbol in COMPARISONS:
            last = self.number(right)
            expr = call(COMPARISONS[symbol], left.last or self.number(left), last)
            if left.last is not None:
                expr = call(op.AND, left.expr, expr)
        elif symbol in CONNECTIVES:
            expr = call(CONNECTIVES[symbol], self.condition(left, symbol), self.condition(right, symbol))
        elif symbol == "else":
            condition, left = left, operands.pop()
            expr = call(op.IFELSE, self.condition(condition, "if"), self.number(left), self.number(right))
        elif symbol == "if":
            raise self.error("This if has no else: write a if condition else b.", operator)
        else:
            instead = REPLACEMENTS[symbol].format(self.atom(left), self.atom(right))
            raise self.error(f"{symbol} has no meaning here: write {instead}.", operator)
        operands.append(Operand(expr, left.start, right.end, last))

    def signed(self, symbol: str, right: Operand) -> Expr:
        match symbol:
            case "-":
                number = self.number(right)
                if number is not right.expr:
                    self.refuse_arithmetic(symbol, right)
                return self.make(op.NEG, number)
            case "+":
                return self.number(right)
            case _:
                return call(op.NOT, self.condition(right, symbol))

    # Operands

    def operand(self) -> Operand:
        """A number, a name, a call or something in parentheses, with what follows it: superscripts and methods."""
        outside, self.reached = self.reached, self.level
        token = self.token
        match token.kind, token.text:
            case Kind.NUMBER, _:
                self.take()
                operand = Operand(self.constant(token.value), token.start, token.end)
            case Kind.NAME, text if text not in INFIX:
                operand = self.name()
            case Kind.SYMBOL, "(":
                operand = self.parenthesised()
            case Kind.QUOTIENT, _:
                operand = self.quotient()
            case Kind.SYMBOL, "√":
                operand = self.root()
            case Kind.SYMBOL, "|":
                operand = self.between_bars()
            case _:
                raise self.unexpected(missing=True)
        operand = self.postfix(operand)
        self.reached = max(outside, self.reached)
        return operand

    def postfix(self, operand: Operand) -> Operand:
        """`operand` with the superscripts and method calls that follow it."""
        while True:
            token = self.token
            if token.kind is Kind.SYMBOL:
                if token.text == ".":
                    operand = self.method(operand)
                elif token.text == "!":
                    message = f"! has no meaning here: for the factorial write gamma({self.atom(operand)} + 1)."
                    raise self.error(message, token)
                else:
                    return operand
            elif token.kind is Kind.SUPERSCRIPT:
                self.take()
                power = self.constant(abs(token.value))
                if token.value < 0:
                    power = self.make(op.NEG, power)
                expr = self.make(op.POW, self.number(operand), power, start=operand.start, end=token.end)
                operand = Operand(expr, operand.start, token.end)
                if self.token.kind is Kind.SUPERSCRIPT:
                    raise self.error("This can be read in two ways: put parentheses.", token, self.token.end)
            else:
                return operand

    def parenthesised(self) -> Operand:
        opening = self.open()
        inner = self.expression()
        return Operand(inner.expr, opening.start, self.close(opening).end)
