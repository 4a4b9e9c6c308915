"""Does it exist? Probes beside one point, along a variable, where the derivative expression alone does not tell.

From the probes follow: whether the function exists on both sides or on one, whether it is continuous, and the one-sided
derivatives. A derivative of order n is that of the derivative of order n-1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from math import comb

from flint import arb

from gradcheck_cli.certified.ball import Balls, Undefined, Value, precision, round_ball, round_known
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.limits import (
    AGREEMENT,
    AGREEMENT_BITS,
    NEAR,
    Behaviour,
    Limit,
    agree,
    infinite,
    limit,
    probe_precision,
    step,
)
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.language.printer import short_text
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.reference import Kind, Reference

Corner = tuple[tuple[str, int], ...]
"""Variables and the sides that they are moved to, beside a variable that is moved farther."""
BLUR = arb(2) ** -1100  # A limit is known to a little more than a probe's distance: such a gap is its error, no jump.


@dataclass
class _Side:
    """One side of the point along a variable.

    slopes: the one-sided derivative, infinite or a ball; several where branches stay tied beside the point, and what is
    to the sides of these has different ones.
    """

    sign: int
    defined: bool
    continuous: bool = False
    unbounded: bool = False
    oscillates: bool = False
    slopes: Sequence[float | arb] = ()


class Probing:
    """Probes around one point."""

    def __init__(self, derivatives: Derivatives, env: Mapping[str, arb], values: Sequence[Value]) -> None:
        self.derivatives, self.env, self.values = derivatives, env, values
        self._moved: dict[tuple[str, int, int, int, Corner], list[Value]] = {}

    @cached_property
    def here(self) -> list[Value]:
        """The values at the point itself, precise enough for differences with the farthest probe."""
        with precision(12_000):
            return self.derivatives.program.run(Balls(self.env, self.derivatives.numbers, settle=True))

    def moved(self, name: str, sign: int, exponent: int, times: int = 1, corner: Corner = ()) -> list[Value]:
        """The values where `name` is moved by sign * times * step(exponent), and those of the corner by far less."""
        key = (name, sign, exponent, times, corner)
        if key not in self._moved:
            farthest = exponent if not corner else _beyond(exponent, len(corner) - 1)
            with precision(probe_precision(farthest)):
                shift = {name: sign * times * step(exponent)}
                shift |= {other: side * step(_beyond(exponent, i)) for i, (other, side) in enumerate(corner)}
                self._moved[key] = self.derivatives.program.run(
                    Balls(self.env, self.derivatives.numbers, settle=True, shift=shift)
                )
        return self._moved[key]

    def value(self, row: Derivative, name: str, sign: int, exponent: int) -> Value:
        return self.moved(name, sign, exponent)[self.derivatives.root[row]]

    def ball(self, row: Derivative, name: str, sign: int, exponent: int) -> arb:
        value = self.value(row, name, sign, exponent)
        return value if isinstance(value, arb) else arb("nan")

    def undefined(self, value: Undefined, name: str) -> Reference:
        """The function has no value at the point. A removable singularity is named, with its limit; so is the limit
        from the one side where the function is defined."""
        limits = {sign: found for sign in (-1, 1) if (found := self._limit_beside(name, sign)) is not None}
        left, right = limits.get(-1), limits.get(1)
        value_there: float | None = None
        if left is not None and right is not None and _same(left, right):
            value_there = _number(right, self.derivatives.dtype)
        one_sided = None
        for sign, side in ((-1, "left"), (1, "right")):
            if set(limits) == {sign} and isinstance(self.value(VALUE, name, -sign, NEAR[0]), Undefined):
                value_there, one_sided = _number(limits[sign], self.derivatives.dtype), side
        why = _why_undefined(value)
        return Reference(Kind.UNDEFINED, probed=True, why=why, limit=value_there, one_sided=one_sided)

    def _limit(self, name: str, quantity: Callable[[int], arb]) -> Limit:
        """The limit of a quantity that depends on how far `name` is moved."""
        return limit(quantity, beyond=name in self.env and bool(self.env[name].is_zero()))

    def _limit_beside(self, name: str, sign: int) -> arb | None:
        """The limit of the function from one side; None where it has none, or none that can be found."""
        if isinstance(self.value(VALUE, name, sign, NEAR[0]), Undefined):
            return None
        try:
            return self._limit(name, lambda e: self.ball(VALUE, name, sign, e)).value
        except NoReference:
            return None

    def reference(self, row: Derivative, doubtful: set[int]) -> Reference:
        """The reference of a row some of whose orders are doubtful: each order is the derivative of the one before."""
        previous: arb | None = self._plain(VALUE)
        exact = True  # whether `previous` is the value itself, not a limit
        kinked = ""  # the variable along which a lower order has no value
        reference = Reference(Kind.UNDEFINED)
        for order in range(1, row.order + 1):
            lower = row.up_to(order)
            if order not in doubtful and exact:
                previous = self._plain(lower)
                reference = Reference(Kind.EXISTS, round_ball(previous, self.derivatives.dtype))
                continue
            reference, previous = self._probe(lower, previous, exact, kinked or lower.last)
            exact = False
            if reference.kind is Kind.UNDEFINED:
                return reference
            if previous is None:
                kinked = kinked or lower.last
        return reference

    def _plain(self, row: Derivative) -> arb:
        value = self.here[self.derivatives.root[row]]
        if not isinstance(value, arb) or not value.is_finite():
            raise NoReference("the value at the point could not be certified")
        return value

    def _probe(self, row: Derivative, previous: arb | None, exact: bool, name: str) -> tuple[Reference, arb | None]:
        """A derivative as that of the one before, whose value at the point is `previous`.

        name: the variable to move: its last, or, where a lower order has no value, the one along which it has none.
        Returns it with its own value as a ball, None where it has none.
        """
        dtype = self.derivatives.dtype
        sides = [self._side(row, previous, exact, sign, name) for sign in (-1, 1)]
        defined = [side for side in sides if side.defined]
        if not defined:
            return _undefined(Code.NOWHERE, along=name), None
        for side in defined:
            where = "left" if side.sign < 0 else "right"
            if side.unbounded:
                return _undefined(Code.UNBOUNDED, side=where, along=name), None
            if side.oscillates:
                return _undefined(Code.OSCILLATES, side=where, along=name), None
        slopes = [slope for side in defined for slope in side.slopes]
        one_sided = None if len(defined) == 2 else "left" if defined[0].sign < 0 else "right"
        several = len(slopes) > len(defined)
        continuous = previous is not None and all(side.continuous for side in defined)
        if continuous and not several and _all_same(slopes):
            ball = slopes[0] if isinstance(slopes[0], arb) else None
            return Reference(Kind.EXISTS, _number(slopes[0], dtype), probed=True, one_sided=one_sided), ball
        jump = previous is not None and not continuous
        ends = [_number(slope, dtype) for slope in slopes]
        if several:
            ends.sort()
        return Reference(Kind.KINK, left=ends[0], right=ends[-1], jump=jump, probed=True, one_sided=one_sided), None

    def _side(self, row: Derivative, previous: arb | None, exact: bool, sign: int, name: str) -> _Side:
        before = row.before
        near = [self.value(before, name, sign, exponent) for exponent in NEAR]
        if all(isinstance(value, Undefined) for value in near):
            return _Side(sign, defined=False)
        if any(isinstance(value, Undefined) for value in near):
            raise NoReference("the function is defined only here and there around the point")
        side = _Side(sign, defined=True)
        corners = [()] if exact and previous is not None else self._corners(row, name, sign)
        if previous is not None:
            start = previous
            gap = self._limit(name, lambda e: self._at_corner(before, name, sign, corners[0], e) - start)
            side.unbounded = gap.behaviour is Behaviour.UNBOUNDED
            side.oscillates = gap.behaviour is Behaviour.OSCILLATES
            blur = arb(0) if exact else BLUR
            side.continuous = gap.value is not None and bool(abs(gap.value) <= blur or gap.value.contains(0))
        if not (side.unbounded or side.oscillates):
            self._slope(side, row, previous if side.continuous else None, exact, name, corners)
        return side

    def _slope(
        self, side: _Side, row: Derivative, start: arb | None, exact: bool, name: str, corners: Sequence[Corner]
    ) -> None:
        """The one-sided derivative: the limit of the difference quotient from `start` where the function is continuous,
        else of the slopes beside the point."""
        if start is not None and exact:
            found = [self._quotient(row, start, name, side.sign)]
        else:
            found = self._slopes_beside(side.sign, row, name, corners)
            if found[0].behaviour is Behaviour.OSCILLATES and start is not None and start.is_zero():
                found = [self._quotient(row, start, name, side.sign)]
        side.oscillates = any(limit.behaviour is Behaviour.OSCILLATES for limit in found)
        side.slopes = [_slope(limit) for limit in found]

    def _corners(self, row: Derivative, name: str, sign: int) -> Sequence[Corner]:
        """Where to look at derivative expressions beside the point: there (), or at the corners around it.

        Where a branch is tied there that depends on another of its variables (y > z at y = z, when x is
        moved), an expression is a derivative to the sides of that tie only. What is tied even so is tied wherever these
        variables go: it is no seam.
        """
        names = sorted(frozenset().union(*(self._tied_beside(row, name, sign, exponent) for exponent in NEAR)))
        if not names:
            return [()]
        corners = (tuple(zip(names, signs, strict=True)) for signs in product((-1, 1), repeat=len(names)))
        defined = [corner for corner in corners if self._is_defined(name, sign, corner)]
        if not defined:
            raise NoReference("beside the point the function is defined on a line only")
        return defined

    def _tied_beside(self, row: Derivative, name: str, sign: int, exponent: int) -> frozenset[str]:
        """The other variables of differentiation that the branches depend on which are tied beside the point."""
        values = self.moved(name, sign, exponent)
        with precision(probe_precision(exponent)):
            found = [self.derivatives.seams(row.up_to(k)).tied_by(values, row.wrt[k]) for k in range(row.order)]
        return frozenset().union(*found) & set(row.wrt) - {name}

    def _slopes_beside(self, sign: int, row: Derivative, name: str, corners: Sequence[Corner]) -> list[Limit]:
        """The limit of the derivative expression beside the point; at each corner where these do not agree."""
        try:
            found = [self._limit(name, partial(self._at_corner, row, name, sign, corner)) for corner in corners]
        except NoReference:
            if set(row.wrt) != {name}:
                raise
            return [self._limit(name, lambda e: self._difference(name, sign, e, row.order))]
        one = self._are_joined(row, name, sign, corners) and _all_same([_slope(limit) for limit in found])
        return found[:1] if one else found

    def _at_corner(self, row: Derivative, name: str, sign: int, corner: Corner, exponent: int) -> arb:
        value = self.moved(name, sign, exponent, corner=corner)[self.derivatives.root[row]]
        return value if isinstance(value, arb) else arb("nan")

    def _is_defined(self, name: str, sign: int, corner: Corner) -> bool:
        return not isinstance(self.moved(name, sign, NEAR[0], corner=corner)[self.derivatives.root[VALUE]], Undefined)

    def _are_joined(self, row: Derivative, name: str, sign: int, corners: Sequence[Corner]) -> bool:
        """Whether the function and its derivatives of lower order are continuous from corner to corner."""
        lowers = [row.up_to(k) for k in range(row.order)]
        with precision(probe_precision(_beyond(NEAR[0], row.order))):
            lower = [[self._at_corner(one, name, sign, corner, NEAR[0]) for one in lowers] for corner in corners]
            pairs = [(value, first) for values in lower for value, first in zip(values, lower[0], strict=True)]
            return all(abs(value - first) <= BLUR + abs(first) * AGREEMENT for value, first in pairs)

    def _quotient(self, row: Derivative, start: arb, name: str, sign: int) -> Limit:
        return self._limit(name, lambda e: (self.ball(row.before, name, sign, e) - start) / (sign * step(e)))

    def _difference(self, name: str, sign: int, exponent: int, order: int) -> arb:
        """The quotient of the difference of that order of the function itself, beside the point: where the derivative
        expression has no value there, as on a tie it may have none."""
        values = [self.moved(name, sign, exponent, 1 + k)[self.derivatives.root[VALUE]] for k in range(order + 1)]
        terms = [(-1) ** (order - k) * comb(order, k) * v for k, v in enumerate(values) if isinstance(v, arb)]
        if len(terms) < order + 1:
            return arb("nan")
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        quotient: arb = total / (sign * step(exponent)) ** order
        return quotient


def _slope(found: Limit) -> float | arb:
    return infinite(found.sign) if found.value is None else found.value


def _beyond(exponent: int, place: int) -> int:
    """How far the variables of a corner are moved: far less than the one that is moved by step(exponent)."""
    return 2 * exponent + 400 * place


def _number(slope: float | arb, dtype: Dtype) -> float:
    """A slope, rounded as far as probes tell."""
    return slope if isinstance(slope, float) else round_known(slope, AGREEMENT_BITS, dtype)


def _same(a: arb, b: arb) -> bool:
    with precision(1000):
        return agree(a, b)


def _all_same(slopes: Sequence[float | arb]) -> bool:
    first = slopes[0]
    if isinstance(first, float):
        return all(slope == first for slope in slopes if isinstance(slope, float)) and not _balls(slopes)
    return len(_balls(slopes)) == len(slopes) and all(_same(first, other) for other in _balls(slopes))


def _balls(slopes: Sequence[float | arb]) -> list[arb]:
    return [slope for slope in slopes if isinstance(slope, arb)]


def _undefined(code: Code, **texts: str) -> Reference:
    """texts: along which variable, on which side."""
    return Reference(Kind.UNDEFINED, probed=True, why=Finding(code, texts=texts))


def _why_undefined(value: Undefined) -> Finding:
    """The call to blame, and what it is of."""
    if value.node.function is op.DIV:
        return Finding(Code.DIVISION, short_text(value.node))
    return Finding(Code.DOMAIN, short_text(value.node), operands=tuple(value.args))
