"""Calls: from the arguments that were typed to those that torch takes, each of the kind that its row says."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.language.signatures import find
from gradcheck_cli.pytorch.function import torch_callable
from gradcheck_cli.tensors import shapes
from gradcheck_cli.tensors.functions import ALIASES, BY_NAME, Parameter, TensorFunction
from gradcheck_cli.tensors.shapes import Misfit


@dataclass(frozen=True)
class Given:
    """An argument: how it was typed, what stands for it in a program, and its value now. literal: its numbers, where a
    list was typed."""

    text: str
    arg: Any
    value: Any
    literal: Any = None

    @property
    def listed(self) -> Any:
        """The value, a list of whole numbers as such: [2, 3] is a shape as well."""
        is_shape = self.literal is not None and all(isinstance(x, int) for x in self.literal)
        return tuple(self.literal) if is_shape else self.value


@cache
def row_of(name: str) -> TensorFunction | None:
    """The function of that name: of arrays, or of numbers and then of each element, which losses are not."""
    if name in BY_NAME:
        return BY_NAME[name]
    row = find(name)
    return None if row is None or row.internal or row.group == "loss" else _of_each(row)


def nearest(name: str) -> str:
    """Did you mean ...?"""
    known = [*BY_NAME, *(name for name, row in FUNCTIONS.items() if row.group != "loss")]
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]}?" if close else " See `gradcheck functions`."


def _of_each(row: Function) -> TensorFunction:
    kinds = {"real": "tensor", "number": "number", "integer": "whole"}
    signature = ", ".join(
        f"{a.name}:{kinds[a.kind]}" + ("" if a.default is None else f"={a.default}") for a in row.arguments
    )
    return TensorFunction(row.name, signature, _EachElement(row), doc=row.doc, shapes="same", by_position=True)


class _EachElement:
    """A function of numbers, applied to each element. Numbers beside arrays are given as torch takes them."""

    def __init__(self, row: Function) -> None:
        self.row = row
        self.function: Callable[..., Any] | None = None
        self.is_operator = False
        if not row.composed:
            self.function, self.is_operator = torch_callable(row)

    def __call__(self, *args: Any) -> Any:
        assert self.function is not None
        row, given = self.row, list(args)
        reals = [i for i, a in enumerate(row.arguments) if a.kind == "real"]
        like = next((args[i] for i in reals if isinstance(args[i], Tensor)), None)
        for i in reals:
            if not isinstance(given[i], Tensor):
                given[i] = torch.tensor(given[i], dtype=None if like is None else like.dtype)
        if self.is_operator:
            return self.function(*given)
        count = sum(not a.keyword for a in row.arguments)
        keywords = dict(row.keywords) | {a.name: x for a, x in zip(row.arguments, given, strict=True) if a.keyword}
        return self.function(*given[:count], **keywords)


def is_of_each(row: TensorFunction) -> bool:
    return isinstance(row.torch, _EachElement)


def definition_of(row: TensorFunction) -> Function | None:
    """The row of a function of numbers that torch lacks, whose definition is run."""
    return row.torch.row if isinstance(row.torch, _EachElement) and row.torch.row.composed else None


@cache
def callable_of(row: TensorFunction) -> Callable[..., Any]:
    if not isinstance(row.torch, str):
        return row.torch
    target: Any = torch
    for part in row.torch.split("."):
        target = getattr(target, part)
    function: Callable[..., Any] = target
    return function


def fitted(
    row: TensorFunction, positional: Sequence[Given], named: Mapping[str, Given]
) -> list[tuple[Parameter, Given]]:
    """Each argument with its parameter; defaults are filled in. Raises Misfit."""
    parameters = row.parameters
    last = parameters[-1]
    if last.kind == "tensors":  # einsum('ij,j', A, x)
        head = len(parameters) - 1
        positional = [*positional[:head], _together(positional[head:])]
    elif parameters[0].kind == "tensors" and len(positional) > 1 and isinstance(positional[1].value, Tensor):
        arrays = [one for one in positional if isinstance(one.value, Tensor)]  # stack(a, b)
        positional = [_together(arrays), *positional[len(arrays) :]]
    if len(positional) > len(parameters):
        raise Misfit(
            f"{row.usage()} takes {len(parameters)} argument{'s' * (len(parameters) > 1)}, not {len(positional)}"
        )
    given = dict(zip([p.name for p in parameters], positional, strict=False))
    for typed, value in named.items():
        name = typed if any(p.name == typed for p in parameters) else ALIASES.get(typed, typed)
        if not any(p.name == name for p in parameters):
            known = ", ".join(p.name for p in parameters)
            raise Misfit(f"{row.name} has no argument {typed}: it has {known}")
        if name in given:
            raise Misfit(f"{name} is given twice")
        given[name] = value
    found = []
    for parameter in parameters:
        if parameter.name not in given:
            if parameter.required:
                raise Misfit(f"{parameter.name} is missing: {row.usage()}")
            given[parameter.name] = Given("", parameter.default, parameter.default)
        found.append((parameter, given[parameter.name]))
    return found


def _together(values: Sequence[Given]) -> Given:
    if len(values) == 1 and isinstance(values[0].value, list):
        return values[0]
    return Given(", ".join(v.text for v in values), [v.arg for v in values], [v.value for v in values])


def converted(row: TensorFunction, parameter: Parameter, given: Given, first: Given) -> Given:
    """The argument as its kind demands. first: the first argument of the call. Raises Misfit."""
    value = given.value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match parameter.kind:
        case "tensor":
            if value is None and not parameter.required:
                return given
            if isinstance(value, Tensor) or is_number:
                return given
            raise Misfit(f"{parameter.name} of {row.name} is an array, not {_shown(value)}")
        case "tensors":
            if isinstance(value, list) and value and all(isinstance(x, Tensor) for x in value):
                return given
            raise Misfit(f"{row.name} takes arrays: {row.example or f'{row.name}([a, b])'}")
        case "dim" | "dims":
            return _dims(row, parameter, given, first)
        case "whole":
            if isinstance(value, str) and not given.text:  # a default
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int):
                raise Misfit(f"{parameter.name} of {row.name} is a whole number, not {_shown(value)}")
            return Given(given.text, value, value)
        case "number":
            if isinstance(value, str) and not given.text:  # a default
                value = _number(value)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                raise Misfit(f"{parameter.name} of {row.name} is a number, not {_shown(value)}")
            return Given(given.text, value, value)
        case "flag":
            if not isinstance(value, bool):
                raise Misfit(f"{parameter.name} of {row.name} is true or false, not {_shown(value)}")
            return given
        case "text":
            return _text(row, parameter, value)
        case "shape":
            return _shape(row, given.listed, first)
        case _:
            return given


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text) if "/" not in text else _quotient(text)


def _quotient(text: str) -> float:
    above, _, below = text.partition("/")
    return int(above) / int(below)


def _dims(row: TensorFunction, parameter: Parameter, given: Given, first: Given) -> Given:
    array = first.value[0] if isinstance(first.value, list) and first.value else first.value
    name, value = first.text, given.listed
    if isinstance(value, str) and not given.text:  # a default
        value = int(value) if value != "all" else tuple(range(array.ndim if isinstance(array, Tensor) else 0))
    if value is None:
        return Given("", None, None)
    if parameter.kind == "dims" and isinstance(value, tuple | list):
        dims = tuple(shapes.require_dim(name, array, one) for one in value)
        return Given(str(dims), dims, dims)
    dim = shapes.require_dim(name, array, value, row.adds_dim)
    return Given(str(dim), dim, dim)


_TEXTS = {"reduction": ("mean", "sum", "none", "batchmean")}


def _text(row: TensorFunction, parameter: Parameter, value: Any) -> Given:
    value = "none" if value is None and parameter.name in _TEXTS else value
    known = _TEXTS.get(parameter.name)
    if not isinstance(value, str) or (known and value not in known):
        what = " or ".join(f"'{one}'" for one in known[:3]) if known else "a text in quotes"
        raise Misfit(f"{parameter.name} of {row.name} is {what}, not {_shown(value)}")
    return Given(value, value, value)


def _shape(row: TensorFunction, value: Any, first: Given) -> Given:
    if value == "last":
        value = tuple(first.value.shape[-1:]) if isinstance(first.value, Tensor) else ()
    if isinstance(value, int) and not isinstance(value, bool):
        value = (value,)
    if not (isinstance(value, tuple | list) and all(isinstance(n, int) and not isinstance(n, bool) for n in value)):
        raise Misfit(f"the shape of {row.name} is whole numbers, as in (2, 3), not {_shown(value)}")
    shape = tuple(value)
    return Given(str(shape), shape, shape)


def _shown(value: Any) -> str:
    return (
        "an array"
        if isinstance(value, Tensor | list)
        else repr(value)
        if isinstance(value, str)
        else str(value).lower()
    )
