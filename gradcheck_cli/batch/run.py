"""Many problems: specs in, results out, one by one and in order."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck_cli.batch.dispatch import Lost, Work
from gradcheck_cli.batch.resume import problem_key
from gradcheck_cli.checking import loading
from gradcheck_cli.checking.failures import failure, out_of_time
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.request import AnyRequest, CodeRequest, ProblemSpec, Request
from gradcheck_cli.records.results import ProblemResult
from gradcheck_cli.runtime.collector import resting_collector
from gradcheck_cli.runtime.stopwatch import measuring, phase
from gradcheck_cli.tensors.wanted import is_about_arrays
from gradcheck_cli.user_code.failures import code_failure

if TYPE_CHECKING:
    from gradcheck_cli.batch.workers import Workers

DEFAULT_TIMEOUT = 30.0
GRACE = 2.0
"""Seconds beyond its limit after which a check is killed: Python code stops by itself, at the limit."""

PRELOAD = ("gradcheck_cli.batch.worker_preload",)
PRELOAD_ALL = (*PRELOAD, "gradcheck_cli.symbolic.closed_form", "gradcheck_cli.tensors.check")
"""What a check of any kind imports: for processes that wait for problems."""

AT_ONCE = 1.0
"""Seconds that several problems may take stage by stage; see dispatch.SPAN for what they should."""

BatchWork = Work[AnyRequest, AnyResult]


@dataclass(frozen=True)
class Where:
    """Where problems are checked: in `jobs` worker processes of this machine, or on a cluster (dask://HOST:PORT).

    workers: processes that are there already, and stay.
    """

    jobs: int = 1
    executor: str | None = None
    workers: Workers | None = None


def run_batch(
    specs: Sequence[ProblemSpec],
    *,
    where: Where | None,
    done: Mapping[str, AnyResult] | None = None,
    profile: bool = False,
) -> Generator[AnyResult, None, None]:
    """The result of each problem, in order.

    where: in processes that are killed where they do not keep their time limit; None: all are checked in this process,
    and what hangs inside torch hangs. done: results from before by key (see resume.py), which are taken as they are.
    profile: the results say how long each phase took. Closing the iterator ends the workers.
    """
    done = done or {}
    keys = [problem_key(spec) for spec in specs]
    open_ones = [spec.request for spec, key in zip(specs, keys, strict=True) if spec.request and key not in done]
    work = Work(profiled_request, profiled_requests) if profile else Work(check_request, check_requests)
    outcomes = iter(map(work.one, open_ones) if where is None else _isolated(work, open_ones, where))
    for spec, key in zip(specs, keys, strict=True):
        if key in done:
            result = done[key]
        elif spec.request is None:
            result = failure(Request(""), spec.error or "it cannot be read", bad_input=True)
        else:
            result = next(outcomes)
        yield _named(result, spec, key)
    next(outcomes, None)  # the workers have ended by themselves, and what they fork from serves the next run


def _isolated(work: BatchWork, requests: Sequence[AnyRequest], where: Where) -> Iterator[AnyResult]:
    if not requests:
        return
    tasks = ((request, None if request.timeout is None else request.timeout + GRACE) for request in requests)
    for request, outcome in zip(requests, _outcomes(work, tasks, where), strict=True):
        yield failure_of(request, outcome.reason) if isinstance(outcome, Lost) else outcome


def _outcomes(
    work: BatchWork, tasks: Iterator[tuple[AnyRequest, float | None]], where: Where
) -> Iterator[AnyResult | Lost]:
    if where.executor is not None:
        from gradcheck_cli.batch.dask import run_on_dask

        return run_on_dask(work, tasks, where.executor)
    if where.workers is not None:
        return where.workers.run(work, tasks)
    from gradcheck_cli.batch.workers import run_in_workers

    return run_in_workers(work, tasks, jobs=where.jobs, preload=PRELOAD)


def isolated(request: AnyRequest, where: Where = Where(), *, profile: bool = False) -> AnyResult:
    """One problem that is of no file, in a process of its own."""
    work = Work(profiled_request) if profile else Work(check_request)
    (result,) = _isolated(work, [request], where)
    return result


def failure_of(request: AnyRequest, error: str, *, bad_input: bool = False, bug: bool = False) -> AnyResult:
    """The record of a problem that has no row at all."""
    make = code_failure if isinstance(request, CodeRequest) else failure
    return make(request, error, bad_input=bad_input, bug=bug)  # type: ignore[arg-type]


def check_request(request: AnyRequest) -> AnyResult:
    """One problem, whatever becomes of it: bad input and bugs of ours are results too."""
    try:
        return _check_code(request) if isinstance(request, CodeRequest) else _check_formula(request)
    except GradcheckError as error:
        return failure_of(request, error.worded(request.words), bad_input=True)
    except MemoryError:
        return failure_of(request, "it needs more memory than a check may take")
    except Exception as error:  # noqa: BLE001  one problem must not end the others
        message = f"this is a bug in gradcheck, please report it with the problem: {type(error).__name__}: {error}"
        return failure_of(request, message, bug=True)


def _check_formula(request: Request) -> AnyResult:
    if is_about_arrays(request):
        return _check_arrays(request)
    with phase("imports"):
        from gradcheck_cli.checking.checker import check_expression

    return check_expression(request)


def _check_arrays(request: Request) -> AnyResult:
    with phase("imports"):
        from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit
        from gradcheck_cli.tensors.check import check_arrays

    started = time.perf_counter()
    try:
        with time_limit(request.timeout):
            return check_arrays(request)
    except OutOfTime:
        return replace(failure(request, out_of_time(request.timeout)), seconds=time.perf_counter() - started)


def _check_code(request: CodeRequest) -> AnyResult:
    """In a process that has no report to write, what the code prints goes to standard error."""
    with phase("imports"):
        import multiprocessing

        from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit
        from gradcheck_cli.user_code.check import check_request as check_code_request
        from gradcheck_cli.user_code.contained import contained

    started = time.perf_counter()
    try:
        with contained(whole_process=multiprocessing.parent_process() is not None), time_limit(request.timeout):
            return check_code_request(request)
    except OutOfTime:
        return code_failure(request, out_of_time(request.timeout), seconds=time.perf_counter() - started)


def check_requests(requests: Sequence[AnyRequest]) -> list[AnyResult] | None:
    """Several problems, stage by stage; None where one of them cannot be checked so, be it code, of arrays, slow or bad
    input: one by one, each gets what is its own."""
    formulas = [request for request in requests if isinstance(request, Request) and not is_about_arrays(request)]
    if len(formulas) < len(requests):
        return None
    with phase("imports"):
        from gradcheck_cli.checking.checker import check_together
        from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit

    try:
        with time_limit(AT_ONCE), resting_collector():  # it would look at all of them again and again
            results = check_together(formulas)
    except (GradcheckError, MemoryError, OutOfTime):
        return None
    except Exception as error:  # noqa: BLE001  one problem must not end the others
        return _after_a_bug(requests, error)
    in_time = (r.timeout is None or result.seconds <= r.timeout for r, result in zip(requests, results, strict=True))
    return [*results] if all(in_time) else None


def _after_a_bug(requests: Sequence[AnyRequest], error: Exception) -> list[AnyResult]:
    """Problems that met a bug together, one by one: it is that of one of them, or else the first one says it."""
    results = [check_request(request) for request in requests]
    if not any(result.bug for result in results):
        said = f"{type(error).__name__}: {error}"
        notice = f"this is a bug in gradcheck, please report it: not checked together with other problems ({said})"
        results[0] = replace(results[0], notices=(*results[0].notices, notice))
    return results


def profiled_request(request: AnyRequest) -> AnyResult:
    """The same, with the seconds of each phase; `preload` is what it took to start the worker, the same each time."""
    with measuring() as phases:
        result = check_request(request)
    return replace(result, phases={**phases, "preload": loading.seconds})


def profiled_requests(requests: Sequence[AnyRequest]) -> list[AnyResult] | None:
    """The same of several problems; the first result says how long the phases of all of them took."""
    with measuring() as phases:
        results = check_requests(requests)
    if results:
        results[0] = replace(results[0], phases={**phases, "preload": loading.seconds})
    return results


def batch_phases(own: Mapping[str, float], results: Iterable[AnyResult]) -> dict[str, float]:
    """Seconds by phase of this process and the worker's together. own: this one's, in which it also waits."""
    seconds = {name: value for name, value in own.items() if name != "waiting"}
    preload = 0.0
    for result in results:
        for name, value in (result.phases or {}).items():
            if name == "preload":
                preload = value
            else:
                seconds[name] = seconds.get(name, 0.0) + value
    return seconds | {"imports": seconds.get("imports", 0.0) + preload}


def _named(result: AnyResult, spec: ProblemSpec, key: str) -> AnyResult:
    if isinstance(result, ProblemResult):
        result = replace(result, expect_claim=spec.expect_claim)
    return replace(
        result,
        index=spec.index,
        key=key,
        name=spec.name,
        file=spec.file,
        line=spec.line,
        description=spec.description,
        tags=spec.tags,
        expect=spec.expect,
    )
