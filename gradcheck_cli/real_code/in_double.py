"""Backwards by hand in a narrow dtype: they round in ways of their own, which are not those of torch's own rules.

The same code is asked in float64, at the same numbers. Where it is right there, rounding is what is wrong; where it is
about as far off there, rounding is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.real_code.judge import CODE, Column, Judged
from gradcheck_cli.real_code.recorded import Recorded
from gradcheck_cli.real_code.reference import Truths
from gradcheck_cli.real_code.side import Forward, Reverse, Side
from gradcheck_cli.real_code.subject import Output, Subject
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.tracing.tensors import numbers

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
RIGHT = 1e-9
"""How far, of its size or of the largest entry of its gradient, what is right in float64 may be off."""
SAME = 1e-6
"""How far, of the largest, the values in float64 may be from those that were recorded."""


class InDouble:
    """recorded: what is true; subject: the code under test."""

    def __init__(self, recorded: Recorded, truths: Truths, subject: Subject) -> None:
        self.recorded, self.truths, self.subject = recorded, truths, subject
        self._sides: dict[str, Side | None] = {}

    def settle(
        self, judged: Judged, autograd: Floats, column: Column, mode: str, again: Callable[[Side, Rows], Floats]
    ) -> None:
        """Changes verdicts of rows. again: what a side gives for some of them, by all inputs."""
        if not self.truths.has_functions or not self._is_narrow:
            return
        known = np.isfinite(judged.truth)
        wrong = (judged.codes == CODE[Verdict.MISMATCH]) & known
        lost = (judged.codes == CODE[Verdict.UNSTABLE]) & known
        rows = np.flatnonzero((wrong | lost).any(axis=1))
        if not len(rows) or (side := self._side(mode)) is None:
            return
        try:
            given = again(side, rows)[:, column.place]
        except (GradcheckError, RuntimeError, TypeError):
            return
        truth, scale = judged.truth[rows], judged.scale[rows][:, None]
        with np.errstate(all="ignore"):
            limit = column.tolerance.atol + column.tolerance.rtol * scale
            off = np.abs(given - truth)
            right = off <= RIGHT * np.maximum(np.abs(truth), scale)
            small = np.abs(autograd[rows][:, column.place] - truth) <= limit
        codes = judged.codes[rows]
        codes[wrong[rows] & right] = CODE[Verdict.UNSTABLE]
        codes[wrong[rows] & right & small] = CODE[Verdict.IMPRECISE]
        codes[lost[rows] & (off > limit)] = CODE[Verdict.MISMATCH]
        judged.codes[rows] = codes

    @property
    def _is_narrow(self) -> bool:
        return any(given.dtype is not DTYPES["float64"] for given in self.truths.tape.inputs)

    def _side(self, mode: str) -> Side | None:
        """None: the code does not run in float64, or computes something else there, as with other random numbers."""
        if mode not in self._sides:
            self._sides[mode] = None
            with suppress(GradcheckError, RuntimeError, TypeError):
                subject = self.subject.in_double()
                reverse = Reverse(subject)
                if self._is_the_same(reverse.outputs):
                    self._sides[mode] = reverse if mode == "reverse" else Forward(subject, reverse.outputs)
        return self._sides[mode]

    def _is_the_same(self, outputs: Sequence[Output]) -> bool:
        values = [self.truths.values.value[elements].reshape(-1) for elements in self.recorded.elements]
        given = [numbers(output.tensor).reshape(-1) for output in outputs]
        return len(given) == len(values) and all(
            a.shape == b.shape
            and np.allclose(a, b, rtol=0, atol=SAME * float(np.abs(b).max(initial=0.0)), equal_nan=True)
            for a, b in zip(given, values, strict=True)
        )
