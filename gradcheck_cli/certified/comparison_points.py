"""Points at which two expressions are compared that should be equal."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

TRIES = 300
"""Points that are tried, at most."""
NICE = (1.0, 2.0, -1.0, 0.5, -2.0, 3.0, -0.5, 0.25, -3.0, 1.5, 5.0, 0.75, -0.25, 10.0, -5.0, 0.125, 4.0, -10.0)
"""Coordinates that make a counterexample easy to follow."""

Point = Mapping[str, float]


def sample(names: Sequence[str], asked: Sequence[Point]) -> Iterator[Point]:
    """TRIES points to compare at: easy ones first, then ones near those asked for, near 0, positive, large and small.

    The same ones each time.
    """
    generator = random.Random(0)
    if len(names) == 1:
        yield from ({names[0]: value} for value in NICE)
    draw = (
        lambda name: generator.choice(NICE),
        lambda name: generator.uniform(-3, 3),
        lambda name: generator.uniform(0, 3),
        lambda name: generator.choice(asked).get(name, 1.0) * generator.uniform(0.5, 1.5) if asked else 1.0,
        lambda name: generator.uniform(0, 1),
        lambda name: generator.choice((-1, 1)) * 10 ** generator.uniform(-2, 2),
    )
    for number in range(TRIES):
        yield {name: draw[number % len(draw)](name) for name in names}
