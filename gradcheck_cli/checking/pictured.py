"""The picture of a formula that has been checked: more points than were asked for, judged by the same ladder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gradcheck_cli.certified.float_filter.columns import column
from gradcheck_cli.checking.blocks import result_at
from gradcheck_cli.checking.problem import Problem
from gradcheck_cli.checking.rows import rows_at
from gradcheck_cli.claims.claimed import ClaimedDerivative
from gradcheck_cli.picturing.choice import picture_of
from gradcheck_cli.picturing.subject import Claimed, Subject
from gradcheck_cli.records.results import Check, ClaimStatus, ProblemResult
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit

SECONDS = 3.0
"""A picture may take; less where the check has a limit of which less is left."""
MOST = 1_000
"""Texts of points that say where the picture is."""
OF_A_RANGE = 21
"""Numbers of a range that do."""


def with_picture(result: ProblemResult, problem: Problem, left: float | None) -> ProblemResult:
    """The result with its picture. left: seconds that are left of the check's time limit; None: there is none."""
    seconds = SECONDS if left is None else min(SECONDS, left)
    try:
        with phase("picture"), time_limit(max(seconds, 1e-3)):
            subject = _subject(result, problem, time.monotonic() + 0.7 * seconds)
            return replace(result, picture=picture_of(subject))
    except OutOfTime:
        return replace(result, notices=(*result.notices, f"no picture: it takes more than {seconds:.2g} s"))


def _subject(result: ProblemResult, problem: Problem, deadline: float) -> Subject:
    plan, sides = problem.plan, problem.sides

    def judge(points: Sequence[Mapping[str, float]]) -> list[Check]:
        return _judged(problem, points, deadline)

    return Subject(
        derivatives=sides.derivatives, variables=plan.variables, checks=result.checks,
        more=result.checks_omitted,
        coordinates={name: _coordinates(problem, name) for name in plan.variables}, claims=_claims(result, problem),
        dtype=plan.dtype, tolerance=plan.tolerance, judge=judge, deadline=deadline,
    )  # fmt: skip


def _coordinates(problem: Problem, name: str) -> list[float]:
    """Of a variable, the numbers that were asked for, or some of each range."""
    found = []
    for axes in problem.plan.points.texts[:MOST]:
        for axis in axes:
            if axis.name == name:
                count = min(axis.count, OF_A_RANGE)
                step = (axis.stop - axis.start) / max(1, count - 1)
                found += [problem.plan.dtype.round(axis.start + i * step) for i in range(count)]
    return found


def _judged(problem: Problem, points: Sequence[Mapping[str, float]], deadline: float) -> list[Check]:
    """The rows at points, without what is said of them; none of the points for which there is no time."""
    if not points:
        return []
    columns = {name: column(point[name] for point in points) for name in points[0]}
    sides, found = problem.sides, {}
    for mode, side in sides.autograd.items():
        numbers = side.at_many(columns, len(points))
        if numbers is not None:
            found[mode] = numbers
    rows: list[Check] = []
    for i, point in enumerate(points):
        if time.monotonic() > deadline:
            break
        results = {mode: result_at(numbers, i) for mode, numbers in found.items()}
        rows += rows_at(sides, point, sides.references(point), results=results, brief=True)
    return rows


def _claims(result: ProblemResult, problem: Problem) -> list[Claimed]:
    """The claims that are not proven."""
    found = []
    for claim, record in zip(problem.plan.claims, result.claims, strict=True):
        if isinstance(claim, ClaimedDerivative) and record.status is not ClaimStatus.PROVEN:
            wrong = record.counterexample.point if record.counterexample is not None else {}
            given = {name: float(values[0]) for name, values in claim.values.items() if values}
            extra = {name: wrong.get(name, given.get(name, 1.0)) for name in claim.extra}
            found.append(Claimed(claim.derivative, claim.text, claim.claim, extra, record.counterexample))
    return found
