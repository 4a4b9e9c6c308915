"""One expression at many points: torch and the quick tier take blocks of them; balls settle what is left.

The verdicts are those of balls alone. Rows are kept in short while they come, and every row that stays to be shown is
checked once more in full, by balls, with the number that torch gave for it in its block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from gradcheck_cli.certified.float_filter.columns import (
    Columns,
    column,
    first_out_of_range,
    length_of,
    point_of,
    round_many,
)
from gradcheck_cli.certified.float_filter.kernels import Floats
from gradcheck_cli.certified.float_filter.settle import FirstTier, Settled, unsettled
from gradcheck_cli.checking.points.blocks import blocks
from gradcheck_cli.checking.problem import Problem
from gradcheck_cli.checking.rows import rows_at
from gradcheck_cli.errors import InternalError
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.results import Check, Verdict
from gradcheck_cli.records.side import AutogradResult
from gradcheck_cli.runtime.stopwatch import phase

BLOCK = 2**14
"""Points of a block: its numbers stay in the processor's cache."""
NUMBERS = 2**21
"""Numbers that a block may hold at once: long expressions get shorter blocks."""


class Block(NamedTuple):
    """sampled: whether undefined points are left out."""

    columns: Columns
    sampled: bool

    @property
    def length(self) -> int:
        return length_of(self.columns)


def check_many(problem: Problem, on_progress: Callable[[int], None] | None) -> None:
    """Check a problem at all its points; the rows are counted, and those that are kept are complete."""
    _ManyPoints(problem).check(on_progress)
    problem.rows.complete(lambda short: _in_full(problem, short))


class _ManyPoints:
    def __init__(self, problem: Problem) -> None:
        self.problem, self.plan, self.rows = problem, problem.plan, problem.rows
        plan, derivatives = problem.plan, problem.sides.derivatives
        possible = FirstTier.is_possible(derivatives)
        self.tier = FirstTier(derivatives, plan.dtype, plan.tolerance, strict=plan.strict) if possible else None
        self.size = max(64, min(BLOCK, NUMBERS // len(derivatives.program.nodes)))

    def check(self, on_progress: Callable[[int], None] | None) -> None:
        for block in self._blocks():
            self._check(block)
            if on_progress is not None:
                on_progress(self.rows.points)

    def _blocks(self) -> Iterator[Block]:
        for columns in blocks(self.plan.points, self.size):
            yield Block(self._rounded(columns), sampled=False)
        sampling = self.problem.sampling
        while sampling is not None and sampling.missing:
            points = list(islice(sampling.candidates, min(self.size, sampling.missing)))
            columns = {name: column(float(point[name]) for point in points) for name in self.plan.variables}
            yield Block(self._rounded(columns), sampled=True)

    def _rounded(self, columns: Columns) -> Columns:
        """The points in the working dtype. What overflows or underflows is told as for a single point."""
        dtype = self.plan.dtype
        if dtype.precision == 53:
            return columns
        rounded = {name: round_many(values, dtype) for name, values in columns.items()}
        odd = first_out_of_range(columns, rounded)
        if odd is not None:
            self.problem.rounded({name: Fraction(value) for name, value in point_of(columns, odd).items()})
        return rounded

    def _check(self, block: Block) -> None:
        with phase("autograd"):
            found = {
                mode: side.at_many(block.columns, block.length) for mode, side in self.problem.sides.autograd.items()
            }
        autograd = {mode: results for mode, results in found.items() if results is not None}
        settled: dict[tuple[str, Derivative], Settled] = {}
        if self.tier is not None and len(autograd) == len(self.plan.modes):
            with phase("float64"):
                settled = self.tier.settle(block.columns, autograd)
        left_out = self._check_by_balls(block, unsettled(settled, block.length), autograd, settled)
        for key, one in settled.items():
            self._add(block, key, one, autograd[key[0]])
        inside = (point_of(block.columns, i) for i in range(block.length) if i not in left_out)
        self.rows.add_points(block.length - len(left_out), inside)

    def _check_by_balls(
        self,
        block: Block,
        indices: Sequence[int],
        autograd: Mapping[str, Mapping[Derivative, Floats]],
        settled: Mapping[tuple[str, Derivative], Settled],
    ) -> set[int]:
        """The points that are not settled for every row. Returns those that were left out of a sample."""
        sides, left_out = self.problem.sides, set[int]()
        sampling = self.problem.sampling if block.sampled else None
        next_one = 0
        for i in indices:
            point = point_of(block.columns, i)
            references = sides.references(point)
            if sampling is not None:
                sampling.take_defined(i - next_one)
                next_one = i + 1
                if not sampling.take(references):
                    left_out.add(i)
                    continue
            results = {mode: result_at(numbers, i) for mode, numbers in autograd.items()}
            for check in rows_at(sides, point, references, results=results, brief=True):
                key = check.mode, check.derivative
                if key not in settled or not settled[key].where[i]:
                    self.rows.add(self.plan.expected.apply_verdicts(check))
        if sampling is not None:
            sampling.take_defined(block.length - next_one)
        return left_out

    def _add(
        self, block: Block, key: tuple[str, Derivative], settled: Settled, numbers: Mapping[Derivative, Floats]
    ) -> None:
        """The settled rows of a block: counted, and the worst of them kept in short."""
        mode, row = key
        count, first = settled.count_and_first()
        if not count:
            return

        def short(i: int) -> Check:
            check = Check(
                point_of(block.columns, i), row, mode, Verdict.MATCH, passed=True, autograd=float(numbers[row][i]),
                value_autograd=float(numbers[VALUE][i]), rel_error=float(settled.rel_error[i]),
            )  # fmt: skip
            return self.plan.expected.apply_verdicts(check)

        passed = short(first).passed
        worst = settled.worst(self.rows.threshold(passed), self.rows.keep)
        self.rows.add_many(Verdict.MATCH, count, passed, [short(i) for i in worst])


def _in_full(problem: Problem, short: Check) -> Check:
    """A row with its certified numbers and its note."""
    results = None
    if short.autograd is not None:
        results = {short.mode: AutogradResult(short.value_autograd, {short.derivative: short.autograd}, {})}
    sides = problem.sides
    references = sides.references(short.point)
    (check,) = rows_at(sides, short.point, references, results=results, only=(short.mode, short.derivative))
    if check.verdict is not short.verdict:
        raise InternalError(
            f"the quick tier finds {short.verdict.value} at {dict(short.point)}, and balls find {check.verdict.value}"
        )
    return problem.plan.expected.apply_verdicts(check)


def result_at(numbers: Mapping[Derivative, Floats], i: int) -> AutogradResult:
    """What torch says at one of the points of `Side.at_many`."""
    return AutogradResult(
        float(numbers[VALUE][i]), {row: float(column[i]) for row, column in numbers.items() if row.wrt}, {}
    )
