"""The rows of a point: each derivative in each mode, what is true beside what torch says, with verdict and note."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from gradcheck_cli.certified.references import References
from gradcheck_cli.certified.widened.rows import PointRounding, RowRounding, ValueRounding
from gradcheck_cli.checking.plan import Plan
from gradcheck_cli.checking.sides import Sides
from gradcheck_cli.diagnosis import findings, wording
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.reference import Kind
from gradcheck_cli.records.results import Check, Verdict
from gradcheck_cli.records.row_comparison import RowComparison
from gradcheck_cli.records.side import AutogradResult
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.verdict import compare, errors, judge, with_value

if TYPE_CHECKING:
    from gradcheck_cli.diagnosis.diagnosis import Diagnosed


def rows_at(
    sides: Sides,
    point: Mapping[str, float],
    references: References,
    *,
    results: Mapping[str, AutogradResult] | None = None,
    only: tuple[str, Derivative] | None = None,
    brief: bool = False,
) -> Iterator[Check]:
    """The rows of one point.

    references: what is true there. results: what torch says, by mode, where that is known already. only: this mode and
    row. brief: no more than the verdict and the numbers it rests on; no note.
    """
    plan = sides.plan
    if sides.forms is not None and not brief:
        with phase("closed forms"):
            sides.forms.must_agree(point, references)
    sweeps = PointRounding(point, sides.numbers, plan.dtype)
    for mode in plan.modes:
        if only is not None and mode != only[0]:
            continue
        result = results[mode] if results and mode in results else sides.result(point, mode)
        with phase("balls"):  # where the two differ, they say whether rounding explains it
            value = _Value(plan, references, result, sweeps)
        for row in plan.rows if only is None else [only[1]]:
            compared = RowComparison(
                point, row, mode, references.rows[row], references.value, result.derivatives.get(row)
            )
            with phase("balls"):
                check = _row(sides, compared, result.errors.get(row), value, sweeps, brief)
            yield check


def _row(
    sides: Sides, compared: RowComparison, refusal: str | None, value: _Value, sweeps: PointRounding, brief: bool
) -> Check:
    """refusal: why torch has no derivative."""
    plan, row, truth = sides.plan, compared.derivative, compared.reference
    record = partial(
        Check, compared.point, row, compared.mode, value=compared.value, value_autograd=value.autograd,
        value_verdict=value.verdict, analytical=truth.value, left=truth.left, right=truth.right,
    )  # fmt: skip
    if refusal is not None and truth.kind is not Kind.UNDEFINED:
        refused = Finding(Code.REFUSED, texts={"reason": refusal})
        return record(Verdict.ERROR, passed=False, note=refusal, findings=(refused,))
    autograd = float("nan") if compared.autograd is None else compared.autograd
    root = sides.derivatives.expressions.get(row.before, plan.expression)
    rounding = RowRounding(sweeps, root, row.last, compared.mode, truth, plan.expression)
    judged = judge(truth, autograd, plan.tolerance, rounding)
    verdict = with_value(judged, compared.value, value.autograd)
    found: Diagnosed | None = None
    if verdict in (Verdict.UNSTABLE, Verdict.MISMATCH, Verdict.UNDEFINED) and not brief:
        with phase("diagnosis"):
            if verdict is judged:
                found = sides.diagnosis.row(verdict, compared, rounding)
            else:
                found = sides.diagnosis.of_value(compared.point)
    blame = found.blame if found is not None else None
    remedy = found.remedy if found is not None else None
    told = () if brief else findings.of_row(judged, truth, autograd, plan.dtype, rounding, blame)
    of_value = value.finding
    if verdict is not judged and found is not None:
        of_value = findings.of_only_the_value(compared.value, value.autograd, plan.dtype, blame)
    if of_value is not None:
        told = (*told, of_value)
    error = errors(truth.value, autograd, plan.dtype)
    passes = verdict.passes
    if plan.strict:
        passes = verdict is Verdict.MATCH and value.verdict is Verdict.MATCH
    return record(
        verdict, passes, autograd=None if refusal is not None else autograd, abs_error=error.absolute,
        rel_error=error.relative, ulps=error.ulps, note=wording.note(verdict, told, remedy, plan.dtype),
        blame=None if blame is None else findings.of_blame(blame, plan.dtype), remedy=remedy, findings=told,
    )  # fmt: skip


class _Value:
    """The function's own value at a point: certified, torch's, and how they compare."""

    def __init__(self, plan: Plan, references: References, result: AutogradResult, sweeps: PointRounding) -> None:
        self.autograd = result.value
        self.finding: Finding | None = None
        self.verdict = Verdict.ERROR
        if references.value is None:
            self.verdict = Verdict.UNDEFINED if references.value_certified else Verdict.ERROR
        elif result.value is not None:
            rounding = ValueRounding(sweeps, plan.expression)
            self.verdict = compare(references.value, result.value, plan.tolerance, rounding)
            self.finding = findings.of_value(self.verdict, references.value, result.value, rounding)
