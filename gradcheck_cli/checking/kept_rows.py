"""The rows of a problem: all are counted, and those that a report has room for are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from gradcheck_cli.records.results import Check, Verdict, worst_first


class Rows:
    """The rows of a problem, counted; the failing ones and then the worst are kept where there are too many.

    points: how many there were; first_points: the first of them, at most `remember`.
    """

    def __init__(self, keep: int, remember: int = 0) -> None:
        self.keep, self.total, self.failed = keep, 0, 0
        self.counts: dict[Verdict, int] = {}
        self.points, self.first_points, self._remember = 0, list[dict[str, float]](), remember
        self._rows: list[Check] = []

    def add_points(self, count: int, first: Iterable[dict[str, float]]) -> None:
        """`count` points of which rows are added; first: the first of them, or all."""
        self.points += count
        self.first_points.extend(islice(first, self._remember - len(self.first_points)))

    def add(self, check: Check) -> None:
        self._rows.append(check)
        self.total += 1
        self.failed += not check.passed
        self.counts[check.verdict] = self.counts.get(check.verdict, 0) + 1
        if len(self._rows) >= 2 * self.keep + 1:
            self._trim()

    def add_many(self, verdict: Verdict, count: int, passed: bool, worst: Iterable[Check]) -> None:
        """`count` rows with one verdict, of which only the worst may be kept."""
        self.total += count
        self.failed += 0 if passed else count
        self.counts[verdict] = self.counts.get(verdict, 0) + count
        self._rows.extend(worst)
        if len(self._rows) >= 2 * self.keep + 1:
            self._trim()

    def threshold(self, passed: bool) -> float:
        """The relative error that a match has to exceed to be kept."""
        if len(self._rows) < self.keep:
            return -1.0
        self._trim()
        last = worst_first(self._rows[-1])
        match = (passed, -Verdict.MATCH.severity)
        return -last[2] if last[:2] == match else math.inf if last[:2] < match else -1.0

    def complete(self, check: Callable[[Check], Check]) -> None:
        """Replace the rows that are kept."""
        self._trim()
        self._rows = [check(row) for row in self._rows]

    def _trim(self) -> None:
        self._rows.sort(key=worst_first)
        del self._rows[self.keep :]

    def kept(self) -> Sequence[Check]:
        """All rows in their order; or, where there are too many, failing ones first, then the worst."""
        if self.total > self.keep:
            self._trim()
        return self._rows
