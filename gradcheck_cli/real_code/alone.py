"""Backwards that ask which of their inputs need a gradient: run where one alone needs one, and where one does not.

In a check all inputs need one, so that a wrong index of `ctx.needs_input_grad` changes nothing.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.errors import GradcheckError, TorchRefusal
from gradcheck_cli.real_code.side import Reverse
from gradcheck_cli.real_code.subject import Subject
from gradcheck_cli.tracing.places import is_users, place
from gradcheck_cli.tracing.recorder import Recorder
from gradcheck_cli.tracing.tensors import are_same

Floats = NDArray[np.float64]
ASKED = "needs_input_grad"
INPUTS = 16
"""Inputs up to which each is tried; of more, some."""


@dataclass(frozen=True)
class Case:
    """Some of the inputs need a gradient, as indices: name alone, or all without it."""

    name: str
    needed: tuple[int, ...]

    @property
    def text(self) -> str:
        return f"{self.name} alone" if len(self.needed) == 1 else f"without {self.name}"

    @property
    def where(self) -> str:
        return f"{self.name} alone requires grad" if len(self.needed) == 1 else f"{self.name} does not require grad"


class Alone:
    """whole: the side under test, where all inputs need a gradient."""

    def __init__(self, whole: Reverse) -> None:
        self.whole = whole
        self.sides: dict[Case, Reverse | None] = {}

    @cached_property
    def cases(self) -> list[Case]:
        """Each input alone, then all but one; of two inputs, that is the same."""
        names = [leaf.name for leaf in self.whole.subject.wanted]
        count = len(names)
        if count < 2:
            return []
        chosen = np.unique(np.linspace(0, count - 1, min(count, INPUTS)).astype(int)).tolist()
        found = [Case(names[k], (k,)) for k in chosen]
        if count > 2:
            found += [Case(names[k], tuple(i for i in range(count) if i != k)) for k in chosen]
        return found

    def combined(self, case: Case, output: int, weights: Floats) -> Floats | None:
        """Weighted sums of the elements of an output, by all inputs; by those that need no gradient it is NaN. None:
        the code does something else there, which is no question of its backward."""
        side = self._side(case)
        if side is None or not side.outputs[output].tensor.requires_grad:
            return None
        try:
            found = side.combined(output, weights)
        except TorchRefusal as error:
            raise TorchRefusal(f"where {case.where}, {error}") from error
        parts = iter(np.split(found, np.cumsum([x.numel() for x in side.inputs])[:-1], axis=1))
        return np.concatenate(
            [
                next(parts) if k in case.needed else np.full((len(weights), x.numel()), np.nan)
                for k, x in enumerate(self.whole.inputs)
            ],
            axis=1,
        )

    def _side(self, case: Case) -> Reverse | None:
        if case not in self.sides:
            subject = self.whole.subject
            try:
                side = Reverse(subject.by([subject.wanted[k] for k in case.needed]))
            except GradcheckError:
                side = None
            self.sides[case] = side if side is not None and self._is_the_same(side) else None
        return self.sides[case]

    def _is_the_same(self, side: Reverse) -> bool:
        """Whether it returns what it returns where all inputs need a gradient."""
        mine, theirs = ([o.tensor.detach() for o in one.outputs] for one in (side, self.whole))
        return len(mine) == len(theirs) and all(
            a.dtype == b.dtype and are_same(a, b) for a, b in zip(mine, theirs, strict=True)
        )


def alone(recorder: Recorder, whole: Reverse) -> Alone | None:
    """None: no function that ran asks which inputs need a gradient."""
    functions = {call.function for call in recorder.places.calls}
    return Alone(whole) if any(next(asking(function), None) for function in functions) else None


def asking(function: type[Any]) -> Iterator[str]:
    """Where an `autograd.Function` of the user's asks it, or what its methods call, as file:line."""
    seen: set[CodeType] = set()
    for name in ("backward", "vjp", "forward", "setup_context"):
        yield from _asking(getattr(function, name, None), function, seen)


def _asking(method: Any, owner: type[Any], seen: set[CodeType]) -> Iterator[str]:
    """Of a function and of those that it names: of its module, or of the class."""
    method = inspect.unwrap(method) if callable(method) else None
    code = getattr(method, "__code__", None)
    if code is None or code in seen or not is_users(code.co_filename):
        return
    seen.add(code)
    yield from dict.fromkeys(_lines(code))
    known = getattr(method, "__globals__", {})
    for name in code.co_names:
        yield from _asking(known.get(name), owner, seen)
        yield from _asking(inspect.getattr_static(owner, name, None), owner, seen)


def _lines(code: CodeType) -> Iterator[str]:
    if ASKED in code.co_names:
        for instruction in dis.get_instructions(code):
            if instruction.argval == ASKED and instruction.positions is not None:
                yield place(code.co_filename, instruction.positions.lineno)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _lines(inner)


def different(subject: Subject, digits: float) -> Iterator[tuple[Case, str]]:
    """The inputs whose gradient is another one than where all need one, and where that is so."""
    whole = Reverse(subject)
    cases = Alone(whole)
    names = [leaf.name for leaf in subject.wanted]
    ends = np.cumsum([x.numel() for x in whole.inputs])[:-1]
    for output, made in enumerate(whole.outputs):
        if not made.tensor.requires_grad:
            continue
        weights = np.random.default_rng(subject.seed).uniform(0.5, 2, (1, made.tensor.numel()))
        weights[0, ::2] *= -1
        expected = np.split(whole.combined(output, weights), ends, axis=1)
        for case in cases.cases:
            found = cases.combined(case, output, weights)
            if found is None:
                continue
            for k, part in enumerate(np.split(found, ends, axis=1)):
                size = float(np.abs(expected[k]).max(initial=0.0))
                if k in case.needed and not np.allclose(part, expected[k], rtol=0, atol=digits * size, equal_nan=True):
                    yield case, names[k]
