"""Names and calls: what they mean, what their arguments are, and whether these fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.arrays.makers import MAKERS
from gradcheck_cli.arrays.reader import read_array
from gradcheck_cli.arrays.values import array_value
from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.cursor import MAX_NESTING
from gradcheck_cli.language.joined import product_in
from gradcheck_cli.language.tokens import Kind, Token
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tensors import shapes
from gradcheck_cli.tensors.calls import (
    Given,
    callable_of,
    converted,
    definition_of,
    fitted,
    is_of_each,
    nearest,
    row_of,
)
from gradcheck_cli.tensors.cursor import MAX_STEPS, PLAIN, Scope, Term, UserFunction, sentence
from gradcheck_cli.tensors.functions import TensorFunction
from gradcheck_cli.tensors.literals import Literals
from gradcheck_cli.tensors.modules import MODULES
from gradcheck_cli.tensors.program import Operation, Program, Ref, Step
from gradcheck_cli.tensors.requirements import require_shapes
from gradcheck_cli.tensors.shapes import Misfit

LIBRARIES = frozenset({"torch", "F", "nn", "tf", "functional", "np", "numpy", "jnp", "jax", "linalg", "special", "math",
                       "random"})  # fmt: skip
CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e, "tau": math.tau}
WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None, "none": None}
_LISTS = frozenset({"tensor", "array", "asarray", "as_tensor", "Tensor", "FloatTensor", "DoubleTensor", "LongTensor",
                    "Variable", "constant", "from_numpy"})  # fmt: skip
_DRAWN = frozenset({"randn", "rand", "uniform", "randint", "randn_like", "rand_like"})
_ON_PAPER = {"sigma": "sigmoid", "σ": "sigmoid", "tr": "trace"}
_FRAMES = 3
"""Levels of brackets that the call of a function counts as."""
_UNREAD = frozenset({"dtype", "device", "generator", "requires_grad"})
"""Keywords of what makes an array, which say nothing of its numbers."""
_DTYPES = frozenset({"float", "double", "half", "float16", "float32", "float64", "bfloat16", "long", "int"})


class Calls(Literals):
    """Names, and what is in the brackets behind them."""

    def name(self) -> Term:
        token = self.take()
        if token.text in self.names and (self.is_math or not self.comes("(")):
            return self.named(token.text, token)
        if token.text in self.scope.functions:
            return self.of_user(self.scope.functions[token.text], token)
        path = [token.text]
        while self.comes(".") and path[-1] in LIBRARIES and self.tokens[self.index + 1].kind is Kind.NAME:
            self.take()
            path.append(self.take().text)
        name, end = path[-1], self.tokens[self.index - 1].end
        if self.comes("("):
            return self.called(token, path)
        if len(path) == 2 and name in _DTYPES:
            return Term(name, name, token.start, end)
        if len(path) == 1 and name in WORDS:
            return Term(WORDS[name], WORDS[name], token.start, end)
        if name in CONSTANTS:
            return Term(CONSTANTS[name], CONSTANTS[name], token.start, end)
        if (row := row_of(name)) is not None:
            self.fail(f"{name} is a function: write {row.usage()}.", token.start, end)
        if len(path) == 1 and (product := product_in(name, self.names)):
            parts = product.split("*")
            message = f"{name} has no value: for the product write {' @ '.join(parts)} (element by element {product})."
            self.fail(message, token.start, end)
        shape = Option("shape", f"{name}: 3")
        return self.fail(
            (f"{name} has no value: give it one by ", Option("at"), ", or a shape by ", shape, "."), token.start, end
        )

    def named(self, name: str, token: Token) -> Term:
        """What has this name, where it stands."""
        known = self.names[name]
        if isinstance(known, Ref):
            return Term(known, self.program.values[known.step], token.start, token.end)
        return known._replace(start=token.start, end=token.end)

    def called(self, token: Token, path: Sequence[str]) -> Term:
        name, opening = path[-1], self.token
        if name in self.names and len(path) == 1:
            self.fail(f"{name} is an array, and not a function: write {name}*(...).", token.start, opening.end)
        if name in _DRAWN and self.scope.draws is None:
            given = Option("at", f"x={name}(3)")
            self.fail((f"{name} draws numbers: give them to a variable, by ", given, "."), token.start, token.end)
        positional, named = self.arguments()
        end = self.tokens[self.index - 1].end
        name = _ON_PAPER.get(name, name) if len(path) == 1 else name
        if name in MODULES and path[-2:-1] in ([], ["nn"]):
            return self.module(name, token, positional, named)
        if name in _LISTS:
            return self.made_of(name, positional, named, token, end)
        if name in MAKERS or name in _DRAWN:
            return self.maker(name, positional, named, token, end)
        if name == "len" and len(positional) == 1 and not named:
            return self.size_of(positional[0], 0, token, end)
        if name == "where":
            return self.where(positional, token, end)
        if name in ("max", "min", "maximum", "minimum") and len(positional) == 2 and _is_array(positional[1]):
            name = {"max": "maximum", "min": "minimum"}.get(name, name)
        if path[0] == "linalg" or "linalg" in path[:-1]:
            name = f"linalg.{name}" if row_of(f"linalg.{name}") else name
        return self.function(name, token, positional, named, end)

    def arguments(self) -> tuple[list[Term], dict[str, Term]]:
        opening = self.take()
        self.deepen(opening)
        positional: list[Term] = []
        named: dict[str, Term] = {}
        while not self.took(")"):
            if self.at_end():
                self.fail("This ( is never closed.", opening.start, opening.end)
            keyword = None
            if self.token.kind is Kind.NAME and self.tokens[self.index + 1].is_symbol("="):
                keyword = self.take()
                self.take()
            if keyword is not None and keyword.text in _UNREAD:
                self.pass_over()
                continue
            token = self.token
            if token.kind is Kind.QUOTED:
                self.take()
                term = Term(token.text, token.text, token.start, token.end)
            elif self.comes("[") and self.is_list():
                term = self.listed(self.items("]"), token)
            else:
                term = self.expression()
            if keyword is None:
                if named:
                    self.fail("What has no name stands before what has one.", term.start, term.end)
                positional.append(term)
            elif keyword.text in named:
                self.fail(f"{keyword.text} is given twice.", keyword.start, keyword.end)
            else:
                named[keyword.text] = term._replace(start=keyword.start)
            if not self.took(",") and not self.comes(")") and not self.at_end():
                self.unexpected()
        self.level -= 1
        return positional, named

    def pass_over(self) -> None:
        """What stands before the next comma, and that."""
        depth = 0
        while not self.at_end() and (depth or not self.comes(",", ")")):
            depth += self.comes("(", "[") - self.comes(")", "]")
            self.take()
        self.took(",")

    def function(
        self, name: str, token: Token, positional: Sequence[Term], named: Mapping[str, Term], end: int
    ) -> Term:
        """A call of a function of the table. token: where it starts."""
        start = token.start if not positional else min(token.start, positional[0].start)
        row = row_of(name)
        if row is None:
            self.fail(f"There is no function {name} of arrays.{nearest(name)}", token.start, token.end)
        if is_of_each(row):
            named = {key: value for key, value in named.items() if key not in ("inplace",)}
        try:
            pairs = fitted(row, [self.given(t) for t in positional], {k: self.given(t) for k, t in named.items()})
            first = pairs[0][1]
            found = [converted(row, parameter, given, first) for parameter, given in pairs]
            require_shapes(row, found)
        except Misfit as misfit:
            self.fail(sentence(str(misfit)), start, end)
        if (definition := definition_of(row)) is not None:
            assert definition.definition is not None
            names = [argument.name for argument in definition.arguments]
            inner = Program({name: given.value for name, given in zip(names, found, strict=True)})
            result = type(self)(definition.definition, inner, inner.inputs, self.dtype, PLAIN).whole().arg
            what = Operation(row.name, {name: given.arg for name, given in zip(names, found, strict=True)})

            def composed(*args: Any) -> Any:
                return inner.run(dict(zip(names, args, strict=True)), [result])[0]

            args, values = [given.arg for given in found], [given.value for given in found]
            return self.call(composed, args, values, start, end, operation=what)
        found = [self.as_indices(row, p, given, found) for (p, _), given in zip(pairs, found, strict=True)]
        if not any(isinstance(given.value, Tensor | list) for given in found) and not row.of_dtype:
            made = self.constant(Term(found[0].arg, found[0].value, start, end))
            found[0] = Given(found[0].text, made.arg, made.value)
        what = Operation(row.name, {p.name: given.arg for (p, _), given in zip(pairs, found, strict=True)})
        if row.by_position:
            args, values = [g.arg for g in found], [g.value for g in found]
            fixed = {"dtype": self.dtype} if row.of_dtype else {}
            return self.call(callable_of(row), args, values, start, end, fixed, what)
        keep = [(p, g) for (p, _), g in zip(pairs, found, strict=True)]
        arrays = [g for p, g in keep if p.required]
        keywords = {p.name: g.value for p, g in keep if not p.required and not _is_argument(g.arg) and _is_set(g)}
        options = {p.name: g for p, g in keep if not p.required and _is_argument(g.arg)}
        keys, count, function = list(options), len(arrays), callable_of(row)

        def run(*args: Any, **fixed: Any) -> Any:
            return function(*args[:count], **dict(zip(keys, args[count:], strict=True)), **fixed)

        every = [*arrays, *options.values()]
        return self.call(run, [g.arg for g in every], [g.value for g in every], start, end, keywords, what)

    def given(self, term: Term) -> Given:
        return Given(self.shown(term), term.arg, term.value, term.literal)

    def as_indices(self, row: TensorFunction, parameter: Any, given: Given, found: Sequence[Given]) -> Given:
        """Classes: whole numbers, as torch takes them. Floating-point targets of cross_entropy are probabilities."""
        if parameter.kind not in ("indices", "targets"):
            return given
        value, arg = given.value, given.arg
        if isinstance(value, Tensor) and value.is_floating_point():
            if (
                parameter.kind == "targets"
                and isinstance(found[0].value, Tensor)
                and value.shape == found[0].value.shape
            ):
                return given
            if not bool((value == value.round()).all()):
                raise ExpressionError(f"{given.text} is no array of whole numbers: classes are.", self.text)
            what = Operation("whole", {"input": arg})
            step = self.call(_whole, (arg,), (value,), 0, len(self.text), operation=what)
            return Given(given.text, step.arg, step.value)
        if not isinstance(value, Tensor):
            number = value
            what = Operation("whole", {"input": number})
            step = self.call(lambda: torch.tensor(number), (), (), 0, len(self.text), operation=what)
            return Given(given.text, step.arg, step.value)
        return given

    def made_of(self, name: str, positional: Sequence[Term], named: Mapping[str, Term], token: Token, end: int) -> Term:
        """torch.tensor([1, 2]) and its like: what is in it."""
        if len(positional) != 1:
            self.fail(f"{name} takes one list of numbers.", token.start, end)
        term = positional[0]
        if isinstance(term.value, tuple) and all(isinstance(x, int | float) for x in term.value):  # tensor((1., 2.))
            numbers, dtype = list(term.value), self.dtype
            return self.call(lambda: torch.tensor(numbers, dtype=dtype), (), (), token.start, end)
        if not isinstance(term.value, Tensor):
            self.require_number(term)
            term = self.constant(term) if isinstance(term.value, float) else term
        return term._replace(start=token.start, end=end)

    def maker(self, name: str, positional: Sequence[Term], named: Mapping[str, Term], token: Token, end: int) -> Term:
        """zeros(3), eye(2), randn(3) and their like: arrays of constants."""
        given = [*positional, *named.values()]
        if name.endswith("_like"):
            shape = given[0].value.shape if given and isinstance(given[0].value, Tensor) else ()
            text = f"{name.removesuffix('_like')}({', '.join(map(str, shape))})"
        else:
            text = f"{name}({', '.join(map(self.as_argument, given))})"
        if name in _DRAWN:
            assert self.scope.draws is not None
            drawn = self.scope.draws.draw(text).to(self.dtype)
            return self.call(lambda: drawn.clone(), (), (), token.start, end)
        array = torch.from_numpy(array_value(read_array(text), name).copy())
        whole = name in ("arange", "full") and not array.is_floating_point()
        array = array if whole else array.to(self.dtype)
        return self.call(lambda: array.clone(), (), (), token.start, end)

    def module(self, name: str, token: Token, positional: Sequence[Term], named: Mapping[str, Term]) -> Term:
        """nn.Softmax(dim=0)(x): the arguments of the module, and then those of its call."""
        module, end = MODULES[name], self.tokens[self.index - 1].end
        if not self.comes("("):
            self.fail(f"nn.{name} is a module: call it, as in nn.{name}(...)(x).", token.start, end)
        if len(positional) > len(module.parameters):
            self.fail(f"nn.{name} takes {', '.join(module.parameters) or 'no numbers'} here.", token.start, end)
        made = {**dict(zip(module.parameters, positional, strict=False)), **named}
        called, also = self.arguments()
        keywords = {key: term for key, term in {**made, **also}.items() if key != "inplace"}
        return self.function(module.function, token, called, keywords, self.tokens[self.index - 1].end)

    def as_argument(self, term: Term) -> str:
        """An argument of a maker as `arrays/` reads it: a number, or a shape."""
        value = term.literal if isinstance(term.value, Tensor) else term.value
        if isinstance(value, list):
            value = tuple(value)
        return self.shown(term) if value is None or isinstance(value, str) else str(value)

    def size_of(self, term: Term, dim: int | None, token: Token, end: int) -> Term:
        """How many elements there are along a dimension, or at all, which is a constant."""
        if not isinstance(term.value, Tensor) or (dim is not None and not -term.value.ndim <= dim < term.value.ndim):
            self.fail(f"{shapes.sized(self.shown(term), term.value)}, and has no such size.", token.start, end)
        count = term.value.numel() if dim is None else term.value.shape[dim]
        return Term(count, count, term.start if token.text != "len" else token.start, end)

    def of_user(self, function: UserFunction, token: Token) -> Term:
        """A call of a function that the text defines; its name alone stands for its value at its parameters."""
        if self.comes("("):
            positional, named = self.arguments()
        else:
            named, positional = {}, []
            for name in function.parameters:
                if name not in self.names:
                    message = f"{function.name} is a function: write {function.name}(...), or give {name} a value."
                    self.fail(message, token.start, token.end)
                positional.append(self.named(name, token))
        end = self.tokens[self.index - 1].end
        meant = dict(zip(function.parameters, positional, strict=False)) | dict(named)
        if len(positional) + len(named) != len(function.parameters) or meant.keys() != set(function.parameters):
            usage = f"{function.name}({', '.join(function.parameters)})"
            self.fail(f"These are not the arguments of {usage}.", token.start, end)
        self.program.calls += 1 + len(function.text) // 200  # reading costs as well
        if self.program.calls > MAX_STEPS or self.level + _FRAMES > MAX_NESTING:
            self.fail("Functions call functions too often here.", token.start, end)
        bound: dict[str, Ref | str] = {}
        names: dict[str, Term | Ref] = dict(function.names)

        def inside(text: str) -> Term:
            scope = Scope(function.functions, self.scope.draws, dict(bound), self.level + _FRAMES)
            return type(self)(text, self.program, names, self.dtype, scope).whole()

        for name, term in meant.items():
            names[name], bound[name] = term, term.arg if isinstance(term.arg, Ref) else f"({self.shown(term)})"
        for name, text in function.lines:
            names[name] = line = inside(text)
            bound[name] = line.arg if isinstance(line.arg, Ref) else f"({text.strip()})"
        return inside(function.text)._replace(start=token.start, end=end)

    def where(self, positional: Sequence[Term], token: Token, end: int) -> Term:
        if len(positional) != 3:
            self.fail("where takes a condition and two values: where(x > 0, x, 0).", token.start, end)
        condition, a, b = positional
        if not isinstance(condition.value, Tensor) or condition.value.dtype is not torch.bool:
            self.fail("where wants a condition first, such as x > 0.", condition.start, condition.end)
        try:
            shapes.require_same([(self.shown(term), term.value) for term in positional])
        except Misfit as misfit:
            self.fail(sentence(str(misfit)), token.start, end)
        for term in (a, b):
            self.require_number(term)
        if not isinstance(a.value, Tensor) and not isinstance(b.value, Tensor):
            a = self.constant(a)
        every = (condition, a, b)
        args, values = [term.arg for term in every], [term.value for term in every]
        what = Operation("where", {"condition": condition.arg, "a": a.arg, "b": b.arg})
        return self.call(torch.where, args, values, token.start, end, operation=what)


def _is_array(term: Term) -> bool:
    return isinstance(term.value, Tensor) or isinstance(term.arg, Ref)


def _is_argument(arg: Any) -> bool:
    return isinstance(arg, Ref)


def _is_set(given: Given) -> bool:
    """Whether an argument is passed on: None and False are torch's own defaults."""
    return given.value is not None and given.value is not False


def _whole(x: Tensor) -> Tensor:
    return x.detach().long()


def is_class_step(step: Step) -> bool:
    """Whether a step makes whole numbers of its argument, to choose by."""
    return step.run is _whole
