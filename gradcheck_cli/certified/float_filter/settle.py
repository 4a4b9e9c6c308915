"""Which rows match beyond doubt, at many points at once: the quick tier, by running error analysis in float64.

What is not settled here (a radius too large, a number that is not finite, a branch inside the radius, a verdict that
could change within it) is for ball arithmetic to say, and so is every verdict other than a match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.float_filter.kernels import EPS, WIDER, Approx, Array, Floats
from gradcheck_cli.certified.float_filter.running_error import (
    Bools,
    Condition,
    ErrorBounds,
    Value,
    columns_of,
    supports,
    tied,
)
from gradcheck_cli.certified.seams import Seams
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.verdict import Tolerance

GOOD = 2.0**-20
"""The largest radius of a derivative, relative to its value."""


class Settled(NamedTuple):
    """where: at which points a row matches beyond doubt. rel_error: its relative error there."""

    where: Bools
    rel_error: Floats

    def count_and_first(self) -> tuple[int, int]:
        """How many points are settled, and the first of them."""
        indices = np.flatnonzero(self.where)
        return len(indices), int(indices[0]) if len(indices) else -1

    def worst(self, above: float, most: int) -> list[int]:
        """The points settled whose relative error is larger than `above`, at most those `most` where it is largest."""
        indices = np.flatnonzero(self.where)
        errors = self.rel_error[indices]
        worth = np.flatnonzero(errors > above)
        if len(worth) > most:
            worth = worth[np.argpartition(errors[worth], -most)[-most:]]
        return [int(i) for i in indices[worth]]


def unsettled(settled: Mapping[tuple[str, Derivative], Settled], count: int) -> list[int]:
    """The points, of `count`, that are not settled for every row."""
    everywhere = np.ones(count, bool) if settled else np.zeros(count, bool)
    for one in settled.values():
        everywhere &= one.where
    return [int(i) for i in np.flatnonzero(~everywhere)]


class FirstTier:
    """strict: whether the function's own value has to match as well."""

    def __init__(self, derivatives: Derivatives, dtype: Dtype, tolerance: Tolerance, *, strict: bool) -> None:
        self.derivatives, self.dtype, self.tolerance, self.strict = derivatives, dtype, tolerance, strict
        self.smallest = 2.0 ** (dtype.min_exponent + dtype.precision)
        self._seams: dict[Derivative, Seams] = {}

    @staticmethod
    def is_possible(derivatives: Derivatives) -> bool:
        """Whether every function of the value and the derivatives can be evaluated in float64."""
        return not derivatives.missing and supports(derivatives.program)

    def settle(
        self, columns: Mapping[str, Floats], autograd: Mapping[str, Mapping[Derivative, Floats]]
    ) -> dict[tuple[str, Derivative], Settled]:
        """What is settled, by mode and row. autograd: torch's numbers by mode and row, the value's by VALUE."""
        count = len(next(iter(columns.values())))
        with np.errstate(all="ignore"):
            values = self.derivatives.program.run(ErrorBounds(columns_of(columns), self.dtype))
            exists = {row: self.exists(row, values) for row in self.derivatives.rows}
            found: dict[tuple[str, Derivative], Settled] = {}
            for mode, numbers in autograd.items():
                everywhere = np.isfinite(numbers[VALUE])
                if self.strict:
                    everywhere = everywhere & Compared(self.of(VALUE, values), numbers[VALUE]).matches(self)
                for row in self.derivatives.rows:
                    compared = Compared(self.of(row, values), numbers[row])
                    where = exists[row] & everywhere & compared.matches(self)
                    errors = compared.relative_errors()
                    found[mode, row] = Settled(np.broadcast_to(where, count), np.broadcast_to(errors, count))
        return found

    def of(self, row: Derivative, values: Sequence[Value]) -> Approx:
        value = values[self.derivatives.root[row]]
        assert not isinstance(value, Condition)
        return value

    def exists(self, row: Derivative, values: Sequence[Value]) -> Array:
        """Where the function has a value, and the derivatives up to that of the row exist."""
        exists = _is_known(self.of(VALUE, values))
        for order in range(1, row.order + 1):
            lower = row.up_to(order)
            before = lower.before
            if before not in self._seams:
                self._seams[before] = Seams(self.derivatives.program, self.derivatives.root[before])
            seams = self._seams[before].candidates_by(lower.last)
            at_a_tie = tied(self.derivatives.program, values, self.derivatives.root[before], seams)
            exists = exists & ~np.asarray(at_a_tie) & _is_known(self.of(lower, values))
        return exists


class Compared:
    """A truth beside autograd's numbers."""

    def __init__(self, truth: Approx, autograd: Floats) -> None:
        self.radius: Array = 0.0 if truth.radius is None else WIDER * truth.radius
        self.size, self.autograd = np.abs(truth.value), autograd
        self.difference = np.abs(autograd - truth.value)

    def matches(self, tier: FirstTier) -> Array:
        """Where autograd is within rtol of the truth, wherever in its radius that is, and however it rounds."""
        size, tolerance = self.size, tier.tolerance
        slack = self.radius + size * (tier.dtype.unit_roundoff + EPS)
        close = self.difference + slack <= tolerance.rtol * (size - slack)
        good = (self.radius <= GOOD * size) & close
        in_range = (size > 2 * tier.smallest) & (size < tier.dtype.max / 2)
        if np.all(in_range):
            return good
        return (in_range & good) | ((size == 0) & (self.radius == 0) & (np.abs(self.autograd) <= tolerance.atol))

    def relative_errors(self) -> Array:
        """As verdict.errors has them, where the truth is finite."""
        errors = self.difference / self.size
        return errors if np.all(self.size) else np.where(self.difference == 0, 0.0, errors)


def _is_known(value: Approx) -> Array:
    return np.isfinite(value.value if value.radius is None else value.value + value.radius)
