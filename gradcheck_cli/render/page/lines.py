"""Lines of a drawing as paths of an SVG: few cubic curves through many spots, by tenths of a pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

Spot = tuple[float, float]
"""In pixels."""
Spots = Sequence[Spot]
"""From left to right."""
ROUGH, COARSE = 0.1, 1.8
"""Pixels by which a curve, and a line that only shows a limit, may miss its spots."""
SWING = 1.0
"""Pixels by which a curve may leave the heights of two neighbouring spots between them."""


def path(spots: Spots, *, is_curved: bool = True) -> str:
    """A curve through the spots, without a corner where they have none; else straight lines that show a limit."""
    if not spots:
        return ""
    x, y = (round(10 * place) for place in spots[0])
    texts = [f"M{numbers(x / 10, y / 10)}"]
    for first, last in _pieces(spots, is_curved):
        to = tuple(round(10 * place) for place in spots[last])
        across, down = (to[0] - x) / 10, (to[1] - y) / 10
        third = (spots[last][0] - spots[first][0]) / 3
        start, end = (third * slope for slope in _slopes(spots, first, last, is_curved))
        if abs(start - down / 3) + abs(end - down / 3) > ROUGH:
            texts.append(f"c{numbers(third, start, across - third, down - end, across, down)}")
        elif across or down:
            texts.append(f"l{numbers(across, down)}")
        x, y = to
    return "".join(texts)


def inside(spots: Spots) -> Iterator[list[Spot]]:
    """The parts whose heights are between 0 and 1, with the places where they leave."""
    part: list[Spot] = []
    for index, (x, y) in enumerate(spots):
        is_inside = 0 <= y <= 1
        if index and is_inside != (0 <= spots[index - 1][1] <= 1):
            x0, y0 = spots[index - 1]
            rim = float((y0 if is_inside else y) > 1)
            part.append((x0 + (x - x0) * (rim - y0) / (y - y0), rim))
        if is_inside:
            part.append((x, y))
        elif part:
            yield part
            part = []
    if part:
        yield part


def numbers(*found: float) -> str:
    """Numbers of a path, to tenths, in as few characters as it needs."""
    texts = (f"{round(number, 1) + 0.0:.5g}" for number in found)
    return " ".join(text.replace("0.", ".") if abs(float(text)) < 1 else text for text in texts).replace(" -", "-")


def _pieces(spots: Spots, is_curved: bool) -> list[tuple[int, int]]:
    """The first and the last spot of each cubic curve, as few as come near enough to all (as Douglas and Peucker)."""
    rough = ROUGH if is_curved else COARSE
    kept, stack = {0, len(spots) - 1}, [(0, len(spots) - 1)]
    while stack:
        first, last = stack.pop()
        slopes = _slopes(spots, first, last, is_curved)
        ends = spots[first], spots[last]
        off = [(_miss(spots[k - 1], spots[k], spots[k + 1], ends, slopes), k) for k in range(first + 1, last)]
        worst, k = max(off, default=(0.0, first))
        if not worst <= rough:
            kept.add(k)
            stack += [(first, k), (k, last)]
    cuts = sorted(kept)
    return list(pairwise(cuts))


def _miss(before: Spot, spot: Spot, after: Spot, ends: tuple[Spot, Spot], slopes: tuple[float, float]) -> float:
    """By how much a cubic curve misses a spot, or swings out on the way to it and from it."""
    worst = abs(spot[1] - _height(spot[0], ends, slopes))
    for a, b in ((before, spot), (spot, after)):
        middle = _height((a[0] + b[0]) / 2, ends, slopes)
        worst = max(worst, min(a[1], b[1]) - SWING - middle, middle - max(a[1], b[1]) - SWING)
    return worst


def _slopes(spots: Spots, first: int, last: int, is_curved: bool) -> tuple[float, float]:
    """Of a piece, at its start and its end: by its own spots, so that a corner beyond it has no part in them."""
    if last - first < 2 or not is_curved:
        chord = _chord(spots[first], spots[last])
        return chord, chord
    return _slope(*spots[first : first + 3]), _slope(*spots[last - 2 : last + 1][::-1])


def _chord(a: Spot, b: Spot) -> float:
    return (b[1] - a[1]) / (b[0] - a[0]) if a[0] != b[0] else 0.0


def _slope(a: Spot, b: Spot, c: Spot) -> float:
    """At the first of three spots, of the parabola through them."""
    return _chord(a, b) + _chord(a, c) - _chord(b, c)


def _height(x: float, ends: tuple[Spot, Spot], slopes: tuple[float, float]) -> float:
    """Of the cubic curve between two spots with these slopes there."""
    (x0, y0), (x1, y1) = ends
    width = x1 - x0
    t = (x - x0) / width if width else 0.0
    between = width * t * (1 - t) * (slopes[0] * (1 - t) - slopes[1] * t)
    return y0 * (1 + 2 * t) * (1 - t) ** 2 + y1 * t * t * (3 - 2 * t) + between
