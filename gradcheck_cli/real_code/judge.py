"""The verdict on every entry of a Jacobian: nearly all by arrays, and what is left one by one.

The ladder is that of `verdict.py`. What is particular here: rounding is judged on the scale of the gradient, the
largest entry of that output's gradient by that input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.certified.float_filter.kernels import EPS, WIDER
from gradcheck_cli.certified.float_filter.settle import GOOD
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tape import doubt
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.tape import Input
from gradcheck_cli.verdict import Tolerance, judge

Floats = NDArray[np.float64]
VERDICTS = tuple(Verdict)
CODE = {verdict: code for code, verdict in enumerate(VERDICTS)}
OPEN = -1
BLURRED = 1e100
"""Radii below it are those of rounding, and not doubt (see sweep.BOUNDED)."""


OTHER_WAY = 16.0
"""Units of the largest entry of a gradient, by which a rule of torch's own may be off where another way is exact."""

AT_A_TIE = "a branch is at a tie: the ends hold for all branches"


class Names(Sequence[str]):
    """The names of the elements of an input, made when they are asked for."""

    def __init__(self, given: Input) -> None:
        self._given = given

    def __len__(self) -> int:
        return int(self._given.elements.size)

    def __getitem__(self, place: Any) -> Any:
        return self._given.label(place)


@dataclass(frozen=True)
class Column:
    """An input: where its elements stand among the columns, and how its entries are judged. names: of its elements;
    narrowest: the dtype that rounds most on the way to it."""

    name: str
    place: slice
    dtype: Dtype
    tolerance: Tolerance
    names: Names
    narrowest: Dtype


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
    scale: Floats


class Rows:
    """The rows of one output by one input: judged by arrays first (`settle`), then what is left by balls.

    seeds: weights of the elements (a column for each row) where rows are sums; those are never left to balls.
    found: (derivatives, radii) in float64, by all inputs.
    """

    def __init__(
        self, truths: Truths, elements: Elements, autograd: Floats, column: Column, names: Sequence[str], mode: str,
        found: tuple[Floats, Floats], seeds: Floats | None = None,
    ) -> None:  # fmt: skip
        self.truths, self.elements, self.autograd, self.column = truths, elements, autograd[:, column.place], column
        self.names, self.mode, self.seeds = names, mode, seeds
        self.dtype, self.tolerance = column.dtype, column.tolerance
        truth, radius = (x[:, column.place] for x in found)
        self.truth, self.radius = truth.copy(), radius * WIDER
        if seeds is None:  # where the function has no value, no slope is a derivative
            self.radius[~truths.has_value(elements)] = np.inf
        self.codes = np.full(truth.shape, OPEN, np.int8)
        self.details: dict[tuple[int, int], Detail] = {}

    def judged(self) -> Judged:
        with np.errstate(all="ignore"):
            self._settle()
            if (self.codes == OPEN).any():
                self._dispute()
                if self._sharpen():
                    self._settle()
                    self._dispute()
                if self.seeds is None:
                    self._by_balls()
                else:
                    self._by_hull()
        return Judged(self.codes, self.truth, self.details, self._scale())

    def _scale(self) -> Floats:
        known = np.where(np.isfinite(self.truth), np.abs(self.truth), 0.0)
        scale: Floats = known.max(axis=1, initial=0.0)
        return scale

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
        certain: NDArray[np.bool_] = (good | ((size == 0) & (self.radius == 0))) & np.isfinite(self.truth)
        return certain

    def _dispute(self) -> None:
        """What is certain and does not match: does rounding explain it?"""
        disputed = (self.codes == OPEN) & self._certain()
        rows = np.flatnonzero(disputed.any(axis=1))
        if not len(rows):
            return
        chosen, off = disputed[rows], np.abs(self.autograd[rows] - self.truth[rows])
        small = off <= self.tolerance.atol + self.tolerance.rtol * self._scale()[rows][:, None]
        within = off <= self.tolerance.rtol * np.abs(self.truth[rows])
        explained, unbounded = self._explained(rows, slack=True)
        if not self.truths.has_functions:  # torch's own rules may take another way (a product by division)
            explained |= off <= OTHER_WAY * self.column.narrowest.unit_roundoff * self._scale()[rows][:, None]
        if self.truths.has_functions:  # torch's own rules are no excuse for a backward by hand
            excused, _ = self._explained(rows, slack=False)
        else:
            excused = explained
        codes = np.full(off.shape, CODE[Verdict.MISMATCH], np.int8)
        codes[excused] = CODE[Verdict.UNSTABLE]
        codes[explained & small] = CODE[Verdict.IMPRECISE]
        codes[within] = CODE[Verdict.MATCH]
        # An enclosure by arrays is wider than one by balls: where it has no bounds, balls may have some.
        # Sums have no balls; on the scale of their gradient such a difference is none.
        settled = within if self.seeds is None else within | small
        chosen = chosen & ~(unbounded & ~settled)
        self.codes[rows] = np.where(chosen, codes, self.codes[rows])

    def _explained(self, rows: NDArray[np.int64], *, slack: bool) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(where rounding could have made autograd's numbers, where it could have made any)."""
        step = self.truths.batch
        if self.seeds is not None:
            parts = [self.truths.enclosures(self.elements, self.seeds[:, rows], slack=slack)]
        else:
            chunks = [rows[i : i + step] for i in range(0, len(rows), step)]
            parts = [self.truths.enclosures(self.elements[chunk], slack=slack) for chunk in chunks]
        middle = np.concatenate([part[0][:, self.column.place] for part in parts])
        reach = np.concatenate([part[1][:, self.column.place] for part in parts]) * WIDER
        unbounded = ~np.isfinite(middle + reach)
        return unbounded | (np.abs(self.autograd[rows] - middle) <= reach), unbounded

    def _sharpen(self) -> bool:
        """What float64 leaves for its radius alone, with more digits. Whether there is any."""
        level = self.truths.doubts[self.elements]
        near = np.full(1, (level == doubt.BLURRED).any()) if self.seeds is not None else level == doubt.BLURRED
        small = ~(np.abs(self.truth) + self.radius >= BLURRED)
        blurred = (self.codes == OPEN) & (small | near[:, None]) & ~self._certain()
        rows = np.flatnonzero(blurred.any(axis=1))
        step = max(1, self.truths.batch // 8)
        for first in range(0, len(rows), step):
            chunk = rows[first : first + step]
            if self.seeds is None:
                found = self.truths.precise_rows(self.elements[chunk])
            else:
                found = self.truths.precise_rows(self.elements, self.seeds[:, chunk])
            truth, radius = (x[:, self.column.place] for x in found)
            better = blurred[chunk] & (radius * WIDER < self.radius[chunk])
            self.truth[chunk] = np.where(better, truth, self.truth[chunk])
            self.radius[chunk] = np.where(better, radius * WIDER, self.radius[chunk])
        return bool(len(rows))

    def _by_hull(self) -> None:
        """Sums that rest on ties: within what all branches may give. The others are left."""
        left = self.codes == OPEN
        if not left.any():
            return
        middle, reach = (x[:, self.column.place] for x in self.truths.enclosures(self.elements, self.seeds, slack=True))
        low, high = middle - reach * WIDER, middle + reach * WIDER
        inside = left & np.isfinite(high - low) & (low <= self.autograd) & (self.autograd <= high)
        small = (
            high - low <= self.tolerance.atol + self.tolerance.rtol * np.abs(middle).max(axis=1, initial=0.0)[:, None]
        )
        tied = self.radius >= BLURRED
        self.codes[inside & small] = CODE[Verdict.IMPRECISE]
        self.codes[inside & ~small & tied] = CODE[Verdict.KINK]
        for row, place in np.argwhere(inside & ~small & tied).tolist():
            self.details[row, place] = Detail(low[row, place], high[row, place], AT_A_TIE, has_value=False)

    def _by_balls(self) -> None:
        large = []
        for row in np.flatnonzero((self.codes == OPEN).any(axis=1)).tolist():
            if self.truths.exact(int(self.elements[row])).too_large:
                large.append(row)
            else:
                self._referred(row, np.flatnonzero(self.codes[row] == OPEN).tolist())
        for first in range(0, len(large), self.truths.batch):
            rows = large[first : first + self.truths.batch]
            found = self.truths.enclosures(self.elements[rows], slack=True)
            for row, middle, reach in zip(rows, *(x[:, self.column.place] for x in found), strict=True):
                self._referred(row, self._by_enclosure(row, middle, reach))

    def _referred(self, row: int, places: list[int]) -> None:
        """Entries of a row, by the references of its expression."""
        if not places:
            return
        references = self.truths.exact(int(self.elements[row])).references(
            [self.names[place] for place in places], self.dtype
        )
        for place in places:
            reference = references[self.names[place]]
            self.truth[row, place] = np.nan if reference.value is None else reference.value
        for place in places:
            self._one(row, place, references[self.names[place]])

    def _by_enclosure(self, row: int, middle: Floats, reach: Floats) -> list[int]:
        """Entries of a row that is too large for an expression, by what all branches at its ties may give, or by what
        rounding may. Returns what neither says anything of."""
        has_value = bool(self.truths.has_value(self.elements[[row]]).all())
        limit = self.tolerance.atol + self.tolerance.rtol * float(self._scale()[row])
        left = []
        for place in np.flatnonzero(self.codes[row] == OPEN).tolist():
            low, high = float(middle[place] - reach[place] * WIDER), float(middle[place] + reach[place] * WIDER)
            number, truth = float(self.autograd[row, place]), float(self.truth[row, place])
            tied = not self.radius[row, place] < BLURRED
            bounded = bool(np.isfinite(high - low))
            if not has_value or (tied and not bounded):
                left.append(place)
                continue
            if bounded and not low <= number <= high:
                verdict = Verdict.MISMATCH
            elif tied:
                verdict = Verdict.KINK
            else:
                small = abs(number - truth) + float(self.radius[row, place]) <= limit
                verdict = Verdict.IMPRECISE if small else Verdict.UNSTABLE
            self.codes[row, place] = CODE[verdict]
            if tied:
                self.truth[row, place] = middle[place]
                self.details[row, place] = Detail(low, high, AT_A_TIE, has_value=False)
        return left

    def _one(self, row: int, place: int, reference: Reference) -> None:
        number, name = float(self.autograd[row, place]), self.names[place]
        exact = self.truths.exact(int(self.elements[row]))
        by_function = name in exact.by_function  # at a singular point, where rounding explains nothing
        if reference.kind is Kind.NO_REFERENCE or by_function or exact.root is None or name not in exact.there:
            verdict = judge(reference, number, self.tolerance, _Nothing())
        else:
            rounding = exact.rounding(name, self.mode, reference, self.column.narrowest)
            verdict = judge(reference, number, self.tolerance, rounding)
            if verdict in (Verdict.UNSTABLE, Verdict.MISMATCH) and reference.value is not None:
                limit = self.tolerance.atol + self.tolerance.rtol * float(self._scale()[row])
                if abs(number - reference.value) <= limit and rounding.explains_with_slack(number):
                    verdict = Verdict.IMPRECISE
                elif self.truths.has_functions and not rounding.explains(number):
                    verdict = Verdict.MISMATCH
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
