"""Many points as columns of doubles, one for each variable: made of ranges, and rounded to a working dtype."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

import numpy as np

from gradcheck_cli.certified.float_filter.kernels import Floats
from gradcheck_cli.dtypes import Dtype

Columns = Mapping[str, Floats]


def column(numbers: Iterable[float]) -> Floats:
    return np.array(list(numbers), dtype=np.float64)


def point_of(columns: Columns, i: int) -> dict[str, float]:
    return {name: float(values[i]) for name, values in columns.items()}


def length_of(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def evenly_spaced(start: Fraction, stop: Fraction, count: int) -> Floats:
    """The double nearest to each of `count` numbers from start to stop, as a quotient of integers."""
    step = (stop - start) / max(1, count - 1)
    below = math.lcm(start.denominator, step.denominator)
    first, by = int(start * below), int(step * below)
    if abs(first) + count * abs(by) < 2**53 and below < 2**53:  # then all of them are doubles
        return (first + np.arange(count, dtype=np.float64) * by) / below
    return np.array([(first + i * by) / below for i in range(count)])


def products(axes: Columns, size: int) -> Iterator[Columns]:
    """The product of the axes in blocks of at most `size` points; the last variable moves fastest."""
    counts = [len(values) for values in axes.values()]
    total = math.prod(counts)
    for first in range(0, total, size):
        flat = np.arange(first, min(first + size, total))
        places = np.unravel_index(flat, counts)
        yield {name: values[place] for (name, values), place in zip(axes.items(), places, strict=True)}


def round_many(values: Floats, dtype: Dtype) -> Floats:
    """Dtype.round for many numbers."""
    exponents = np.maximum(np.frexp(values)[1] - dtype.precision, dtype.min_exponent)
    rounded = np.ldexp(np.rint(np.ldexp(values, -exponents)), exponents)
    return np.where(np.abs(rounded) > dtype.max, np.copysign(np.inf, values), rounded)


def first_out_of_range(columns: Columns, rounded: Columns) -> int | None:
    """The first point of which rounding made an infinity, or 0 of another number."""
    odd = np.zeros(length_of(columns), bool)
    for name, values in columns.items():
        odd |= np.isinf(rounded[name]) | ((rounded[name] == 0) & (values != 0))
    found = np.flatnonzero(odd)
    return int(found[0]) if len(found) else None
