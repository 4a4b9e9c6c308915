"""A text of arrays with all that it gives and defines: `s = softmax(x); sum(s**2)`, lines, the cell of a notebook.

The arrays that require a gradient are variables at the numbers that they have; the others are constants. The function
is what backward is called on, or else the last formula.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gradcheck_cli.errors import ExpressionError, UsageError
from gradcheck_cli.expression.nodes import free_name
from gradcheck_cli.language.refusals import require_formulas
from gradcheck_cli.language.statements import CALL, Statement, arguments_in, statements, target_of
from gradcheck_cli.language.tokens import shorten
from gradcheck_cli.surfaces import Message, Option
from gradcheck_cli.tensors import shapes
from gradcheck_cli.tensors.cursor import Draws, Scope, Term, UserFunction
from gradcheck_cli.tensors.modules import MODULES
from gradcheck_cli.tensors.program import Program, Ref, sources
from gradcheck_cli.tensors.reader import read
from gradcheck_cli.tensors.wanted import LEFT, gives_array

LONGEST_NOTICE = 100
_IN_DOLLARS = re.compile(rf"\s*(?P<sign>\$\$?)(?P<left>{LEFT.pattern})(?P<right>.*)(?P=sign)\s*", re.DOTALL)
_MODULE = re.compile(r"(?:torch\.)?nn\.(\w+)\s*\([^()]*\)")
_REQUIRES = re.compile(r"requires_grad\s*=\s*True")
_REQUIRED = re.compile(r"requires_grad|Variable|Parameter")
_NUMBER = re.compile(r"[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NAME = re.compile(r"[^\W\d]\w*")
_WHOLE = re.compile(r"(?:torch\.)?(?:tensor\s*\(|(?:arange|randint)\s*\()?[-+\d\s,\[\]()]+")
_OF_FLOATS = re.compile(r"dtype|Tensor\s*\(|Variable|\.(?:array|double|float)\s*\(")


class Formula(NamedTuple):
    """A statement with its left side: `y = x*x`, `f(x) = x*x`. start: of the right side in the text."""

    statement: Statement
    name: str | None
    parameters: tuple[str, ...] | None
    start: int

    @property
    def label(self) -> str:
        return (self.name or "") + ("" if self.parameters is None else f"({', '.join(self.parameters)})")

    @property
    def right(self) -> str:
        return self.statement.text[self.start :].strip()

    @property
    def in_place(self) -> str:
        """The right side where it stands in the text, for errors that show its place."""
        return " " * self.start + self.statement.text[self.start :]

    def error(self, message: str | Message, name: str = "") -> ExpressionError:
        """At the name, or the whole."""
        said = self.statement.said or self.statement.text
        start = max(0, said.find(name))
        return ExpressionError(message, said, start, start + len(name or said))


def formula_of(statement: Statement) -> Formula:
    if found := _IN_DOLLARS.fullmatch(statement.text):
        statement = statement._replace(text=f"{found['left']} {found['sign']}{found['right']}{found['sign']}")
    left = LEFT.match(statement.text) if statement.name is None and statement.parameters is None else None
    if left is None:
        return Formula(statement, statement.name, statement.parameters, 0)
    parameters = (
        None if left[2] is None else tuple(filter(None, arguments_in(re.sub("[;|]", ",", left[2].strip()[1:-1]))))
    )
    return Formula(statement, left[1], parameters, left.end())


class Script:
    """What a text says, once it is read. names: what has a value. variables: the arrays of the text that it is
    differentiated by; whole: those that are whole numbers. definitions: the rest, as typed. result, name, formula: of
    the function; the name is its own, or made up. wrt: what the text asks to be differentiated by."""

    result: Term
    name: str
    formula: str

    def __init__(self, program: Program, dtype: torch.dtype, seed: int, wrt: Sequence[str]) -> None:
        self.program, self.dtype, self.seed, self.asked = program, dtype, seed, frozenset(wrt)
        self.given = frozenset(program.inputs)
        self.names: dict[str, Term | Ref] = dict(program.inputs)
        self.functions: dict[str, UserFunction] = {}
        self.variables: dict[str, Tensor] = {}
        self.whole: set[str] = set()
        self.definitions: dict[str, str] = {}
        self.notices: list[str] = []
        self.wrt: tuple[str, ...] = ()

    def define_let(self, text: str) -> None:
        """Read a text of --let."""
        one = formula_of(Statement(text))
        if one.name is None:
            example = Option("let", f"s = {text.strip()}")
            raise UsageError(Option("let", text), ": an intermediate result has a name: ", example)
        self.define(one)

    def read(self, text: str) -> None:
        """Read the text that has the function."""
        found = statements(text)
        passed = list(found.passed_over)
        require_formulas(found.items)
        before, target = self._parted(found.items, passed)
        if not target.text.strip():
            raise ExpressionError("There is no expression.", text)
        function = formula_of(target)
        formulas = [formula_of(item) for item in before]
        for one in formulas:
            if not one.statement.value and _REQUIRES.search(one.right):
                what = f"torch keeps no gradient of {one.name or 'this'}, which is computed from what requires one"
                raise one.error(f"{what}: give that a name of its own.")
        given = self._given(formulas)
        for one in formulas:
            if one in given:
                self.give(one, passed)
            elif one.name is not None:
                self.define(one)
            elif one.right not in self.names:
                raise one.error("This formula has no name, and is not the last one: give one function at a time.")
        if gives_array(target) and not target.is_target:
            example = f"y = sum({function.name or 'x'}**2)"
            raise function.error(f"There are only arrays in this text: add a function of them, such as {example}.")
        self._function(self._at_its_arguments(function, passed))
        if passed:
            self.notices.append(f"passed over: {shorten('; '.join(passed), LONGEST_NOTICE)}")

    # Which statement is what

    def _parted(self, items: Sequence[Statement], passed: list[str]) -> tuple[list[Statement], Statement]:
        """What stands before the function, and the function."""
        _require_first_derivatives(items)
        target = target_of(items)
        if target is None:
            formulas = [item for item in items if not item.value]
            functions = [item for item in formulas if not _is_given(item)]
            target = (functions or formulas or items)[-1]
        self.wrt = tuple(dict.fromkeys(name for item in items for name in item.wrt))
        place = next(index for index, item in enumerate(items) if item is target)
        after = [item for item in items[place + 1 :] if not item.is_target]
        given = [item for item in after if item.value or _is_given(item)]
        passed += [item.said or item.text for item in after if item not in given]
        before = [item for item in (*given, *items[:place]) if not item.is_target]
        return before, target

    def _given(self, formulas: Sequence[Formula]) -> list[Formula]:
        """Those that are variables: what requires a gradient; where nothing does, and nothing has a value by --at, all
        arrays that the text gives."""
        given = [one for one in formulas if one.statement.value or (one.name in self.asked and _is_array(one))]
        if given or self.given:
            return given
        given = [one for one in formulas if _is_array(one)]
        if given:
            names = [one.name or "" for one in given]
            self.notices.append(f"nothing requires a gradient, so it is differentiated by {', '.join(names)}")
        return given

    def _at_its_arguments(self, one: Formula, passed: list[str]) -> Formula:
        """`f(torch.tensor([1., 2.]))`, where nothing else is a variable: f at this array."""
        call = CALL.fullmatch(one.right)
        function = self.functions.get(call[1]) if call is not None else None
        if call is None or function is None or self.program.inputs:
            return one
        arguments = arguments_in(call[2])
        arrays = [formula_of(Statement(text, name)) for name, text in zip(function.parameters, arguments, strict=False)]
        if len(arguments) != len(function.parameters) or not all(map(_is_array, arrays)):
            return one
        for array in arrays:
            self.give(array, passed)
        text = f"{call[1]}({', '.join(function.parameters)})"
        return formula_of(one.statement._replace(text=text))

    # Definitions

    def give(self, one: Formula, passed: list[str]) -> None:
        """A variable of the text, at the numbers that it has there."""
        name, statement = one.name or "", one.statement
        if name in self.given:
            passed.append(f"{statement.said or name}, for {name} has another value")
            return
        self._require_new(one)
        text = statement.value or one.right
        draws = Draws(name, self.seed)
        apart = self.program.copy()
        term = read(text, apart, self.names, self.dtype, scope=Scope(self.functions, draws))
        if statement.value and sources(apart, term.arg):
            raise one.error(f"{name} is made of what requires a gradient, and is no variable of its own: leave "
                            "requires_grad out.")  # fmt: skip
        is_whole = _WHOLE.fullmatch(text) is not None and not _OF_FLOATS.search(statement.said)
        if is_whole and _REQUIRED.search(statement.said):
            raise one.error(f"torch gives no gradient by whole numbers, and refuses this: write {_as_floats(text)}")
        numbers = term.value if isinstance(term.value, tuple) else (term.value,)
        if not all(isinstance(one, Tensor | int | float) and not isinstance(one, bool) for one in numbers):
            raise one.error(f"{name} is no array of numbers.", name)
        value = torch.as_tensor(term.value).to(self.dtype)
        if not bool(torch.isfinite(value).all()) or not value.numel():
            raise one.error(f"{name} has no elements, or some that are not finite.", name)
        self.variables[name] = value
        self.names[name] = self.program.add_input(name, value)
        if is_whole:
            self.whole.add(name)
        if draws.drawn:
            self._tell(draws, text)
        else:
            self.notices.append(f"the text gives {name} = {shorten(' '.join(text.split()), LONGEST_NOTICE)}")

    def define(self, one: Formula) -> None:
        """An intermediate result, a constant, or a function."""
        name = one.name or ""
        self._require_new(one)
        if one.parameters is None and (made := _MODULE.fullmatch(one.right)) and made[1] in MODULES:
            names = MODULES[made[1]].arguments()
            one = Formula(Statement(f"{one.right}({', '.join(names)})", said=one.statement.said), name, names, 0)
        if one.parameters is None:
            self.names[name] = self._term(one)
        else:
            body = [formula_of(item) for item in one.statement.body]
            if unnamed := next((line for line in body if line.name is None), None):
                raise unnamed.error("This line has no effect: give it a name, such as y = x*x, or leave it out.")
            lines = tuple((line.name or "", line.in_place) for line in body)
            self.functions[name] = UserFunction(
                name, one.parameters, lines, one.in_place, dict(self.names), dict(self.functions)
            )
        self.definitions[one.label] = one.right

    def _term(self, one: Formula) -> Term:
        draws = Draws(one.name, self.seed) if one.name else None
        try:
            term = read(one.in_place, self.program, self.names, self.dtype, scope=Scope(self.functions, draws))
        except ExpressionError as error:
            source = one.statement.text if error.source == one.in_place else error.source
            raise ExpressionError(error.parts, source, error.start, error.end) from None
        if draws is not None and draws.drawn:
            self._tell(draws, one.right)
        return term

    def _tell(self, draws: Draws, text: str) -> None:
        whole = re.fullmatch(r"(?:\w+\.)*(?:rand|uniform)\w*\s*\([^()]*(?:\([^()]*\))?[^()]*\)", text)
        what = f"{draws.name} was drawn" if whole else f"for {draws.name} was drawn"
        self.notices.append(f"{what}: {', '.join(draws.drawn)}, seed {self.seed}")

    def _require_new(self, one: Formula) -> None:
        name = one.name or ""
        if name in self.given:
            raise one.error(f"{name} has a value already: leave one of them out.", name)
        if name in self.names or name in self.functions:
            raise one.error(f"{name} is defined twice: give the second one a name of its own.", name)

    # The function

    def _function(self, one: Formula) -> None:
        statement, named = one.statement, one.name
        self.formula = one.right
        if one.parameters is not None:  # its parameters are the variables of these names
            for line in statement.body:
                self.define(formula_of(line))
            if named:
                self._require_new(one)
            self.result = self._term(one)
        elif named is not None:
            self._require_new(one)
            self.result = self._term(one)
        else:
            named = self._of_what_is_defined(one)
        if statement.is_target and not statement.is_jacobian:
            self.formula, named = self._with_cotangent(one, named)
        taken = {*self.names, *self.functions, *self.program.inputs}
        self.name = named or free_name(taken)
        self.definitions = {key: text for key, text in self.definitions.items() if key.partition("(")[0] != named}
        self.names[self.name] = self.result

    def _of_what_is_defined(self, one: Formula) -> str | None:
        """The name where the function is a name alone, or f(x) of a function f(x)."""
        self.result = self._term(one)
        call = CALL.fullmatch(one.right)
        name = call[1] if call is not None and call[2].strip() == self._parameters(call[1]) else one.right
        label = next((label for label in self.definitions if label.partition("(")[0] == name), None)
        if label is None or name in self.program.inputs:
            return None
        self.formula = self.definitions[label]
        return name

    def _parameters(self, name: str) -> str | None:
        function = self.functions.get(name)
        return None if function is None else ", ".join(function.parameters)

    def _with_cotangent(self, one: Formula, named: str | None) -> tuple[str, str | None]:
        """The formula whose gradient is what backward gives, and its name where it is no other than before."""
        statement, value = one.statement, self.result.value
        shown = shorten(one.right, 40)
        cotangent = statement.cotangent
        count = 1 if statement.is_summed or not isinstance(value, Tensor) else value.numel()
        if not cotangent and count != 1:
            raise one.error(
                f"{shapes.sized(shown, value)}, and torch gives the gradient of a number alone: take {shown}.sum(), or "
                f"give backward (or grad_outputs) what multiplies each of them, such as torch.ones({_sizes(value)})."
            )
        formula = f"{_operand(one.right)}.sum()" if statement.is_summed else one.right
        if cotangent:
            scope = Scope(self.functions, Draws(f"{one.right} cotangent", self.seed))
            factor = read(cotangent, self.program.copy(), self.names, self.dtype, scope=scope).value
            shape = () if statement.is_summed or not isinstance(value, Tensor) else tuple(value.shape)
            if isinstance(factor, Tensor) and factor.numel() != 1 and tuple(factor.shape) != shape:
                raise one.error(f"{shapes.sized(shown, value)}, and {shapes.sized(cotangent, factor)}: backward takes "
                                "an array of the same shape.", cotangent)  # fmt: skip
            if not _is_one(factor):
                formula = f"sum({_operand(cotangent)}*{_operand(formula)})"
            elif count != 1:
                formula = f"{_operand(formula)}.sum()"
            if formula != one.right:
                self.notices.append(f"backward({shorten(cotangent, 40)}) gives the gradient of {shorten(formula, 60)}")
        if formula == one.right:
            return self.formula, named
        self.result = read(formula, self.program, self.names, self.dtype, scope=Scope(self.functions))
        return formula, None


def _require_first_derivatives(items: Sequence[Statement]) -> None:
    derivatives = {found[1] for item in items if item.wrt and (found := re.match(r"\(?\s*(\w+)[^=(]*=", item.said))}
    for item in items:
        if item.is_target and derivatives & set(_NAME.findall(item.text)):
            message = "This is the derivative of a derivative: leave it out, and ask for that by ", Option("order", "2")
            raise ExpressionError((*message, "."), item.said, 0, len(item.said))


def _is_given(item: Statement) -> bool:
    """Whether a statement gives an array or a number, and not a formula of others."""
    one = formula_of(item)
    return _is_array(one) or (one.name is not None and one.parameters is None and bool(_NUMBER.fullmatch(one.right)))


def _is_array(one: Formula) -> bool:
    return one.name is not None and one.parameters is None and gives_array(one.statement)


def _is_one(value: object) -> bool:
    return bool((value == 1).all()) if isinstance(value, Tensor) else value == 1


def _operand(text: str) -> str:
    """A text that may stand beside an operator or before a dot."""
    is_call = re.match(r"[\w.]+\(", text) and re.fullmatch(r"[\w.]+\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", text)
    is_enclosed = re.fullmatch(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", text)
    return text if re.fullmatch(r"[\w.]+", text) or is_call or is_enclosed else f"({text})"


def _sizes(value: object) -> str:
    return ", ".join(map(str, value.shape)) if isinstance(value, Tensor) else "1"


def _as_floats(text: str) -> str:
    """A text with its whole numbers as floating-point ones, and the dot of a sentence."""
    if text.strip().isdigit():
        return f"{text.strip()}.0."
    return shorten(re.sub(r"\d+", lambda found: f"{found[0]}.", text), 40) + "."
