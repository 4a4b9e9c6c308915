"""One-sided limits, from probes far closer to the point than any double.

A quantity q(h) is looked at for h near 2**-1400 and 2**-2000, and where these two do not tell at four more, down to
2**-8000; at 0, where no digits are lost, at others far beyond.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from itertools import pairwise

from flint import arb

from gradcheck_cli.certified.ball import precision
from gradcheck_cli.errors import NoReference

NEAR = (1400, 2000)
NEARER = (2600, 3300, 4100, 8000)
BEYOND = tuple(16**k for k in range(5, 17))  # to 2**-(2**64), where h**1e-15 is seen to vanish
AGREEMENT_BITS = 100  # a smooth quantity agrees to 2**-1400, one that moves as h**0.1 to 2**-140, relative
AGREEMENT = arb(2) ** -AGREEMENT_BITS
NEGLIGIBLE, HUGE = arb(2) ** -200, arb(2) ** 200
VANISHING = 0.6
"""What shrinks to less than this from the last probe but one to the last goes to 0: 1/log(h) shrinks to 0.51, and
1/sqrt(log(h)), which is left open, to 0.72."""
STEADY = 0.4
"""What grows at the end at more than this of its first rate, per factor of 2 in h, is unbounded: log(h) keeps its rate,
log(h)**(1/3) 0.44 of it; log(log(h)), which keeps 0.29, is left open; c - 1/sqrt(log(h)), which converges, has 0.16."""
CALMER = 0.8
"""What swings oscillates unless each late probe is smaller than this times an early one: sin(log(h))/log(h) has shrunk
to 0.42 by then, but for the luck of its phases."""


@cache
def step(exponent: int) -> arb:
    """The h near 2**-exponent. Its 300 digits differ from probe to probe: at plain powers of two a function of 1/h or
    log2(h), such as frac(1/h), would take the same value each time."""
    digits = random.Random(exponent).getrandbits(300) | 1 | 1 << 299
    return arb((digits, -exponent - 300))


def probe_precision(exponent: int) -> int:
    """Bits to evaluate at when a variable is moved by step(exponent): differences of nearby values must keep theirs."""
    return 9000 if exponent <= NEAR[-1] or exponent >= BEYOND[0] else 2 * exponent + 4000


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


def limit(quantity: Callable[[int], arb], beyond: bool = False) -> Limit:
    """The limit of quantity(e) as h = step(e) goes to 0.

    beyond: whether h may be as small as one likes, since it is not added to anything. Raises NoReference where the
    probes do not tell.
    """
    near = [_finite(quantity, exponent) for exponent in NEAR]
    if (found := _settled(near[0], near[1])) is not None:
        return found
    samples = [*near, *(_finite(quantity, exponent) for exponent in NEARER)]
    found = _trend(samples)
    if found is None and beyond:
        found = _far_away(quantity, samples[-1])
    if found is None:
        raise NoReference("the one-sided limits change too slowly to tell")
    return found


def _settled(a: arb, b: arb) -> Limit | None:
    """The limit that two successive probes tell, if they do."""
    with precision(probe_precision(NEAR[-1])):
        if agree(a, b):
            return Limit(Behaviour.CONVERGES, b)
        if abs(a) < NEGLIGIBLE and abs(b) < NEGLIGIBLE:
            return Limit(Behaviour.CONVERGES, arb(0))
        for sign in (1, -1):
            if sign * a > HUGE and sign * b > HUGE and abs(b) > abs(a):
                return Limit(Behaviour.UNBOUNDED, sign=sign)
    return None


def _far_away(quantity: Callable[[int], arb], last: arb) -> Limit | None:
    for exponent in BEYOND:
        before, last = last, _finite(quantity, exponent)
        if (found := _settled(before, last)) is not None:
            return found
    return None


def agree(a: arb, b: arb) -> bool:
    """Whether two numbers are the same as far as probes can tell. What agrees to fewer digits may well be diverging, as
    1e15 + log(h) is."""
    return bool(abs(a - b) <= abs(b) * AGREEMENT)


def _finite(quantity: Callable[[int], arb], exponent: int) -> arb:
    with precision(probe_precision(exponent)):
        value = quantity(exponent)
        known = value.is_finite() and (value.rel_accuracy_bits() >= AGREEMENT_BITS or abs(value) < NEGLIGIBLE)
        if not known:
            raise NoReference("the function could not be evaluated close enough to the point to tell")
        return value


def _trend(samples: list[arb]) -> Limit | None:
    """The limit of a slow sequence: steady shrinking is 0, steady growth that does not slow down is infinite.

    What neither settles, nor grows, nor swings to and fro without shrinking, is left open.
    """
    exponents = [*NEAR, *NEARER]
    with precision(1000):
        sizes = [abs(sample) for sample in samples]
        if all(after < before for before, after in pairwise(sizes)) and sizes[-1] < VANISHING * sizes[-2]:
            return Limit(Behaviour.CONVERGES, arb(0))
        if agree(samples[-2], samples[-1]):
            return Limit(Behaviour.CONVERGES, samples[-1])
        steps = [after - before for before, after in pairwise(samples)]
        sign = 1 if steps[0] > 0 else -1
        rates = [abs(step) / (e - d) for step, (d, e) in zip(steps, pairwise(exponents), strict=True)]
        if all(sign * step > 0 for step in steps):
            grows = sign * samples[-1] > 0 and sizes[-1] > sizes[0]
            if grows and rates[-1] > STEADY * rates[0]:
                return Limit(Behaviour.UNBOUNDED, sign=sign)
        elif not all(any(late < CALMER * early for early in sizes[:3]) for late in sizes[3:]):
            return Limit(Behaviour.OSCILLATES)
    return None


def infinite(sign: int) -> float:
    return math.copysign(math.inf, sign)
