"""One check, from text to verdict, as a user sees it."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

import pytest
import yaml
from helpers.paths import PROBLEMS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradcheck_cli import GradcheckError, Verdict, check
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.records.results import Check, ProblemResult

TRICKY: list[dict[str, Any]] = yaml.safe_load((PROBLEMS / "tricky.yaml").read_text())["problems"]
OPTIONS = ("wrt", "order", "mode", "dtype")


def only(result: ProblemResult) -> Check:
    (row,) = result.checks
    return row


@pytest.mark.parametrize("problem", TRICKY, ids=lambda problem: problem["name"])
def test_tricky_problems_have_their_known_verdicts(problem: dict[str, Any]) -> None:
    """Kinks, holes, branches not taken, cancellation, overflow, saturation and controls, each with its true verdict."""
    options = {name: problem[name] for name in OPTIONS if name in problem}
    result = check(problem["expression"], at=problem["at"], **options)
    assert result.verdict.value == problem["expect"]
    if "gradient" in problem:
        assert only(result).analytical == pytest.approx(problem["gradient"], rel=result.rtol, abs=0)


class TestTheCourseExercises:
    """The exercises of the course notebook that this tool grew out of."""

    def test_chain_of_an_intermediate_result(self) -> None:
        result = check("2*y + 3", at=3.5, let={"y": "x*x"}, wrt=("x", "y"))
        assert [(c.wrt, c.analytical, c.autograd, c.value) for c in result.checks] == [
            (("x",), 14.0, 14.0, 27.5),
            (("y",), 2.0, 2.0, 27.5),
        ]
        assert result.verdict is Verdict.MATCH

    @pytest.mark.parametrize(
        ("expression", "at", "value", "gradient"),
        [
            ("(x-2)**2", 1, 1, -2),
            ("x**2+5", 2, 9, 4),
            ("1/(1+e^(-x))", 2, 0.8807970779778824, 0.10499358540350652),
            ("8x⁴+3x³+7x²+6x+3", 2, 195, 326),
        ],
    )
    def test_one_variable(self, expression: str, at: float, value: float, gradient: float) -> None:
        row = only(check(expression, at=at))
        assert row.verdict is Verdict.MATCH
        assert (row.value, row.analytical) == (value, gradient)

    def test_the_sigmoid_in_float32(self) -> None:
        row = only(check("1/(1+e^(-x))", at=2, dtype="float32"))
        assert row.verdict is Verdict.MATCH
        assert row.autograd == 0.10499356687068939

    def test_a_neuron_by_its_weight(self) -> None:
        row = only(check("relu(w·x+b)", at={"w": 2, "x": 1, "b": 0.5}, wrt="w"))
        assert (row.verdict, row.analytical) == (Verdict.MATCH, 1.0)

    def test_samples_are_the_same_every_time(self) -> None:
        first, again = (check("x**2", samples=3, range="0:1", seed=0) for _ in range(2))
        points = [dict(row.point) for row in first.checks]
        assert points == [dict(row.point) for row in again.checks]
        assert len({point["x"] for point in points}) == 3
        assert all(0 <= point["x"] <= 1 for point in points)


@pytest.mark.parametrize(
    ("expression", "at", "verdict", "analytical", "autograd"),
    [
        ("-x**2", "2", "match", -4.0, -4.0),
        ("x**2", "-2", "match", -4.0, -4.0),
        ("relu(x)-relu(-x)", "0", "mismatch", 1.0, 0.0),
        ("where(x>0, sqrt(x), 0)", "-1", "mismatch", 0.0, math.nan),
        ("relu(x)", "0", "kink", None, 0.0),
        ("log(x)", "-1", "undefined", None, -1.0),
        ("(exp(x)-1)/x", "1e-9", "unstable", 0.5000000003333334, -81.74037098884583),
        ("1/(1+exp(-x))", "-800", "unstable", 0.0, math.nan),
        ("sigmoid(x)", "40", "imprecise", 4.248354255291589e-18, 0.0),
        ("abs(x-0.1)", "0.1", "kink", None, 0.0),
        ("x*abs(x)", "0", "match", 0.0, 0.0),
        ("a if x > 0 else 0*a", "x=-1,a=1", "match", 0.0, 0.0),
        ("sqrt(x) if x > 0 else 0", "-1", "match", 0.0, 0.0),
        ("x and 0", "1", None, None, None),
    ],
)
def test_the_issue_s_examples(
    expression: str, at: str, verdict: str | None, analytical: float | None, autograd: float | None
) -> None:
    if verdict is None:
        with pytest.raises(GradcheckError):
            check(expression, at=at)
        return
    row = check(expression, at=at).checks[0]
    assert row.verdict.value == verdict
    assert row.analytical == analytical
    assert row.autograd == pytest.approx(autograd, nan_ok=True)


def test_a_kink_shows_both_slopes() -> None:
    row = only(check("relu(x)", at=0))
    assert (row.left, row.right) == (0.0, 1.0)
    assert row.note == "no derivative: left and right are [0, 1]; autograd takes 0"
    assert only(check("abs(x-0.1)", at=0.1, dtype="float32")).verdict is Verdict.KINK


@pytest.mark.parametrize("mode", ["reverse", "forward"])
@pytest.mark.parametrize(
    ("expression", "at", "sides", "autograd"),
    [
        ("sqrt(max(x, 0))", "0", (0.0, math.inf), math.inf),
        ("sqrt(clamp(x, min=0))", "0", (0.0, math.inf), math.inf),
        ("sqrt(where(x >= 0, x, 0))", "0", (0.0, math.inf), math.inf),
        ("max(x, 0)**0.5", "0", (0.0, math.inf), math.inf),
        ("asin(clamp(x, -1, 1))", "1", (math.inf, 0.0), math.inf),
        ("acos(clamp(x, -1, 1))", "-1", (0.0, -math.inf), -math.inf),
        ("acosh(clamp(x, min=1))", "1", (0.0, math.inf), math.inf),
        ("sqrt(abs(x))", "0", (-math.inf, math.inf), math.nan),
    ],
)
def test_what_is_not_finite_is_no_subgradient(
    expression: str, at: str, sides: tuple[float, float], autograd: float, mode: str
) -> None:
    """One step with it destroys what it updates. A form that does not is offered, and its number is finite."""
    row = only(check(expression, at=at, mode=mode))
    assert (row.verdict, row.left, row.right) == (Verdict.MISMATCH, *sides)
    assert row.autograd == pytest.approx(autograd, nan_ok=True)
    assert row.note is not None
    assert ": no weight survives a step with it" in row.note or math.isnan(autograd)
    assert row.remedy is not None
    assert math.isfinite(row.remedy.autograd)


@pytest.mark.parametrize(
    ("expression", "at", "forward"),
    [
        ("exp(relu(x) + 1000)", "x=-1", "unstable"),
        ("exp(floor(x) + 1000)", "x=-1.5", "unstable"),
        ("exp(clamp(x, min=1000))", "x=0", "unstable"),
        ("cosh(hardtanh(x)*0 + 1000)", "x=5", "unstable"),
        ("1/clamp(x, min=1e-200)", "x=0", "unstable"),
        ("softshrink(x)/1e-320*exp(1000 - softshrink(x))", "x=0.1", "unstable"),
        ("where(x > 0, x, 2)*exp(where(x > 0, x, 800))", "x=-1", "unstable"),
        ("relu(x)**2 + exp(relu(x) + 1000)", "x=-1", "unstable"),
        ("x + exp(y)", "x=1,y=1000", "unstable"),
        ("x + 1/y", "x=1,y=1e-200", "unstable"),
        ("relu(x) + exp(y)", "x=0,y=1000", "unstable"),
        ("sqrt(relu(x)) + x", "x=-1", "mismatch"),
        ("x + sqrt(y)", "x=1,y=0", "mismatch"),
        ("x + asin(y)", "x=1,y=1", "mismatch"),
        ("x + hypot(y, y)", "x=1,y=0", "mismatch"),
        ("x**y", "x=-2,y=2", "mismatch"),
        ("x + acosh(max(x, 1))", "x=0", "mismatch"),
    ],
)
def test_a_tangent_of_zero_that_meets_an_overflow(expression: str, at: str, forward: str) -> None:
    """torch carries a real 0, and 0 times an overflow is NaN: overflow alone explains it. A pole does not: there the
    operand is what it should be, and a correct rule gives 0."""
    row = check(expression, at=at, wrt="x", mode="forward").checks[0]
    assert row.autograd is not None
    assert math.isnan(row.autograd)
    assert row.verdict.value == forward
    assert check(expression, at=at, wrt="x").checks[0].verdict.value in ("match", "kink", "unstable")


@pytest.mark.parametrize(("function", "x"), [("tanh", 1.8), ("sigmoid", 3.5), ("tanh", 3.2), ("sigmoid", 5.0)])
def test_digits_lost_inside_torch_s_own_rule_are_unstable(function: str, x: float) -> None:
    """Whatever rounding did to the operand; and notes name the rule."""
    verdicts: set[Verdict] = set()
    named = False
    for i in range(40):
        result = check(f"{function}(w*x + b)", at={"w": 1 + i / 64, "x": x, "b": i / 128}, dtype="float16")
        verdicts |= {row.verdict for row in result.checks}
        named |= any(f"inside torch's own {function}" in (row.note or "") for row in result.checks)
        named |= any(f"torch's own derivative of {function}" in (row.note or "") for row in result.checks)
    assert named
    assert Verdict.UNSTABLE in verdicts
    assert Verdict.MISMATCH not in verdicts


@pytest.mark.parametrize(
    ("expression", "at", "wrt", "dtype"),
    [
        ("log(x + sqrt(x*x + 1))", "x=1e20", "x", "float32"),
        ("x + log(exp(y))", "x=1,y=1000", "x", "float64"),
        ("relu(x) + log(exp(y))", "x=0,y=1000", "x", "float64"),
        ("x + 1/y*y", "x=1,y=1e-310", "x", "float64"),
    ],
)
def test_a_value_that_torch_loses_is_no_match(expression: str, at: str, wrt: str, dtype: str) -> None:
    row = only(check(expression, at=at, wrt=wrt, dtype=dtype))
    assert row.value_autograd is not None
    assert not math.isfinite(row.value_autograd)
    assert row.verdict is Verdict.UNSTABLE
    assert row.note is not None
    assert "value is" in row.note


@pytest.mark.parametrize("expression", ["cbrt(x)", "sqrt(x)", "sign(x)*sqrt(abs(x)) + x"])
def test_where_both_sides_are_infinite_with_one_sign_the_derivative_exists(expression: str) -> None:
    assert only(check(expression, at=0)).analytical == math.inf


def test_both_partials_of_atan2_are_undefined_at_the_origin() -> None:
    result = check("atan2(y,x)", at="x=0,y=0")
    assert [row.verdict for row in result.checks] == [Verdict.UNDEFINED] * 2


def test_modes_are_checked_apart() -> None:
    result = check("where(x>0, sqrt(x), 0)", at=-1, mode="both")
    assert {row.mode: row.verdict.value for row in result.checks} == {"reverse": "mismatch", "forward": "match"}


def test_a_removable_singularity_is_named_with_its_limit() -> None:
    note = only(check("sin(x)/x", at=0)).note
    assert note is not None
    assert note.startswith(
        "division by zero in sin(x)/x: a removable singularity, with limit 1; write sinc(x/pi) instead"
    )


def test_the_limit_from_the_one_side_where_a_function_is_defined_is_named() -> None:
    note = only(check("x*log(x)", at=0)).note
    assert note is not None
    assert note.startswith("log(x) has no real value where its argument is 0; its limit from the right is 0")
    assert only(check("exp(-1/x)", at=0)).note == "division by zero in -1/x"


@pytest.mark.parametrize("order", [1, 2, 3])
def test_orders_check_every_combination_of_the_variables(order: int) -> None:
    result = check("sin(x)*exp(y)", at="x=0.3,y=-0.2", order=order, mode="both")
    assert result.verdict is Verdict.MATCH
    assert len(result.checks) == 2 * (order + 1)
    assert set(result.derivatives or ()) == {",".join(row.wrt) for row in result.checks}


def test_an_intermediate_result_is_a_path_of_its_own() -> None:
    """y = x*x has a derivative through y only: the other x*x is not y."""
    for mode in ("reverse", "forward"):
        result = check("y + 3*x*x", at=2, let={"y": "x*x"}, wrt=("x", "y"), mode=mode)
        assert [row.analytical for row in result.checks] == [16.0, 1.0]
        assert result.verdict is Verdict.MATCH


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"expression": "100000*x", "at": 1, "dtype": "float16"},
            "100000 overflows float16, whose largest number is 65504",
        ),
        ({"expression": "x", "at": 1e300, "dtype": "float32"}, "overflows float32"),
        ({"expression": "5"}, "5 has no variable: there is nothing to differentiate"),
        ({"expression": "x", "at": 1, "wrt": "z"}, "wrt='z': the expression has no z; it has x"),
        (
            {"expression": "x", "at": 1, "dtype": "float8"},
            'dtype="float8": did you mean float64? There are float64, float32, float16, bfloat16',
        ),
        ({"expression": "x", "at": 1, "order": 0}, "order is a whole number from 1 to 10, not 0"),
        ({"expression": "log(-1-x*x)"}, "the function is defined at none of 1000 points sampled"),
        ({"expression": "w*x+b", "at": "w=2"}, "at='w=2' gives no value to x and b"),
        ({"expression": "y+1", "let": {"y": "y*2"}, "at": 1}, "y"),
        ({"expression": "y+x", "let": {"y": "x*2"}, "at": "x=1,y=2"}, "y"),
    ],
)
def test_bad_input_is_a_sentence(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        check(**options)
    assert message in str(caught.value)


def test_samples_skip_what_is_undefined_and_say_so() -> None:
    result = check("log(x)")
    assert len(result.checks) == 5
    assert all(row.point["x"] > 0 for row in result.checks)
    assert result.notices[-1].startswith("5 points sampled with seed=0, ")
    assert "outside the domain skipped" in result.notices[-1]


def test_strict_lets_only_match_pass() -> None:
    assert check("relu(x)", at=0).passed
    assert not check("relu(x)", at=0, strict=True).passed
    assert check("x**2", at=3, strict=True).passed
    cancelled = check("x**2 - 2*x + 1", at=1.000001, strict=True)
    assert cancelled.verdict is Verdict.MATCH
    assert only(cancelled).value_verdict is Verdict.IMPRECISE
    assert not cancelled.passed, "the value does not match, though the gradient does"


def test_a_value_that_overflows_is_noted_and_the_gradient_judged() -> None:
    row = only(check("x**2", at=300, dtype="float16"))
    assert (row.verdict, row.analytical, row.value) == (Verdict.MATCH, 600.0, math.inf)
    assert row.note == "the value overflows float16"


def test_many_points_are_counted_and_the_worst_are_kept() -> None:
    """Over the limit, failing rows are kept first; the totals cover all."""
    from gradcheck_cli.checking.checker import check_expression
    from gradcheck_cli.records.request import Request

    result = check_expression(Request("relu(x)-relu(-x)", at=("x=-1:1:41",), derivatives=False, keep=5))
    assert (result.checks_total, len(result.checks), result.checks_omitted) == (41, 5, 36)
    assert result.checks[0].verdict is Verdict.MISMATCH
    assert result.counts == {Verdict.MATCH: 40, Verdict.MISMATCH: 1}


def test_json_has_the_fields_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["8*x**4+3*x**3", "--at", "2", "--output-format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (problem,) = report["problems"]
    (row,) = problem["checks"]
    assert report["summary"]["match"] == 1
    assert problem["derivatives"] == {"x": "32*x**3 + 9*x**2"}
    assert (row["point"], row["wrt"], row["mode"]) == ({"x": 2.0}, ["x"], "reverse")
    assert (row["value"], row["analytical"], row["autograd"], row["rel_error"]) == (152.0, 292.0, 292.0, 0.0)


def test_a_number_that_does_not_exist_is_null_and_nan_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["where(x>0, sqrt(x), 0)", "--at", "-1", "--output-format", "json"]) == 1
    row = json.loads(capsys.readouterr().out)["problems"][0]["checks"][0]
    assert (row["analytical"], row["autograd"], row["left"]) == (0.0, "nan", None)


PIECES = [
    "x", "y", "1", "2.5", "0", "1e-3", "1e300", "pi", "e", "+", "-", "*", "/", "**", "^", "(", ")", ",", " ", "<", ">=",
    "==", " if ", " else ", " and ", " or ", "not ", "where(", "max(", "²", "√(", "=", ".", "torch.", "'", "\\", "\n",
    *(f"{name}(" for name in FUNCTIONS),
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_ends_in_anything_but_a_verdict_or_a_sentence(text: str) -> None:
    """Whatever is typed: a result, or a GradcheckError."""
    for at in ("x=0.5", "x=1,y=-2", ()):
        with contextlib.suppress(GradcheckError):
            assert check(text, at=at, samples=None if at else 1).verdict in Verdict


NUMBERS = st.sampled_from(["x", "y", "2", "0.5", "3", "x", "y"])
UNARY = [name for name, row in FUNCTIONS.items() if not row.internal and len(row.arguments) == 1]


def formulas() -> st.SearchStrategy[str]:
    return st.recursive(
        NUMBERS,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from("+-*/"), inner).map("({0[0]} {0[1]} {0[2]})".format),
            st.tuples(st.sampled_from(UNARY), inner).map("{0[0]}({0[1]})".format),
            st.tuples(st.sampled_from(["max", "min", "atan2", "hypot", "xlogy", "fmod"]), inner, inner).map(
                "{0[0]}({0[1]}, {0[2]})".format
            ),
            st.tuples(inner, st.sampled_from(["2", "3", "0.5", "-1"])).map("({0[0]})**{0[1]}".format),
            st.tuples(inner, inner, inner).map("where({0[0]} > 0, {0[1]}, {0[2]})".format),
        ),
        max_leaves=6,
    )


@given(formulas(), st.sampled_from(["x=0.7,y=-1.3", "x=0,y=0", "x=1,y=-1", "x=1e-9,y=40", "x=-800,y=1e8"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_closed_form_and_derivative_agree_on_random_formulas(formula: str, at: str) -> None:
    """The closed form from SymPy and the derivative over the DAG overlap wherever both exist; the check itself says so
    by an InternalError, which would escape here."""
    text = f"{formula} + 0*x + 0*y"
    result = check(text, at=at)
    assert len(result.checks) == 2
