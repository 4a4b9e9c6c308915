"""Does it exist? Probes beside one point, along a variable, where the derivative expression alone does not tell.

From the probes follow: whether the function exists on both sides or on one, whether it is continuous, and the one-sided
derivatives. A derivative of order n is that of the derivative of order n-1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING

from flint import arb

from gradcheck_cli.ball import Undefined, Value, precision, round_ball
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import Expr
from gradcheck_cli.limits import NEAR, Behaviour, Limit, agree, infinite, limit, probe_precision, step
from gradcheck_cli.text import to_text
from gradcheck_cli.truth import Kind, Reference

if TYPE_CHECKING:
    from gradcheck_cli.reference import Analysis

Wrt = tuple[str, ...]


@dataclass
class _Side:
    """One side of the point along a variable. slope and jump are meaningful where the side is defined."""

    sign: int
    defined: bool
    continuous: bool = False
    unbounded: bool = False
    oscillates: bool = False
    slope: float | None = None
    slope_ball: arb | None = None


class Probing:
    """Probes around one point."""

    def __init__(self, analysis: Analysis, env: Mapping[str, arb], values: Sequence[Value]) -> None:
        self.analysis, self.env, self.values = analysis, env, values
        self._moved: dict[tuple[str, int, int, int], list[Value]] = {}

    @cached_property
    def here(self) -> list[Value]:
        """The values at the point itself, precise enough for differences with the farthest probe."""
        with precision(12_000):
            return self.analysis.program.run(self.env, self.analysis.numbers, settle=True)

    def moved(self, name: str, sign: int, exponent: int, times: int = 1) -> list[Value]:
        """The values where `name` is moved by sign * times * step(exponent)."""
        key = (name, sign, exponent, times)
        if key not in self._moved:
            with precision(probe_precision(exponent)):
                shift = {name: sign * times * step(exponent)}
                self._moved[key] = self.analysis.program.run(self.env, self.analysis.numbers, settle=True, shift=shift)
        return self._moved[key]

    def value(self, wrt: Wrt, name: str, sign: int, exponent: int) -> Value:
        return self.moved(name, sign, exponent)[self.analysis.root[wrt]]

    def ball(self, wrt: Wrt, name: str, sign: int, exponent: int) -> arb:
        value = self.value(wrt, name, sign, exponent)
        return value if isinstance(value, arb) else arb("nan")

    def undefined(self, value: Undefined, name: str) -> Reference:
        """The function has no value at the point. A removable singularity is named, with its limit; so is the limit
        from the one side where the function is defined."""
        limits = {sign: found for sign in (-1, 1) if (found := self._limit_beside(name, sign)) is not None}
        left, right = limits.get(-1), limits.get(1)
        value_there: float | None = None
        if left is not None and right is not None and _same(left, right):
            value_there = round_ball(right, self.analysis.dtype)
        one_sided = None
        for sign, side in ((-1, "left"), (1, "right")):
            if set(limits) == {sign} and isinstance(self.value((), name, -sign, NEAR[0]), Undefined):
                value_there, one_sided = round_ball(limits[sign], self.analysis.dtype), side
        reason = _why_undefined(value)
        return Reference(Kind.UNDEFINED, probed=True, reason=reason, limit=value_there, one_sided=one_sided)

    def _limit_beside(self, name: str, sign: int) -> arb | None:
        """The limit of the function from one side; None where it has none, or none that can be found."""
        if isinstance(self.value((), name, sign, NEAR[0]), Undefined):
            return None
        try:
            return limit(lambda e: self.ball((), name, sign, e)).value
        except NoReference:
            return None

    def reference(self, row: Wrt, doubtful: set[int]) -> Reference:
        """The reference of a row some of whose orders are doubtful: each order is the derivative of the one before."""
        previous: arb | None = self._plain(())
        exact = True  # whether `previous` is the value itself, not a limit
        kinked = ""  # the variable along which a lower order has no value
        reference = Reference(Kind.UNDEFINED)
        for order in range(1, len(row) + 1):
            if order not in doubtful and exact:
                previous = self._plain(row[:order])
                reference = Reference(Kind.EXISTS, round_ball(previous, self.analysis.dtype))
                continue
            reference, previous = self._probe(row[:order], previous, exact, kinked or row[order - 1])
            exact = False
            if reference.kind is Kind.UNDEFINED:
                return reference
            if previous is None:
                kinked = kinked or row[order - 1]
        return reference

    def _plain(self, wrt: Wrt) -> arb:
        value = self.here[self.analysis.root[wrt]]
        if not isinstance(value, arb) or not value.is_finite():
            raise NoReference("the value at the point could not be certified")
        return value

    def _probe(self, wrt: Wrt, previous: arb | None, exact: bool, name: str) -> tuple[Reference, arb | None]:
        """The derivative by wrt[-1] of the derivative by the names before, whose value at the point is `previous`.

        name: the variable to move: wrt[-1], or, where a lower order has no value, the one along which it has none.
        Returns it with its own value as a ball, None where it has none.
        """
        dtype = self.analysis.dtype
        sides = [self._side(wrt, previous, exact, sign, name) for sign in (-1, 1)]
        defined = [side for side in sides if side.defined]
        if not defined:
            return Reference(
                Kind.UNDEFINED,
                probed=True,
                reason=f"the function is not defined on either side of the point along {name}",
            ), None
        for side in defined:
            where = "left" if side.sign < 0 else "right"
            if side.unbounded:
                reason = f"the function is unbounded just to the {where} of the point along {name}"
                return Reference(Kind.UNDEFINED, probed=True, reason=reason), None
            if side.oscillates:
                reason = f"the {where} derivative does not exist along {name}: it oscillates"
                return Reference(Kind.UNDEFINED, probed=True, reason=reason), None
        slopes = [side.slope for side in defined]
        left, right = slopes[0], slopes[-1]
        assert left is not None
        assert right is not None
        one_sided = None if len(defined) == 2 else "left" if defined[0].sign < 0 else "right"
        if previous is not None and all(side.continuous for side in defined) and _same_slope(defined):
            value = round_ball(defined[0].slope_ball, dtype) if defined[0].slope_ball is not None else left
            reference = Reference(Kind.EXISTS, value, probed=True, one_sided=one_sided)
            return reference, defined[0].slope_ball
        jump = previous is not None and not all(side.continuous for side in defined)
        return Reference(Kind.KINK, left=left, right=right, jump=jump, probed=True, one_sided=one_sided), None

    def _side(self, wrt: Wrt, previous: arb | None, exact: bool, sign: int, name: str) -> _Side:
        before = wrt[:-1]
        near = [self.value(before, name, sign, exponent) for exponent in NEAR]
        if all(isinstance(value, Undefined) for value in near):
            return _Side(sign, defined=False)
        if any(isinstance(value, Undefined) for value in near):
            raise NoReference("the function is defined only here and there around the point")
        side = _Side(sign, defined=True)
        if previous is not None:
            gap = limit(lambda e: self.ball(before, name, sign, e) - previous)
            side.unbounded = gap.behaviour is Behaviour.UNBOUNDED
            side.oscillates = gap.behaviour is Behaviour.OSCILLATES
            # A limit is known to a little more than a probe's distance: such a gap is its error, not a jump.
            blur = arb(0) if exact else arb(2) ** -1100
            side.continuous = gap.value is not None and bool(abs(gap.value) <= blur or gap.value.contains(0))
        if not (side.unbounded or side.oscillates):
            self._slope(side, wrt, previous if side.continuous else None, exact, name)
        return side

    def _slope(self, side: _Side, wrt: Wrt, start: arb | None, exact: bool, name: str) -> None:
        """The one-sided derivative: the limit of the difference quotient from `start` where the function is continuous,
        else of the slopes beside the point."""
        sign = side.sign
        if start is not None and exact:
            found = self._quotient(wrt, start, name, sign)
        else:
            try:
                found = limit(lambda e: self._smooth_ball(wrt, name, sign, e))
            except NoReference:
                if set(wrt) != {name}:
                    raise
                found = limit(lambda e: self._difference(name, sign, e, len(wrt)))
            if found.behaviour is Behaviour.OSCILLATES and start is not None and start.is_zero():
                found = self._quotient(wrt, start, name, sign)
        side.oscillates = found.behaviour is Behaviour.OSCILLATES
        side.slope_ball = found.value
        side.slope = _slope_number(found, self.analysis.dtype)

    def _quotient(self, wrt: Wrt, start: arb, name: str, sign: int) -> Limit:
        return limit(lambda e: (self.ball(wrt[:-1], name, sign, e) - start) / (sign * step(e)))

    def _difference(self, name: str, sign: int, exponent: int, order: int) -> arb:
        """The quotient of the difference of that order of the function itself, beside the point: for ties that persist
        there, where no derivative expression can be trusted."""
        values = [self.moved(name, sign, exponent, 1 + k)[self.analysis.root[()]] for k in range(order + 1)]
        terms = [(-1) ** (order - k) * comb(order, k) * v for k, v in enumerate(values) if isinstance(v, arb)]
        if len(terms) < order + 1:
            return arb("nan")
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        quotient: arb = total / (sign * step(exponent)) ** order
        return quotient

    def _smooth_ball(self, wrt: Wrt, name: str, sign: int, exponent: int) -> arb:
        """The derivative expression beside the point, where it is a derivative: not on a tie that persists there."""
        values = self.moved(name, sign, exponent)
        with precision(probe_precision(exponent)):
            if self.analysis.ties(wrt, values) is not False:
                raise NoReference("the branches stay tied beside the point")
        return self.ball(wrt, name, sign, exponent)


def _slope_number(found: Limit, dtype: Dtype) -> float | None:
    if found.behaviour is Behaviour.UNBOUNDED:
        return infinite(found.sign)
    return None if found.value is None else round_ball(found.value, dtype)


def _same(a: arb, b: arb) -> bool:
    with precision(1000):
        return agree(a, b)


def _same_slope(sides: Sequence[_Side]) -> bool:
    first, last = sides[0], sides[-1]
    if first.slope_ball is None or last.slope_ball is None:
        return first.slope == last.slope and first.slope is not None and math.isinf(first.slope)
    return _same(first.slope_ball, last.slope_ball)


def _why_undefined(value: Undefined) -> str:
    """The call to blame, in words."""
    if value.node.function == "div":
        return f"division by zero in {_short(value.node)}"
    shown = "its argument is" if len(value.args) == 1 else "its arguments are"
    return f"{_short(value.node)} has no real value where {shown} {' and '.join(value.args)}"


def _short(node: Expr) -> str:
    try:
        return to_text(node, limit=60)
    except ValueError:
        return f"{getattr(node, 'function', 'a function')}(...)"
