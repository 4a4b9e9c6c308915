"""Along one variable: where a function and its derivatives exist and are smooth, where there is no value, and what lies
between.

An interval is a ball. Where the balls of a value and its derivatives are finite, and no branch is at a tie in them, all
of the interval is clear; where the function provably has no value, all of it is undefined. What is neither is halved.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from flint import arb

from gradcheck_cli.certified.ball import Balls, Undefined, precision
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.records.derivative import VALUE

BITS = 90
DEEPEST = 24
"""So often an interval is halved; what is still open then is a break."""
MOST = 6_000
"""Intervals that are looked at."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Breaks:
    """open: intervals that hold what is special, or of which nothing is known, most of them very short; undefined:
    those where the function has no value. In order."""

    open: tuple[Interval, ...]
    undefined: tuple[Interval, ...]


def breaks(
    derivatives: Derivatives, name: str, fixed: Mapping[str, float], edges: Sequence[float], deadline: float
) -> Breaks:
    """edges: the ends of the intervals to begin with, in order. fixed: the other variables. deadline: when to stop, by
    time.monotonic."""
    env = {other: arb(value) for other, value in fixed.items()}
    waiting = deque((low, high, 0) for low, high in pairwise(edges) if low < high)
    left: list[Interval] = []
    undefined: list[Interval] = []
    for _ in range(MOST):
        if not waiting or time.monotonic() > deadline:
            break
        low, high, depth = waiting.popleft()
        clear = _is_clear(derivatives, {**env, name: _ball(low, high)})
        middle = low + (high - low) / 2
        if clear is None:
            undefined.append((low, high))
        elif not clear and depth < DEEPEST and low < middle < high:
            waiting.extend(((low, middle, depth + 1), (middle, high, depth + 1)))
        elif not clear:
            left.append((low, high))
    return Breaks(_joined([*left, *((low, high) for low, high, _ in waiting)]), _joined(undefined))


def simplest(low: float, high: float) -> float:
    """The double between two that has the shortest fraction: where people put kinks and poles."""
    found = _simplest(Fraction(low), Fraction(high))
    number = float(found)
    return number if low <= number <= high else low + (high - low) / 2


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_simplest(-high, -low)
    whole = math.ceil(low)
    if whole <= high:
        return Fraction(whole)
    whole -= 1
    return whole + 1 / _simplest(1 / (high - whole), 1 / (low - whole))


def _ball(low: float, high: float) -> arb:
    with precision(BITS):
        middle = (arb(low) + arb(high)) / 2
        return arb(middle, arb(high) - middle)


def _is_clear(derivatives: Derivatives, env: Mapping[str, arb]) -> bool | None:
    """Whether the function and the derivatives exist at all of these points; None: the function has no value there."""
    with precision(BITS):
        values = derivatives.program.run(Balls(env, derivatives.numbers))
        if isinstance(values[derivatives.root[VALUE]], Undefined):
            return None
        for row, root in derivatives.root.items():
            value = values[root]
            if not isinstance(value, arb) or not value.is_finite():
                return False
            if row.wrt and derivatives.ties(row, values) is not False:
                return False
        return True


def _joined(intervals: list[Interval]) -> tuple[Interval, ...]:
    """In order, those that touch as one."""
    found: list[Interval] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)
