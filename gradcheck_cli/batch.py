"""Many problems: specs in, results out, one by one and in order."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records import ProblemResult
from gradcheck_cli.request import ProblemSpec, Request, failure

DEFAULT_TIMEOUT = 30.0
GRACE = 2.0
"""Seconds beyond its limit after which a check is killed: Python code stops by itself, at the limit."""

_OPTION = re.compile(r"(?<![\w-])--(at|wrt|let|claim|order|mode|dtype|device|rtol|atol|samples|seed|range|timeout)\b ?")


def run_batch(specs: Sequence[ProblemSpec], *, isolated: bool) -> Generator[ProblemResult, None, None]:
    """The result of each problem, in order.

    isolated: each is checked in a worker process, which is killed where it does not keep its time limit; otherwise all
    are checked in this process, and what hangs inside torch hangs. Closing the iterator ends the worker.
    """
    readable = [spec.request for spec in specs if spec.request is not None]
    outcomes = iter(_isolated(readable) if isolated else map(check_request, readable))
    for index, spec in enumerate(specs):
        if spec.request is None:
            result = failure(Request(""), spec.error or "it cannot be read", bad_input=True)
        else:
            result = next(outcomes)
        yield _named(result, spec, index)


def _isolated(requests: Sequence[Request]) -> Iterator[ProblemResult]:
    from gradcheck_cli.pool import Lost, run_in_worker

    if not requests:
        return
    tasks = ((request, None if request.timeout is None else request.timeout + GRACE) for request in requests)
    outcomes = run_in_worker(check_request, tasks, preload=["gradcheck_cli.checker"])
    for request, outcome in zip(requests, outcomes, strict=True):
        yield failure(request, outcome.reason) if isinstance(outcome, Lost) else outcome


def check_request(request: Request) -> ProblemResult:
    """One problem, whatever becomes of it: bad input and bugs of ours are results too."""
    from gradcheck_cli.checker import check_expression

    try:
        return check_expression(request)
    except GradcheckError as error:
        return failure(request, in_file_terms(str(error)), bad_input=True)
    except MemoryError:
        return failure(request, "it needs more memory than a check may take")
    except Exception as error:  # noqa: BLE001  one problem must not end the others
        message = f"this is a bug in gradcheck, please report it with the problem: {type(error).__name__}: {error}"
        return failure(request, message, bug=True)


def in_file_terms(message: str) -> str:
    """A message that speaks of options, in terms of the keys of a problem file: `--at 2` is `at: 2`."""
    return _OPTION.sub(r"\1: ", message)


def _named(result: ProblemResult, spec: ProblemSpec, index: int) -> ProblemResult:
    return replace(
        result,
        index=index,
        name=spec.name,
        file=spec.file,
        line=spec.line,
        description=spec.description,
        tags=spec.tags,
        expect=spec.expect,
        expect_claim=spec.expect_claim,
    )
