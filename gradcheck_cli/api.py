"""The public functions: checks from Python, with the same texts and options as on the command line."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck_cli.records import ProblemResult, Report

if TYPE_CHECKING:
    from gradcheck_cli.step_records import Explanation

PointLike = str | float | Mapping[str, float]


def check(
    expression: str,
    at: PointLike | Sequence[PointLike] = (),
    *,
    wrt: str | Sequence[str] = (),
    let: Mapping[str, str] | None = None,
    claim: str | Mapping[str, str] | None = None,
    order: int = 1,
    mode: str = "reverse",
    dtype: str = "float64",
    device: str = "cpu",
    rtol: float | None = None,
    atol: float | None = None,
    claim_rtol: float = 1e-9,
    strict: bool = False,
    samples: int | None = None,
    seed: int = 0,
    range: str | Sequence[str] = (),
    timeout: float | None = None,
    derivatives: bool = True,
) -> ProblemResult:
    """Check the gradient that torch computes for an expression.

    at: a point, or a list of points; each a number (of the only variable), a mapping from variable to number, or a text
    as for --at ("x=-3:3:101"). Without points, `samples` random ones (5) are taken from `range`, the same ones for the
    same `seed`. let: intermediate results by name. claim: a derivative worked out by hand, or those by variable.
    timeout: seconds until it is given up, in the main thread. The other options are those of the command line.

    Returns the records: `.passed`, `.verdict`, and a `Check` for each row in `.checks`. Raises GradcheckError, whose
    text is a sentence for people, for input that cannot be read or checked.
    """
    from gradcheck_cli.checker import check_expression
    from gradcheck_cli.request import Request

    points = [at] if isinstance(at, str | Mapping) or not isinstance(at, Sequence) else at
    request = Request(
        expression,
        at=tuple(_text(point) for point in points),
        wrt=(wrt,) if isinstance(wrt, str) else tuple(wrt),
        lets=_lets(let),
        claims=_claims(claim),
        claim_rtol=claim_rtol,
        timeout=timeout,
        order=order,
        mode=mode,
        dtype=dtype,
        device=device,
        rtol=rtol,
        atol=atol,
        strict=strict,
        samples=samples,
        seed=seed,
        ranges=(range,) if isinstance(range, str) else tuple(range),
        derivatives=derivatives,
    )
    return check_expression(request)


def explain(
    expression: str,
    at: PointLike,
    *,
    wrt: str | Sequence[str] = (),
    let: Mapping[str, str] | None = None,
    mode: str = "reverse",
    dtype: str = "float64",
    device: str = "cpu",
    rtol: float | None = None,
    atol: float | None = None,
) -> Explanation:
    """The chain rule of an expression at one point, node by node; the options are those of `check`.

    Returns the records: `.steps` with values, local derivatives and adjoints beside torch's, `.chains`, and the
    ordinary check in `.result`. Raises GradcheckError for input that cannot be read, and for several points.
    """
    from gradcheck_cli.explainer import explain_expression
    from gradcheck_cli.request import Request

    request = Request(
        expression,
        at=(_text(at),),
        wrt=(wrt,) if isinstance(wrt, str) else tuple(wrt),
        lets=_lets(let),
        mode=mode,
        dtype=dtype,
        device=device,
        rtol=rtol,
        atol=atol,
        derivatives=False,
    )
    return explain_expression(request)


def run(*files: str | Path, **options: object) -> Report:
    """Check the problems of files, in this process.

    options: as in a problem file (rtol=1e-6, dtype="float32" ...); they hold for every problem, whatever its file says.
    Returns the report: `.passed`, and a `ProblemResult` for each problem in `.problems`. A problem that cannot be read
    is a result with an `.error`. Raises GradcheckError for a file or an option that cannot be read. A time limit stops
    Python code only, and only in the main thread; the command line checks in a process that can be killed.
    """
    from gradcheck_cli.batch import run_batch
    from gradcheck_cli.problem_files import load_problems, read_options
    from gradcheck_cli.sources import read_source
    from gradcheck_cli.versions import versions

    started = time.perf_counter()
    given = read_options(options, "run()", "run()")
    specs = [spec for file in files for spec in load_problems(read_source(str(file)), str(file), given, {})]
    problems = tuple(run_batch([replace(spec, index=i) for i, spec in enumerate(specs)], where=None))
    return Report(problems, versions(), time.perf_counter() - started)


def _lets(let: Mapping[str, str] | None) -> tuple[str, ...]:
    """Intermediate results as texts of --let."""
    return tuple(f"{name} = {text}" for name, text in (let or {}).items())


def _claims(claim: str | Mapping[str, str] | None) -> tuple[str, ...]:
    """Claims as texts of --claim."""
    if claim is None:
        return ()
    return (claim,) if isinstance(claim, str) else tuple(f"{name}: {text}" for name, text in claim.items())


def _text(point: PointLike) -> str:
    """A point as a text of --at."""
    if isinstance(point, str):
        return point
    if isinstance(point, Mapping):
        return ",".join(f"{name}={float(value)!r}" for name, value in point.items())
    return repr(float(point))
