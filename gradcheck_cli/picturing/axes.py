"""Which part of the numbers is shown, and on which scale: chosen so that the points asked for can be told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from gradcheck_cli.records.picture import Axis, Scale

LARGEST = 1e300
"""Beyond it nothing is drawn: differences of coordinates stay finite."""
WIDE = 1e4
"""Coordinates that differ by this factor, but for the smallest tenth of them, are laid out by their logarithms."""
TALL = 1e5
"""So is what is drawn over them where the largest is this many times the middle one, no pole makes it so, and the
numbers go through the decades between."""
CLIFF = 0.25
"""Of the height: numbers that are farther apart on a logarithmic axis skip what is between them."""
ROOM = 12.0
"""How many times what is drawn at the points asked for an axis may reach."""
INNER = (10, 20, 40)
"""What share of the numbers beside poles is left out at each end; a smaller one where all others are the same."""
MARGIN = 0.08
FOOT = 0.1
"""Ulps at the foot of the axis of errors: 0 stands there."""


def abscissa(coordinates: Iterable[float]) -> Axis:
    """An axis for the coordinates of points: with some room at both ends, and around a single one."""
    numbers = sorted({x for x in coordinates if abs(x) <= LARGEST})
    if not numbers:
        return Axis(-3.0, 3.0)
    low, high = numbers[0], numbers[-1]
    if low == high:
        around = 1.5 * abs(low) if abs(low) >= 1e-300 else 2.0
        return Axis(low - around, low + around)
    scale, linear = _scale(numbers)
    return _with_room(Axis(low, high, scale, linear))


def ordinate(
    numbers: Sequence[float], needed: Sequence[float] = (), *, apart: Sequence[float] = (), poles: bool = False
) -> Axis:
    """An axis for what is drawn: without the few numbers that would flatten all others, as beside a pole.

    needed: numbers at the points asked for. apart: those of the numbers that do not stand beside something special,
    by which the scale is chosen, where they are not all. poles: whether the numbers are beside one.
    """
    needed = [y for y in needed if abs(y) <= LARGEST]
    known = sorted(y for y in numbers if abs(y) <= LARGEST) or sorted(needed)
    if not known:
        return Axis(-1.0, 1.0)
    even = [y for y in apart if abs(y) <= LARGEST] or known
    sizes = sorted(map(abs, even))
    middle, largest = sizes[len(sizes) // 2], sizes[-1]
    if not poles and 0 < TALL * middle < largest:
        axis = _by_decades(min([known[0], *needed]), max([known[-1], *needed]), middle)
        if _goes_through(even, axis):
            return axis
    low, high = _of_most(known, poles)
    if any(needed):
        reach = max(ROOM * max(map(abs, needed)), 4 * middle)
        low, high = max(low, -reach), min(high, reach)
    room = 3 * ((high - low) or abs(low))
    near = [y for y in needed if low - room <= y <= high + room]
    low, high = min([low, *near]), max([high, *near])
    if low == high:
        around = max(abs(low) / 2, 1e-300) if low else 1.0
        return Axis(low - around, low + around)
    return _with_room(Axis(low, high))


def of_errors(ulps: Iterable[float | None], tolerance: Iterable[float]) -> Axis:
    """An axis for errors, on which the tolerance is seen as well."""
    numbers = [u for u in (*ulps, *tolerance) if u is not None and FOOT < u <= LARGEST]
    top = math.ceil(math.log10(max([10.0, *numbers])) + 0.3)
    return Axis(FOOT, 10.0**top, Scale.LOG)


def of_sizes(numbers: Sequence[float]) -> Axis:
    """An axis for sizes of entries, none of which is 0: by logarithms where they differ much."""
    known = sorted(size for size in numbers if size <= LARGEST) or [1.0]
    if known[-1] < WIDE * known[0]:
        return Axis(0.0, known[-1])
    return Axis(known[0], known[-1], Scale.LOG)


def _scale(numbers: Sequence[float]) -> tuple[Scale, float]:
    """The scale for sorted coordinates; where it is by logarithms around 0, up to where it is even."""
    sizes = sorted(abs(x) for x in numbers if x)
    small = sizes[(len(sizes) - 1) // 10] if sizes else 1.0
    if not sizes or sizes[-1] < WIDE * small:
        return Scale.LINEAR, 1.0
    return (Scale.LOG, 1.0) if numbers[0] > 0 else (Scale.SYMLOG, _decade(small))


def _by_decades(low: float, high: float, middle: float) -> Axis:
    """middle: a size that half of the numbers have."""
    if low > 0:
        return _with_room(Axis(max(low, middle * (middle / high)), high, Scale.LOG))
    return _with_room(Axis(low, high, Scale.SYMLOG, _decade(middle)))


def _goes_through(numbers: Sequence[float], axis: Axis) -> bool:
    """Whether the numbers are all along the axis: those of relu are 0 or near 1, and would be drawn as a jump."""
    places = sorted(min(1.0, max(0.0, axis.place(y))) for y in numbers)
    return all(b - a <= CLIFF for a, b in pairwise(places))


def _decade(number: float) -> float:
    return 10.0 ** math.floor(math.log10(number))


def _with_room(axis: Axis) -> Axis:
    low, high = axis.at(-MARGIN), axis.at(1 + MARGIN)
    return Axis(low, high, axis.scale, axis.linear)


def _of_most(known: Sequence[float], poles: bool) -> tuple[float, float]:
    """The ends of sorted numbers; beside a pole, those of the inner four fifths with some room."""
    low, high = known[0], known[-1]
    if poles:
        last = len(known) - 1
        for share in INNER:
            low, high = known[last // share], known[last - last // share]
            if low < high:
                break
        room = (high - low) / 2
        low, high = max(known[0], low - room), min(known[-1], high + room)
    return low, high
