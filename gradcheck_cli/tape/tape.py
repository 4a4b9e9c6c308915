"""The tape: what a piece of code computed, as vector instructions over element numbers.

Every number that the code computes has an element number. An instruction makes a block of new elements from older ones
by one function of the table, or by an n-ary `sum`, `dot`, `prod`, `max` or `min`. There is no Python object for a
single number: a product of two matrices is one instruction, and an expression is made only for elements that need one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.dtypes import DTYPES, Dtype
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.infinite import folded, folded_reduction, is_foldable

REDUCTIONS = {"sum": "add", "prod": "mul", "max": "maximum", "min": "minimum"}
"""n-ary instructions, and the function of two arguments that each repeats."""
EMPTY = {"sum": 0.0, "prod": 1.0, "dot": 0.0}
WHOLE = frozenset({"floor", "ceil", "trunc", "round", "div_floor", "div_trunc"})
SOURCES = frozenset({"input", "constant", "unknown"})


@dataclass(frozen=True)
class Origin:
    """Where an instruction comes from. operation: as torch names it; place: "losses.py:12" of the user's code.

    function: the innermost `autograd.Function` whose forward was running, as an index into the recorder's list; -1:
    none.
    """

    operation: str
    place: str
    function: int = -1


@dataclass(eq=False, slots=True)
class Instruction:
    """A block of new elements, start <= element < stop.

    function: a row of the table, a condition, `where`; or "input", "constant", "unknown" (nothing may rest on it),
    "held" (the same numbers, held constant: no derivative flows through them); or n-ary, and then the last axis of its
    one argument is reduced. The arguments of a row have the shape (n,), or (1,) for a constant that is the same for
    all. "dot" is a batch of products of matrices: arguments (b, p, k) and (b, q, k), elements (b, p, q).
    dtype: in which the code rounds the result.
    """

    function: str
    args: tuple[Elements, ...]
    start: int
    stop: int
    dtype: Dtype
    origin: Origin

    @property
    def elements(self) -> slice:
        return slice(self.start, self.stop)

    def operands(self, element: int) -> list[list[int]]:
        """The element numbers that one element is made of, argument by argument."""
        k = element - self.start
        if self.function == "dot":
            a, b = self.args
            (batch, p, _), q = a.shape, b.shape[1]
            i, row, column = np.unravel_index(k, (batch, p, q))
            return [a[i, row].tolist(), b[i, column].tolist()]
        return [np.atleast_1d(arg[k if len(arg) > 1 else 0]).tolist() for arg in self.args]

    @property
    def operations(self) -> int:
        """How many operations on numbers it stands for."""
        if self.function in SOURCES or self.function == "held":
            return 0
        count = self.stop - self.start
        if self.function == "dot":
            return count * (2 * int(self.args[0].shape[-1]) - 1)
        return count * (int(self.args[0].shape[-1]) - 1) if self.function in REDUCTIONS else count


@dataclass(frozen=True)
class Input:
    """An array that the code was given: its elements are the variables of differentiation."""

    name: str
    elements: Elements
    dtype: Dtype

    def label(self, index: int) -> str:
        """The name of an element, by its place in the flat array: logits[0,1]."""
        return element_label(self.name, self.elements.shape, index)


def element_label(name: str, shape: Sequence[int], index: int) -> str:
    return f"{name}[{','.join(str(int(i)) for i in np.unravel_index(index, shape))}]" if shape else name


class _Column:
    """An array that grows at its end."""

    def __init__(self, dtype: Any) -> None:
        self.values = np.zeros(1024, dtype)

    def extend(self, size: int, start: int, values: Any) -> None:
        if size > len(self.values):
            grown = np.zeros(max(size, 2 * len(self.values)), self.values.dtype)
            grown[:start] = self.values[:start]
            self.values = grown
        self.values[start:size] = values


@dataclass
class Tape:
    """size: how many elements there are. Element 0 is the number 0."""

    instructions: list[Instruction] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    size: int = 0
    origin: Origin = Origin("", "")
    dtype: Dtype = DTYPES["float64"]
    """Of the instructions that follow."""

    def __post_init__(self) -> None:
        self._depends, self._fixed, self._numbers = _Column(bool), _Column(bool), _Column(np.float64)
        self._starts: list[int] = []
        self._known: dict[tuple[float, float], int] = {}
        self._held: dict[int, int] = {}
        self._has_infinite = self._has_unknown = False
        self.constant(0.0)

    # -- what is known of elements

    @property
    def depends(self) -> NDArray[np.bool_]:
        """By element: whether a derivative by the inputs may flow to it."""
        return self._depends.values

    @property
    def fixed(self) -> NDArray[np.bool_]:
        """By element: whether it is a constant."""
        return self._fixed.values

    @property
    def numbers(self) -> NDArray[np.float64]:
        """By element: the number, of inputs and constants."""
        return self._numbers.values

    def instruction_of(self, element: int) -> Instruction:
        return self.instructions[bisect_right(self._starts, element) - 1]

    def places_of(self, elements: Elements) -> NDArray[np.intp]:
        """Which instructions made them."""
        return np.searchsorted(self._starts, elements, side="right") - 1

    def are_whole(self, elements: Elements) -> bool:
        """Whether they are whole numbers by the function that made them."""
        places = np.unique(np.searchsorted(self._starts, elements.reshape(-1), side="right") - 1)
        return all(self.instructions[place].function in WHOLE for place in places.tolist())

    @property
    def operations(self) -> int:
        return sum(instruction.operations for instruction in self.instructions)

    @property
    def variables(self) -> Elements:
        """The elements of all inputs, one after the other."""
        return np.concatenate([given.elements.reshape(-1) for given in self.inputs] or [np.zeros(0, np.int64)])

    # -- making elements

    def input(self, name: str, values: NDArray[np.float64], dtype: Dtype) -> Elements:
        """An input whose numbers are `values`."""
        elements = self._new("input", (), values.size, depends=True, numbers=values.reshape(-1)).reshape(values.shape)
        self.inputs.append(Input(name, elements, dtype))
        return elements

    def constants(self, values: NDArray[Any]) -> Elements:
        """An array of numbers that do not depend on the inputs."""
        values = np.asarray(values, np.float64)
        if values.size == 1:
            return np.full(values.shape, self.constant(values.item()))
        self._has_infinite = self._has_infinite or not np.isfinite(values).all()
        return self._new("constant", (), values.size, fixed=True, numbers=values.reshape(-1)).reshape(values.shape)

    def constant(self, value: float) -> int:
        """The element of one number. Equal numbers share it."""
        key = value, math.copysign(1.0, value)
        if key not in self._known:
            self._has_infinite = self._has_infinite or not math.isfinite(value)
            self._known[key] = int(self._new("constant", (), 1, fixed=True, numbers=value)[0])
        return self._known[key]

    def unknown(self, shape: tuple[int, ...]) -> Elements:
        """Elements that depend on the inputs in a way that is not known: see `first_unknown`."""
        self._has_unknown = True
        return self._new("unknown", (), math.prod(shape)).reshape(shape)

    def first_unknown(self, elements: Elements) -> Instruction | None:
        """An instruction of unknown elements on which one of these rests, if there is any."""
        if not self._has_unknown:
            return None
        source = np.full(self.size, -1, np.int64)
        for place, instruction in enumerate(self.instructions):
            if instruction.function == "unknown":
                source[instruction.elements] = place
                continue
            for index, arg in enumerate(instruction.args):
                if instruction.function == "dot":
                    worst = source[arg].max(axis=2, keepdims=True)
                    worst = worst if index == 0 else worst.swapaxes(1, 2)
                    worst = np.broadcast_to(
                        worst, (len(arg), instruction.args[0].shape[1], instruction.args[1].shape[1])
                    )
                else:
                    worst = source[arg] if arg.ndim == 1 else source[arg].max(axis=1)
                here = instruction.elements
                source[here] = np.maximum(source[here], worst.reshape(-1))
        found = int(source[elements].max(initial=-1))
        return self.instructions[found] if found >= 0 else None

    def held(self, elements: Elements) -> Elements:
        """The same numbers as `elements`, through which no derivative flows."""
        flat = elements.reshape(-1)
        moving = np.unique(flat[self.depends[flat]])
        new = np.array([e for e in moving.tolist() if e not in self._held], np.int64)
        if len(new):
            made = self._new("held", (new,), len(new))
            self._held.update(zip(new.tolist(), made.tolist(), strict=True))
        if not len(moving):
            return elements
        places = np.searchsorted(moving, flat)
        places[places == len(moving)] = 0
        images = np.array([self._held[e] for e in moving.tolist()], np.int64)
        return np.where(moving[places] == flat, images[places], flat).reshape(elements.shape)

    def call(self, function: str, *args: Elements | np.int64) -> Elements:
        """`function` at arrays that broadcast. What is known without computing is not recorded: a choice by a
        constant, and what an infinite constant makes of any finite number."""
        arrays = [np.asarray(arg, np.int64) for arg in args]
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        if not (count := math.prod(shape)):
            return np.zeros(shape, np.int64)
        flat = [_flat(array, shape, single=bool(self.fixed[array.reshape(-1)[0]])) for array in arrays]
        known, result = self._known_results(function, flat, count)
        if known is None:
            return self._emit(function, flat, count).reshape(shape)
        if not known.all():
            rest = ~known
            left = [arg if len(arg) == 1 else arg[rest] for arg in flat]
            result[rest] = self._emit(function, left, int(rest.sum()))
        return result.reshape(shape)

    def reduce(self, function: str, array: Elements) -> Elements:
        """sum, prod, max or min over the last axis."""
        shape, width = array.shape[:-1], array.shape[-1]
        if not width:
            return np.full(shape, self.constant(EMPTY[function]), np.int64)
        if width == 1 or not math.prod(shape):
            return array[..., 0].copy() if width == 1 else np.zeros(shape, np.int64)
        if width == 2:
            return self.call(REDUCTIONS[function], array[..., 0], array[..., 1])
        rows = np.array(array).reshape(-1, width)
        if self._has_infinite and is_foldable(self, rows):
            return folded_reduction(self, function, rows, self._reduced).reshape(shape)
        return self._reduced(function, rows).reshape(shape)

    def _reduced(self, function: str, rows: Elements) -> Elements:
        return self._new(function, (rows,), len(rows), depends=self.depends[rows].any(axis=1))

    def dot(self, a: Elements, b: Elements) -> Elements:
        """Products of matrices: (..., p, k) by (..., q, k) over the last axis of both, to (..., p, q)."""
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        p, q, width = a.shape[-2], b.shape[-2], a.shape[-1]
        if not width or not math.prod(batch) * p * q:
            return np.full((*batch, p, q), self.constant(0.0), np.int64)
        if width == 1:
            return self.call("mul", a[..., :, None, 0], b[..., None, :, 0])
        a, b = (np.array(np.broadcast_to(x, batch + x.shape[-2:])).reshape(-1, *x.shape[-2:]) for x in (a, b))
        if self._has_infinite and (is_foldable(self, a) or is_foldable(self, b)):
            shape = (len(a), p, q, width)
            wide = (np.broadcast_to(a[:, :, None], shape), np.broadcast_to(b[:, None], shape))
            return self.reduce("sum", self.call("mul", *wide)).reshape(*batch, p, q)
        rows = np.any(self.depends[a], axis=2, keepdims=True)
        moving = rows | np.swapaxes(np.any(self.depends[b], axis=2, keepdims=True), 1, 2)
        return self._new("dot", (a, b), moving.size, depends=moving.reshape(-1)).reshape(*batch, p, q)

    def _known_results(
        self, function: str, flat: Sequence[Elements], count: int
    ) -> tuple[NDArray[np.bool_] | None, Elements]:
        """(which results are known without computing, those): None where none is."""
        known: NDArray[np.bool_] | None = None
        result = np.zeros(0, np.int64)
        if function == "where" and (decided := self.fixed[flat[0]]).any():
            known = np.broadcast_to(decided, count)
            result = np.array(np.broadcast_to(np.where(self.numbers[flat[0]] != 0, flat[1], flat[2]), count))
        elif function in ("maximum", "minimum", "fmax", "fmin") and (same := flat[0] == flat[1]).any():
            known, result = np.broadcast_to(same, count), np.array(np.broadcast_to(flat[0], count))
        if self._has_infinite and function not in ("where", "nan_to_num") and any(is_foldable(self, a) for a in flat):
            wide = [np.broadcast_to(arg, count) for arg in flat]
            odd = np.zeros(count, bool)
            for arg in wide:
                odd |= self.fixed[arg] & ~np.isfinite(self.numbers[arg])
            if known is not None:
                odd &= ~known
            result = result if known is not None else np.zeros(count, np.int64)
            result[odd] = folded(self, function, [arg[odd] for arg in wide])
            known = odd if known is None else known | odd
        return known, result

    def _emit(self, function: str, flat: Sequence[Elements], count: int) -> Elements:
        depends = self.depends[flat[0]]
        for arg in flat[1:]:
            depends = depends | self.depends[arg]
        return self._new(function, tuple(flat), count, depends=depends)

    def _new(
        self, function: str, args: tuple[Elements, ...], count: int, *, depends: Any = False, fixed: bool = False,
        numbers: Any = np.nan,
    ) -> Elements:  # fmt: skip
        start, self.size = self.size, self.size + count
        self._depends.extend(self.size, start, depends)
        self._fixed.extend(self.size, start, fixed)
        self._numbers.extend(self.size, start, numbers)
        if count:
            self._starts.append(start)
            self.instructions.append(Instruction(function, args, start, self.size, self.dtype, self.origin))
        return np.arange(start, self.size)


def _flat(array: Elements, shape: tuple[int, ...], *, single: bool) -> Elements:
    """An operand laid out for an instruction: a copy, since its owner may go on writing into it. A single constant is
    not repeated."""
    if array.size == 1 and single:
        return array.reshape(1).copy()
    if array.shape == shape:
        return array.reshape(-1).copy()
    return np.array(np.broadcast_to(array, shape)).reshape(-1)
