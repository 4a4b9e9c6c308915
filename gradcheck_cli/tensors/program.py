"""A formula of arrays as a list of torch calls, in order: each takes what earlier ones gave."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

Value = Any
"""A tensor, or a number, flag, text or shape of Python."""


class Ref(NamedTuple):
    """What the step with this index gives."""

    step: int


class Span(NamedTuple):
    """A place in a text. bound: in the body of a function, what its parameters stand for, each a Ref or a text."""

    text: str
    start: int
    end: int
    bound: Mapping[str, Ref | str] = MappingProxyType({})


@dataclass(frozen=True)
class Operation:
    """What a step is, for people: an operator, or the name of a function, and its arguments by name."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """run: what is called with the arguments, in which each Ref stands for a value; None: an input. name: of the input.
    span: where it was typed. operation: None for a constant."""

    run: Callable[..., Any] | None
    args: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    span: Span | None = None
    operation: Operation | None = None


class Program:
    """Steps that are run one after the other; and what each is at the numbers that were given, while it is read.

    warnings: what torch said then. readings: how something was read that could be meant otherwise. calls: how often
    functions that a text defines were called.
    """

    def __init__(self, inputs: Mapping[str, Value]) -> None:
        self.steps: list[Step] = []
        self.values: list[Value] = []
        self.warnings: list[str] = []
        self.readings: list[str] = []
        self.calls = 0
        self.inputs: dict[str, Ref] = {}
        for name, value in inputs.items():
            self.add_input(name, value)

    def add_input(self, name: str, value: Value) -> Ref:
        self.inputs[name] = self.add(Step(None, name=name), value)
        return self.inputs[name]

    def copy(self) -> Program:
        """To which steps can be added by itself."""
        other = Program({})
        other.steps, other.values, other.inputs = list(self.steps), list(self.values), dict(self.inputs)
        return other

    def add(self, step: Step, value: Value) -> Ref:
        self.steps.append(step)
        self.values.append(value)
        return Ref(len(self.steps) - 1)

    def run(self, inputs: Mapping[str, Value], results: Sequence[object]) -> list[Tensor]:
        """The results (Refs, or numbers) at other numbers, as tensors."""
        device = next((value.device for value in inputs.values() if isinstance(value, Tensor)), torch.device("cpu"))
        values: list[Value] = []
        for step in self.steps:
            if step.run is None:
                values.append(inputs[step.name])
            else:
                keywords = {name: resolved(arg, values) for name, arg in step.keywords.items()}
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # it was told while the program was read
                    made = step.run(*[resolved(arg, values) for arg in step.args], **keywords)
                values.append(made.to(device) if isinstance(made, Tensor) and made.device != device else made)
        found = [resolved(result, values) for result in results]
        return [x if isinstance(x, Tensor) else torch.tensor(x, dtype=self.dtype, device=device) for x in found]

    @property
    def dtype(self) -> torch.dtype:
        """Of the first input that has floating-point numbers."""
        given = (self.values[ref.step] for ref in self.inputs.values())
        dtypes = (value.dtype for value in given if isinstance(value, Tensor) and value.is_floating_point())
        return next(dtypes, torch.float64)


def resolved(arg: object, values: Sequence[Value]) -> Any:
    """An argument with the values that its Refs stand for."""
    if isinstance(arg, Ref):
        return values[arg.step]
    if isinstance(arg, list):
        return [resolved(one, values) for one in arg]
    if isinstance(arg, tuple):
        return tuple(resolved(one, values) for one in arg)
    return arg


def refs(arg: object) -> list[Ref]:
    """All that an argument refers to."""
    if isinstance(arg, Ref):
        return [arg]
    return [ref for one in arg for ref in refs(one)] if isinstance(arg, list | tuple) else []


def sources(program: Program, arg: object) -> set[str]:
    """The inputs that an argument is made of."""
    found, seen = set(), set()
    waiting = refs(arg)
    while waiting:
        ref = waiting.pop()
        if ref.step not in seen:
            seen.add(ref.step)
            step = program.steps[ref.step]
            found |= {step.name} if step.run is None else set()
            waiting += refs(step.args)
    return found
