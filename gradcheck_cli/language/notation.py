"""What is written as on paper: sin x, sin²(x), sin^-1(x), √x, |x|, w x + b, x(x + 1).

A form that has two readings is an error that shows both.
"""

from __future__ import annotations

import re
from fractions import Fraction

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Expr, call
from gradcheck_cli.language import signatures
from gradcheck_cli.language.calls import Calls
from gradcheck_cli.language.cursor import Arguments, Operand, Operator
from gradcheck_cli.language.greek import GREEK
from gradcheck_cli.language.syntax import BIT_OR, COMPARISON, CONSTANTS, INFIX, OR
from gradcheck_cli.language.tokens import Kind, Token

_SHORT = re.compile(r"[^\W\d_]_?\w?\d*")  # x, x1, x_1, xi, w_k
_TRIGONOMETRIC = ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch")
_INVERSES = {"erf": "erfinv"} | {name: f"a{name}" for name in _TRIGONOMETRIC}


class Notation(Calls):
    """A text being read as far as these forms go."""

    # Products without a sign

    def require_factor(self, operands: list[Operand]) -> None:
        """Raise the error where a name that was just read may not have a factor beside it, as x has in `w x`."""
        before, token = self.previous, self.token
        if "\n" in self.text[before.end : token.start]:
            raise self.side_by_side(operands[-1])
        if not self.takes_factor(before.text):
            raise self.side_by_side(operands[-1])

    def takes_factor(self, name: str) -> bool:
        """Whether a name may have a factor beside it."""
        if self.is_variable(name) or name in CONSTANTS:
            return True
        return not self.is_function(name) and bool(_SHORT.fullmatch(name) or name in GREEK)

    def side_by_side(self, left: Operand) -> ExpressionError:
        """The error for `x 2` and `learning rate`."""
        shown, right, end = self.shown(left.start, left.end), self.following(), self.token.end
        instead = f"{shown}*{right}"
        if self.token.kind is Kind.QUOTIENT and self.previous.kind is Kind.NUMBER:
            return self.error(f"This can be read in two ways: write {shown} + {right} or {instead}.", left, end)
        if self.previous.kind is Kind.NAME and self.is_function(shown):
            instead = f"{shown}({right}) or {instead}"
        elif self.previous.kind is Kind.NAME and self.token.kind is Kind.NAME and right.isidentifier():
            instead += f", or {shown}_{right} for one name"
        return self.error(f"An operator is missing: write {instead}.", left, end)

    # Bars

    def bar(self, waiting: list[Operator], operands: list[Operand]) -> Operator | None:
        """What | means after an operand: the end of an absolute value, a factor that begins, or `or`."""
        token = self.token
        if self.bars and self.bars[-1] == self.level:
            return None
        expr, following = operands[-1].expr, self.tokens[self.index + 1]
        doubled = following.is_symbol("|") and following.start == token.end
        is_number = not (isinstance(expr, Call) and expr.function.is_condition)
        compares = any(operator.precedence == COMPARISON for operator in waiting)
        if is_number and not compares and following.start == token.end and self.bars_ahead() > 1 + doubled:
            joined = self.previous.end == token.start and not self.previous.is_symbol("|")
            if joined and waiting and waiting[-1].is_unwritten and self.text[operands[-2].end - 1] == "|":
                first, second = (self.shown(operand.start, operand.end) for operand in operands[-2:])
                message = f"This can be read in two ways: put * where a product is meant, {first}*{second}*|."
                raise self.error(message, operands[-2], token.end)
            return self.factor(waiting, operands)
        self.take()
        if doubled:
            self.take()
            return Operator("||", OR, token.start, token.end + 1)
        return Operator("|", BIT_OR, token.start, token.end)

    def bars_ahead(self) -> int:
        """How many bars there are from here on within the brackets that are open, up to four."""
        depth = found = 0
        for index in range(self.index, len(self.tokens)):
            token = self.tokens[index]
            depth += token.is_symbol("(") - token.is_symbol(")")
            found += not depth and token.is_symbol("|")
            if depth < 0 or found > 3:
                break
        return found

    def between_bars(self) -> Operand:
        """|x|, and ||x||, which is the same for a number."""
        opening = self.open()
        self.bars.append(self.level)
        doubled = self.comes("|") and self.token.start == opening.end
        inner = self.expression()
        if not self.comes("|"):
            if self.at_end():
                raise self.error("This | is never closed: |x| is abs(x).", opening)
            raise self.unexpected()
        self.bars.pop()
        self.level -= 1
        closing = self.take()
        is_bars = doubled and self.last_bars == (opening.end, closing.start) == (inner.start, inner.end)
        self.last_bars = opening.start, closing.end
        expr = inner.expr if is_bars else call(op.ABS, self.number(inner))
        return Operand(expr, *self.last_bars)

    # Numbers, and logarithms to a base

    def log_to_base(self, token: Token, base: str) -> Operand:
        """log_3(x), which is log(x)/log(3). base: what is behind the underscore."""
        argument = self.made("log", self.call_argument(token), token)
        over = self.constant(Fraction(base)) if base.isdigit() else self.value(token._replace(text=base))
        expr = self.make(op.DIV, argument, call(op.LOG, over), start=token.start, end=self.previous.end)
        return Operand(expr, token.start, self.previous.end)

    def call_argument(self, token: Token) -> Operand:
        """The only argument of a call, in the brackets that come next."""
        found = self.arguments()
        if len(found.positional) != 1 or found.keywords or found.options:
            raise self.error(f"{token.text}(x) takes 1 argument.", token)
        return found.positional[0]

    def quotient(self) -> Operand:
        """½, which is 1/2."""
        token = self.take()
        over, under = map(self.constant, map(Fraction, token.value.as_integer_ratio()))
        return Operand(self.make(op.DIV, over, under), token.start, token.end)

    # Functions without brackets

    def without_brackets(self, token: Token) -> Expr:
        """`sin x`, `sin 2x`, `sin²(x)` and `sin^-1(x)`, of which the name has been taken."""
        row = signatures.find(token.text)
        if row is None or len(row.arguments) - sum(a.default is not None for a in row.arguments) != 1:
            raise self.bare_function(token)
        name = token.text
        if self.token.kind is Kind.SUPERSCRIPT or self.comes("^", "**"):
            return self.power_of_function(token, row)
        if not self.begins_argument():
            raise self.bare_function(token)
        return self.made(name, self.argument_alone(token), token)

    def made(self, name: str, argument: Operand, token: Token) -> Expr:
        """The call of a function with one argument."""
        row = signatures.find(name)
        assert row is not None
        return self.fit(
            row, name, [argument], Arguments([], {}, {}, argument.end), Operand(argument.expr, token.start, token.end)
        )

    def begins_argument(self) -> bool:
        token = self.token
        return (
            token.kind is Kind.NUMBER
            or token.is_symbol("√", "|")
            or (token.kind is Kind.NAME and token.text not in INFIX and token.text != "not")
        )

    def argument_alone(self, function: Token) -> Operand:
        """The argument of a function without brackets: one factor, or a number and a name, 2x."""
        start, number = self.index, self.token.kind is Kind.NUMBER
        self.deepen(function)
        argument = self.factor_alone()
        if (
            number
            and self.token.kind is Kind.NAME
            and self.token.start == argument.end
            and not self.is_called_function()
        ):
            second = self.factor_alone()
            product = self.make(op.MUL, argument.expr, self.number(second))
            argument = Operand(product, argument.start, second.end)
        self.level -= 1
        self.require_end(function, self.tokens[start], argument)
        return argument

    def factor_alone(self) -> Operand:
        """One factor, without what may follow it."""
        token = self.token
        if token.kind is Kind.NUMBER:
            self.take()
            return Operand(self.constant(token.value), token.start, token.end)
        if token.is_symbol("√"):
            return self.root()
        return self.between_bars() if token.is_symbol("|") else self.name()

    def is_called_function(self) -> bool:
        """Whether the name that comes next is a function: the argument before it ends there, as in sin x cos x."""
        return not self.is_variable(self.token.text) and self.is_function(self.token.text)

    def require_end(self, function: Token, first: Token, argument: Operand) -> None:
        """The error where the argument of a function without brackets may go on: sin x/2, sin x², ln x y."""
        token = self.token
        is_factor = token.kind is Kind.NUMBER or token.is_symbol("(", "√")
        if token.kind is Kind.NAME and token.text not in INFIX:
            is_factor = not self.is_called_function()
        power = token.kind is Kind.SUPERSCRIPT or token.is_symbol("^", "**")
        if not (is_factor or power or token.is_symbol("*", "/", ".")):
            return
        name, inside = function.text, self.shown(first.start, argument.end)
        if token.kind is Kind.SUPERSCRIPT:
            rest = token.text
        elif is_factor:
            rest = f"*{self.following()}"
        else:
            self.take()
            rest = token.text + self.following()
        raise self.error(
            f"This can be read in two ways: write {name}({inside}){rest} or {name}({inside}{rest}).",
            function,
            max(self.token.end, token.end) if not self.at_end() else token.end,
        )

    # Powers of functions

    def power_of_function(self, token: Token, row: Function) -> Expr:
        """sin²(x) and sin^2(x), which are powers of the value; sin^-1(x), which is the inverse."""
        power, name, end = self.function_power(), token.text, self.previous.end
        if power is None or not (self.comes("(") or self.begins_argument()):
            raise self.error(f"{name} is a function: for a power of it write {name}(x)**2.", token, end)
        written = self.text[token.start : end]
        if power == -1:
            inverse = _INVERSES.get(row.name, "")
            if signatures.find(inverse) is None:
                message = f"This can be read in two ways: write 1/{name}(x), or the inverse of {name} by its own name."
                raise self.error(message, token, end)
            self.notices.append(f"{written} is read as {inverse}, the inverse; 1/{name}(x) is the reciprocal")
            return self.applied(inverse, token)
        if power < 1:
            raise self.error(f"{name} is a function: for a power of it write {name}(x)**{power}.", token, end)
        base = self.applied(name, token)
        return self.make(op.POW, base, self.constant(Fraction(power)), start=token.start, end=self.previous.end)

    def function_power(self) -> int | None:
        """The power beside the name of a function: ², ⁻¹, ^2, **2, ^-1, ^(-1), ^{-1}. None where it is no number."""
        token = self.take()
        if token.kind is Kind.SUPERSCRIPT:
            return int(token.value)
        closing = {"(": ")", "{": "}"}.get(self.token.text, "") if self.token.kind is Kind.SYMBOL else ""
        if closing:
            self.take()
        sign = -1 if self.comes("-") else 1
        if sign < 0:
            self.take()
        number = self.take() if self.token.kind is Kind.NUMBER else None
        if closing:
            if not self.comes(closing):
                return None
            self.take()
        return None if number is None or number.value.denominator != 1 else sign * int(number.value)

    def applied(self, name: str, token: Token) -> Expr:
        """A function whose argument comes next, with brackets or without."""
        if self.comes("("):
            return self.call(name, name, token).expr
        return self.made(name, self.argument_alone(token), token)

    # Roots

    def root(self) -> Operand:
        """√x and √(x + 1): the root of one factor."""
        sign = self.take()
        inner = self.parenthesised() if self.comes("(") else self.factor_of_root(sign)
        return Operand(call(op.SQRT, self.number(inner)), sign.start, inner.end)

    def factor_of_root(self, sign: Token) -> Operand:
        if not self.begins_argument():
            raise self.error("√ needs a number, a name or parentheses: write √(x).", sign)
        self.deepen(sign)
        factor, token = self.factor_alone(), self.token
        self.level -= 1
        is_power = token.kind is Kind.SUPERSCRIPT or token.is_symbol("^", "**")
        joined = token.start == factor.end and (token.kind is Kind.NAME or token.is_symbol("("))
        if is_power or joined:
            inside, rest = self.shown(factor.start, factor.end), token.text
            if joined:
                rest = f"*{self.following()}"
            elif token.kind is not Kind.SUPERSCRIPT:
                self.take()
                rest += self.following()
            message = f"This can be read in two ways: write √({inside}){rest} or √({inside}{rest})."
            raise self.error(message, sign, token.end)
        return factor

    # What the parser gives

    def parenthesised(self) -> Operand:
        raise NotImplementedError

    def factor(self, waiting: list[Operator], operands: list[Operand]) -> Operator:
        """The multiplication that is not written, before the operand that comes next."""
        raise NotImplementedError
