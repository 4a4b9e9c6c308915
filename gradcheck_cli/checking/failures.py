"""The record of a problem that has no row at all."""

from __future__ import annotations

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import ProblemResult, Verdict


def failure(
    request: Request, error: str, *, bad_input: bool = False, bug: bool = False, seconds: float = 0.0
) -> ProblemResult:
    """error: why there is no row, as a sentence."""
    dtype = DTYPES.get(request.dtype, DTYPES["float64"])
    return ProblemResult(
        expression=request.expression.strip(),
        variables=(),
        dtype=request.dtype,
        device=request.device,
        rtol=dtype.rtol if request.rtol is None else request.rtol,
        atol=dtype.atol if request.atol is None else request.atol,
        verdict=Verdict.ERROR,
        passed=False,
        order=request.order,
        error=error,
        bad_input=bad_input,
        bug=bug,
        seconds=seconds,
    )


def out_of_time(seconds: float | None) -> str:
    """What to say where the time limit has passed."""
    return f"no verdict within the time limit of {seconds:g} s: --timeout (in a file, timeout:) allows more"
