"""Samples: which of the points drawn count, and how many are still missing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gradcheck_cli.certified.references import References
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.reference import Kind

SAMPLE_TRIES = 1_000
"""Undefined samples in a row before giving up on the range."""


class Sampling:
    """Samples as they are taken. candidates: points, without end."""

    def __init__(self, candidates: Iterator[dict[str, Fraction]], wanted: int) -> None:
        self.candidates, self.wanted = candidates, wanted
        self.found = self.skipped = 0
        self._last, self._in_a_row = -2, 0

    @property
    def missing(self) -> int:
        return self.wanted - self.found

    def take(self, references: References, index: int) -> bool:
        """Whether the point with this number counts: it does unless it is outside the domain.

        Raises UsageError after SAMPLE_TRIES of those in a row.
        """
        if any(row.kind is not Kind.UNDEFINED for row in references.rows.values()):
            self.found += 1
            return True
        self.skipped += 1
        self._in_a_row = self._in_a_row + 1 if index == self._last + 1 else 1
        self._last = index
        if self._in_a_row >= SAMPLE_TRIES:
            raise UsageError(
                f"the function is defined at none of {self._in_a_row} points sampled: give points by --at, or where "
                "to sample by --range"
            )
        return False
