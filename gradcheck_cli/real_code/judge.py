"""The verdict on every entry of a Jacobian: nearly all by arrays, and what is left one by one.

The ladder is that of `verdict.py`. What is particular here: rounding is judged on the scale of the gradient, the
largest entry of that output's gradient by that input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.first_tier import GOOD
from gradcheck_cli.float_functions import EPS, WIDER
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.records import Verdict
from gradcheck_cli.tape.tape import Elements
from gradcheck_cli.truth import Kind, Reference
from gradcheck_cli.verdict import Tolerance, judge

Floats = NDArray[np.float64]
VERDICTS = tuple(Verdict)
CODE = {verdict: code for code, verdict in enumerate(VERDICTS)}
OPEN = -1


@dataclass(frozen=True)
class Column:
    """An input: where its elements stand among the columns, and how its entries are judged. names: of its elements."""

    name: str
    place: slice
    dtype: Dtype
    tolerance: Tolerance


@dataclass
class Detail:
    """What is known of an entry beyond its numbers."""

    left: float | None = None
    right: float | None = None
    note: str | None = None
    has_value: bool = True


@dataclass
class Judged:
    """Entries by (row, column): verdict codes, the truth, and details of some."""

    codes: NDArray[np.int8]
    truth: Floats
    details: dict[tuple[int, int], Detail]
    scale: dict[str, Floats]


def judge_rows(truths: Truths, elements: Elements, autograd: Floats, column: Column, names: list[str], mode: str,
               found: tuple[Floats, Floats]) -> Judged:  # fmt: skip
    """The rows of one output by one input. found: (derivatives, radii) in float64 by all inputs."""
    truth, radius = (x[:, column.place] for x in found)
    return _Rows(truths, elements, autograd[:, column.place], column, names, mode, truth, radius).judged()


class _Rows:
    def __init__(
        self, truths: Truths, elements: Elements, autograd: Floats, column: Column, names: list[str], mode: str,
        truth: Floats, radius: Floats,
    ) -> None:  # fmt: skip
        self.truths, self.elements, self.autograd, self.column = truths, elements, autograd, column
        self.names, self.mode = names, mode
        self.dtype, self.tolerance = column.dtype, column.tolerance
        self.truth, self.radius = truth.copy(), radius * WIDER
        self.codes = np.full(truth.shape, OPEN, np.int8)
        self.details: dict[tuple[int, int], Detail] = {}

    def judged(self) -> Judged:
        with np.errstate(all="ignore"):
            self._settle()
            if (self.codes == OPEN).any():
                self._dispute()
                self._by_balls()
        return Judged(self.codes, self.truth, self.details, {self.column.name: self._scale()})

    def _scale(self) -> Floats:
        known = np.where(np.isfinite(self.truth), np.abs(self.truth), 0.0)
        return known.max(axis=1, initial=0.0)

    @property
    def _smallest(self) -> float:
        return float(2.0 ** (self.dtype.min_exponent + self.dtype.precision))

    def _settle(self) -> None:
        """What matches wherever in its radius the truth is."""
        size = np.abs(self.truth)
        slack = self.radius + size * (self.dtype.unit_roundoff + EPS)
        close = np.abs(self.autograd - self.truth) + slack <= self.tolerance.rtol * (size - slack)
        in_range = (size > 2 * self._smallest) & (size < self.dtype.max / 2)
        zero = (size == 0) & (self.radius == 0) & (np.abs(self.autograd) <= self.tolerance.atol)
        self.codes[(close & in_range & (self.radius <= GOOD * size)) | zero] = CODE[Verdict.MATCH]

    def _certain(self) -> NDArray[np.bool_]:
        """Where the truth is known well enough to say that autograd is off."""
        size = np.abs(self.truth)
        good = (self.radius <= GOOD * size) & (size > 2 * self._smallest) & (size < self.dtype.max / 2)
        return (good | ((size == 0) & (self.radius == 0))) & np.isfinite(self.truth)

    def _dispute(self) -> None:
        """What is certain and does not match: does rounding explain it?"""
        disputed = (self.codes == OPEN) & self._certain()
        rows = np.flatnonzero(disputed.any(axis=1))
        if not len(rows):
            return
        middle, reach = (x[:, self.column.place] for x in self._enclosures(rows))
        chosen, off = disputed[rows], np.abs(self.autograd[rows] - self.truth[rows])
        scale = np.where(np.isfinite(self.truth[rows]), np.abs(self.truth[rows]), 0.0).max(axis=1, keepdims=True)
        unbounded = ~np.isfinite(middle + reach)
        explained = unbounded | (np.abs(self.autograd[rows] - middle) <= reach * WIDER)
        small = off <= self.tolerance.atol + self.tolerance.rtol * scale
        within = off <= self.tolerance.rtol * np.abs(self.truth[rows])
        codes = np.where(
            within, CODE[Verdict.MATCH],
            np.where(explained, np.where(small, CODE[Verdict.IMPRECISE], CODE[Verdict.UNSTABLE]), CODE[Verdict.MISMATCH]),
        )  # fmt: skip
        # An enclosure of arrays is wider than that of balls where it is unbounded: those are for balls to say.
        chosen = chosen & ~(unbounded & ~within)
        self.codes[rows] = np.where(chosen, codes, self.codes[rows])

    def _enclosures(self, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        step = self.truths.batch
        parts = [self.truths.enclosures(self.elements[rows[i : i + step]]) for i in range(0, len(rows), step)]
        middles, reaches = zip(*parts, strict=True)
        return np.concatenate(middles), np.concatenate(reaches)

    def _by_balls(self) -> None:
        for row in np.flatnonzero((self.codes == OPEN).any(axis=1)).tolist():
            exact = self.truths.exact(int(self.elements[row]))
            places = np.flatnonzero(self.codes[row] == OPEN).tolist()
            references = exact.references([self.names[place] for place in places], self.dtype)
            for place in places:
                reference = references[self.names[place]]
                self.truth[row, place] = np.nan if reference.value is None else reference.value
            for place in places:
                self._one(row, place, references[self.names[place]])

    def _one(self, row: int, place: int, reference: Reference) -> None:
        number, name = float(self.autograd[row, place]), self.names[place]
        exact = self.truths.exact(int(self.elements[row]))
        if reference.kind is Kind.NO_REFERENCE or exact.root is None or name not in exact.there:
            verdict = judge(reference, number, self.tolerance, _Nothing())
        else:
            rounding = exact.rounding(name, self.mode, reference, self.dtype)
            verdict = judge(reference, number, self.tolerance, rounding)
            if verdict in (Verdict.UNSTABLE, Verdict.MISMATCH) and reference.value is not None:
                off = abs(number - reference.value)
                if rounding.explains_with_slack(number):
                    scale = float(self._scale()[row])
                    small = off <= self.tolerance.atol + self.tolerance.rtol * scale
                    verdict = Verdict.IMPRECISE if small else Verdict.UNSTABLE
        self.codes[row, place] = CODE[verdict]
        self.details[row, place] = Detail(
            reference.left, reference.right, reference.reason, has_value=reference.value is not None
        )


class _Nothing:
    """No rounding at all."""

    def explains(self, autograd: float) -> bool:
        return False

    def explains_with_slack(self, autograd: float) -> bool:
        return False
