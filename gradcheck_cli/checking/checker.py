"""Problems, from their texts to their records: one, or many of them stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from gradcheck_cli.checking.failures import failure, out_of_time
from gradcheck_cli.checking.plan import make_plan
from gradcheck_cli.checking.problem import Place, Problem
from gradcheck_cli.checking.reading import Reading, read
from gradcheck_cli.checking.rows import rows_at
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Check, ProblemResult
from gradcheck_cli.records.side import AutogradResult
from gradcheck_cli.runtime.one_at_a_time import one_at_a_time
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit

T = TypeVar("T")


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
            problem = Problem(make_plan(request, reading))
            if on_row is None and problem.has_many_points:
                _many(problem, on_progress)
            else:
                _one_by_one(problem, ((place, None) for place in problem.places()), on_progress, on_row)
            result = problem.result(started)
    except OutOfTime:
        return failure(request, out_of_time(request.timeout), seconds=time.perf_counter() - started)
    return _shown(result, problem, request, time.perf_counter() - started)


@one_at_a_time
def check_together(requests: Sequence[Request]) -> list[ProblemResult]:
    """Check expressions of few points each, stage by stage: all are read, then all are differentiated, and so on.

    That takes three quarters of the time that they take one after the other, since the code of a stage stays in the
    processor's caches. Time limits are for the caller. Raises whatever the first one that cannot be checked raises.
    """
    timed = _Timed(len(requests))
    with phase("parsing"):
        readings = timed(read, requests)
    plans = timed(make_plan, requests, readings)
    problems = timed(Problem, plans)
    places = timed(lambda problem: [] if problem.has_many_points else list(problem.places()), problems)
    results = timed(lambda problem, its: [problem.sides.results(place.point) for place in its], problems, places)
    timed(_with_results, problems, places, results)
    finished = zip(problems, requests, timed.seconds, strict=True)
    return [
        _shown(problem.result(time.perf_counter() - seconds), problem, request, seconds)
        for problem, request, seconds in finished
    ]


def _shown(result: ProblemResult, problem: Problem, request: Request, seconds: float) -> ProblemResult:
    """The result with a picture and a chain rule, where they are wanted. seconds: that the check took."""
    left = None if request.timeout is None else request.timeout - seconds
    if request.picture:
        from gradcheck_cli.checking.pictured import with_picture

        result = with_picture(result, problem, left)
    if request.explains(passed=result.passed):
        from gradcheck_cli.checking.explained import with_chain

        result = with_chain(result, problem, left)
    return result


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


def _with_results(problem: Problem, places: Sequence[Place], results: Sequence[Mapping[str, AutogradResult]]) -> None:
    if problem.has_many_points:
        _many(problem, None)
    else:
        _one_by_one(problem, zip(places, results, strict=True), None, None)


def _many(problem: Problem, on_progress: Callable[[int], None] | None) -> None:
    from gradcheck_cli.checking.blocks import check_many

    check_many(problem, on_progress)


def _one_by_one(
    problem: Problem,
    places: Iterable[tuple[Place, Mapping[str, AutogradResult] | None]],
    on_progress: Callable[[int], None] | None,
    on_row: Callable[[Check], None] | None,
) -> None:
    """Make the rows at places, each with what torch says there, by mode; None: it was not asked yet."""
    for index, (place, results) in enumerate(places):
        problem.rows.add_points(1, [place.point])
        for check in rows_at(problem.sides, place.point, place.references, results=results):
            row = problem.plan.expected.apply(check, index)
            problem.rows.add(row)
            if on_row is not None:
                on_row(row)
        if on_progress is not None:
            on_progress(index + 1)
