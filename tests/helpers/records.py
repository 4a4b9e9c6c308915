"""Records made by hand, for tests of what reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.results import Check, ProblemResult, Report, Verdict

VERSIONS = {"gradcheck": "0.1.0", "torch": "2.13.0", "sympy": "1.14.0", "flint": "0.9.0", "python": "3.11.7"}


def a_check(
    point: Mapping[str, float],
    analytical: float | None = 292.0,
    autograd: float | None = 292.0,
    verdict: Verdict = Verdict.MATCH,
    **fields: Any,
) -> Check:
    """A row, by default one that matches."""
    wrt = Derivative(fields.pop("wrt", tuple(point)[:1]))
    given: dict[str, Any] = {"derivative": wrt, "mode": "reverse", "passed": verdict.passes, **fields}
    if analytical is not None and analytical == autograd:
        given = {"abs_error": 0.0, "rel_error": 0.0, "ulps": 0.0, **given}
    return Check(point, verdict=verdict, analytical=analytical, autograd=autograd, **given)


def a_problem(expression: str, checks: Sequence[Check], **fields: Any) -> ProblemResult:
    """A problem with these rows; what can be counted is counted."""
    given: dict[str, Any] = {
        "variables": tuple(checks[0].point) if checks else (),
        "dtype": "float64",
        "device": "cpu",
        "rtol": 1e-9,
        "atol": 1e-12,
        "verdict": Verdict.worst(check.verdict for check in checks) if checks else Verdict.ERROR,
        "passed": bool(checks) and all(check.passed for check in checks),
        "checks_total": len(checks),
        "checks_failed": sum(not check.passed for check in checks),
        "counts": dict(Counter(check.verdict for check in checks)),
        **fields,
    }
    return ProblemResult(expression, checks=tuple(checks), **given)


def a_report(*problems: ProblemResult) -> Report:
    return Report(problems, VERSIONS, 0.25)


def quartic() -> ProblemResult:
    """`gradcheck "8*x**4 + 3*x**3" --at 2`."""
    check = a_check({"x": 2.0}, value=152.0, value_autograd=152.0, value_verdict=Verdict.MATCH)
    return a_problem("8*x**4 + 3*x**3", [check], derivatives={"x": "32*x**3 + 9*x**2"})
