"""The makers: what each is called, how it is written, and what its arguments mean.

A shape is numbers, as in randn(4, 3), or a tuple, as in randn((4, 3)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradcheck_cli.arrays.nodes import Shape

MAX_ELEMENTS = 10_000_000
MAX_DIMENSIONS = 32

Argument = int | float | Shape
Number = int | float


class Unfit(Exception):
    """What is wrong with the arguments. place: of the one at fault; None: of them all."""

    def __init__(self, message: str, place: int | None = None) -> None:
        super().__init__(message)
        self.message, self.place = message, place


@dataclass(frozen=True)
class Maker:
    """usage: an example of how it is written. read: from arguments to (shape, numbers); raises Unfit."""

    usage: str
    read: Callable[[Sequence[Argument]], tuple[Shape, tuple[Number, ...]]]


def _shape(arguments: Sequence[Argument], first: int = 0) -> Shape:
    """The arguments from `first` on as a shape."""
    given = arguments[first:]
    if len(given) == 1 and isinstance(given[0], tuple):
        given = given[0]
    for place, size in enumerate(given, first):
        if not isinstance(size, int) or size < 0:
            raise Unfit(f"a shape is made of whole numbers from 0, not {size}", min(place, len(arguments) - 1))
    shape = tuple(int(size) for size in given if isinstance(size, int))
    if len(shape) > MAX_DIMENSIONS:
        raise Unfit(f"an array has at most {MAX_DIMENSIONS} dimensions")
    return _sized(shape)


def _sized(shape: Shape) -> Shape:
    if math.prod(shape) > MAX_ELEMENTS:
        raise Unfit(f"an array has at most {MAX_ELEMENTS:,} elements")
    return shape


def _numbers(arguments: Sequence[Argument], whole: bool = False) -> tuple[Number, ...]:
    """Arguments that are finite numbers."""
    found: list[Number] = []
    for place, value in enumerate(arguments):
        if isinstance(value, tuple) or not math.isfinite(value) or (whole and not isinstance(value, int)):
            raise Unfit(f"{value} is no {'whole' if whole else 'finite'} number", place)
        found.append(value)
    return tuple(found)


def _of_shape(arguments: Sequence[Argument]) -> tuple[Shape, tuple[Number, ...]]:
    return _shape(arguments), ()


def _uniform(arguments: Sequence[Argument]) -> tuple[Shape, tuple[Number, ...]]:
    if len(arguments) < 3:
        raise Unfit("it takes the lowest and the highest number, and a shape")
    low, high = _numbers(arguments[:2])
    if low > high:
        raise Unfit("the lowest number comes first", 0)
    return _shape(arguments, 2), (low, high)


def _randint(arguments: Sequence[Argument]) -> tuple[Shape, tuple[Number, ...]]:
    if len(arguments) < 2:
        raise Unfit("it takes the number that all are below (or the lowest, and that), and a shape")
    bounds = 1 if len(arguments) == 2 else 2
    low, high = (0, *_numbers(arguments[:1], whole=True)) if bounds == 1 else _numbers(arguments[:2], whole=True)
    if not -(2**63) <= low < high <= 2**63 - 1:
        raise Unfit("there is no whole number from the lowest to below the highest that fits into 64 bits", 0)
    return _shape(arguments, bounds), (low, high)


def _full(arguments: Sequence[Argument]) -> tuple[Shape, tuple[Number, ...]]:
    if len(arguments) < 2:
        raise Unfit("it takes a shape and a number")
    *_, value = arguments
    if isinstance(value, tuple):
        raise Unfit("the number comes last", len(arguments) - 1)
    return _shape(arguments[:-1]), (value,)


def _eye(arguments: Sequence[Argument]) -> tuple[Shape, tuple[Number, ...]]:
    shape = _shape(arguments)
    if len(shape) not in (1, 2):
        raise Unfit("it takes the number of rows, and that of columns if it is another")
    return _sized((shape[0], shape[-1])), ()


def _arange(arguments: Sequence[Argument]) -> tuple[Shape, tuple[Number, ...]]:
    numbers = _numbers(arguments)
    if not 1 <= len(numbers) <= 3:
        raise Unfit("it takes the end; or the start and the end, and a step")
    start, end, step = (0, *numbers, 1) if len(numbers) == 1 else (*numbers, 1)[:3]
    count = (end - start) / step if step else -1
    if count < 0:
        raise Unfit(f"from {start} it does not come to {end} by steps of {step}", len(numbers) - 1)
    return _sized((math.ceil(min(count, MAX_ELEMENTS + 1)),)), (start, step)


def _linspace(arguments: Sequence[Argument]) -> tuple[Shape, tuple[Number, ...]]:
    if len(arguments) != 3 or isinstance(arguments[2], tuple):
        raise Unfit("it takes the first number, the last one, and how many")
    return _shape(arguments, 2), _numbers(arguments[:2])


MAKERS = {
    "randn": Maker("randn(4, 3)", _of_shape),
    "rand": Maker("rand(4, 3)", _of_shape),
    "uniform": Maker("uniform(-1, 1, (4, 3))", _uniform),
    "randint": Maker("randint(0, 10, (4,))", _randint),
    "zeros": Maker("zeros(4, 3)", _of_shape),
    "ones": Maker("ones(4, 3)", _of_shape),
    "full": Maker("full((4, 3), 0.5)", _full),
    "eye": Maker("eye(3)", _eye),
    "arange": Maker("arange(0, 10, 2)", _arange),
    "linspace": Maker("linspace(-5, 5, 11)", _linspace),
}
