"""From a request to a question: the arrays that are given, the program of the formula, and what it is derived by."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradcheck_cli.arrays.makers import MAX_DIMENSIONS, MAX_ELEMENTS
from gradcheck_cli.arrays.reader import read_array
from gradcheck_cli.arrays.values import array_value, generator
from gradcheck_cli.checking.points.numbers import read_number
from gradcheck_cli.checking.points.written import take_apart
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import ExpressionError, UsageError
from gradcheck_cli.pytorch.devices import resolve_device
from gradcheck_cli.records.request import Request
from gradcheck_cli.surfaces import Option
from gradcheck_cli.tensors.cursor import Term
from gradcheck_cli.tensors.program import Program, Ref, refs, sources
from gradcheck_cli.tensors.script import Script
from gradcheck_cli.tensors.wanted import is_array, without_library

_SHAPE = re.compile(r"\s*([^\W\d]\w*)\s*[:=]\s*(.*)")
_SHAPES = re.compile(r"\s*[,;]\s*(?=[^\W\d]\w*\s*[:=])")
_SIZES = re.compile(r"\(?\s*\d+(?:\s*[x×,*]\s*\d+)*\s*,?\s*\)?")
_ENTRY = re.compile(r"\s*([^\W\d]\w*)\s*\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]\s*")


@dataclass(frozen=True)
class Wanted:
    """What is derived by: a variable, or (place) one element of it. name: as it was typed."""

    name: str
    variable: str
    place: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Question:
    """program: with a step for each operation. names: what texts may use, by name: variables, intermediate results and
    the function itself. result, name, formula: of the function; definitions: what else is defined, by its left side.
    inputs: the arrays. wanted: what is derived by.
    varying: the inputs that a claim is a formula of, which are all but classes."""

    request: Request
    program: Program
    names: Mapping[str, Term | Ref]
    result: Term
    name: str
    formula: str
    definitions: Mapping[str, str]
    inputs: Mapping[str, Tensor]
    wanted: tuple[Wanted, ...]
    varying: tuple[str, ...]
    dtype: torch.dtype
    notices: tuple[str, ...]

    @property
    def value(self) -> Tensor:
        """What the formula gives."""
        value: Tensor = self.result.value
        return value


def read_question(request: Request) -> Question:
    """Raises UsageError or ExpressionError, with the place in the text."""
    dtype = getattr(torch, DTYPES[request.dtype].name)
    device = resolve_device(request.device)
    notices: list[str] = []
    inputs, whole = _inputs(request, dtype, notices)
    program = Program(inputs)
    script = Script(program, dtype, request.seed, request.wrt)
    for text in request.lets:
        script.define_let(text)
    script.read(request.expression)
    inputs, whole, result = {**inputs, **script.variables}, whole | script.whole, script.result
    if isinstance(result.value, list):
        what = "This is a list of several things: of arrays, stack([a, b]) or cat([a, b]) makes one"
        raise ExpressionError(f"{what}; a number among them is written 0*x[0] + 2.", request.expression)
    if not isinstance(result.value, Tensor):
        raise ExpressionError("There is nothing to differentiate: this is a constant.", request.expression)
    if not result.value.is_floating_point():
        what = "a condition" if result.value.dtype is torch.bool else "made of whole numbers"
        raise ExpressionError(f"There is nothing to differentiate: this is {what}.", request.expression)
    if not result.value.numel():
        raise ExpressionError("There is nothing to differentiate: the result has no elements.", request.expression)
    notices += script.notices
    notices += dict.fromkeys([*program.readings, *program.warnings])
    classes = _classes(program, whole)
    if script.variables and not request.wrt:
        request = replace(request, wrt=_asked(script, request))
    wanted = _wanted(request, inputs, classes)
    varying = tuple(name for name in inputs if name not in classes)
    inputs = {key: value.to(device) for key, value in inputs.items()}
    return Question(
        request, program, script.names, result, script.name, script.formula, script.definitions, inputs, wanted,
        varying, dtype, tuple(notices),
    )  # fmt: skip


def _asked(script: Script, request: Request) -> tuple[str, ...]:
    """What a text differentiates by that does not say so: the arrays that it gives and that the function is made of."""
    used = sources(script.program, script.result.arg)
    named = [name for name in script.wrt if name in script.program.inputs]
    classes = _classes(script.program, script.whole)
    return tuple(named or (name for name in script.program.inputs if name in used and name not in classes))


def _inputs(request: Request, dtype: torch.dtype, notices: list[str]) -> tuple[dict[str, Tensor], set[str]]:
    """The arrays by name, and which of them are whole numbers only."""
    if request.names("samples") or request.names("ranges"):
        given = Option("samples" if request.names("samples") else "range")
        how = Option("shape", "x: 3"), " or ", Option("at", "x=randn(3)")
        raise UsageError(given, " is for formulas of numbers: arrays are drawn by ", *how)
    if len(request.at) > 1:
        raise UsageError(
            Option("at"), ": a formula of arrays is checked at one point: give all arrays in one ", Option("at")
        )
    found: dict[str, Tensor] = {}
    whole: set[str] = set()
    for text in request.at:
        this = Option("at", text if isinstance(text, str) else str(text))
        parts = take_apart(text).parts if isinstance(text, str) else text
        for name, value in parts:
            if name is None:
                raise UsageError(this, f": {value} needs the name of its variable: ", Option("at", f"x={value}"))
            if name in found:
                raise UsageError(this, f" gives {name} two values")
            array = _array(this, name, value, request, notices)
            if array.dtype in (torch.int64, torch.bool):
                whole.add(name)
            found[name] = array.to(dtype)
    for text in (part for given in request.shapes for part in _SHAPES.split(given)):
        name, shape = _shape(text)
        if name in found:
            raise UsageError(Option("shape", text), f": {name} has a value already")
        drawn = generator(name, request.seed).standard_normal(shape)
        found[name] = torch.from_numpy(np.asarray(drawn)).to(dtype)
        notices.append(f"{name} was drawn: randn({', '.join(map(str, shape))}), seed {request.seed}")
    return found, whole


def _array(this: Option, name: str, value: str | float, request: Request, notices: list[str]) -> Tensor:
    if not isinstance(value, str):
        return torch.tensor(value, dtype=torch.float64)
    value = without_library(value)
    if not is_array(value):
        number = read_number(this, value, None, notices)
        is_whole = re.fullmatch(r"\s*[-+]?\d+\s*", value)
        return torch.tensor(
            int(number) if is_whole and abs(number) < 2**63 else float(number),
            dtype=torch.int64 if is_whole and abs(number) < 2**63 else torch.float64,
        )
    try:
        found: Any = array_value(read_array(value), name, request.seed)
    except ExpressionError as error:
        raise ExpressionError((this, ": ", *error.parts), error.source, error.start, error.end) from None
    tensor = torch.from_numpy(np.array(found)) if isinstance(found, np.ndarray) else found
    if not isinstance(tensor, Tensor) or tensor.is_complex():
        raise UsageError(this, f": {name} is no array of numbers")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise UsageError(this, f": {name} has elements that are not finite")
    return tensor if tensor.is_floating_point() or tensor.dtype is torch.bool else tensor.to(torch.int64)


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    """`W: 3x4` -> W, (3, 4)."""
    this, found = Option("shape", text), _SHAPE.fullmatch(text)
    if found is None or _SIZES.fullmatch(found[2].strip()) is None:
        raise UsageError(this, ": a shape is written ", Option("shape", "W: 3x4"))
    sizes = [int(size) for size in re.findall(r"\d+", found[2]) if len(size) < 12]
    count = 1
    for size in sizes:
        count *= size
    if not 0 < count <= MAX_ELEMENTS or len(sizes) > MAX_DIMENSIONS:
        raise UsageError(this, f": an array has from 1 to {MAX_ELEMENTS:,} elements")
    return found[1], tuple(sizes)


def _classes(program: Program, whole: set[str]) -> set[str]:
    """The inputs of whole numbers that serve as classes, and as nothing else."""
    from gradcheck_cli.tensors.named import is_class_step

    used: dict[str, set[bool]] = {}
    by_index = {ref.step: name for name, ref in program.inputs.items()}
    for step in program.steps:
        for ref in refs(step.args):
            if ref.step in by_index:
                used.setdefault(by_index[ref.step], set()).add(is_class_step(step))
    return {name for name in whole if used.get(name) == {True}}


def _wanted(request: Request, inputs: Mapping[str, Tensor], classes: set[str]) -> tuple[Wanted, ...]:
    if not request.wrt:
        chosen = tuple(Wanted(name, name) for name in inputs if name not in classes)
        if not chosen:
            raise UsageError(
                "there is nothing to differentiate by: no variable has a value; give one by ", Option("at", "x=[1, 2]")
            )
        return chosen
    return tuple(_one_wanted(name, inputs, classes) for name in dict.fromkeys(request.wrt))


def _one_wanted(name: str, inputs: Mapping[str, Tensor], classes: set[str]) -> Wanted:
    this, entry = Option("wrt", name), _ENTRY.fullmatch(name)
    variable = entry[1] if entry else name.strip()
    if variable not in inputs:
        raise UsageError(this, f": there is no variable {variable}: there {are(list(inputs))}")
    if variable in classes:
        raise UsageError(this, f": {variable} holds classes, which have no derivative")
    if entry is None:
        return Wanted(variable, variable)
    shape = inputs[variable].shape
    place = tuple(int(index) for index in entry[2].split(","))
    if len(place) != len(shape) or not all(-n <= i < n for i, n in zip(place, shape, strict=True)):
        sized = "x".join(map(str, shape)) or "a number"
        raise UsageError(this, f": {variable} has the shape {sized}, and no such element")
    place = tuple(i % n for i, n in zip(place, shape, strict=True))
    return Wanted(f"{variable}[{','.join(map(str, place))}]", variable, place)


def are(names: Sequence[str]) -> str:
    return f"is {names[0]}" if len(names) == 1 else f"are {', '.join(names)}" if names else "is none"
