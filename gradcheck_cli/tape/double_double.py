"""Arithmetic in pairs of doubles, about 32 digits, each with a bound on its error (Dekker 1971, Knuth; as in QD).

The bounds are generous multiples of the errors that are proven for these algorithms. Where a product under- or
overflows, nothing is known.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

SPLITTER = 134217729.0  # 2**27 + 1
UNIT = 2.0**-100
SMALLEST, LARGEST = 1e-240, 1e280
INF = np.inf


class Pair(NamedTuple):
    """The number lies within radius of high + low."""

    high: Any
    low: Any
    radius: Any

    def at(self, place: Any) -> Pair:
        return Pair(*(np.asarray(part)[place] for part in tuple(self)))


def exact(values: Any) -> Pair:
    """Doubles as they are."""
    values = np.asarray(values, np.float64)
    return Pair(values, np.zeros_like(values), np.zeros_like(values))


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _two_product(a: Any, b: Any) -> tuple[Any, Any]:
    product = a * b
    x = a * SPLITTER
    high_a = x - (x - a)
    low_a = a - high_a
    y = b * SPLITTER
    high_b = y - (y - b)
    low_b = b - high_b
    return product, ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b


def add(x: Pair, y: Pair) -> Pair:
    total, rest = _two_sum(x.high, y.high)
    high, low = _renormalised(total, rest + (x.low + y.low))
    return Pair(high, low, x.radius + y.radius + (np.abs(x.high) + np.abs(y.high)) * UNIT)


def _renormalised(high: Any, low: Any) -> tuple[Any, Any]:
    total = high + low
    return total, low - (total - high)


def neg(x: Pair) -> Pair:
    return Pair(-x.high, -x.low, x.radius)


def sub(x: Pair, y: Pair) -> Pair:
    return add(x, neg(y))


def mul(x: Pair, y: Pair) -> Pair:
    product, rest = _two_product(x.high, y.high)
    high, low = _renormalised(product, rest + (x.high * y.low + x.low * y.high))
    size = np.abs(product)
    radius = x.radius * np.abs(y.high) + (np.abs(x.high) + x.radius) * y.radius * (1 + 2.0**-40) + size * UNIT
    zero = (x.high == 0) | (y.high == 0)
    known = zero | ((size > SMALLEST) & (size < LARGEST) & (np.abs(x.high) < LARGEST) & (np.abs(y.high) < LARGEST))
    return Pair(high, low, np.where(known, radius, INF))


def div(x: Pair, y: Pair) -> Pair:
    """By long division in three steps."""
    first = x.high / y.high
    rest = sub(x._replace(radius=0.0), mul(exact(first), y._replace(radius=0.0)))
    second = rest.high / y.high
    rest = sub(rest, mul(exact(second), y._replace(radius=0.0)))
    third = rest.high / y.high
    high, low = _renormalised(first, second)
    high, low = _renormalised(high, low + third)
    size, below = np.abs(first), np.abs(y.high) * (1 - 2.0**-40) - y.radius
    radius = (x.radius + size * (1 + 2.0**-40) * y.radius) / below + size * UNIT
    inside = (size > SMALLEST) & (size < LARGEST) & (np.abs(x.high) > SMALLEST) & (np.abs(x.high) < LARGEST)
    known = (below > 0) & ((x.high == 0) | inside)
    known = known & (np.abs(y.high) < LARGEST) & (np.abs(y.high) > SMALLEST)
    return Pair(high, low, np.where(known, radius, INF))


def total(x: Pair, axis: int) -> Pair:
    """The sum along an axis, pairwise."""
    parts = Pair(*(np.moveaxis(np.asarray(part), axis, 0) for part in tuple(x)))
    while len(parts.high) > 1:
        half = len(parts.high) // 2
        joined = add(_rows(parts, slice(0, half)), _rows(parts, slice(half, 2 * half)))
        if len(parts.high) % 2:
            last = _rows(parts, slice(2 * half, None))
            joined = Pair(*(np.concatenate(both) for both in zip(tuple(joined), tuple(last), strict=True)))
        parts = joined
    return Pair(*(part[0] for part in tuple(parts)))


def _rows(x: Pair, rows: slice) -> Pair:
    return Pair(x.high[rows], x.low[rows], x.radius[rows])
