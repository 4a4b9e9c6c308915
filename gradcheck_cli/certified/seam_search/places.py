"""Where to compare two expressions so that no branch of either goes unseen.

Along each variable: at every seam, on both sides of it and between it and the next; and far out. The other variables
stay as they are in some point. Coordinates are doubles, and fractions where a seam is at a number that is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from gradcheck_cli.certified.seam_search.gaps import gaps
from gradcheck_cli.certified.seam_search.roots import Budget, Root, real_roots
from gradcheck_cli.expression.nodes import Expr

Coordinate = float | Fraction
Place = Mapping[str, Coordinate]

EVALUATIONS = 200
"""Spent on roots that have to be searched for, at most."""
SEARCHES = 100
"""Gaps whose roots are isolated along some variable, at most."""
BASES = 2
"""Points through which each variable is followed, where there are others."""
MOST = 48
"""Places, at most."""
ENOUGH = 2
"""Points between two seams that make others unnecessary."""
FAR = (1e2, 1e4, 1e6)
MOST_FAR = 12
LARGEST = Fraction(2) ** 1000


def at_seams(
    roots: Sequence[Expr],
    names: Sequence[str],
    bases: Sequence[Mapping[str, float]],
    near: Mapping[str, float],
    seen: Sequence[Mapping[str, float]],
) -> Iterator[Place]:
    """Places at the seams of `roots` and around them, at most MOST.

    names: of the variables. bases: through the first of these points each variable is followed. near: where to look
    first. seen: where the expressions were compared already, and need not be again.
    """
    found = gaps(*roots)
    if not found:
        return
    budget, searches, count = Budget(EVALUATIONS), Budget(SEARCHES), 0
    for base in bases[:BASES] if len(names) > 1 else [near]:
        for name in names:
            others = {other: Fraction(value) for other, value in base.items() if other != name}
            middle = Fraction(near.get(name, 0.0))
            seams = {root for gap in found if searches.take() for root in real_roots(gap, name, others, middle, budget)}
            known = [point[name] for point in seen] if len(names) == 1 else []
            for where in _along(_apart(seams), known):
                yield {**base, name: where}
                count += 1
                if count >= MOST:
                    return


def far_out(names: Sequence[str], base: Mapping[str, float]) -> Iterator[Place]:
    """Places where one variable is large, of either sign."""
    places = ({**base, name: sign * size} for size in FAR for name in names for sign in (1, -1))
    for _, place in zip(range(MOST_FAR), places, strict=False):
        yield place


def _apart(seams: set[Root]) -> list[Root]:
    """In order; of those that overlap, an exact one."""
    kept: list[Root] = []
    for root in sorted(seams):
        if not -LARGEST < root.low <= root.high < LARGEST:
            continue
        if kept and root.low <= kept[-1].high:
            if root.low == root.high:
                kept[-1] = root
        else:
            kept.append(root)
    return kept


def _along(seams: Sequence[Root], seen: Sequence[float]) -> Iterator[Coordinate]:
    """Coordinates at the seams, and between them where `seen` has none."""
    for root in seams:
        if root.low == root.high:
            number = float(root.low)
            if Fraction(number) != root.low:
                yield root.low
            elif number not in seen:
                yield number
    ends = [None, *seams, None]
    for left, right in pairwise(ends):
        low, high = left and left.high, right and right.low
        inside = sum((low is None or low < x) and (high is None or x < high) for x in map(Fraction, seen))
        if seams and inside < ENOUGH:
            yield from dict.fromkeys(_between(low, high))


def _between(low: Fraction | None, high: Fraction | None) -> Iterator[float]:
    """Beside both ends of an open interval, and further inside. None: it has no end."""
    width = high - low if low is not None and high is not None else None
    for end, inwards in ((low, 1), (high, -1)):
        if end is None:
            continue
        for step in (NEAR, max(NEAR, abs(end) / 8)) if width is None else (min(NEAR, width / 3),):
            yield from _shortest(end, end + inwards * step)
    if low is not None and width is not None:
        yield from _shortest(low + width / 3, low + 2 * width / 3)


NEAR = Fraction(5, 4)
"""So far beside a seam a point is looked for: with the next integer, where the next seam leaves room for it."""


def _shortest(first: Fraction, last: Fraction) -> Iterator[float]:
    """The decimal with the fewest digits strictly between two numbers, the nearest to the first of them."""
    low, high = min(first, last), max(first, last)
    exponent = math.floor(math.log10(high - low)) + 1
    for finer in range(4):
        unit = Fraction(10) ** (exponent - finer)
        found = unit * (math.floor(low / unit) + 1 if first == low else math.ceil(high / unit) - 1)
        number = float(found)
        if low < found < high and low < Fraction(number) < high:
            yield number
            return
