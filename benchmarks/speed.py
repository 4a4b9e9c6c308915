"""A thousand formulas, one by one: each from text to a certified verdict in a table, beside other ways to check it."""

from __future__ import annotations

import contextlib
import gc
import statistics
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.alternatives import ALTERNATIVES, Alternative
from benchmarks.formulas import Problem, problems
from benchmarks.report import Bar, Options, Section
from gradcheck_cli.checker import check_expression
from gradcheck_cli.records import ProblemResult, Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.table import render_table
from gradcheck_cli.request import Request

RUNS = 3
TARGET = "torch.autograd.gradcheck"
NO_ANSWER = (ArithmeticError, AttributeError, NameError, RuntimeError, SyntaxError, TypeError, ValueError)
"""What a way raises that has no such function, or no answer."""


def request(problem: Problem) -> Request:
    at = ",".join(f"{name}={value!r}" for name, value in problem.point.items())
    return Request(problem.text, at=(at,), wrt=tuple(problem.point), derivatives=False, formula=False)


def measure(options: Options) -> Section:
    """Ours and the main alternative take turns on every problem, in RUNS runs; the others on fewer, in one."""
    every = problems(options.corpora)
    chosen = every[: 150 if options.quick else None]
    with resting_collector(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's, where a finite difference leaves the domain
        base = [turns(chosen, [ALTERNATIVES[0]]) for _ in range(RUNS)]
        rows, bars, remarks = [], [], []
        mine = statistics.median(run.milliseconds[0] for run in base)
        rows.append(["gradcheck", f"{mine:.2f}", "1", f"{base[0].right[0]:,} of {base[0].count:,}"])
        bars.append(Bar("gradcheck", mine, ours=True))
        other = statistics.median(run.milliseconds[1] for run in base)
        rows.append([TARGET, f"{other:.2f}", f"{other / mine:.1f}", f"{base[0].right[1]:,} of {base[0].count:,}"])
        bars.append(Bar(TARGET, other))
        for alternative in ALTERNATIVES[1:]:
            if not alternative.installed:
                remarks.append(f"{alternative.name} is skipped: {alternative.package} is not installed.")
                continue
            most = (10 if options.quick else 100) if alternative.slow else len(chosen)
            run = turns(chosen[:most], [alternative])
            ratio = run.milliseconds[1] / run.milliseconds[0]
            rows.append([alternative.name, f"{ratio * mine:.2f}", f"{ratio:.1f}", f"{run.right[1]:,} of {run.count:,}"])
            bars.append(Bar(alternative.name, ratio * mine))
    ratios = ", ".join(f"{run.milliseconds[0] / run.milliseconds[1]:.2f}" for run in base)
    remarks.insert(
        0, f"gradcheck takes {ratios} of the time of {TARGET}, in {RUNS} runs on {base[0].count:,} formulas."
    )
    remarks.append("The table that reports a batch is included, for each formula its part.")
    source = "a folder of corpora" if options.corpora else "templates"
    return Section(
        "One formula of many",
        f"Milliseconds from the text of a formula to a verdict on its gradient at one point, by all variables; "
        f"{len(every):,} formulas from {source}, of which the slower ways got the first. The gradients are right: "
        "the last column says how many were found so.",
        ["way", "ms", "times gradcheck's", "found right"],
        rows,
        remarks=remarks,
        bars=bars,
        unit="milliseconds",
    )


class Run:
    """milliseconds: of a problem, for gradcheck and then for each alternative. right: how many were found right."""

    def __init__(self, ways: int) -> None:
        self.seconds, self.right, self.count = [0.0] * ways, [0] * ways, 0

    @property
    def milliseconds(self) -> Sequence[float]:
        return [1e3 * seconds / self.count for seconds in self.seconds]

    def add(self, times: Sequence[float], answers: Sequence[bool]) -> None:
        self.count += 1
        for index, (seconds, right) in enumerate(zip(times, answers, strict=True)):
            self.seconds[index] += seconds
            self.right[index] += right


def turns(chosen: Sequence[Problem], alternatives: Sequence[Alternative]) -> Run:
    """Every way on every problem, in turns. A problem that one of the ways has no function for counts for none."""
    run, results = Run(1 + len(alternatives)), []
    for index, problem in enumerate(chosen):
        try:
            if index < 3:
                _times(problem, alternatives)  # what is loaded or compiled at the first use
            times, answers, result = _times(problem, alternatives)
        except NO_ANSWER:
            continue
        run.add(times, answers)
        results.append(replace(result, name=f"p{index}"))  # with a name it is a problem of a batch
    started = time.perf_counter()
    render_table(Report(tuple(results), {}), Display())
    run.seconds[0] += time.perf_counter() - started
    return run


def _times(problem: Problem, alternatives: Sequence[Alternative]) -> tuple[list[float], list[bool], ProblemResult]:
    started = time.perf_counter()
    result = check_expression(request(problem))
    times, answers = [time.perf_counter() - started], [result.passed]
    for alternative in alternatives:
        started = time.perf_counter()
        answers.append(alternative.check(problem))
        times.append(time.perf_counter() - started)
    return times, answers, result


@contextlib.contextmanager
def resting_collector() -> Iterator[None]:
    """What was imported is not looked at again and again by the garbage collector: it would strike whom it strikes."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
