"""A thousand formulas: each from text to a certified verdict in a table, beside other ways to check it."""

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
from gradcheck_cli.batch.dispatch import LARGEST
from gradcheck_cli.batch.run import check_request, check_requests
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import Request
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.table import render_table

RUNS = 3
TARGET = "torch.autograd.gradcheck"
NO_ANSWER = (ArithmeticError, AttributeError, NameError, RuntimeError, SyntaxError, TypeError, ValueError)
"""What a way raises that has no such function, or no answer."""


def request(problem: Problem) -> Request:
    at = ",".join(f"{name}={value!r}" for name, value in problem.point.items())
    return Request(problem.text, at=(at,), wrt=tuple(problem.point), derivatives=False, formula=False)


def measure(options: Options) -> Section:
    """Ours and the main alternative take turns, in RUNS runs; the others on fewer problems, in one."""
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
        f"{len(every):,} formulas from {source}, of which the slower ways got the first. All ways take turns, with "
        f"{LARGEST} formulas each, as many as a worker of a batch checks at once. The gradients are right: "
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

    def add(self, count: int, seconds: Sequence[float], right: Sequence[int]) -> None:
        """`count` problems. seconds, right: by way."""
        self.count += count
        for index, (its_seconds, its_right) in enumerate(zip(seconds, right, strict=True)):
            self.seconds[index] += its_seconds
            self.right[index] += its_right


def turns(chosen: Sequence[Problem], alternatives: Sequence[Alternative]) -> Run:
    """Every way on every problem, a chunk each in turns. A problem that one of the ways has no function for counts for
    none."""
    known = [problem for problem in chosen if _all_answer(problem, alternatives)]  # each way is warm by then
    run, results = Run(1 + len(alternatives)), []
    for first in range(0, len(known), LARGEST):
        chunk = known[first : first + LARGEST]
        started = time.perf_counter()
        checked = check_requests([request(problem) for problem in chunk])
        times, answers = [time.perf_counter() - started], []
        assert checked is not None
        answers.append([result.passed for result in checked])
        for alternative in alternatives:
            started = time.perf_counter()
            answers.append([alternative.check(problem) for problem in chunk])
            times.append(time.perf_counter() - started)
        run.add(len(chunk), times, [sum(its) for its in answers])
        results += [replace(result, name="p") for result in checked]  # with a name it is a problem of a batch
    started = time.perf_counter()
    render_table(Report(tuple(results), {}), Display())
    run.seconds[0] += time.perf_counter() - started
    return run


def _all_answer(problem: Problem, alternatives: Sequence[Alternative]) -> bool:
    try:
        for alternative in alternatives:
            alternative.check(problem)
    except NO_ANSWER:
        return False
    return check_request(request(problem)).error is None


@contextlib.contextmanager
def resting_collector() -> Iterator[None]:
    """What was imported is not looked at again and again by the garbage collector: it would strike whom it strikes."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
