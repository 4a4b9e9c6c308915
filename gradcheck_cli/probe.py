"""Does it exist? One-sided limits at a doubtful point, from probes far closer to it than any double.

A quantity q(h) is looked at for h = 2**-1400 and 2**-2000, and where these two disagree at four more, down to 2**-8000.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from flint import arb

from gradcheck_cli.ball import precision
from gradcheck_cli.errors import NoReference

NEAR = (1400, 2000)
NEARER = (2600, 3300, 4100, 8000)


def probe_precision(exponent: int) -> int:
    """Bits to evaluate at when a variable is moved by 2**-exponent: differences of nearby values must keep theirs."""
    return 9000 if exponent <= NEAR[-1] else 2 * exponent + 4000


class Behaviour(Enum):
    """How a quantity behaves as h goes to 0."""

    CONVERGES = auto()
    UNBOUNDED = auto()
    OSCILLATES = auto()


@dataclass(frozen=True)
class Limit:
    """value: the limit as a ball that is good far beyond double precision; sign: of an unbounded quantity."""

    behaviour: Behaviour
    value: arb | None = None
    sign: int = 0


def limit(quantity: Callable[[int], arb]) -> Limit:
    """The limit of quantity(e) as h = 2**-e goes to 0.

    Raises NoReference where the probes do not tell.
    """
    near = [_finite(quantity, exponent) for exponent in NEAR]
    with precision(probe_precision(NEAR[-1])):
        a, b = near
        if abs(a - b) <= abs(b) * arb(2) ** -40:
            return Limit(Behaviour.CONVERGES, b)
        if all(abs(x) < arb(2) ** -200 for x in near):
            return Limit(Behaviour.CONVERGES, arb(0))
        for sign in (1, -1):
            if all(sign * x > arb(2) ** 200 for x in near):
                return Limit(Behaviour.UNBOUNDED, sign=sign)
    return _trend([*near, *(_finite(quantity, exponent) for exponent in NEARER)])


def _finite(quantity: Callable[[int], arb], exponent: int) -> arb:
    with precision(probe_precision(exponent)):
        value = quantity(exponent)
        if not value.is_finite():
            raise NoReference("the function could not be evaluated close enough to the point to tell")
        return value


def _trend(samples: list[arb]) -> Limit:
    """The limit of a slow sequence: steady shrinking is 0, steady growth that does not slow down is infinite."""
    exponents = [*NEAR, *NEARER]
    with precision(1000):
        steps = [after - before for before, after in pairwise(samples)]
        sign = 1 if steps[0] > 0 else -1
        if not all(sign * step > 0 for step in steps):
            return Limit(Behaviour.OSCILLATES)
        shrinking = all(abs(after) < abs(before) for before, after in pairwise(samples))
        if shrinking and abs(samples[-1]) < 0.6 * abs(samples[-2]):
            return Limit(Behaviour.CONVERGES, arb(0))
        rates = [abs(step) / (e - d) for step, (d, e) in zip(steps, pairwise(exponents), strict=True)]
        if rates[-1] > 0.4 * rates[0]:
            return Limit(Behaviour.UNBOUNDED, sign=sign)
    raise NoReference("the one-sided limits change too slowly to tell")


def infinite(sign: int) -> float:
    return math.copysign(math.inf, sign)
