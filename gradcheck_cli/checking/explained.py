"""What `gradcheck explain` is asked for: chain rules at one point after another, and of one derivative after another.

The chain rule of a second derivative is that of the first one, which is taken as a function of its own, in closed form.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations_with_replacement, islice

from gradcheck_cli.checking.explainer import Explainer
from gradcheck_cli.checking.plan import make_plan
from gradcheck_cli.checking.points.texts import read_points
from gradcheck_cli.checking.problem import Place, Problem
from gradcheck_cli.checking.reading import Reading, read
from gradcheck_cli.checking.rows import rows_at
from gradcheck_cli.differentiation.gradient import derivative
from gradcheck_cli.errors import GradcheckError, UsageError
from gradcheck_cli.expression.nodes import Expr, intermediates, variables
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.explanation import Explained, Explanation
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Check, ProblemResult, Verdict, worst_first
from gradcheck_cli.runtime.one_at_a_time import one_at_a_time
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit
from gradcheck_cli.surfaces import Option

MOST = 20
"""Chain rules that are shown."""
LONGEST = 2_000
"""Characters of a formula."""
CHAIN_SECONDS = 3.0
"""That a chain rule beside a report may take."""


@one_at_a_time
def explain_expression(request: Request, *, reading: Reading | None = None) -> Explanation:
    """The explanation of a request with one point at most; without one, it is sampled.

    reading: the request, where it has been read already. Raises GradcheckError for bad input.
    """
    found = _explained(request, reading, 1)
    return found.explanations[0]


@one_at_a_time
def explain_points(request: Request, *, reading: Reading | None = None) -> Explained:
    """The explanations of a request, at most MOST of them. Raises GradcheckError for bad input."""
    return _explained(request, reading, MOST)


def _explained(request: Request, reading: Reading | None, most: int) -> Explained:
    started = time.perf_counter()
    reading = read(request) if reading is None else reading
    if not reading.points.texts and reading.request.samples is None:
        reading = replace(reading, request=replace(reading.request, samples=1))
    problem = Problem(make_plan(reading.request, reading))
    functions = [_first(reading), *_derivatives(reading)]
    places = list(islice(problem.places(), most // len(functions) + 1))
    _require_few(len(places) * len(functions), len(functions), most)
    checks = [list(rows_at(problem.sides, place.point, place.references)) for place in places]
    for place, rows in zip(places, checks, strict=True):
        problem.rows.add_points(1, [place.point])
        for check in rows:
            problem.rows.add(check)
    result = problem.result(started)
    if len(functions) > 1:
        explanations = [one for place in places for function in functions for one in _of_function(function, place)]
    else:
        results = [result] if len(places) == 1 else [_of_place(result, rows, rows is checks[0]) for rows in checks]
        explanations = [
            Explainer(problem.sides, place.point, own).explanation() for place, own in zip(places, results, strict=True)
        ]
    return Explained(tuple(explanations), result)


def with_chain(result: ProblemResult, problem: Problem, left: float | None) -> ProblemResult:
    """The result with the chain rule at its worst row, of order 1.

    left: seconds that are left; None: there is no limit. It is without where it takes too long.
    """
    if result.order > 1 or not result.checks:
        return result
    worst = min(result.checks, key=worst_first)
    checks = [check for check in result.checks if check.point == worst.point]
    seconds = CHAIN_SECONDS if left is None else max(min(CHAIN_SECONDS, left), 1e-3)
    try:
        with time_limit(seconds):
            explainer = Explainer(problem.sides, worst.point, _of_place(result, checks, is_first=False))
            return replace(result, chain=explainer.explanation().in_texts())
    except (OutOfTime, GradcheckError):
        return result


def _require_few(count: int, functions: int, most: int) -> None:
    if count <= most:
        return
    if most == 1:
        one = Option("at"), ", for example ", Option("at", "2")
        raise UsageError("explain shows the chain rule at one point, and there are several: give one by ", *one)
    each = "" if functions == 1 else f", of which each point has {functions}"
    raise UsageError(f"explain shows at most {most} chain rules{each}: give fewer points by ", Option("at"))


def _of_place(result: ProblemResult, checks: Sequence[Check], is_first: bool) -> ProblemResult:
    """The part of a result that belongs to one of several points. is_first: which has what is said of all."""
    counts: dict[Verdict, int] = {}
    for check in checks:
        counts[check.verdict] = counts.get(check.verdict, 0) + 1
    return replace(
        result,
        checks=tuple(checks),
        checks_total=len(checks),
        counts=counts,
        verdict=Verdict.worst(counts),
        passed=all(check.passed for check in checks),
        claims=(),
        notices=result.notices if is_first else (),
    )


def _of_function(reading: Reading, place: Place) -> Iterator[Explanation]:
    """The chain rule of the function itself, or of one of its derivatives, at a place."""
    started = time.perf_counter()
    at = tuple((name, place.point[name]) for name in reading.variables)
    request = replace(reading.request, at=(at,), samples=None, ranges=(), order=1, claims=())
    one = replace(reading, request=request, points=read_points([at], reading.variables), claims=())
    problem = Problem(make_plan(request, one))
    for point, references in problem.places():
        problem.rows.add_points(1, [point])
        for check in rows_at(problem.sides, point, references):
            problem.rows.add(check)
        yield Explainer(problem.sides, point, problem.result(started)).explanation()


def _names(reading: Reading) -> tuple[str, ...]:
    """What is differentiated by."""
    return tuple(dict.fromkeys(name for row in reading.rows for name in row.wrt))


def _first(reading: Reading) -> Reading:
    """The function, whose chain rule is that of its first derivatives."""
    rows = tuple(Derivative((name,)) for name in _names(reading))
    return reading if reading.request.order == 1 else replace(reading, rows=rows, notices=())


def _derivatives(reading: Reading) -> Iterator[Reading]:
    """The derivatives of lower order as functions of their own. Those that are constant have no chain rule."""
    order = reading.request.order
    names = _names(reading)
    named = [name for name in names if name not in reading.variables]
    if order > 1 and named:
        raise UsageError(
            f"{named[0]} is an intermediate result, and the chain rule of order {order} goes along variables: ",
            Option("wrt", reading.variables[0]),
        )
    for lower in range(1, order):
        for wrt in combinations_with_replacement(names, lower):
            expression = _in_closed_form(reading.expression, wrt)
            found = tuple(name for name in reading.variables if name in variables(expression))
            rows = tuple(Derivative((name,)) for name in names if name in found)
            if rows:
                text = text_within(expression, LONGEST) or "…"
                yield replace(
                    reading,
                    request=replace(reading.request, expression=text),
                    expression=expression,
                    lets={},
                    definitions={},
                    variables=found,
                    rows=rows,
                    function_name=_name(reading, wrt),
                    notices=(),
                )


def _name(reading: Reading, wrt: Sequence[str]) -> str:
    """`f'` of one variable, f_x of several."""
    name = reading.function_name or "f"
    if len(reading.variables) == 1:
        return name + "'" * len(wrt)
    joint = "" if all(len(one) == 1 for one in wrt) else "_"
    return f"{name}_{joint.join(wrt)}"


def _in_closed_form(expression: Expr, wrt: Sequence[str]) -> Expr:
    from gradcheck_cli.symbolic.closed_form import closed_form
    from gradcheck_cli.symbolic.to_sympy import NoClosedForm

    found = derivative(expression, wrt)
    try:
        return closed_form(expression, wrt, intermediates(expression), found)
    except NoClosedForm:
        return found
