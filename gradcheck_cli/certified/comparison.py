"""Two expressions that should be equal, at a place: a derivative and a claim about it, a function and another form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import arb

from gradcheck_cli.certified.ball import (
    EXACT,
    LAST_PRECISION,
    NEGLIGIBLE,
    Balls,
    Numbers,
    Undefined,
    Value,
    good,
    precision,
    precisions,
)
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.equality import Together, are_near, are_same, is_known, is_sharp
from gradcheck_cli.certified.exact_place import at_place
from gradcheck_cli.certified.references import references_at
from gradcheck_cli.certified.seam_search.gaps import raw_gaps
from gradcheck_cli.certified.seam_search.places import Place
from gradcheck_cli.certified.seams import Seams
from gradcheck_cli.differentiation.gradient import derivative
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Expr, call, constant, substitute, topological, variable
from gradcheck_cli.expression.program import Program
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.verdict import Tolerance

FORM_BITS = 200
"""Precision at which a function and another form of it are compared."""


@dataclass(frozen=True)
class Comparison:
    """Derivative and claim at one place.

    differs: beyond the tolerance, proven. close: proven different, but within. probed: the formula of the derivative
    need not hold there, since it has no value, or (tied) since a branch is decided at a tie.
    """

    analytical: float
    claimed: float
    relative: float
    differs: bool
    close: bool
    tied: bool = False
    probed: bool = False


class ClaimUndefined:
    """The derivative exists at the place, the claim does not."""


Found = Comparison | type[ClaimUndefined] | None
"""None: the place is none to compare at, or nothing is known of the claim there."""


class DerivativeAndClaim:
    """The derivative and the claim, evaluated together.

    chain: the function and its derivatives up to the one claimed; places where one of them does not exist are
    no places of comparison. tolerance: from when on the two differ.
    """

    def __init__(self, chain: Sequence[Expr], claim: Expr, which: Derivative, tolerance: Tolerance) -> None:
        self.chain, self.claim, self.which, self.tolerance = tuple(chain), claim, which, tolerance
        self.program = Program(*chain, claim)
        self.roots = self.program.roots
        self.seams = [(Seams(self.program, root), name) for root, name in zip(self.roots, which.wrt, strict=False)]

    def at(self, place: Place, most_bits: int = LAST_PRECISION) -> Found:
        """What the two are at a place. most_bits: to be spent on it."""
        if any(isinstance(value, Fraction) for value in place.values()):
            return self._at_fractions({name: Fraction(value) for name, value in place.items()})
        point = {name: float(value) for name, value in place.items()}
        env = {name: arb(value) for name, value in point.items()}
        for bits, last in precisions(last=most_bits):
            with precision(bits):
                values = self.program.run(Balls(env, EXACT, settle=last))
                *chain, claim = (values[root] for root in self.roots)
                function, *derivatives = chain
                if isinstance(function, Undefined):
                    return None
                if not good(function) or not good(claim):
                    continue
                ties = [seams.ties(values, name) for seams, name in self.seams]
                tied = True in ties
                if tied or any(isinstance(value, Undefined) for value in derivatives):
                    return self._probed(self.chain[0], point, claim, tied=tied)
                if None in ties or not all(map(good, derivatives)):
                    if bits == LAST_PRECISION and None not in ties:  # 0 times inf, as in sqrt(x**4) at 0
                        return self._probed(self.chain[0], point, claim, tied=False)
                    continue
                return self._compared(chain[-1], claim)
        return None

    def _at_fractions(self, place: Mapping[str, Fraction]) -> Found:
        """The same where a coordinate is no double: what is plain arithmetic is done with fractions."""
        program = Program(*(at_place(root, place) for root in (*self.chain, self.claim)))
        tied = any(_may_vanish(at_place(gap, place)) for gap in self._smoothness)
        for bits, _ in precisions(last=1280):
            with precision(bits):
                values = program.run(Balls({}, EXACT))
                *chain, claim = (values[root] for root in program.roots)
                if isinstance(chain[0], Undefined):
                    return None
                if not good(claim) or not good(chain[0]):
                    continue
                if tied or any(isinstance(value, Undefined) for value in chain):
                    return self._probed(*_moved(self.chain[0], place), claim, tied=tied)
                if all(map(good, chain)):
                    return self._compared(chain[-1], claim)
        return None

    @cached_property
    def _smoothness(self) -> list[Expr]:
        """What vanishes where the function or a derivative below the last may not be smooth."""
        found: dict[Expr, None] = {}
        for root in self.chain[:-1]:
            for node in topological(root):
                found.update(dict.fromkeys(raw_gaps(node)))
        return list(found)

    def _probed(self, function: Expr, point: Mapping[str, float], claim: Value, *, tied: bool) -> Found:
        """Where a branch is decided at a tie, or the formula of the derivative has no value, the derivative may exist
        all the same: known to the nearest double."""
        derivatives = Derivatives(function, [self.which], EXACT, DTYPES["float64"])
        reference = references_at(derivatives, point).rows[self.which]
        if reference.value is None or not math.isfinite(reference.value):
            return None
        return self._compared(arb(reference.value, abs(reference.value) * 2.0**-52), claim, tied=tied, probed=True)

    def _compared(
        self, derivative: Value, claim: Value, *, tied: bool = False, probed: bool = False
    ) -> Comparison | type[ClaimUndefined]:
        if isinstance(claim, Undefined):
            return ClaimUndefined
        assert isinstance(derivative, arb)
        assert isinstance(claim, arb)
        difference, size = abs(claim - derivative), abs(derivative)
        negligible = bool(size < NEGLIGIBLE)
        limit = arb(self.tolerance.atol) if negligible else arb(self.tolerance.rtol) * size
        return Comparison(
            analytical=float(derivative.mid()),
            claimed=float(claim.mid()),
            relative=0.0 if negligible else float((difference / size).mid()),
            differs=bool(difference > limit),
            close=not claim.overlaps(derivative) and not bool(difference > limit) and not negligible,
            tied=tied,
            probed=probed,
        )


def _may_vanish(gap: Expr) -> bool:
    """Whether a gap without variables is zero, or cannot be told from it."""
    (value,) = Together(gap).at({})
    return not isinstance(value, Undefined) and not (isinstance(value, arb) and (value > 0 or value < 0))


def _moved(function: Expr, place: Mapping[str, Fraction]) -> tuple[Expr, dict[str, float]]:
    """The function moved so that the place is at doubles: at 0 for what is none."""
    moved = {name: value for name, value in place.items() if Fraction(float(value)) != value}
    shifts: dict[str, Expr] = {
        name: call(op.ADD, variable(name), constant(value, exact=True)) for name, value in moved.items()
    }
    return substitute(function, shifts), {name: 0.0 if name in moved else float(value) for name, value in place.items()}


class TwoForms:
    """A function and another form of it, each with its derivative by the same names.

    numbers: what constants mean. Raises NoReference where one of them has no derivative.
    """

    def __init__(self, one: Expr, other: Expr, wrt: Sequence[str], numbers: Numbers) -> None:
        self.wrt, self.numbers = wrt, numbers
        self.program = Program(one, derivative(one, wrt), other, derivative(other, wrt))
        self.seams = [Seams(self.program, root) for root in self.program.roots[::2]]

    def are_same(self, point: Mapping[str, float], relative: float) -> bool | None:
        """Whether value and derivative are the same at a point, or nearer than `relative`; None: it does not tell."""
        env = {name: arb(value) for name, value in point.items()}
        with precision(FORM_BITS):
            values = self.program.run(Balls(env, self.numbers))
            value, slope, other_value, other_slope = (values[root] for root in self.program.roots)
            tied = any(seams.ties(values, name) is not False for seams in self.seams for name in self.wrt)
        if not is_sharp(value) or not (tied or is_sharp(slope)):
            return None
        if not _same(other_value, value, relative):
            return False
        return None if tied else _same(other_slope, slope, relative)


def _same(found: Value, wanted: Value, relative: float) -> bool:
    return is_known(found) and (are_near(found, wanted, relative) or are_same(found, wanted, 1.0))
