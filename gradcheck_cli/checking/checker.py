"""Problems, from their texts to their records: one, or many of them stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from gradcheck_cli.certified.references import References
from gradcheck_cli.checking.kept_rows import Rows
from gradcheck_cli.checking.problem import Problem
from gradcheck_cli.checking.reading import Reading, read
from gradcheck_cli.claims.judge import COMPARED
from gradcheck_cli.pytorch.gradients import AutogradResult
from gradcheck_cli.checking.failures import failure, out_of_time
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Check, ProblemResult
from gradcheck_cli.runtime.one_at_a_time import one_at_a_time
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit

T = TypeVar("T")

Place = tuple[Mapping[str, float], References, Mapping[str, AutogradResult] | None]
"""A point, what is true there, and what torch says, by mode; None: it was not asked yet."""


@one_at_a_time
def check_expression(
    request: Request,
    *,
    reading: Reading | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_row: Callable[[Check], None] | None = None,
) -> ProblemResult:
    """Check one expression at its points.

    reading: the request, where it has been read already. on_progress is called with the number of points done;
    on_row with every row, in the order of the points (without it, what matches need not be made in full). Raises
    GradcheckError for bad input.
    """
    started = time.perf_counter()
    try:
        with time_limit(request.timeout):
            problem = Problem(request, reading)
            if on_row is None and problem.has_many_points:
                rows = _many(problem, on_progress)
            else:
                rows = _one_by_one(problem, ((*place, None) for place in problem.points()), on_progress, on_row)
            return problem.result(rows, problem.judge_claims(), started)
    except OutOfTime:
        return failure(request, out_of_time(request.timeout), seconds=time.perf_counter() - started)


@one_at_a_time
def check_together(requests: Sequence[Request]) -> list[ProblemResult]:
    """Check expressions of few points each, stage by stage: all are read, then all are differentiated, and so on.

    That takes three quarters of the time that they take one after the other, since the code of a stage stays in the
    processor's caches. Time limits are for the caller. Raises whatever the first one that cannot be checked raises.
    """
    timed = _Timed(len(requests))
    with phase("parsing"):
        readings = timed(read, requests)
    problems = timed(Problem, requests, readings)
    places = timed(lambda problem: [] if problem.has_many_points else list(problem.points()), problems)
    results = timed(lambda problem, its: [problem.autograd(point) for point, _ in its], problems, places)
    rows = timed(_with_results, problems, places, results)
    return [
        problem.result(its, problem.judge_claims(), time.perf_counter() - seconds)
        for problem, its, seconds in zip(problems, rows, timed.seconds, strict=True)
    ]


class _Timed:
    """Functions of many things, one by one; how long each of them took is added up in `seconds`."""

    def __init__(self, count: int) -> None:
        self.seconds = [0.0] * count

    def __call__(self, function: Callable[..., T], *columns: Iterable[Any]) -> list[T]:
        results = []
        for index, arguments in enumerate(zip(*columns, strict=True)):
            started = time.perf_counter()
            results.append(function(*arguments))
            self.seconds[index] += time.perf_counter() - started
        return results


def _with_results(
    problem: Problem,
    places: Sequence[tuple[Mapping[str, float], References]],
    results: Sequence[Mapping[str, AutogradResult]],
) -> Rows:
    if problem.has_many_points:
        return _many(problem, None)
    return _one_by_one(problem, [(*place, its) for place, its in zip(places, results, strict=True)], None, None)


def _many(problem: Problem, on_progress: Callable[[int], None] | None) -> Rows:
    from gradcheck_cli.checking.blocks import check_many

    rows = Rows(problem.request.keep)
    check_many(problem, rows, on_progress)
    return rows


def _one_by_one(
    problem: Problem,
    places: Iterable[Place],
    on_progress: Callable[[int], None] | None,
    on_row: Callable[[Check], None] | None,
) -> Rows:
    rows = Rows(problem.request.keep)
    for index, (point, references, results) in enumerate(places):
        if problem.claims and len(problem.own) < COMPARED:
            problem.own.append(dict(point))
        for check in problem.check(point, references=references, results=results):
            row = problem.expected.apply(check, index)
            rows.add(row)
            if on_row is not None:
                on_row(row)
        if on_progress is not None:
            on_progress(index + 1)
    return rows
