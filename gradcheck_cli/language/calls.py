"""Names, and what is called by them: variables, constants, functions with their arguments, methods, prefixes."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from fractions import Fraction

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Argument, Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Constant, Expr, Variable, call, named, variable
from gradcheck_cli.language import dialects, signatures, torch_text
from gradcheck_cli.language.cursor import MAX_NESTING, Arguments, Defined, Operand
from gradcheck_cli.language.greek import TWINS
from gradcheck_cli.language.libraries import PLAIN, WEIGHTED
from gradcheck_cli.language.library_calls import INPLACE, LibraryCalls
from gradcheck_cli.language.magnitude import is_plain, rational
from gradcheck_cli.language.special_forms import CASTS, NUMBERS
from gradcheck_cli.language.syntax import ALSO_VARIABLES, CONSTANTS, NOT_FINITE, NOT_IN_TORCH, PROGRAM
from gradcheck_cli.language.tokens import Kind, Token, shorten

_LOG_TO_BASE = re.compile(r"log_(\d{1,9}|[^\W\d_]\d?)")


class Calls(LibraryCalls):
    """A text being read as far as a name goes. The grammar between names is the parser's, who fills in `expression`."""

    def name(self) -> Operand:
        """A variable, a constant, an intermediate result, or the call of a function."""
        token, following = self.take(), self.token
        called = following.text == "(" and following.kind is Kind.SYMBOL
        dotted = following.text == "." and self.tokens[self.index + 1].kind is Kind.NAME
        if called and token.text in self.defined:
            return self.apply_defined(self.defined[token.text], token)
        if self.is_variable(token.text):
            if called and not self.may_be_factor(token):
                raise self.not_a_function(token)
        elif dotted and token.text in dialects.ROOTS:
            return self.from_library(token)
        elif called and not keyword.iskeyword(token.text) and not self.may_be_factor(token):
            return self.call(token.text, token.text, token)
        if following.kind is Kind.SUPERSCRIPT and token.text in self.defined and self.comes("(", ahead=1):
            g = token.text
            message = f"This can be read in two ways: write {g}(...)**{following.value} or {g}({g}(...))."
            raise self.error(message, token, following.end)
        expr = self.value(token)  # which may take what follows, as in sin x
        return Operand(expr, token.start, self.tokens[self.index - 1].end)

    def may_be_factor(self, token: Token) -> bool:
        """Whether the x of x(x + 1) is a factor: it is no function, and has a value or stands alone elsewhere."""
        name = token.text
        if name in self.lets or name in self.later or name in CONSTANTS or signatures.is_known(name):
            return False
        if name in self.names:
            return True
        if self.alone is None:
            followed = zip(self.tokens, self.tokens[1:], strict=False)
            names = (one.text for one, after in followed if one.kind is Kind.NAME and not after.is_symbol("(", "."))
            self.alone = frozenset(names)
        return name in self.alone

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
        if name in TWINS:
            name = self.spelling(name)
            if name in self.lets:
                return named(name, self.lets[name])
        if self.is_latex and name not in self.names and (joined := name.replace("_", "")) in self.names:
            name = joined  # x_{1} where x1 has a value
        if name not in self.names:
            if name in NOT_FINITE:
                raise self.error(f"{name} is not a finite number.", token)
            if name in CONSTANTS:
                return self.constant(CONSTANTS[name])
            if name == "E" and not self.internal:
                self.notice("E, which has no value, is read as e, as SymPy does: 2.718…")
                return self.constant("e")
            if self.is_function(name) and name not in ALSO_VARIABLES and not self.internal:
                return self.without_brackets(token)
        if self.constants_only:
            raise self.error(f"{shorten(name)} is not a number: a constant is wanted here, such as pi/4.", token)
        return variable(name)

    def spelling(self, name: str) -> str:
        """A Greek letter or its name, as the same variable is spelt elsewhere."""
        twin, greek = TWINS[name], self.work.greek
        if name in self.names or (twin not in self.names and twin not in self.lets and twin not in greek):
            greek.add(name)
            return name
        return twin

    def bare_function(self, token: Token) -> ExpressionError:
        """The error for `1 + sin` and `exp -x`."""
        argument = "x"
        if self.comes("-"):
            self.take()
            argument = f"-{self.following()}"
        return self.error(f"{token.text} is a function: write {token.text}({argument}).", token)

    def log_to_base(self, token: Token, base: str) -> Operand:
        """The call of log_3, whose arguments come next."""
        raise NotImplementedError

    def without_brackets(self, token: Token) -> Expr:
        """The call of a function that stands without brackets."""
        raise NotImplementedError

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
        if token.text in self.later:
            return self.error(self.later[token.text], token)
        name = shorten(token.text)
        return self.error(f"{name} is not a function: for a product write {name}*{self.following()}.", token)

    # Calls

    def apply_defined(self, function: Defined, token: Token) -> Operand:
        """The call of a function that the text defines: its body with the arguments in it."""
        arguments = self.arguments()
        end, wanted = arguments.end, function.parameters
        if arguments.keywords or arguments.options or len(arguments.positional) != len(wanted):
            usage = f"{function.name}({', '.join(wanted)})"
            given = len(arguments.positional) + len(arguments.keywords) + len(arguments.options)
            message = f"{usage} takes {len(wanted)} argument{'s' * (len(wanted) != 1)}, but {given or 'none'} "
            raise self.error(f"{message}{'was' if given < 2 else 'were'} given.", token)
        values = dict(zip(wanted, map(self.number, arguments.positional), strict=True))
        if all(value is own for value, own in zip(values.values(), function.given, strict=True)):
            return Operand(named(function.name, function.own), token.start, end)
        return Operand(self.put_in(function.body, values, token.start, end), token.start, end)

    def call(self, name: str | Function, typed: str, first: Token, last: Token | None = None) -> Operand:
        """The call of a function; its arguments come next. name: ours, or the row of a formula; typed: as typed, from
        `first` to `last`."""
        end = (last or first).end
        if name == "Piecewise":
            return self.piecewise(first)
        if isinstance(name, str) and name in PLAIN and signatures.find(name) is None:
            meaning = PLAIN[name]
            name = meaning if isinstance(meaning, str) else meaning.row()
        if isinstance(name, Function):
            row: Function | None = name
        elif name in NUMBERS:
            return self.as_number(name, typed, first)
        else:
            row = signatures.find("heaviside" if name == "Heaviside" else name, internal=self.internal)
        if row is None and name not in signatures.FORMS:
            if isinstance(name, str) and (base := _LOG_TO_BASE.fullmatch(name)):
                return self.log_to_base(first, base[1])
            raise self.unknown(first)
        arguments = self.arguments()
        positional = arguments.positional
        place = Operand(call(op.TRUE), first.start, end)
        torchs = torch_text.is_torchs(typed) and not self.constants_only
        if row is None:
            assert isinstance(name, str)
            expr = self.form(name, arguments, typed, place, torchs=torchs)
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
        if token.text in CASTS:
            return self.cast(target, token)
        if row is None and token.text in signatures.METHODS:
            arguments = self.arguments()
            positional = [target, *arguments.positional]
            place = Operand(target.expr, token.start, token.end)
            form = signatures.METHODS[token.text]
            expr = self.form(form, arguments._replace(positional=positional), token.text, place, torchs=True)
            return Operand(expr, target.start, arguments.end)
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
        shown += [f"{name}={self.shown(option.start, option.end)}" for name, option in arguments.options.items()]
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
                if self.token.kind is Kind.QUOTED or (
                    self.token.text in ("True", "False") and self.comes(",", ")", ahead=1)
                ):
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
        keywords, options = dict(arguments.keywords), dict(arguments.options)
        if "weight" in keywords and (weighted := WEIGHTED.get(row.name)):
            reduction = options.pop("reduction", None)
            row = weighted[reduction is not None and reduction.text != "mean"].row()
        if "inplace" in options and torch_text.takes_inplace(typed, row) and options.pop("inplace").text != "False":
            raise self.error(INPLACE, place)
        chosen = row
        for option, value in options.items():
            choices = chosen.options.get(option)
            if choices is None:
                at = value if value.kind is Kind.QUOTED else place
                raise self.error(signatures.misfit(row, typed, len(positional), [option]), at)
            if value.text not in choices:
                shown = (one if one in ("True", "False") else repr(one) for one in choices)
                raise self.error(f"{option} is one of {', '.join(shown)}.", value)
            chosen = FUNCTIONS[choices[value.text]]
        alpha = keywords.pop("alpha", None) if row in (op.ADD, op.SUB) else None
        bound = signatures.bind(chosen, positional, keywords)
        if bound is None:
            message = signatures.misfit(row, typed, len(positional), keywords)
            if row is op.LOG and len(positional) == 2 and typed in ("log", "math.log", "sp.log", "sympy.log"):
                above, below = (self.make(row, self.number(operand)) for operand in positional)
                return self.make(op.DIV, above, below)
            if row is op.LOG and len(positional) == 2:
                message = "log takes one argument: for the logarithm to base {1} write log({0})/log({1}).".format(
                    *(self.shown(operand.start, operand.end) for operand in positional)
                )
            raise self.error(message, place)
        named_row, (row, values) = row, bound
        if torchs:
            bare = self.bare(named_row, positional, arguments)
            given = keywords.keys() | options.keys()
            if refusal := torch_text.refusal(typed, row, values, len(positional), given, bare):
                raise self.error(refusal, place)
        args = [self.argument(typed, row, *pair) for pair in zip(row.arguments, values, strict=True)]
        if alpha is not None:
            args[1] = self.make(op.MUL, self.argument(typed, row, Argument("alpha", "number"), alpha), args[1])
        if dialects.is_formula(row):
            return self.formula(row, args, place.start, arguments.end)
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

    def following(self) -> str:
        """The text of the operand that begins here."""
        last = self.tokens[self.extent()]
        return "(...)" if last.kind is Kind.END else self.shown(self.token.start, last.end)

    def extent(self) -> int:
        """The index of the last token of the operand that begins here, as far as one can tell without reading it: a
        name, or all within brackets. That of the END token where a bracket is never closed."""
        last = self.index
        if self.at_end():
            return last
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
