"""Samples: which of the points drawn count, and how many are still missing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gradcheck_cli.certified.references import References
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.reference import Kind
from gradcheck_cli.surfaces import Option

SAMPLE_TRIES = 1_000
"""Undefined samples in a row before giving up on the range."""


class Sampling:
    """Samples as they are taken. candidates: points, without end."""

    def __init__(self, candidates: Iterator[dict[str, Fraction]], wanted: int) -> None:
        self.candidates, self.wanted = candidates, wanted
        self.found = self.skipped = 0
        self._in_a_row = 0

    @property
    def missing(self) -> int:
        return self.wanted - self.found

    def told(self, seed: str) -> str:
        """How many points were sampled, and how to get the same ones. seed: the option, in words."""
        outside = f", {self.skipped} outside the domain skipped" if self.skipped else ""
        points = "point" if self.found == 1 else "points"
        return f"{self.found} {points} sampled with {seed}{outside}"

    def take(self, references: References) -> bool:
        """Whether the next point counts: it does unless it is outside the domain.

        Raises UsageError after SAMPLE_TRIES of those in a row.
        """
        if any(row.kind is not Kind.UNDEFINED for row in references.rows.values()):
            self.take_defined(1)
            return True
        self.skipped += 1
        self._in_a_row += 1
        if self._in_a_row >= SAMPLE_TRIES:
            raise UsageError(
                f"the function is defined at none of {self._in_a_row} points sampled: give points by ",
                Option("at"),
                ", or where to sample by ",
                Option("range"),
            )
        return False

    def take_defined(self, count: int) -> None:
        """The next `count` points are known to be inside of the domain."""
        if count:
            self.found += count
            self._in_a_row = 0
