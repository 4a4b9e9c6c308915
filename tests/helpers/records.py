"""Records made by hand, for tests of what reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gradcheck_cli.records.code import Block, Cause, CodeFinding, CodeResult, Entry, Held, TensorInput, ValueBlock
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check, ProblemResult, Verdict

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


def a_report(*problems: AnyResult) -> Report:
    return Report(problems, VERSIONS, 0.25)


def quartic() -> ProblemResult:
    """`gradcheck "8*x**4 + 3*x**3" --at 2`."""
    check = a_check({"x": 2.0}, value=152.0, value_autograd=152.0, value_verdict=Verdict.MATCH)
    return a_problem("8*x**4 + 3*x**3", [check], derivatives={"x": "32*x**3 + 9*x**2"})


def focal_loss(**fields: Any) -> CodeResult:
    """A loss whose backward forgot a mean over 4 rows."""
    logits = TensorInput("logits", "float64", (4, 3), requires_grad=True, differentiated=True)
    target = TensorInput("target", "int64", (4,), requires_grad=False, differentiated=False)
    exact, other = -0.059791641026, -0.2391665641
    wrong = [
        Entry("out", (f"logits[{k},1]",), "reverse", Verdict.MISMATCH, False, exact, other - k, rel_error=3.0)
        for k in range(4)
    ]
    kink = Entry("out", ("logits[0,0]",), "reverse", Verdict.KINK, True, None, 0.0, 0.0, 1.0, note="a convention")
    counts = {Verdict.MATCH: 7, Verdict.KINK: 1, Verdict.MISMATCH: 4}
    given: dict[str, Any] = {
        "dtype": "float64", "device": "cpu", "rtol": None, "atol": None, "verdict": Verdict.MISMATCH, "passed": False,
        "inputs": (logits, target), "checks": (*wrong, kink), "checks_failed": 4,
        "notices": ("a branch is decided at a tie",),
        "findings": (CodeFinding(Cause.FUNCTION, "FocalLoss.backward", "losses.py:18", "logits", {"factor": 4.0},
                                 text="FocalLoss.backward (losses.py:18) is wrong by logits"),),
        "blocks": (Block("out", "logits", "reverse", ((), (4, 3)), Verdict.MISMATCH, False, counts, 3.0),),
        "values": (ValueBlock("out", (), "float64", Verdict.MATCH, 1e-16),),
        "held": (Held("detach", "losses.py:12", 2),), "operations": 84, **fields,
    }  # fmt: skip
    return CodeResult("focal_loss", "losses.py:25", **given)
