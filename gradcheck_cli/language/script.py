"""A text with all that it defines, as expressions: `y = x^2; z = 2y + 3` is a function z of x, with y on the way.

The last statement is the function, or the one that backward is called on. The others are intermediate results, as
those of --let are, and functions that it may call.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Named,
    Variable,
    named,
    rebuild,
    topological,
    variable,
    variables,
)
from gradcheck_cli.language.cursor import Defined, Work
from gradcheck_cli.language.parser import Parser
from gradcheck_cli.language.refusals import require_formulas
from gradcheck_cli.language.statements import (
    CALL,
    Statement,
    arguments_in,
    require_gradient_itself,
    statements,
    target_of,
)
from gradcheck_cli.language.tokens import shorten
from gradcheck_cli.surfaces import Message, Option

LONGEST_NOTICE = 100
_NUMBER = re.compile(r"[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_RATIO = re.compile(r"[d∂](\w+)\s*/\s*[d∂]\w+")


@dataclass(frozen=True)
class Script:
    """What a text says.

    function_name: what the text calls its function; None where it has no left side. lets: intermediate results by name.
    definitions: what is defined, as it is called (`y`, `a(x)`), with its text and its expression. at: the points that
    the text itself gives, as texts of --at. notices: what was passed over, and what was taken to be meant. parameters:
    of the function, where the text says them. functions: what the text defines as functions.
    """

    expression: Expr
    function_name: str | None = None
    lets: Mapping[str, Expr] = field(default_factory=dict)
    definitions: Mapping[str, tuple[str, Expr]] = field(default_factory=dict)
    at: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    functions: Mapping[str, Defined] = field(default_factory=dict)


def read_script(
    text: str, lets: Sequence[str] = (), *, given: Collection[str] = (), names: Collection[str] = ()
) -> Script:
    """The function that `text` stands for, or ExpressionError.

    lets: the texts of --let. given: the variables that points give values to; names: those, and whatever else is known
    to be a variable.
    """
    main = statements(text)
    if not lets and main.is_plain:
        parser = Parser(main.items[0].text, names=names)
        if parser.left_side() is None:
            return Script(parser.whole(), notices=tuple(parser.notices))
    reader = _Reader(given, names)
    before = [statements(one) for one in lets]
    reader.define_lets([item for one in before for item in one.items])
    passed_over = [part for one in (*before, main) for part in one.passed_over]
    return reader.function(main.items, passed_over)


def parse_lets(definitions: Sequence[str], *, names: Collection[str] = ()) -> dict[str, Expr]:
    """Intermediate results by name, from definitions such as "y = x*x", each of which sees the ones before.

    names: the variables that points give; none of them may be defined here.
    """
    reader = _Reader(names, names)
    reader.define_lets([item for text in definitions for item in statements(text).items])
    return reader.lets


class _Definition:
    """A statement, with the name that it gives to its right side; None where it gives none."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.parser = Parser(statement.text)
        left = self.parser.left_side() if statement.name is None else None
        if left is not None and left.parameters is None and (second := self.parser.left_side()) is not None:
            if second.parameters is None:
                raise self.parser.error(f"One name is enough: {left.name.text} or {second.name.text}.", second.name)
            left = second  # y = f(x) = x**2
        self.token = None if left is None else left.name
        self.name = statement.name if left is None else left.name.text
        self.parameters = statement.parameters if left is None else left.parameters
        self.text = statement.text[self.parser.token.start :].strip()
        self.locals = [_Definition(item) for item in statement.body]

    @property
    def label(self) -> str:
        return f"{self.name}" if self.parameters is None else f"{self.name}({', '.join(self.parameters)})"

    def error(self, message: str | Message) -> ExpressionError:
        """At its name."""
        if self.token is not None:
            return self.parser.error(message, self.token)
        source = self.statement.said or self.statement.text
        start = max(0, source.find(self.name or source))
        return ExpressionError(message, source, start, start + len(self.name or source))


class _Reader:
    """Definitions, read one after the other. What is inside of a `def` has a reader of its own.

    inside: of functions with intermediate results inside, their value with those under their names, and their reader.
    values: the points that the text gives, by variable.
    """

    def __init__(self, given: Collection[str], names: Collection[str]) -> None:
        self.given, self.names = given, frozenset(names)
        self.lets: dict[str, Expr] = {}
        self.functions: dict[str, Defined] = {}
        self.later: dict[str, Message] = {}
        self.definitions: dict[str, tuple[str, Expr]] = {}
        self.own_names: set[str] = set()
        self.inside: dict[str, tuple[Expr, _Reader]] = {}
        self.values: dict[str, str] = {}
        self.work = Work()
        self.notices: list[str] = []

    # Definitions

    def define_lets(self, items: Iterable[Statement]) -> None:
        """Read the definitions of --let."""
        found = [_Definition(item) for item in items]
        for one in found:
            if one.name is None or one.statement.is_target or one.statement.value:
                example = (Option("let"), ' takes a definition such as "y = x*x".')
                raise one.parser.error(example, one.parser.tokens[0])
        self.announce(found, " is used before its ", Option("let"))
        for one in found:
            self.define(one, " is given a value and defined by ", Option("let"))

    def announce(self, definitions: Iterable[_Definition], *message: str | Option) -> None:
        """Let errors speak of the names that come later."""
        self.later |= {one.name: (one.name, *message, ": put that one first.") for one in definitions if one.name}

    def define(self, one: _Definition, *given: str | Option) -> None:
        """Read a definition. given: the sentence where its name has a value."""
        name = one.name or ""
        if name in self.given:
            raise one.error((name, *given, ": leave one of them out."))
        if name in self.lets or name in self.values:
            raise one.error(f"{name} is defined twice: give the second one a name of its own.")
        self.later[name] = (f"{name} is defined by itself.",)
        self.lets[name] = self.parse(one) if one.parameters is None else self.parse_function(one, one.parameters)
        self.definitions[one.label] = one.text, self.lets[name]
        self.own_names.add(name)
        del self.later[name]

    def parse(self, one: _Definition) -> Expr:
        """The right side."""
        parser = one.parser
        parser.names, parser.work, parser.notices = self.names - self.lets.keys(), self.work, self.notices
        parser.lets, parser.later, parser.defined = self.lets, self.later, self.functions
        return parser.whole()

    def parse_function(self, one: _Definition, parameters: tuple[str, ...]) -> Expr:
        """The right side of `f(x) = ...`, and f as a function from here on."""
        inner = self.child(parameters)
        inner.announce(one.locals, " is used before its definition")
        for local in one.locals:
            if local.name is None:
                raise local.error("This line has no effect: give it a name, such as y = x*x, or leave it out.")
            inner.define(local, " is given a value and defined here")
        full = inner.parse(one)
        body = full if not one.locals else self.rebuilt(full, {}, inner.own_names)
        name = one.name or ""
        given = tuple(named(p, self.lets[p]) if p in self.lets else variable(p) for p in parameters)
        meant = {p: value for p, value in zip(parameters, given, strict=True) if isinstance(value, Named)}
        own = self.rebuilt(body, meant, ()) if meant else body
        self.functions[name] = Defined(name, parameters, body, given, own)
        if one.locals:
            self.inside[name] = self.rebuilt(full, meant, ()), inner
        return own

    def child(self, parameters: Collection[str]) -> _Reader:
        """For the inside of a function, whose parameters hide what has their names outside."""
        inner = _Reader([name for name in self.given if name not in parameters], self.names | set(parameters))
        inner.lets, inner.functions, inner.later = dict(self.lets), dict(self.functions), dict(self.later)
        for name in parameters:
            for known in (inner.lets, inner.functions, inner.later):
                known.pop(name, None)
        inner.work, inner.notices = self.work, self.notices
        return inner

    def rebuilt(self, expr: Expr, values: Mapping[str, Expr], unnamed: Collection[str]) -> Expr:
        """`expr` with variables replaced, and without the names of some intermediate results."""
        self.work.copied += len(topological(expr))
        self.work.require_room()

        def replace(node: Expr, below: tuple[Expr, ...]) -> Expr | None:
            if isinstance(node, Variable):
                return values.get(node.name)
            return below[0] if isinstance(node, Named) and node.name in unnamed else None

        return rebuild(expr, replace)

    # The function

    def function(self, items: Sequence[Statement], passed_over: list[str]) -> Script:
        """The function that the statements of the text end in."""
        passed_over += [item.said for item in items if item.wrt]
        items = [item for item in items if not item.wrt]
        require_formulas(items)
        for item in items:
            require_gradient_itself(item)
        self.values = {item.name: _number(item) for item in items if item.name is not None and item.value}
        found = [_Definition(item) for item in items if not item.value]
        if not found:
            raise ExpressionError("There is no formula in this text, only points.", items[-1].said)
        while len(found) > 1 and _is_value(found[-1], found[:-1]):  # f(x) = x^2; x = 3
            one, parameters = found.pop(), {name for other in found for name in other.parameters or ()}
            if parameters and one.name not in parameters:
                found.insert(0, one)  # f(x) = a*x^2; a = 3
            else:
                self.values[one.name or ""] = one.text
        self.names |= self.values.keys()
        self.announce(found, " is used before its definition")
        names = {one.name for one in found}
        asked = [one for one in found if (ratio := _RATIO.fullmatch(one.text)) and ratio[1] in names and not one.name]
        passed_over += [one.text for one in asked]  # dy/dx, where y is defined
        found = [one for one in found if one not in asked]
        target = target_of([one.statement for one in found])
        chosen = found[-1] if target is None else next(one for one in found if one.statement is target)
        last = found.index(chosen)
        for one in found[:last]:
            if one.name is None and one.text not in names:
                if keyword.iskeyword(one.parser.token.text):
                    self.parse(one)
                raise one.error("This formula has no name, and is not the last one: give one function at a time.")
            if one.name is not None:
                self.define(one, " is given a value and defined here")
        passed_over += [one.statement.said or one.statement.text for one in found[last + 1 :] if one.name is not None]
        name, expression = self.last(chosen, names)
        expression, points = self.points(expression, self.values)
        if passed_over:
            self.notices.append(f"passed over: {shorten('; '.join(passed_over), LONGEST_NOTICE)}")
        notices = tuple(dict.fromkeys(self.notices))
        function = self.functions.get(name or "")
        order = chosen.parameters or (() if function is None else function.parameters)
        return Script(expression, name, self.lets, self.definitions, points, notices, order, self.functions)

    def last(self, chosen: _Definition, names: Collection[str | None]) -> tuple[str | None, Expr]:
        """The name and the expression of the function. names: those that the text defines."""
        if chosen.name is None:
            expression = self.without_name(chosen)
            if called := self.called_at(chosen, expression, names):
                expression = named(called, self.lets[called])
            if not isinstance(expression, Named) or expression.name not in names:
                return None, expression
            name = expression.name
        else:
            name = chosen.name
            self.define(chosen, " is the function here, and is given a value")
        expression = self.lets.pop(name)
        function = self.functions.get(name)
        label = name if function is None else f"{name}({', '.join(function.parameters)})"
        del self.definitions[label]
        return name, self.opened(name, expression)

    def called_at(self, chosen: _Definition, expression: Expr, names: Collection[str | None]) -> str:
        """The function whose value is the last line, f(2), which makes 2 the point; "" where there is none."""
        call, function = CALL.fullmatch(chosen.text), None
        if call is not None and call[1] in names and not variables(expression):
            function = self.functions.get(call[1])
        arguments = arguments_in(call[2]) if call is not None else []
        if function is None or len(arguments) != len(function.parameters):
            return ""
        self.values |= dict(zip(function.parameters, arguments, strict=True))
        return function.name

    def without_name(self, chosen: _Definition) -> Expr:
        """The expression of a function that has no name, be it that of a lambda."""
        if chosen.parameters is None:
            return self.parse(chosen)
        expression = self.opened("", self.parse_function(chosen, chosen.parameters))
        del self.functions[""]
        return expression

    def opened(self, name: str, expression: Expr) -> Expr:
        """The function of that name with what is inside of it among the intermediate results."""
        if name not in self.inside:
            return expression
        expression, inner = self.inside.pop(name)
        self.lets |= {local: value for local, value in inner.lets.items() if local in inner.own_names}
        self.definitions |= inner.definitions
        return expression

    def points(self, expression: Expr, given: Mapping[str, str]) -> tuple[Expr, tuple[str, ...]]:
        """The expression over its variables, and the point that the text gives. given: the values of tensors.

        Where nothing is left to differentiate by, x = 2 is no constant, but the point.
        """
        free = variables(expression)
        if not free:
            numbers = {
                node.name: self.definitions[node.name][0]
                for node in topological(expression)
                if isinstance(node, Named) and _is_number(node.value) and node.name in self.definitions
            }
            meant = {name: variable(name) for name in numbers}
            expression = _varied(expression, meant)
            self.lets = {name: _varied(value, meant) for name, value in self.lets.items() if name not in numbers}
            self.definitions = {
                label: (text, _varied(value, meant))
                for label, (text, value) in self.definitions.items()
                if label not in numbers
            }
            given, free = numbers, tuple(numbers)
        values = {name: given[name] for name in free if name in given}
        point = ",".join(f"{name}={text}" for name, text in values.items())
        return expression, (point,) if point else ()


def _is_value(one: _Definition, before: Sequence[_Definition]) -> bool:
    """Whether a definition gives a number to a variable of those before it."""
    if one.name is None or one.parameters is not None or one.statement.is_target or not _NUMBER.fullmatch(one.text):
        return False
    place = re.compile(rf"\b{re.escape(one.name)}\b")
    return all(one.name != other.name for other in before) and any(place.search(other.text) for other in before)


def _number(item: Statement) -> str:
    """The number of a tensor, as typed."""
    number = item.value.strip("[] \n,") if item.value.startswith("[") else item.value
    if len(arguments_in(number)) > 1:
        message = f"{item.name} is an array here, and this is a formula of numbers."
        raise ExpressionError(message, item.said, 0, len(item.name or ""))
    return number


def _is_number(expr: Expr) -> bool:
    """Whether it is a number as one types it, 2 or -2."""
    return isinstance(expr, Constant) or (
        isinstance(expr, Call) and expr.function is op.NEG and _is_number(expr.args[0])
    )


def _varied(expr: Expr, names: Mapping[str, Expr]) -> Expr:
    """`expr` with variables in the place of intermediate results."""
    return rebuild(expr, lambda node, _: names.get(node.name) if isinstance(node, Named) else None)
