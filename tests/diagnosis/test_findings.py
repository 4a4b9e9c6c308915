"""Why a row has its verdict is data: which codes, of what; and the note is these in words, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gradcheck_cli import Check
from gradcheck_cli.batch.report_files import problem_record
from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.diagnosis import wording
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.request import Expectation, Request
from gradcheck_cli.records.results import ProblemResult, Verdict
from gradcheck_cli.render.json import dump, problem

F32 = {"dtype": "float32"}

FOUND: list[tuple[str, Any, dict[str, Any], list[str]]] = [
    ("x**2", 1, {}, []),
    ("x**1.5", 0, {}, ["one-sided"]),
    ("abs(x)", 0, {}, ["kink"]),
    ("floor(x)", 1, {}, ["jump"]),
    ("relu(x)", 0, {"order": 2}, ["no lower order"]),
    ("sqrt(x*abs(x) + x*x)", 0, {}, ["kink", "outside"]),
    ("where(x > 0, sqrt(x), 0)", -1, {}, ["leak"]),
    ("(exp(x)-1)/x", 1e-9, {}, ["cancellation", "value off"]),
    ("log(1 + exp(x))", 800, {}, ["overflow", "value off"]),
    ("sin(x)/x", 0, {}, ["division by zero"]),
    ("log(x)", -1, {}, ["domain"]),
    ("sqrt(-x**2)", 0, {}, ["nowhere beside"]),
    ("where(x == 0, 0, 1/x)", 0, {}, ["unbounded"]),
    ("where(x == 0, 0, x*sin(1/x))", 0, {}, ["oscillates"]),
    ("bessel_j0(x)", 1, {}, ["cut"]),
    ("relu(x) - relu(-x)", 0, {}, ["tie"]),
    ("sigmoid(x)", 40, {}, ["below atol"]),
    ("1e20*sigmoid(x)", 40, {}, ["kernel"]),
    ("log(x + sqrt(x*x + 1))", 1e20, F32, ["below atol", "value not finite"]),
    ("zeta(x, 2)", 2, {}, ["refused"]),
    ("where(x > 0, sqrt(x), 0)", -1, {"expectation": Expectation({"": (Verdict.KINK,)})}, ["leak", "expected"]),
    ("x**2", 3, {"expectation": Expectation(gradient={"": ("7",)})}, ["expected number"]),
]


def checked(expression: str, at: Any, options: dict[str, Any]) -> ProblemResult:
    return check_expression(Request(expression, at=(str(at),), derivatives=False, **options))


@pytest.mark.parametrize(("expression", "at", "options", "codes"), FOUND, ids=[f"{e} at {at}" for e, at, _, _ in FOUND])
def test_what_is_found(expression: str, at: Any, options: dict[str, Any], codes: list[str]) -> None:
    """The codes, that the note says just these, and that a report keeps them."""
    result = checked(expression, at, options)
    [row] = result.checks
    assert [finding.code.value for finding in row.findings] == codes
    assert row.note == in_words(result, row)
    again = problem_record(json.loads(dump(problem(result))))
    assert dump(problem(again)) == dump(problem(result))
    assert in_words(again, again.checks[0]) == row.note


def in_words(result: ProblemResult, row: Check) -> str | None:
    return wording.note(row.verdict, row.findings, row.remedy, DTYPES[result.dtype])


def test_every_code_has_words() -> None:
    part = Finding(Code.NAN)
    for code in Code:
        numbers = dict.fromkeys(("left", "right", "torch", "exact", "total", "count", "expected"), 1.0)
        texts = {"side": "left", "reason": "because", "of": "the value", "along": "x"}
        finding = Finding(code, "sin(x)", "a", 1, ("x",), numbers, texts, (part,))
        if code in (Code.SUM, Code.VALUE_OFF, Code.KERNEL):
            inner = {Code.SUM: Code.CONTRIBUTION, Code.VALUE_OFF: Code.ROUNDING, Code.KERNEL: Code.LOSS}[code]
            finding = Finding(code, "sin(x)", "a", 1, (), numbers, texts, (Finding(inner, "x", numbers=numbers),))
        assert wording.note(Verdict.MISMATCH, (finding,), None, DTYPES["float64"])


def test_the_step_to_blame_is_a_finding_with_its_numbers() -> None:
    [row] = checked("where(x > 0, sqrt(x), 0)", -1, {}).checks
    assert row.blame is not None
    assert (row.blame.code, row.blame.step) == (Code.LEAK, "sqrt(x)")
    assert row.blame in row.findings
    assert row.blame.numbers["incoming"] == 0.0
    assert row.blame.order == 1


def test_a_fault_without_a_cure_does_not_hide_the_cure_of_another() -> None:
    """Rewrites are searched in vain so often for one fault, and still found for the next one."""
    request = Request("bessel_j0(x) + log(1 + exp(y))", at=("x=1:30:30,y=1", "x=1,y=800"), derivatives=False)
    rows = check_expression(request).checks
    assert sum(row.verdict is Verdict.MISMATCH for row in rows) == 31
    [unstable] = (row for row in rows if row.verdict is Verdict.UNSTABLE)
    assert unstable.remedy is not None
    assert unstable.remedy.better == "logaddexp(0, y)"
