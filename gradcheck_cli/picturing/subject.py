"""What is pictured, as `checking` hands it over: the function, its derivatives, the points, who judges more of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.results import Check, Counterexample
from gradcheck_cli.verdict import Tolerance

Point = Mapping[str, float]

MOST_ROWS = 4
"""Derivatives of a picture."""
MOST_DOTS = 400


@dataclass(frozen=True)
class Claimed:
    """A derivative worked out by hand that is not proven. extra: values of the names that only it has."""

    derivative: Derivative
    text: str
    expression: Expr
    extra: Mapping[str, float]
    counterexample: Counterexample | None


@dataclass(frozen=True)
class Subject:
    """checks: the rows that are known, the worst, and how many more there were; coordinates: of
    each variable, what was asked for. judge: makes the rows of points that are not asked for. deadline: when to stop,
    by time.monotonic."""

    derivatives: Derivatives
    variables: tuple[str, ...]
    checks: Sequence[Check]
    more: int
    coordinates: Mapping[str, Sequence[float]]
    claims: Sequence[Claimed]
    dtype: Dtype
    tolerance: Tolerance
    judge: Callable[[Sequence[Point]], list[Check]]
    deadline: float

    @property
    def rows(self) -> tuple[Derivative, ...]:
        """The derivatives that are shown."""
        return self.derivatives.rows[:MOST_ROWS]

    @property
    def notes(self) -> tuple[str, ...]:
        left = len(self.derivatives.rows) - MOST_ROWS
        derivatives = f"{left} more derivatives are not drawn" if left > 0 else ""
        points = "of the points asked for, some are drawn, the worst first" if self._has_more_dots else ""
        return tuple(filter(None, (derivatives, points)))

    @property
    def _has_more_dots(self) -> bool:
        """Whether there are more points than are drawn."""
        of_each = Counter(check.wrt for check in self.checks)
        return self.more > 0 or max(of_each.values(), default=0) > MOST_DOTS
