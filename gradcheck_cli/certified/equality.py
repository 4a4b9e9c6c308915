"""Are these equal here? Expressions evaluated together at a point, and what their values say of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from flint import arb

from gradcheck_cli.certified.ball import EXACT, Balls, Numbers, Value, precision
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.expression.program import Program

BITS = 320
BLUR = arb(2) ** -60
"""How much of its size two numbers that are taken to be equal may be unknown by."""


class Together:
    """Expressions that are evaluated at the same points. numbers: what constants mean."""

    def __init__(self, *expressions: Expr, numbers: Numbers = EXACT) -> None:
        self.program, self.numbers = Program(*expressions), numbers

    def at(self, point: Mapping[str, float], bits: int = BITS) -> list[Value]:
        """The value of each."""
        with precision(bits):
            values = self.program.run(Balls({name: arb(value) for name, value in point.items()}, self.numbers))
        return [values[root] for root in self.program.roots]


def is_known(value: Value) -> bool:
    """Whether it is a number."""
    return isinstance(value, arb) and bool(value.is_finite())


def is_sharp(value: Value) -> bool:
    """Whether a number is known well enough to be compared with another one."""
    return isinstance(value, arb) and is_known(value) and bool(value.rad() <= BLUR * (1 + abs(value)))


def midpoint(value: Value) -> float | None:
    """A number as a float; None for what is none."""
    return float(value.mid()) if isinstance(value, arb) and is_known(value) else None


def are_apart(a: Value, b: Value) -> bool:
    """Whether two numbers are different, proven."""
    return isinstance(a, arb) and isinstance(b, arb) and is_known(a) and is_known(b) and not a.overlaps(b)


def are_near(a: Value, b: Value, relative: float) -> bool:
    """Whether two numbers are as near as this, relative to the second, proven."""
    if not (isinstance(a, arb) and isinstance(b, arb)):
        return False
    with precision(BITS):
        return bool(abs(a - b) <= arb(relative) * abs(b))


def are_same(a: Value, b: Value, scale: Value | float) -> bool:
    """Whether two values are the same number as far as balls tell: to 60 bits or more of the second, or of `scale`."""
    size = arb(scale) if isinstance(scale, float) else scale
    if not (isinstance(a, arb) and isinstance(b, arb) and isinstance(size, arb) and is_known(a) and a.overlaps(b)):
        return False
    with precision(BITS):
        return bool(arb(a.rad()) + arb(b.rad()) <= (abs(b) + abs(size)) * BLUR)


def common_factor(pairs: Sequence[tuple[Value, Value]]) -> Fraction | float | None:
    """What the second number of each pair is multiplied by to give the first: a simple fraction where it is one.

    None where that is 1, or not the same for all pairs, or where three of them do not tell.
    """
    balls = [(a, b) for a, b in pairs if isinstance(a, arb) and isinstance(b, arb)]
    if len(balls) >= 3 and all(a.is_zero() for a, _ in balls):
        return Fraction(0)
    with precision(BITS):
        factors = [a / b for a, b in balls if not b.contains(0)]
        if len(factors) < 3 or not all(a.contains(0) for a, b in balls if b.contains(0)):
            return None
        first = factors[0]
        if first.overlaps(arb(1)) or not all(are_same(factor, first, first) for factor in factors):
            return None
        number = float(first.mid())
        value = Fraction(number).limit_denominator(10_000)
        return value if first.overlaps(arb(value.numerator) / value.denominator) else number
