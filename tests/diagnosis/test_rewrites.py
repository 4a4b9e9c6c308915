"""What is advised: each rewrite on a case where it helps and on one where it must not be applied; none unverified."""

from __future__ import annotations

import math

import pytest
import torch

from gradcheck_cli import Check, Verdict, check
from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.references import references_at
from gradcheck_cli.checking.plan import make_plan
from gradcheck_cli.checking.problem import Problem
from gradcheck_cli.diagnosis.matching import candidates
from gradcheck_cli.diagnosis.remedies import Remedies
from gradcheck_cli.diagnosis.rewrites import REWRITES, Rewrite
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.pytorch.gradients import gradients_of
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Remedy
from gradcheck_cli.records.row_comparison import RowComparison

FORMULAS = [rewrite for rewrite in REWRITES if isinstance(rewrite.better, str)]
IDS = [rewrite.pattern for rewrite in REWRITES]


def verified(rewrite: Rewrite, expression: str, at: str, monkeypatch: pytest.MonkeyPatch) -> Remedy | None:
    """What the product proposes where this is the only rewrite that there is."""
    monkeypatch.setattr("gradcheck_cli.diagnosis.matching.REWRITES", (rewrite,))
    rows = check(expression, at=at, derivatives=False).checks
    return next((row.remedy for row in rows if row.remedy is not None), None)


@pytest.mark.parametrize("rewrite", REWRITES, ids=IDS)
def test_a_rewrite_cures(rewrite: Rewrite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row does not pass; the rewritten expression, checked by itself, does."""
    expression, at = rewrite.cures
    assert not check(expression, at=at, derivatives=False).passed
    remedy = verified(rewrite, expression, at, monkeypatch)
    assert remedy is not None
    rows = check(remedy.expression, at=at, derivatives=False).checks
    assert any(row.autograd == remedy.autograd and row.verdict.passes for row in rows)


@pytest.mark.parametrize("rewrite", REWRITES, ids=IDS)
def test_a_rewrite_spares(rewrite: Rewrite, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not proposed where it does not fit or would not be equal; nor is it even equal there by accident."""
    expression, at = rewrite.spares
    assert verified(rewrite, expression, at, monkeypatch) is None


@pytest.mark.parametrize(
    ("unstable", "at", "cure"),
    [
        ("log(1 + exp(x))", 800, "logaddexp(0, x)"),
        ("log(exp(x) + 1)", 800, "logaddexp(0, x)"),
        ("log(exp(x) + exp(2*x))", -800, "logaddexp(x, 2*x)"),
        ("1/(1 + exp(-x))", -800, "sigmoid(x)"),
        ("1/(exp(-2*x) + 1)", -800, "sigmoid(2*x)"),
        ("1/(1 + exp(x))", 800, "sigmoid(-x)"),
        ("log(cosh(x))", 800, "abs(x) + log1p(exp(-2*abs(x))) - log(2)"),
        ("sqrt(x*x + (3*x)**2)", 1e200, "hypot(x, 3*x)"),
        ("exp(x)/(exp(x) + exp(3))", 800, "sigmoid(x - 3)"),
        ("x + sqrt(x*x + 4*x*x)", 1e200, None),
        ("0*exp(x)", 1000, None),
    ],
)
def test_the_advice(unstable: str, at: float, cure: str | None) -> None:
    row = check(unstable, at=at, derivatives=False).checks[0]
    assert row.verdict is Verdict.UNSTABLE
    assert (row.remedy.better if row.remedy else None) == cure


def test_the_advice_shows_both_numbers() -> None:
    note = check("2*log(1 + exp(x))", at=800).checks[0].note
    assert note is not None
    assert "; write logaddexp(0, x) for log(1 + exp(x)): autograd is then 2, not nan" in note


def test_two_traps_need_two_rewrites() -> None:
    """One rewrite alone does not help here."""
    row = check("log(1 + exp(x)) + log(cosh(x))", at=800, derivatives=False).checks[0]
    assert row.remedy is not None
    assert row.remedy.expression == "logaddexp(0, x) + (abs(x) + log1p(exp(-2*abs(x))) - log(2))"


@pytest.mark.parametrize(
    ("expression", "at", "remedied"),
    [
        ("(exp(x) - 1)/x", "1e-6", True),  # a series, good enough for the second derivative too
        ("sinc(x)", "0", False),
    ],
)
def test_second_derivatives_are_remedied_too(expression: str, at: str, remedied: bool) -> None:
    row = check(expression, at=at, order=2, derivatives=False).checks[0]
    assert not row.passed
    assert (row.remedy is not None) is remedied


def test_nothing_is_proposed_that_is_not_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted wrong rewrites, each with a right gradient at the point, are all refused."""
    for better in ("u", "softplus(u) + 1", "softplus(u) + 1e-9*u*(u - 800)", "relu(u)", "softplus(2*u) - u"):
        wrong = Rewrite("log(1 + exp(u))", better, ("log(1 + exp(x))", "800"), ("", ""))
        assert verified(wrong, "log(1 + exp(x))", "800", monkeypatch) is None, better


def test_nothing_is_proposed_whose_gradient_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """An equal form with the same trouble is no advice."""
    useless = Rewrite("log(1 + exp(u))", "log(exp(u) + 1)", ("", ""), ("", ""))
    assert verified(useless, "log(1 + exp(x))", "800", monkeypatch) is None


def test_a_rewrite_that_loses_a_part_of_the_domain_is_refused() -> None:
    """log(x*y) is defined where both are negative; log(x) + log(y) is not."""
    row = check("log(x*y)", at="x=1e-200,y=1e-200", wrt="x", derivatives=False).checks[0]
    assert row.remedy is not None
    assert row.remedy.better == "log(abs(x)) + log(abs(y))"


@pytest.mark.parametrize("rewrite", FORMULAS, ids=[rewrite.pattern for rewrite in FORMULAS])
def test_the_forms_are_equal(rewrite: Rewrite) -> None:
    """Value and gradient of the difference are 0, certified, or as small as a series allows."""
    compared = 0
    for point in ("u=0.7,v=1.3,w=0.4", "u=2.1,v=0.4,w=1.9", "u=-0.6,v=0.2,w=1.1"):
        difference = f"{rewrite.pattern} - ({rewrite.better}) + 0*u + 0*v + 0*w"
        for row in check(difference, at=point, derivatives=False).checks:
            if row.value is not None and row.analytical is not None:
                compared += 1
                assert abs(row.value) < 1e-15
                assert abs(row.analytical) < 1e-12
    assert compared


def test_candidates_keep_the_rest_of_the_expression() -> None:
    problem = Problem(make_plan(Request("3*log(1 + exp(x)) - x", at=("800",), derivatives=False)))
    ((point, _),) = problem.places()
    first = next(candidates(problem.plan.expression))
    float64 = DTYPES["float64"]
    sides = gradients_of(first.root, [Derivative(("x",))], "reverse", float64, torch.device("cpu"))
    assert sides.at(point).derivatives[Derivative(("x",))] == 2.0


def test_a_nan_is_not_equal_to_a_nan() -> None:
    """A rewrite whose gradient is NaN as well is none."""
    problem = Problem(make_plan(Request("x*sqrt(abs(x))", at=("0",), derivatives=False)))
    ((point, _),) = problem.places()
    plan = problem.plan
    remedies = Remedies(plan.expression, Numbers(plan.dtype), plan.dtype, plan.device, plan.tolerance)
    truth = references_at(problem.sides.derivatives, point).rows[Derivative(("x",))]
    found = remedies.find(RowComparison(point, Derivative(("x",)), "reverse", truth, 0.0, math.nan))
    assert found is not None
    assert found.autograd == 0.0


def only(expression: str, at: object) -> Check:
    (row,) = check(expression, at=at, derivatives=False).checks  # type: ignore[arg-type]
    return row


@pytest.mark.parametrize(
    ("leaking", "at"),
    [("where(x > 0, sqrt(x), 0)", -1), ("where(x == 0, 1, sin(x)/x)", 0), ("where(x < 10, exp(x), x)", 1000)],
)
def test_the_repair_of_the_where_trap_is_one(leaking: str, at: float) -> None:
    """What the note advises matches."""
    remedy = only(leaking, at).remedy
    assert remedy is not None
    assert only(remedy.expression, at).verdict is Verdict.MATCH


@pytest.mark.parametrize(
    ("expression", "at", "better"),
    [
        ("where(x == 2.5, 9, sin(x)/x)", "0", "where(x == 2.5, 9, sinc(x/pi))"),  # sinc(x/pi) differs at 2.5
        ("log(x**10*y)", "x=1e50,y=1", None),  # torch's value of log(abs(x**10)) + log(abs(y)) is infinite as well
    ],
)
def test_what_is_not_equal_or_does_not_help_is_not_offered(expression: str, at: str, better: str | None) -> None:
    row = check(expression, at=at, wrt=expression[-2] if "y" in expression else "x", derivatives=False).checks[0]
    assert not row.passed
    assert (row.remedy.expression if row.remedy else None) == better


def test_a_remedy_holds_where_torch_switches_over() -> None:
    """torch's softplus is x beyond its threshold, and differs there from what it is offered for."""
    row = check("exp(log(1 + exp(x)))", at=800, derivatives=False).checks[0]
    assert row.remedy is None or "softplus" not in row.remedy.expression
    for factor in ("2*x + 1", "5*x", "3*x"):
        remedy = check(f"log(1 + exp({factor}))", at=500, derivatives=False).checks[0].remedy
        assert remedy is not None, factor
