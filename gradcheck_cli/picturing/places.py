"""What is special along a variable: kinks, jumps, poles, holes, and where the function begins and ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradcheck_cli.certified.breaks import Breaks, Interval, simplest
from gradcheck_cli.certified.references import References
from gradcheck_cli.picturing.numbers import Numbers
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.picture import PlaceKind
from gradcheck_cli.records.reference import Kind

FAR, NEAR = 1e-4, 1e-10
"""How far from a place the two numbers on a side of it are, of the width of the picture."""
GROWS = 30.0
"""By this factor at the least an unbounded number grows from FAR to NEAR."""
SEEN = 1e-5
"""A jump that is less than this of the numbers beside it is not seen, and may be the error of float64."""
MOST = 200
WIDE = 1e-3
"""An interval of that width, of the picture, was not looked at to the end."""


@dataclass(frozen=True)
class Cut:
    """A place with the interval that holds it, in which nothing is drawn. kind: None where nothing is known of it."""

    low: float
    high: float
    x: float
    kind: PlaceKind | None


def cuts(
    breaks: Breaks, width: float, numbers: Callable[[Sequence[float]], list[Numbers]],
    references: Callable[[float], References],
) -> list[Cut]:  # fmt: skip
    """The places where something is special. numbers, references: what is certified at abscissae, and at one."""
    found = [Cut(low, high, low, None) for low, high in breaks.open if high - low > WIDE * width]
    narrow = [one for one in breaks.open if one[1] - one[0] <= WIDE * width][:MOST]
    sides = [
        x for low, high in narrow
        for x in (low - FAR * width, low - NEAR * width, high + NEAR * width, high + FAR * width)
    ]  # fmt: skip
    beside = numbers(sides)
    for i, interval in enumerate(narrow):
        x = simplest(*interval)
        kind = _kind(references(x), beside[4 * i : 4 * i + 4])
        if kind is not None:
            found.append(Cut(*interval, x, kind))
    found += _edges(breaks, narrow)
    return sorted(found, key=lambda cut: cut.low)


def _edges(breaks: Breaks, narrow: Sequence[Interval]) -> list[Cut]:
    """Ends of what is undefined that balls found at once, with nothing in between."""
    ends = [x for stretch in breaks.undefined for x in stretch]
    return [Cut(x, x, x, None) for x in ends if not any(low <= x <= high for low, high in narrow)]


def _kind(here: References, beside: Sequence[Numbers]) -> PlaceKind | None:
    """beside: far left, left, right, far right."""
    left, right = beside[1][VALUE], beside[2][VALUE]
    if left is None or right is None:
        return PlaceKind.EDGE if (left is None) != (right is None) else None
    if here.value is None and here.value_certified:
        limits = [one.limit for one in here.rows.values()]
        return PlaceKind.POLE if None in limits else PlaceKind.HOLE
    kind = _change([numbers[VALUE] for numbers in beside])
    if kind is not None:
        return kind
    if any(_has_kink(row, here, beside) for row in here.rows):
        return PlaceKind.KINK
    return None


def _has_kink(row: Derivative, here: References, beside: Sequence[Numbers]) -> bool:
    if here.rows[row].kind is Kind.KINK:
        return True
    return _change([numbers[row] for numbers in beside]) is not None


def _change(beside: Sequence[float | None]) -> PlaceKind | None:
    """What a quantity does, by its numbers from left to right: grows without end, jumps, or neither."""
    if any(number is None or not math.isfinite(number) for number in beside):
        return None
    far_left, left, right, far_right = (float(number) for number in beside if number is not None)
    if max(abs(left), abs(right)) > GROWS * max(abs(far_left), abs(far_right)) > 0:
        return PlaceKind.POLE
    moved = abs(far_left - left) + abs(right - far_right)
    size = max(abs(left), abs(right))
    return PlaceKind.JUMP if abs(right - left) > 0.1 * moved + SEEN * size else None
