"""The step to blame, worked out by hand: going back from the result, the first step whose incoming adjoint is right and
whose outgoing one is not; of values, the first whose operands are right and whose value is not."""

from __future__ import annotations

import pytest
from helpers.paths import PROBLEMS

from gradcheck_cli import Verdict, check, run

F32 = {"dtype": "float32"}
FORWARD = {"mode": "forward"}

BLAMED: list[tuple[str, object, dict[str, str], str, str]] = [
    # (expression, point, options, the step, what happens there)
    # 0 times the derivative of a branch that was not taken
    ("where(x > 0, sqrt(x), 0)", -1, {}, "sqrt(x)", "leak"),
    ("where(x < 10, exp(x), x)", 1000, {}, "exp(x)", "leak"),
    ("where(x == 0, 1, sin(x)/x)", 0, {}, "sin(x)/x", "leak"),
    ("where(x >= 0, sqrt(x), -sqrt(-x))", 4, {}, "sqrt(-x)", "leak"),
    ("where(x > 0, x*log(x), 0)", 0, {}, "x*log(x)", "leak"),
    ("where(x == 0, 0, x**2*sin(1/x))", 0, {}, "x**2*sin(1/x)", "leak"),
    ("3*where(x > 1, 1/(x - 1), 2*x) + x", 1, {"wrt": "x"}, "1/(x - 1)", "undefined"),
    # conventions at kinks
    ("relu(x) - relu(-x)", 0, {}, "relu(x)", "tie"),
    ("clamp(x, 0, 10) - clamp(-x, 0, 10)", 0, {}, "clamp(x, 0, 10)", "tie"),
    ("relu(x) + min(x, 0)", 0, {}, "minimum(x, 0)", "tie"),
    ("hypot(x, y)", "x=0,y=0", {"wrt": "x"}, "hypot(x, y)", "tie"),
    ("where(x == 2, 5, x**2)", 2, {}, "where(x == 2, 5, x**2)", "tie"),
    # 0 times infinity, outside of any branch
    ("sqrt(x**2)", 0, {}, "x**2", "indefinite"),
    ("acos(cos(x))", 0, {}, "cos(x)", "indefinite"),
    ("sqrt(x**4)", 0, {}, "x**4", "indefinite"),
    ("sqrt(x**3)", 0, {}, "x**3", "indefinite"),
    ("x*sqrt(abs(x))", 0, {}, "sqrt(abs(x))", "indefinite"),
    ("sqrt(abs(x))", 0, {}, "abs(x)", "indefinite"),
    # contributions that are right one by one
    ("acos(x) + acos(-x)", 1, {}, "x", "sum"),
    ("expm1(x)/x", 1e-12, FORWARD, "expm1(x)/x", "sum"),
    # torch's own derivative
    ("1e20*sigmoid(x)", 40, {}, "sigmoid(x)", "kernel"),
    ("x**x", 0, {}, "x**x", "kernel"),
    ("x**y", "x=-2,y=2", {"wrt": "x", **FORWARD}, "x**y", "kernel"),
    ("bessel_j0(x) + x", 1, {}, "bessel_j0(x)", "cut"),
    ("sin(bessel_j0(2*x))", 1, {}, "bessel_j0(2*x)", "cut"),
    # overflow and underflow, where it begins
    ("log(1 + exp(x))", 800, {}, "exp(x)", "overflow"),
    ("log(1 + exp(x))", 100, F32, "exp(x)", "overflow"),
    ("log(1 + exp(x))", 800, FORWARD, "exp(x)", "overflow"),
    ("1/(1 + exp(-x))", -800, {}, "exp(-x)", "overflow"),
    ("log(sigmoid(x))", -800, {}, "sigmoid(x)", "underflow"),
    ("sqrt(x*x + y*y)", "x=1e200,y=1e200", {"wrt": "x"}, "x*x", "overflow"),
    ("sqrt(x*x)", 1e-30, F32, "x*x", "underflow"),
    ("log(exp(x) + exp(y))", "x=-800,y=-801", {"wrt": "x"}, "exp(x)", "underflow"),
    ("exp(x)/(exp(x) + exp(y))", "x=800,y=801", {"wrt": "x"}, "exp(x)", "overflow"),
    ("log(cosh(x))", 800, {}, "cosh(x)", "overflow"),
    ("exp(-1/x**2)", 1e-200, {}, "x**2", "underflow"),
    ("relu(-x)*exp(x)", 1000, {}, "exp(x)", "overflow"),
    ("log1p(exp(x))", 750, {}, "exp(x)", "overflow"),
    ("0*exp(x)", 1000, {}, "exp(x)", "overflow"),
    # cancellation
    ("(exp(x) - 1)/x", 3e-9, {}, "exp(x) - 1", "cancellation"),
    ("(1 - cos(x))/x**2", 5e-9, {}, "1 - cos(x)", "cancellation"),
    ("abs(10*x - 9)", 0.9, {}, "10*x - 9", "cancellation"),
    ("sin(1e9*(1 - cos(x)))", 1e-4, {}, "1 - cos(x)", "cancellation"),
    # no value at all
    ("log(x)", -1, {}, "log(x)", "undefined"),
    ("log(x)", -2, FORWARD, "log(x)", "undefined"),
    ("exp(log(x))", 0, {}, "log(x)", "undefined"),
    ("atan(1/x)", 0, {}, "1/x", "undefined"),
    ("relu(x)*log(x)", -1, {}, "log(x)", "undefined"),
    ("x**(1/3)", -8, {}, "x**(1/3)", "undefined"),
    ("sqrt(-x**2)", 0, {}, "sqrt(-x**2)", "undefined"),
    ("x**y", "x=-2,y=2", {"wrt": "y"}, "x**y", "undefined"),
    ("where(x > 0, 1/x, 0)", 0, {}, "1/x", "undefined"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "at", "options", "step", "cause"), BLAMED)
def test_the_step_to_blame(expression: str, at: object, options: dict[str, str], step: str, cause: str) -> None:
    row = check(expression, at=at, derivatives=False, **options).checks[0]  # type: ignore[arg-type]
    assert not row.verdict.passes
    assert row.blame is not None
    assert (row.blame.step, row.blame.cause) == (step, cause)


@pytest.mark.parametrize(
    ("expression", "at", "step", "cause"),
    [("sinc(x)", 0, "sinc(x)", "kernel"), ("(exp(x) - 1)/x", 1e-6, "-(exp(x) - 1)/x**2 + 1/x*exp(x)", "cancellation")],
)
def test_second_derivatives_blame_a_sub_expression(expression: str, at: float, step: str, cause: str) -> None:
    row = check(expression, at=at, order=2, derivatives=False).checks[0]
    assert row.blame is not None
    assert (row.blame.step, row.blame.cause) == (step, cause)


@pytest.mark.parametrize(
    ("expression", "at", "sentence"),
    [
        (
            "where(x > 0, sqrt(x), 2)", 0,
            "NaN enters at sqrt(x): local derivative inf times incoming 0, from the branch of where() that was not "
            "taken",
        ),
        (
            "sqrt(x**4)", 0,
            "NaN enters at x**4: local derivative 0 times incoming inf, which comes from sqrt(x**4)",
        ),
        (
            "acos(x) + acos(-x)", 1,
            "NaN enters where the contributions to x are added: -inf from acos(x) and inf from -x",
        ),
        ("1/(1 + exp(-x))", -800, "exp(-x) overflows"),
        ("x**x", 0, "torch's own derivative of x**x is 0 here"),
        ("1e20*sigmoid(x)", 40, "torch's own derivative of sigmoid(x) is 0, not 4.24835e-18"),
    ],
)  # fmt: skip
def test_the_note_says_it_in_one_sentence(expression: str, at: float, sentence: str) -> None:
    assert sentence in (check(expression, at=at, derivatives=False).checks[0].note or "")


def test_a_row_that_passes_blames_nobody() -> None:
    for row in check("relu(x) + log(1 + exp(x))", at=[0, 1], derivatives=False).checks:
        assert row.verdict in (Verdict.MATCH, Verdict.KINK)
        assert row.blame is None
        assert row.remedy is None


def test_each_row_blames_its_own_step() -> None:
    """The error of one variable is not blamed on the other's steps."""
    rows = check("exp(x)/exp(x) + where(y > 0, sqrt(y), 0)", at="x=800,y=-1", derivatives=False).checks
    assert [row.blame.step for row in rows if row.blame is not None] == ["exp(x)", "sqrt(y)"]


def test_an_intermediate_result_is_blamed_by_what_it_is() -> None:
    (row,) = check("sqrt(y)", at=0, let={"y": "x**2"}, wrt="x", derivatives=False).checks
    assert row.blame is not None
    assert (row.blame.step, row.blame.name) == ("x**2", "y")


@pytest.mark.parametrize(
    ("expression", "at", "step"),
    [
        ("log(x*y)", "x=1e-200,y=1e-200", "x*y"),
        ("(x/y)**2*y**2", "x=1,y=1e-200", "y**2"),
        ("1/(1/x)", "1e-310", "1/x"),
        ("x**2*log(x)", "1e200", "x**2"),
    ],
)
def test_what_leaves_the_range_is_blamed_where_it_does(expression: str, at: str, step: str) -> None:
    """Products of infinities and zeros tell nothing: the first value that is off does. One term is no sum."""
    row = check(expression, at=at, wrt="x", derivatives=False).checks[0]
    assert row.blame is not None
    assert row.blame.step == step
    assert row.note is not None
    assert "NaN enters" not in row.note
    assert "contributions" not in row.note


def test_the_failing_rows_of_the_tricky_problems() -> None:
    """Each has a step to blame, and at least half of them a rewrite."""
    report = run(PROBLEMS / "tricky.yaml")
    rows = [row for problem in report.problems for row in problem.checks if not row.verdict.passes]
    assert len(rows) > 50
    assert all(row.blame is not None for row in rows)
    assert sum(row.remedy is not None for row in rows) >= len(rows) / 2
