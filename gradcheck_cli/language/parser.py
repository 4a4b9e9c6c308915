"""Text to expression. Nothing is evaluated, nothing is folded: what was typed is what comes out.

    expression = choice
    choice     = or ["if" or "else" choice]
    or         = and {"or" and}
    and        = not {"and" not}
    not        = {"not"} comparison
    comparison = bits {("<" | "<=" | ">" | ">=" | "==" | "!=") bits}        a < b < c is a < b and b < c
    bits       = sum {("&" | "|") sum}                                      between conditions
    sum        = product {("+" | "-") product}
    product    = signed {("*" | "/" | nothing) signed}                      nothing: 2x, 3(x + 1), (x + 1)(x - 1)
    signed     = {"-" | "+" | "~"} power
    power      = postfix [("**" | "^") signed]
    postfix    = operand {superscript | "." name "(" arguments ")"}
    operand    = number | name | "(" expression ")" | function "(" arguments ")" | "√(" expression ")"
    arguments  = {expression | name "=" (expression | quoted text)} separated by ","

Operators wait on a stack of their own, so a chain of them is a loop, however long; only brackets recurse, and their
nesting is bounded.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Argument, Function
from gradcheck_cli.expression.nodes import Constant, Expr, Variable, call, count, named, variable
from gradcheck_cli.language import dialects, signatures, torch_text
from gradcheck_cli.language.cursor import MAX_NESTING, Arguments, Cursor, Operand, Operator
from gradcheck_cli.language.magnitude import is_plain, rational
from gradcheck_cli.language.syntax import (
    ALSO_VARIABLES,
    ARITHMETIC,
    CHOICE,
    COMPARISONS,
    CONNECTIVES,
    CONSTANTS,
    INFIX,
    LOGICAL,
    MEANINGLESS,
    NAMING,
    NOT_FINITE,
    NOT_IN_TORCH,
    POWER,
    PREFIX,
    PRODUCT,
    PROGRAM,
    REPLACEMENTS,
    SIGN,
)
from gradcheck_cli.language.tokens import Kind, Token, shorten
from gradcheck_cli.surfaces import Message, Option

MAX_NODES = 100_000  # of an expression with all that --let defines


def parse(
    text: str,
    *,
    names: Collection[str] = (),
    lets: Mapping[str, Expr] | None = None,
    exact: bool = False,
    internal: bool = False,
) -> Expr:
    """The expression that `text` stands for. ExpressionError, with the place, for what is none.

    names: what is a variable whatever it is called (so pi may be one); lets: intermediate results by name.
    exact, internal: for the formulas of the table, whose numbers are never rounded, which may call internal rows with
    parameters still open, and may be a condition.
    """
    return _Parser(text, names=names, lets=lets or {}, exact=exact, internal=internal).whole()


def parse_constant(text: str) -> Expr:
    """An expression without variables, as in a point (pi/4): its numbers are exact."""
    return _Parser(text, exact=True, constants_only=True).whole()


def parse_lets(definitions: Sequence[str], *, names: Collection[str] = ()) -> dict[str, Expr]:
    """Intermediate results by name, from definitions such as "y = x*x", each of which sees the ones before.

    names: the variables that points give; none of them may be defined here.
    """
    parsers = [_Parser(text, names=names) for text in definitions]
    defined = [parser.definition() for parser in parsers]
    lets: dict[str, Expr] = {}
    later: dict[str, Message] = {
        token.text: (f"{token.text} is used before its ", Option("let"), ": put that one first.") for token in defined
    }
    for parser, token in zip(parsers, defined, strict=True):
        name = token.text
        if name in names:
            raise parser.error(
                (f"{name} is given a value and defined by ", Option("let"), ": leave one of them out."), token
            )
        if name in lets:
            raise parser.error(f"{name} is defined twice.", token)
        later[name] = (f"{name} is defined by itself.",)
        # What is known of the ones before is shared, for to walk them again each time would be quadratic.
        first = parsers[0]
        parser.magnitudes, parser.counted = first.magnitudes, first.counted
        parser.lets, parser.later = lets, later
        lets[name] = parser.whole()
        del later[name]
    return lets


class _Parser(Cursor):
    """One text being read. The methods named after the grammar take tokens and return operands."""

    # The whole text

    def whole(self) -> Expr:
        """The expression from here to the end of the text."""
        if self.at_end():
            raise self.error("There is no expression.", self.token)
        self.refuse_equation()
        operand = self.expression()
        if not self.at_end():
            raise self.unexpected()
        expr = operand.expr if self.internal else self.number(operand)
        count(expr, self.counted)
        if len(self.counted) > MAX_NODES:
            raise ExpressionError(f"The expression has more than {MAX_NODES:,} nodes.", self.text)
        return expr

    def refuse_equation(self) -> None:
        """The error for a text such as y = x**2 or f(x) = x**2."""
        if "=" not in self.text or self.index or self.token.kind is not Kind.NAME:
            return
        equals = self.tokens[min(self.extent() + 1, len(self.tokens) - 1)]
        if equals.is_symbol("=", ":=") and (right := self.shown(equals.end, len(self.text)).strip()):
            raise self.error((f"{equals.text} has no meaning here: give the right-hand side alone, {right} (",
                              NAMING, " names an intermediate result)."), equals)  # fmt: skip

    def definition(self) -> Token:
        """The name in `name = expression`, up to and with the equals sign."""
        if not self.comes("=", ahead=1) or self.token.kind is not Kind.NAME:
            raise self.error((Option("let"), ' takes a definition such as "y = x*x".'), self.token)
        self.check_name(self.token)
        token = self.take()
        self.take()
        return token

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
        if token.kind in (Kind.SYMBOL, Kind.NAME) and token.text in INFIX:
            if token.text in ("**", "^") and before.kind is Kind.SUPERSCRIPT:
                raise self.error("This can be read in two ways: put parentheses.", before, token.end)
            self.take()
            return Operator(token.text, INFIX[token.text], token.start, token.end)
        is_name = token.kind is Kind.NAME and not keyword.iskeyword(token.text)
        if not (is_name or token.kind is Kind.NUMBER or token.is_symbol("(", "√")):
            return None
        if before.kind is Kind.NAME or token.kind is Kind.NUMBER:
            raise self.side_by_side(operands[-1])
        self.reduce(waiting, operands, SIGN, over_powers=False)
        if waiting and waiting[-1].symbol in ("/", "**", "^"):
            raise self.ambiguous(waiting[-1], operands)
        return Operator("*", PRODUCT, token.start, token.start)

    def side_by_side(self, left: Operand) -> ExpressionError:
        """The error for `x y` and `x 2`."""
        shown, right, end = self.shown(left.start, left.end), self.following(), self.token.end
        call_form = f"{shown}({right}) or " if self.previous.kind is Kind.NAME and self.is_function(shown) else ""
        return self.error(f"An operator is missing: write {call_form}{shown}*{right}.", left, end)

    def following(self) -> str:
        """The text of the operand that begins here."""
        last = self.tokens[self.extent()]
        return "(...)" if last.kind is Kind.END else self.shown(self.token.start, last.end)

    def extent(self) -> int:
        """The index of the last token of the operand that begins here, as far as one can tell without reading it: a
        name, or all within brackets. That of the END token where a bracket is never closed."""
        last = self.index
        if self.token.kind is Kind.NUMBER and self.tokens[last + 1].kind is Kind.NAME:  # 2x
            last += 1
        if self.tokens[last + 1].is_symbol("(") and not self.token.is_symbol("("):
            last += 1
        depth = 0
        for index in range(last, len(self.tokens)):
            depth += self.tokens[index].is_symbol("(") - self.tokens[index].is_symbol(")")
            if depth <= 0:
                return index
        return len(self.tokens) - 1

    def ambiguous(self, operator: Operator, operands: list[Operand]) -> ExpressionError:
        """The error for `1/2x` and `e^2x`, with both readings in terms of what was typed."""
        left, right = operands[-2:]
        factor = self.operand()
        while self.comes("**", "^"):
            self.take()
            while self.prefix() is not None:
                pass
            factor = factor._replace(end=self.operand().end)
        shown = self.shown(factor.start, factor.end)
        first = f"({self.shown(left.start, right.end)})*{shown}"
        second = f"{self.shown(left.start, right.start)}({self.shown(right.start, right.end)}*{shown})"
        return self.error(f"This can be read in two ways: write {first} or {second}.", left, factor.end)

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
            expr = self.make(ARITHMETIC[symbol], self.number(left), self.number(right), start=left.start, end=right.end)
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
                return self.make(op.NEG, self.number(right))
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
            case Kind.SYMBOL, "√":
                self.take()
                if not self.comes("("):
                    raise self.error("√ needs parentheses: write √(x).", token)
                inner = self.parenthesised()
                operand = Operand(call(op.SQRT, self.number(inner)), token.start, inner.end)
            case Kind.SYMBOL, "|":
                raise self.bars()
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

    def bars(self) -> ExpressionError:
        """The error for |x|."""
        opening = self.take()
        closing = next((token for token in self.tokens[self.index :] if token.is_symbol("|")), None)
        if closing is None or closing.start == opening.end:
            return self.error(MEANINGLESS["|"], opening)
        inside = self.shown(opening.end, closing.start)
        return self.error(f"Bars have no meaning here: write abs({inside}).", opening, closing.end)

    # Names

    def name(self) -> Operand:
        """A variable, a constant, an intermediate result, or the call of a function."""
        token = self.take()
        called, dotted = self.comes("("), self.comes(".") and self.tokens[self.index + 1].kind is Kind.NAME
        if self.is_variable(token.text):
            if called:
                raise self.not_a_function(token)
        elif dotted and token.text in dialects.ROOTS:
            return self.from_library(token)
        elif called and not keyword.iskeyword(token.text):
            return self.call(token.text, token.text, token)
        return Operand(self.value(token), token.start, token.end)

    def value(self, token: Token) -> Expr:
        """What a name stands for where it is not called."""
        name = token.text
        if name in self.lets:
            return named(name, self.lets[name])
        if name in self.later:
            raise self.error(self.later[name], token)
        if name in ("True", "False"):
            return call(op.TRUE if name == "True" else op.FALSE)
        self.check_name(token)
        if name not in self.names:
            if name in NOT_FINITE:
                raise self.error(f"{name} is not a finite number.", token)
            if name in CONSTANTS:
                return self.constant(CONSTANTS[name])
            if self.is_function(name) and name not in ALSO_VARIABLES and not self.internal:
                raise self.bare_function(token)
        if self.constants_only:
            raise self.error(f"{shorten(name)} is not a number: a constant is wanted here, such as pi/4.", token)
        return variable(name)

    def bare_function(self, token: Token) -> ExpressionError:
        """The error for `sin`, `sin x` and `sin²(x)`."""
        name, power = token.text, self.token
        if power.kind is Kind.SUPERSCRIPT:
            self.take()
            argument = self.following() if self.comes("(") else "(x)"
            message = f"{name} is a function: for a power of it write {name}{argument}**{power.value}."
            return self.error(message, token, power.end)
        argument = self.following() if power.kind in (Kind.NAME, Kind.NUMBER) else "x"
        return self.error(f"{name} is a function: write {name}({argument}).", token)

    def check_name(self, token: Token) -> None:
        """Refuse the names that are words of Python, and those that begin with two underscores."""
        name = token.text
        if name == "None":
            raise self.error("None is not a number.", token)
        if keyword.iskeyword(name):
            message = PROGRAM.get(name, "{0} is a word of Python, not a name: for a variable write {0}_.")
            raise self.error(message.format(name), token)
        if name.startswith("__") or not name.strip("_"):
            raise self.error("A name may not begin with two underscores or be made of them.", token)

    def is_variable(self, name: str) -> bool:
        return name in self.names or name in self.lets or name in self.later

    def is_function(self, name: str) -> bool:
        return name in ("where", "Piecewise", "Heaviside") or (
            not self.is_variable(name) and signatures.find(name, internal=self.internal) is not None
        )

    def not_a_function(self, token: Token) -> ExpressionError:
        """The error for x(2)."""
        name = shorten(token.text)
        return self.error(f"{name} is not a function: for a product write {name}*{self.following()}.", token)

    def from_library(self, first: Token) -> Operand:
        """A name with a prefix, such as np.exp."""
        path = [first]
        while self.comes(".") and self.tokens[self.index + 1].kind is Kind.NAME:
            self.take()
            path.append(self.take())
        prefix = dialects.longest_prefix(tuple(token.text for token in path))
        if first.text in dialects.UNREAD:
            raise self.unknown_prefix(first, path[-1])
        if not prefix:
            known = " and ".join(sorted(p for p in dialects.LIBRARIES if p.startswith(f"{first.text}.")))
            raise self.error(f"Of {first.text}, gradcheck reads {known} only.", first, path[-1].end)
        last = path[prefix.count(".") + 1]
        self.index = self.tokens.index(last) + 1
        try:
            ours = dialects.meaning(prefix, last.text)
        except ExpressionError as error:
            raise self.error(error.message, first, last.end) from None
        if ours in CONSTANTS:
            return Operand(self.constant(CONSTANTS[ours]), first.start, last.end)
        typed = f"{prefix}.{last.text}"
        if not self.comes("("):
            raise self.error(f"{typed} is a function: write {typed}(x).", first, last.end)
        return self.call(ours, typed, first, last)

    def unknown_prefix(self, first: Token, last: Token) -> ExpressionError:
        """The error for tf.sigmoid(x)."""
        message = f"{shorten(first.text)} is neither a variable with a value nor a known prefix: "
        message += f"write the function alone, or after {dialects.COMMON}"
        return self.error(message, first, last.end)

    # Calls

    def call(self, name: str, typed: str, first: Token, last: Token | None = None) -> Operand:
        """The call of a function; its arguments come next. name: ours; typed: as typed, from `first` to `last`."""
        end = (last or first).end
        if name == "Piecewise":
            return self.piecewise(first)
        form = LOGICAL.get(name, name)
        row = signatures.find("heaviside" if name == "Heaviside" else name, internal=self.internal)
        if row is None and form not in signatures.FORMS:
            raise self.unknown(first)
        arguments = self.arguments()
        positional = arguments.positional
        place = Operand(call(op.TRUE), first.start, end)
        torchs = torch_text.is_torchs(typed) and not self.constants_only
        if row is None:
            expr = self.form(form, arguments, typed, place, torchs=torchs)
            return Operand(expr, first.start, arguments.end)
        if name == "Heaviside" and len(positional) == 1:
            half = self.constant(Fraction(1, 2))  # SymPy's value at 0
            positional = [*positional, Operand(half, end, end)]
        if row.associative and len(positional) > 2 and not arguments.keywords and not torchs:
            expr = self.number(positional[0])
            for operand in positional[1:]:
                expr = self.make(row, expr, self.number(operand))
        else:
            expr = self.fit(row, typed, positional, arguments, place, torchs=torchs)
        return Operand(expr, first.start, arguments.end)

    def method(self, target: Operand) -> Operand:
        """target.name(arguments): the target is the first argument that is no parameter."""
        dot, token = self.take(), self.token
        if token.kind is not Kind.NAME or not self.comes("(", ahead=1):
            raise self.error("After a dot only a method call is read, such as x.sigmoid().", dot, token.end)
        name = self.tokens[self.index - 2]
        self.take()
        row = signatures.find(token.text)
        if token.text == "where":
            raise self.error("Write where(condition, x, y): the condition comes first.", token)
        if row is None:
            raise self.error(f"There is no method {shorten(token.text)}.{signatures.hint(token.text)}", token)
        depth, self.reached = self.reached, self.level
        arguments = self.arguments()
        self.reached = max(self.reached, depth + 1)  # written as a call, the target is in brackets
        if self.reached > MAX_NESTING:
            raise self.too_deep(token)
        index = min(signatures.first_real(row), len(arguments.positional))
        positional = [*arguments.positional[:index], target, *arguments.positional[index:]]
        if isinstance(target.expr, Variable) and target.start == name.start and not self.is_variable(name.text):
            as_method = signatures.bind(row, positional, arguments.keywords)
            if as_method is None and signatures.bind(row, arguments.positional, arguments.keywords):
                raise self.unknown_prefix(name, token)
        place = Operand(target.expr, token.start, token.end)
        if refusal := torch_text.no_method(token.text, row, self.bare(row, positional, arguments)):
            raise self.error(refusal, token)
        expr = self.fit(row, token.text, positional, arguments, place, torchs=True)
        return Operand(expr, target.start, arguments.end)

    def bare(self, row: Function, positional: Sequence[Operand], arguments: Arguments) -> str:
        """A call of `row` without a prefix, with the arguments as they were typed."""
        shown = [self.shown(operand.start, operand.end) for operand in positional]
        shown += [f"{name}={self.shown(operand.start, operand.end)}" for name, operand in arguments.keywords.items()]
        shown += [f"{name}={option.text!r}" for name, option in arguments.options.items()]
        return f"{row.name}({', '.join(shown)})"

    def arguments(self) -> Arguments:
        """What is in the brackets of a call."""
        opening = self.open()
        found = Arguments([], {}, {}, 0)
        while not self.comes(")"):
            token = self.token
            if token.kind is Kind.NAME and self.comes("=", ahead=1):
                self.index += 2
                if token.text in found.keywords or token.text in found.options:
                    raise self.error(f"{token.text} is given twice.", token)
                if self.token.kind is Kind.QUOTED:
                    found.options[token.text] = self.take()
                else:
                    found.keywords[token.text] = self.expression()
            elif found.keywords or found.options:
                raise self.error("An argument without a keyword comes after one with a keyword.", token)
            else:
                found.positional.append(self.expression())
            if not self.comes(","):
                break
            self.take()
        return found._replace(end=self.close(opening).end)

    def fit(
        self,
        row: Function,
        typed: str,
        positional: Sequence[Operand],
        arguments: Arguments,
        place: Operand,
        *,
        torchs: bool = False,
    ) -> Expr:
        """The call of `row`, or of one of its overloads, with these arguments. torchs: as torch itself takes them."""
        for option, value in arguments.options.items():
            choices = row.options.get(option)
            if choices is None:
                raise self.error(signatures.misfit(row, typed, len(positional), [option]), value)
            if value.text not in choices:
                raise self.error(f"{option} is one of {', '.join(map(repr, choices))}.", value)
        chosen = signatures.select(row, {option: value.text for option, value in arguments.options.items()})
        assert chosen is not None
        keywords = dict(arguments.keywords)
        if "inplace" in keywords and torch_text.takes_inplace(typed, row):
            if keywords["inplace"].expr is not call(op.FALSE):
                raise self.error("inplace=True, which changes the operand itself, is not run: leave it out.", place)
            del keywords["inplace"]
        alpha = keywords.pop("alpha", None) if row in (op.ADD, op.SUB) else None
        bound = signatures.bind(chosen, positional, keywords)
        if bound is None:
            message = signatures.misfit(row, typed, len(positional), keywords)
            if row is op.LOG and len(positional) == 2:
                message = "log takes one argument: for the logarithm to base {1} write log({0})/log({1}).".format(
                    *(self.shown(operand.start, operand.end) for operand in positional)
                )
            raise self.error(message, place)
        named_row, (row, values) = row, bound
        if torchs:
            bare = self.bare(named_row, positional, arguments)
            given = keywords.keys() | arguments.options.keys()
            if refusal := torch_text.refusal(typed, row, values, len(positional), given, bare):
                raise self.error(refusal, place)
        args = [self.argument(typed, row, *pair) for pair in zip(row.arguments, values, strict=True)]
        if alpha is not None:
            args[1] = self.make(op.MUL, self.argument(typed, row, Argument("alpha", "number"), alpha), args[1])
        return self.make(row, *args, start=place.start, end=arguments.end)

    def argument(self, typed: str, row: Function, argument: Argument, value: Operand | None) -> Expr:
        """One argument as it goes into the call: parameters are folded to a number, the default is put in."""
        if value is None:
            assert argument.default is not None
            return self.constant(argument.default)
        if argument.kind == "real":
            return self.number(value)
        number = rational(self.number(value))
        if self.internal:
            return value.expr if number is None else self.constant(number)
        shown = self.shown(value.start, value.end)
        literal = isinstance(value.expr, Constant)
        if number is None or not (literal or is_plain(number)):
            message = f"The argument {argument.name} of {typed} is a plain number, such as 2 or 0.5, not {shown}."
            raise self.error(message, value)
        if argument.kind == "integer":
            least, most = argument.least, signatures.MAX_INTEGER
            if number.denominator != 1 or not least <= number <= most:
                wanted = f"an integer from {least} to {most}"
                raise self.error(f"The argument {argument.name} of {typed} is {wanted}, not {shown}.", value)
        return self.constant(number)

    def form(self, name: str, arguments: Arguments, typed: str, place: Operand, *, torchs: bool) -> Expr:
        """where, or a condition that is written as a call: torch.gt(x, 0), logical_not(c). torchs: as in `fit`."""
        row = signatures.FORMS[name]
        bound = None if arguments.options else signatures.bind(row, arguments.positional, arguments.keywords)
        if bound is None:
            message = signatures.misfit(row, typed, len(arguments.positional), arguments.keywords)
            if name == "where":
                message = f"{typed} takes a condition and two values: {typed}(x > 0, a, b)."
            raise self.error(message, place)
        operands = [value._replace(last=None) for value in bound[1] if value is not None]
        if torchs:
            shown = [self.atom(operand) for operand in operands]
            bare = f" {name} ".join(shown) if name in INFIX else f"{name}({', '.join(shown)})"
            if refusal := torch_text.refusal(typed, row, operands, 0, (), bare):
                raise self.error(refusal, place)
        if name == "where":
            condition, first, second = operands
            return call(op.WHERE, self.condition(condition, "where"), self.number(first), self.number(second))
        self.apply(Operator(name, 0, place.start, arguments.end, prefix=name == "not"), operands)
        return operands[0].expr

    def piecewise(self, name: Token) -> Operand:
        """Piecewise((a, c), (b, True)), which is where(c, a, b)."""
        opening, level = self.open(), self.level
        pairs: list[tuple[Expr, Expr]] = []
        while self.comes("("):
            pair = self.open()
            value = self.number(self.expression())
            if not self.comes(","):
                raise self.error("Piecewise takes pairs (value, condition), the last of them (value, True).", pair)
            self.take()
            condition = self.condition(self.expression(), "Piecewise")
            self.close(pair)
            pairs.append((value, condition))
            if not self.comes(","):
                break
            self.take()
            self.deepen(self.token)  # each pair is one more where within where
        self.level = level
        end = self.close(opening).end
        if not pairs or pairs[-1][1] is not call(op.TRUE):
            raise self.error("Piecewise needs a last pair (value, True), for where no condition holds.", name, end)
        expr = pairs.pop()[0]
        for value, condition in reversed(pairs):
            expr = call(op.WHERE, condition, value, expr)
        return Operand(expr, name.start, end)

    def unknown(self, token: Token) -> ExpressionError:
        """The error for the call of what is no function."""
        name = token.text
        self.value(token)  # names that are refused in any case
        if name in NOT_IN_TORCH:
            typed = [self.atom(operand) for operand in self.arguments().positional]
            return self.error(NOT_IN_TORCH[name].format(*typed, *("x", "y")[len(typed) :]), token)
        hint = signatures.hint(name)
        if len(name) <= 2 or name in CONSTANTS:
            return self.not_a_function(token)
        return self.error(f"There is no function {shorten(name)}.{hint or ' See `gradcheck functions`.'}", token)
