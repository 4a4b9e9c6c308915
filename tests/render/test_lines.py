"""Curves of the page: a few cubic pieces that are as smooth as what they show."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from gradcheck_cli.render.page.lines import COARSE, inside, path

Spot = tuple[float, float]
CURVES: list[tuple[str, Callable[[float], float]]] = [
    ("parabola", lambda x: (x - 200) ** 2 / 400),
    ("cubic", lambda x: 50 + ((x - 250) / 50) ** 3 - (x - 250) / 5),
    ("bell", lambda x: 100 * math.exp(-(((x - 240) / 60) ** 2))),
    ("waves", lambda x: 50 + 50 * math.sin(x / 20)),
    ("root", lambda x: 5 * math.sqrt(x)),
]


def spots(height: Callable[[float], float]) -> list[Spot]:
    return [(x, height(x)) for x in (2.4 * k for k in range(201))]


def pieces(d: str) -> list[tuple[Spot, Spot, Spot, Spot]]:
    """Of a path of M, l and c: start, the two handles, end."""
    found, here = [], (0.0, 0.0)
    for kind, text in re.findall(r"([Mlc])([^Mlc]*)", d):
        n = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", text)]
        ways = [(here[0] + a, here[1] + b) for a, b in zip(n[::2], n[1::2], strict=True)]
        if kind == "M":
            here = n[0], n[1]
            continue
        *handles, end = ways
        if kind == "l":
            handles = [(here[0] + (end[0] - here[0]) * t, here[1] + (end[1] - here[1]) * t) for t in (1 / 3, 2 / 3)]
        found.append((here, handles[0], handles[1], end))
        here = end
    return found


def drawn(d: str) -> list[Spot]:
    """Many spots of a path."""
    found = []
    for a, b, c, e in pieces(d):
        for t in (k / 50 for k in range(51)):
            weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            x, y = (sum(w * spot[axis] for w, spot in zip(weights, (a, b, c, e), strict=True)) for axis in (0, 1))
            found.append((x, y))
    return found


@pytest.mark.parametrize(("name", "height"), CURVES, ids=[name for name, _ in CURVES])
def test_a_curve_is_where_it_belongs_and_has_no_corner(name: str, height: Callable[[float], float]) -> None:
    d = path(spots(height))
    ends = 15 if name == "root" else 0  # which begins upright
    assert all(abs(y - height(x)) < 0.35 for x, y in drawn(d) if x > ends)
    assert len(d) < 800
    found = [piece for piece in pieces(d) if piece[0][0] > ends]
    for before, after in pairwise(found):
        ways = [math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in (before[2:], after[:2])]
        assert abs(ways[0] - ways[1]) < math.radians(4)


def test_a_straight_line_is_its_ends_and_a_corner_stays() -> None:
    assert path(spots(lambda x: 10 + x / 4)) == "M0 10l480 120"
    assert path(spots(lambda x: abs(x - 240))) == "M0 240l240-240l240 240"
    assert path([(1.5, 2.0)]) == "M1.5 2"
    assert path([]) == ""


def test_a_curve_does_not_swing_out_between_spots() -> None:
    """The last waves before an essential singularity are denser than the spots."""
    found = [(x, 50 + 40 * math.cos(2e4 / (x + 1e-3))) for x in (2.4 * k for k in range(1, 100))]
    assert all(5 < y < 95 for _, y in drawn(path(found)))


def test_what_shows_a_limit_is_of_straight_lines() -> None:
    found = spots(lambda x: 20 + (x / 40) % 1)
    d = path(found, is_curved=False)
    assert "c" not in d
    assert all(abs(y - 20.5) <= 0.5 + COARSE for _, y in drawn(d))


def test_a_curve_ends_at_the_rim() -> None:
    parts = list(inside([(0, -1), (1, 0.5), (2, 2), (3, 0.5)]))
    assert [[round(x, 3) for x, _ in part] for part in parts] == [[0.667, 1, 1.333], [2.667, 3]]
    assert [[part[0][1], part[-1][1]] for part in parts] == [[0, 1], [1, 0.5]]
