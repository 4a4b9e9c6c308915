"""Where does a smooth expression vanish? Its real roots in one variable, isolated; the others have values.

Of a rational function the roots are those of its numerator, all of them, and the rational ones exactly (not where
constants such as pi or sqrt(2) are in it). Of anything
else they are found by bisection: balls exclude where there is none, signs at both ends of a monotone piece find one.
That is done on wide intervals first, nearest first, and ends when a budget is spent.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from flint import acb, arb, fmpq, fmpq_poly, fmpz_poly

from gradcheck_cli.certified.ball import EXACT, Balls, Undefined, Value, precision, to_fraction
from gradcheck_cli.certified.exact_place import at_place
from gradcheck_cli.differentiation.folding import FALSE, TRUE, ZERO
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable, topological
from gradcheck_cli.expression.program import Program
from gradcheck_cli.language.magnitude import rational

MOST_BITS = 20_000
"""Of a number that is taken for a fraction; what is larger or smaller is no coefficient of a polynomial."""
DEGREE = 40
"""Of a polynomial whose roots are isolated exactly."""
FACTORED = 20
"""Up to here it is factored first, which finds rational roots as such."""
POWERS = range(-6, 21, 2)  # roots of other expressions are looked for from -2**20 to 2**20, past a million
WIDTH = Fraction(1, 2**30)
"""Of an interval that holds a root, relative to the root or 1."""
DEEPEST = 20
"""So often an interval is halved; where balls cannot decide then, it counts as a root: it is one to the eye."""
DEEPEST_UNDEFINED = 6
"""The same where the expression is not defined on all of it: the edge of a domain is a gap of its own."""
MOST_ROOTS = 6
"""Of an expression that is no rational function."""
DENOMINATOR = 1_000
"""Of the rational numbers that are tried for such a root."""
BOXES = 80
"""Intervals that are looked at for the roots of such an expression."""


class Root(NamedTuple):
    """A root lies in [low, high]; where the two are equal, there."""

    low: Fraction
    high: Fraction


class Budget:
    """Evaluations left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def real_roots(gap: Expr, name: str, fixed: Mapping[str, Fraction], near: Fraction, budget: Budget) -> list[Root]:
    """The real roots of `gap` in the variable `name`, in order.

    fixed: the other variables. near: where to look first. budget: what may be spent on looking.
    """
    gap = at_place(gap, fixed)
    if all(not isinstance(node, Variable) for node in topological(gap)):
        return []
    rational_function = _numerator(gap)
    if rational_function is not None:
        polynomial, exact = rational_function
        roots = _of_polynomial(polynomial)
        return _merged(list(roots if exact else map(_widened, roots)))
    try:
        slope = gradient(gap, [name])[name]
    except NoReference:
        slope = ZERO
    with precision(100):
        return _merged(_Search(gap, slope, name, budget).roots(near))


def _numerator(gap: Expr) -> tuple[fmpz_poly, bool] | None:
    """The numerator of a rational function in one variable, and whether it is so exactly: of constants that are not
    rational it has the first bits. None for anything else, and for high degrees."""
    parts: dict[Expr, tuple[fmpq_poly, fmpq_poly]] = {}
    exact, one = True, fmpq_poly([1])
    for node in topological(gap):
        match node:
            case Constant(value=Fraction() as value):
                found: tuple[fmpq_poly, fmpq_poly] | None = (_constant(value), one)
            case Variable():
                found = fmpq_poly([0, 1]), one
            case Named(value=value):
                found = parts.get(value)
            case Call(function=function, args=args):
                found = _combined(function, args, parts) if all(arg in parts for arg in args) else None
            case _:
                found = None
        if found is None and isinstance(number := _nearly(node), Fraction):
            found, exact = (_constant(number), one), False
        if found is not None and max(part.degree() for part in found) <= DEGREE:
            parts[node] = found
    return (fmpz_poly(parts[gap][0].numer()), exact) if gap in parts else None


def _constant(value: Fraction) -> fmpq_poly:
    return fmpq_poly([fmpq(value.numerator, value.denominator)])


def _nearly(node: Expr) -> Fraction | None:
    """A constant to some 30 digits; None for what has no value, or a variable in it."""
    if any(isinstance(leaf, Variable) or leaf in (TRUE, FALSE) for leaf in topological(node)):
        return None
    program = Program(node)
    with precision(100):
        value = program.run(Balls({}, EXACT))[program.roots[0]]
    if not isinstance(value, arb) or not value.is_finite() or abs(int(value.mid().man_exp()[1])) > MOST_BITS:
        return None
    return to_fraction(value)


def _combined(
    function: Function, args: tuple[Expr, ...], parts: Mapping[Expr, tuple[fmpq_poly, fmpq_poly]]
) -> tuple[fmpq_poly, fmpq_poly] | None:
    if function is op.POW:
        exponent = rational(args[1])
        if exponent is None or exponent.denominator != 1 or abs(exponent) > DEGREE:
            return None
        above, below = parts[args[0]]
        power = abs(exponent.numerator)
        if power * max(above.degree(), below.degree()) > DEGREE:
            return None
        above, below = above**power, below**power
        if exponent < 0 and above.degree() < 0:
            return None
        return (above, below) if exponent >= 0 else (below, above)
    (a, b), *rest = [parts[arg] for arg in args]
    match function, rest:
        case op.NEG, []:
            return -a, b
        case op.ADD, [(c, d)]:
            return (a + c, b) if b == d else (a * d + c * b, b * d)
        case op.SUB, [(c, d)]:
            return (a - c, b) if b == d else (a * d - c * b, b * d)
        case op.MUL, [(c, d)]:
            return a * c, b * d
        case op.DIV, [(c, d)] if c.degree() >= 0:
            return a * d, b * c
    return None


def _of_polynomial(polynomial: fmpz_poly) -> Iterator[Root]:
    if polynomial.degree() < 1:
        return
    factors = [polynomial]
    if polynomial.degree() <= FACTORED:
        factors = [factor for factor, _ in polynomial.factor()[1]]
    for factor in factors:
        if factor.degree() == 1:
            root = Fraction(-int(factor[0]), int(factor[1]))
            yield Root(root, root)
            continue
        balls: Any = factor.complex_roots()  # its stubs forget the multiplicities
        for root_ball, _ in balls:
            found = acb(root_ball)
            if found.imag.is_zero():  # flint says so exactly of those that are real
                middle, radius = to_fraction(found.real), to_fraction(found.real.rad())
                yield Root(middle - radius, middle + radius)


def _widened(root: Root) -> Root:
    """The root where the coefficients are not exact."""
    radius = WIDTH * max(abs(root.low), abs(root.high))
    return Root(root.low - radius, root.high + radius)


class _Search:
    """Roots of `gap` by bisection. slope: its derivative by `name`."""

    def __init__(self, gap: Expr, slope: Expr, name: str, budget: Budget) -> None:
        self.gap, self.name, self.budget = gap, name, budget
        self.program = Program(gap, slope)

    def roots(self, near: Fraction) -> list[Root]:
        edges = [Fraction(2) ** power for power in POWERS]
        edges = [*(-edge for edge in reversed(edges)), Fraction(0), *edges]
        if all(self._at(near + Fraction(k, 7)) == 0 for k in range(3)):
            return []  # it is zero everywhere, or balls cannot tell
        boxes = [(0, self._distance(a, b, near), a, b) for a, b in pairwise(edges)]
        heapq.heapify(boxes)
        found: list[Root] = []
        for _ in range(BOXES):
            if not boxes or len(found) >= MOST_ROOTS or not self.budget.take():
                break
            depth, _, low, high = heapq.heappop(boxes)
            gap, slope = self._over(low, high)
            if _sign(gap):
                continue
            middle = (low + high) / 2
            ends = (self._at(low), self._at(high)) if _sign(slope) else (None, None)
            if ends[0] is not None and ends[1] is not None:
                found += self._between(low, high, ends[0], ends[1])
                continue
            if depth >= (DEEPEST if _is_finite(gap) else DEEPEST_UNDEFINED):
                found += [self._exact(low, high)] if _is_finite(gap) else []
                continue
            for a, b in ((low, middle), (middle, high)):
                heapq.heappush(boxes, (depth + 1, self._distance(a, b, near), a, b))
        return found

    def _between(self, low: Fraction, high: Fraction, below: int, above: int) -> Iterator[Root]:
        """The root of a monotone piece, from the signs at its ends; none where they are the same."""
        if below == 0:
            yield Root(low, low)
        elif above == 0:
            yield Root(high, high)
        elif below != above:
            while high - low > WIDTH * max(Fraction(1), abs(low)) and self.budget.take():
                middle = (low + high) / 2
                sign = self._at(middle)
                if sign is None:
                    break
                if sign == 0:
                    low = high = middle
                elif sign == below:
                    low = middle
                else:
                    high = middle
            yield self._exact(low, high)

    def _exact(self, low: Fraction, high: Fraction) -> Root:
        """The root as a rational number, if it is one with a small denominator."""
        middle = ((low + high) / 2).limit_denominator(DENOMINATOR)
        value = self._value(middle) if low <= middle <= high else None
        exact = rational(at_place(self.gap, {self.name: middle})) == 0 or (isinstance(value, arb) and value.is_zero())
        return Root(middle, middle) if value is not None and exact else Root(low, high)

    def _at(self, where: Fraction) -> int | None:
        """The sign at a number; 0 where it is zero or cannot be told from it; None where there is no value."""
        value = self._value(where)
        if isinstance(value, arb) and value.is_finite():
            return 1 if value > 0 else -1 if value < 0 else 0
        return None

    def _value(self, where: Fraction) -> Value:
        number = arb(fmpq(where.numerator, where.denominator))
        return self.program.run(Balls({self.name: number}, EXACT))[self.program.roots[0]]

    def _over(self, low: Fraction, high: Fraction) -> tuple[Value, Value]:
        middle, radius = (low + high) / 2, (high - low) / 2
        ball = arb(fmpq(middle.numerator, middle.denominator), fmpq(radius.numerator, radius.denominator))
        values = self.program.run(Balls({self.name: ball}, EXACT))
        gap, slope = (values[root] for root in self.program.roots)
        return gap, slope

    @staticmethod
    def _distance(low: Fraction, high: Fraction, near: Fraction) -> float:
        return float(max(low - near, near - high, Fraction(0)))


def _sign(value: Value) -> int | None:
    """The sign of all that a ball holds, 2 where there is provably nothing; None (or 0) where it may be zero."""
    if isinstance(value, Undefined):
        return 2
    if not isinstance(value, arb) or not value.is_finite():
        return None
    return 1 if value > 0 else -1 if value < 0 else None


def _is_finite(value: Value) -> bool:
    return isinstance(value, arb) and value.is_finite()


def _merged(roots: list[Root]) -> list[Root]:
    """In order, those that touch as one: the exact one, if there is one."""
    found: list[Root] = []
    for root in sorted(roots):
        if found and root.low <= found[-1].high:
            before = found[-1]
            exact = [one for one in (before, root) if one.low == one.high]
            found[-1] = exact[0] if exact else Root(before.low, max(before.high, root.high))
        else:
            found.append(root)
    return found
