"""Claims: what is proven, what is refuted, and which slip is named. A wrong claim that passed would be worthless."""

from __future__ import annotations

import json
import math
import time
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.claims import judge
from gradcheck_cli.claims.claimed import ClaimedDerivative
from gradcheck_cli.claims.misremembered import KNOWN
from gradcheck_cli.claims.reading import Subject, read_claim
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.expression.function import Function
from gradcheck_cli.language.parser import parse
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Claim, ClaimStatus, Verdict
from gradcheck_cli.render.formats import FORMATS
from gradcheck_cli.render.sentences import place_of
from gradcheck_cli.runtime.time_limit import OutOfTime, time_limit
from gradcheck_cli.verdict import Tolerance


def judged(function: str, claim: str, *at: str, **options: object) -> Claim:
    request = Request(function, claims=(claim,), at=at, derivatives=False, **options)  # type: ignore[arg-type]
    return check_expression(request).claims[0]


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        ("8*x**4+3*x**3", "32*x**3+9*x**2"),
        ("log(x**2)", "2/x"),
        ("1000*exp(0.3*t)", "300*exp(0.3*t)"),
        ("sin(x)*cos(x)", "cos(2*x)"),
        ("sin(x)**2 + cos(x)**2", "0"),
        ("tan(x)", "1 + tan(x)**2"),
        ("tanh(x)", "1 - tanh(x)**2"),
        ("sigmoid(x)", "sigmoid(x)*(1 - sigmoid(x))"),
        ("1/(1+exp(-x))", "exp(-x)/(1+exp(-x))**2"),
        ("(x**2-1)/(x-1)", "1"),
        ("x**x", "x**x*(log(x) + 1)"),
        ("sqrt(1 + x**2)", "x/sqrt(1 + x**2)"),
        ("log10(x)", "1/(x*log(10))"),
        ("2**x", "2**x*log(2)"),
        ("relu(x)", "1 if x > 0 else 0"),
        ("pi*x**2", "2*pi*x"),
        ("0.1*x**3", "0.3*x**2"),
        ("w*x + b", "w: x"),
        ("sinh(x)", "cosh(x)"),
        ("atan2(y, x)", "y: x/(x**2 + y**2)"),
    ],
)
def test_a_right_claim_is_proven(function: str, claim: str) -> None:
    found = judged(function, claim)
    assert found.status is ClaimStatus.PROVEN
    assert found.passed
    assert found.points >= 20
    assert found.counterexample is None


@pytest.mark.parametrize(
    ("function", "claim", "cause"),
    [
        ("8*x**4+3*x**3", "32*x**3+8*x**2", None),
        (
            "8*x**4+3*x**3",
            "32*x**3+9*x",
            "the power was dropped, not reduced by 1, in the derivative of x**3",
        ),
        ("x**3", "-3*x**2", "the sign is wrong"),
        ("sin(x**2)", "cos(x**2)", "the inner derivative of sin(x**2) is missing (chain rule)"),
        ("exp(3*x)", "exp(3*x)", "the inner derivative of exp(3*x) is missing (chain rule)"),
        (
            "sin(2*x)*cos(3*x)",
            "cos(2*x)*cos(3*x) - sin(2*x)*sin(3*x)",
            "the inner derivatives are missing (chain rule)",
        ),
        ("(2*x+1)**3", "3*(2*x+1)**2", "the inner derivative of (2*x + 1)**3 is missing (chain rule)"),
        ("x**5 + x", "x**4 + 1", "the factor 5 of the power rule is missing for x**5"),
        ("x**5", "5*x**5", "the exponent of x**5 was not reduced by 1 (power rule)"),
        ("x**2*sin(x)", "2*x*sin(x)", "only one term of the product rule for x**2*sin(x) is there"),
        (
            "x**2*sin(x)",
            "2*x*cos(x)",
            "the derivative of the product x**2*sin(x) is not the product of the derivatives",
        ),
        (
            "x**2/sin(x)",
            "2*x/cos(x)",
            "the derivative of the quotient x**2/sin(x) is not the quotient of the derivatives",
        ),
        ("x**2/(1+x)", "(2*x*(1+x)+x**2)/(1+x)**2", "the sign in the quotient rule for x**2/(1 + x) is wrong"),
        ("log10(x)", "1/x", "log10 was differentiated like the natural logarithm: the factor 1/log(10) is missing"),
        ("log(x)", "1/(x*log(10))", "log is the natural logarithm here, and was differentiated like log10"),
        ("x*cos(x)", "cos(x) + x*sin(x)", "the sign of the derivative of cos(x) is wrong"),
        ("3*x**2 + 5*x", "6*x", "the derivative of 5*x is missing"),
        ("2**x", "x*2**(x-1)", "the power rule was used for the exponential 2**x"),
        ("x**x", "x*x**(x-1)", "the power rule was used for the exponential x**x"),
        ("x*y**2", "x: 2*x*y", "it is the derivative by y, not by x"),
        ("tanh(x)", "tanh(x)", "it is the function itself, not its derivative"),
        ("x**3", "3.0015*x**2", "a constant factor is wrong: the claim is 2001/2000 times the derivative"),
        ("2*x**2", "4*z", "the function has no z"),
    ],
)
def test_a_wrong_claim_is_refuted_and_its_slip_named(function: str, claim: str, cause: str | None) -> None:
    found = judged(function, claim)
    assert found.status is ClaimStatus.REFUTED
    assert not found.passed
    assert found.note == cause
    assert found.counterexample is not None
    assert found.counterexample.claimed != found.counterexample.analytical
    assert found.analytical is not None


@pytest.mark.parametrize(
    ("function", "claim", "cause"),
    [
        ("sigmoid(x)", "x*(1 - x)", "y is its output, sigmoid(x)"),
        ("sigmoid(3*x)", "9*x*(1 - 3*x)", "y is its output, sigmoid(3*x)"),
        ("sigmoid(3*x)", "3*x*(1 - 3*x)", "y is its output, sigmoid(3*x), and the inner derivative is missing"),
        ("1/(1 + exp(-x))", "x*(1 - x)", "y is its output, 1/(1 + exp(-x))"),
        ("tanh(x)", "1 - x**2", "y' = 1 - y**2 with y = x"),
        ("exp(-tanh(2*x))", "-exp(-tanh(2*x))*2*(1 - 4*x**2)", "y' = 1 - y**2 with y = 2*x"),
        ("tanh(x)", "1 - tanh(x)", "the square is missing in the derivative of tanh(u), which is 1 - tanh(u)**2 = 1/"),
        ("tanh(3*x)", "3/cosh(3*x)", "the square is missing in the derivative of tanh(u), which is "),
        ("tanh(3*x)", "1 - tanh(3*x)", "; the inner derivative is missing as well (chain rule)"),
        ("x*tanh(x)", "tanh(x) + x*(1 - tanh(x))", "the square is missing in the derivative of tanh(u), which is "),
        (
            "tanh(2*x) + tanh(3*x)",
            "2*(1 - tanh(2*x)) + 3*(1 - tanh(3*x))",
            "the derivatives of the functions themselves are wrong throughout",
        ),
        ("tan(x)", "1/cos(x)", "the square is missing in the derivative of tan(u), which is 1 + tan(u)**2 = 1/cos"),
        ("sigmoid(x)", "f*(1 + f)", "the sign within is wrong in the derivative of sigmoid(u), which is sigmoid(u)*(1"),
        ("arctan(x)", "1/(1 - x^2)", "the sign within is wrong in the derivative of atan(u), which is 1/(1 + u**2)"),
        ("asin(2*x)", "2/(1 - 4*x^2)", "the root is missing in the derivative of asin(u), which is 1/sqrt(1 - u**2)"),
        ("exp(x)", "x*exp(x - 1)", "the power rule was used for the exponential exp(x)"),
        ("exp(3*x)", "9*x*exp(3*x - 1)", "the power rule was used for the exponential exp(3*x)"),
        ("exp(2x+1)", "(2x+1)*exp(2x)", "the power rule was used for the exponential exp(2*x + 1), and the inner"),
        (
            "x*sigmoid(x)",
            "sigmoid(x) + sigmoid(x)*(1 - sigmoid(x))",
            "a factor is missing in the product rule for x*sigmoid(x): x in the second term",
        ),
        (
            "x**2*sin(x)",
            "2*x + x**2*cos(x)",
            "a factor is missing in the product rule for x**2*sin(x): sin(x) in the first term",
        ),
        ("x**3", "3*x", "the power was dropped, not reduced by 1, in the derivative of x**3"),
        ("x**3", "3", "the power was dropped, not reduced by 1, in the derivative of x**3"),
        ("sin(x)**3", "3*cos(x)", "the power was dropped, not reduced by 1, in the derivative of sin(x)**3"),
        ("x**(-2)", "-2/x", "the exponent of x**-2 was increased by 1, not reduced (power rule)"),
        ("1/x", "ln(x)", "it is an antiderivative: integrated, not differentiated"),
        ("x**3", "x**4/4", "it is an antiderivative: integrated, not differentiated"),
        ("x**3", "0", "the claim is 0, as if the function did not depend on x"),
    ],
)
def test_more_slips_that_are_named(function: str, claim: str, cause: str) -> None:
    found = judged(function, claim)
    assert found.status is ClaimStatus.REFUTED
    assert cause in (found.note or "")


@pytest.mark.parametrize(
    ("function", "claim", "cause"),
    [
        ("x**4", "4*x**3", "it is the first derivative, not the second"),
        ("x**4", "24*x", "it is the third derivative, not the second"),
        ("x**4", "16*x**6", "it is a power of the first derivative, not the second derivative"),
        ("x**4", "12*x**3", "in the second differentiation: the exponent of x**3 was not reduced by 1 (power rule)"),
        ("x**4", "3*x**2", "in the first differentiation: the factor 4 of the power rule is missing for x**4"),
        (
            "sin(3*x)",
            "-3*sin(3*x)",
            "in the second differentiation: the inner derivative of cos(3*x) is missing (chain rule)",
        ),
        ("x*sin(x)", "x*sin(x) - 2*cos(x)", "the sign is wrong"),
        ("x**4", "12*x**2 + relu(x - 3)", None),
    ],
)
def test_slips_of_second_derivatives_are_named(function: str, claim: str, cause: str | None) -> None:
    found = judged(function, claim, order=2)
    assert found.status is ClaimStatus.REFUTED
    assert found.note == cause


def test_a_mixed_derivative_by_the_wrong_variable() -> None:
    assert judged("x**2*y**3", "x,y: 2*y**3", order=2).note == "it is the derivative by x, x, not by x, y"


def test_a_number_that_is_right_at_the_point_is_wrong_as_a_function() -> None:
    found = judged("x**2", "6", "3")
    assert found.status is ClaimStatus.REFUTED
    assert found.note == "6 is right at x=3, and wrong as a function of x"
    assert "right at" not in (judged("x**2", "6", "2").note or "")


def test_a_formula_that_is_right_at_the_point_alone_is_said_to_be() -> None:
    assert judged("x**2*y", "x: 2*x*y**3", "x=3,y=1").note == "it is right at x=3, y=1, and not in general"
    assert judged("x**2*y", "x: 2*x*y**3", "x=3,y=2").note is None
    assert "not in general" not in str(judged("x**2*y", "x: 2*x*y**3", "x=3,y=1", "x=3,y=2").note)


@pytest.mark.parametrize("function", KNOWN, ids=lambda function: function.name)
def test_what_is_said_of_a_misremembered_derivative_is_true(function: Function) -> None:
    """The formula that is given as the right one is, and the wrong ones are not; all of them are named."""
    text = f"{function.name}(u)"
    for one in KNOWN[function]:
        for right in one.right.split(" = "):
            assert judged(text, right).status is ClaimStatus.PROVEN
        found = judged(text, one.wrong.replace("y", text))
        assert found.status is ClaimStatus.REFUTED
        assert found.note == f"{one.what} in the derivative of {text}, which is {one.right}"


def test_a_slip_is_named_only_where_it_leads_to_the_claim() -> None:
    assert judged("relu(x) - relu(-x)", "where(x > 0, 1, 0) + where(x < 0, 1, 0)").note == (
        "the formula shown holds beside x=0, not there: a branch changes there"
    )
    assert judged("hardtanh(x, -20, 20)", "1").note is None
    assert judged("sin(x**2)", "3*cos(x**2)").note is None
    assert judged("x**2*sin(x)", "2*x*sin(x) + 1").note is None


@pytest.mark.parametrize(
    ("function", "claim", "at", "place"),
    [
        ("hardtanh(x, -20, 20)", "1", (), "x=21"),
        ("hardtanh(x, -20, 20)", "1", ("x=-2",), "x=-21"),
        ("abs(x+30)", "1", (), "x=-31"),
        ("relu(x+100)", "1", (), "x=-101"),
        ("x**3", "3*x**2 + relu(x-100)", (), "x=101"),
        ("x**2", "2*x*(1 + exp(x - 3000))", (), "x=10000"),
        ("x**2", "2*x + where(x == 0.3, 1, 0)", (), "x=3/10"),
        ("x**2", "2*x + where(3*x - 1 == 0, 1, 0)", (), "x=1/3"),
        ("x**2", "2*x + where(abs(x) == 0.5, 1, 0)", (), "x=0.5"),
        ("x**2", "2*x + where(hardtanh(x, 0, 9) == 0.7, 1, 0)", (), "x=7/10"),
        ("x*abs(x - 0.3) - 0.3*abs(x - 0.3)", "2*abs(x - 0.3) + where(x == 0.3, 1, 0)", (), "x=3/10"),
        ("x", "sign(x)**2", (), "x=0"),
        ("exp(x)", "exp(x)*(1 + 1e-8*relu(x-50))", (), "x=51"),
        ("x**3", "3*x**2 + relu(abs(x)-5.3)*relu(5.4-abs(x))", (), "x=5.31"),
        ("where(sqrt((x-30)**2) == x-30, x**2, x**3)", "3*x**2", (), "x=31"),
        ("where(exp(log((x-30)**2)/2) == x-30, x**2, x**3)", "3*x**2", (), "x=31"),
        ("sqrt((x**2-900)**2)", "-2*x", (), "x=31"),
        ("x", "1 + where(floor(x) == 57, 1, 0)", (), "x=57"),
        ("x", "where(log(x) > 3.5, 2, 1)", ("x=1",), "x=34"),
        ("x", "1 + where(sqrt(x + 1) == 7, 1, 0)", (), "x=48"),
        ("x", "where(x**3 - 2*x > 5000, 2, 1)", (), "x=18"),
        ("x", "where(x < pi*7, 1, 2)", (), "x=22"),
        ("atan(1/(x - 41)) + atan(x - 41)", "where(x > 41, 1, 0)", (), "x=42"),
        ("x*y", "x: y + relu(x + y - 777)", ("x=1,y=2",), "x=1, y=777"),
        ("w*x", "x: w + relu(w - 40)", ("w=1,x=1",), "w=41, x=1"),
    ],
)
def test_a_claim_that_is_wrong_beyond_a_seam_is_refuted_there(
    function: str, claim: str, at: tuple[str, ...], place: str
) -> None:
    result = check_expression(Request(function, claims=(claim,), at=at, derivatives=False))
    found = result.claims[0]
    assert found.status is ClaimStatus.REFUTED
    assert found.counterexample is not None
    assert place_of(result, found.counterexample) == place


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        ("hardtanh(x, -20, 20)", "where(abs(x) < 20, 1, 0)"),
        ("abs(x+30)", "sign(x+30)"),
        ("abs(x - 0.3)", "where(x > 0.3, 1, -1)"),
        ("where(x == 0.3, 5, x**2)", "2*x"),
        ("relu(x)**2", "2*relu(x)"),
        ("(x - 0.1)*abs(x - 0.1)", "2*abs(x - 0.1)"),
        ("max(x, 7/3)", "where(x > 7/3, 1, 0)"),
        ("sqrt((x**2-900)**2)", "2*x*sign(x**2-900)"),
        ("log(abs(x - 40))", "1/(x - 40)"),
        ("floor(x)*x", "floor(x)"),
        ("softplus(x)", "sigmoid(x)"),
        ("softplus(x/9)", "sigmoid(x/9)/9"),
        (
            "softplus(1 - z/(m + sign(m)*1e-10))*abs(m + sign(m)*1e-10)",
            "z: -sign(m)*sigmoid(1 - z/(m + sign(m)*1e-10))",
        ),
        ("2**x", "0.6931471805599453*2**x"),
        ("exp(x/3)", "exp(0.333333333333333*x)/3"),
    ],
)
def test_a_claim_that_is_right_on_every_side_of_its_seams_passes(function: str, claim: str) -> None:
    assert judged(function, claim).status.passes


@settings(max_examples=60, deadline=None)
@given(
    st.fractions(-1000, 1000, max_denominator=60).filter(bool),
    st.sampled_from(["where({u} == 0, 1, 0)", "relu({u})", "relu(-({u}))", "where({u} > 0, 1, 0)",
                     "relu({u})*relu(1/8 - ({u}))", "where({u} >= 0 and {u} <= 0, 1, 0)"]),
    st.sampled_from(["x - ({c})", "({c}) - x", "2*x/3 - 2*({c})/3", "(x - ({c}))**3", "(x - ({c}))*(x**2 + 1)"]),
    st.sampled_from([("x**2", "2*x"), ("sin(x)", "cos(x)"), ("exp(x/500)", "exp(x/500)/500"), ("x*y", "x: y")]),
)  # fmt: skip
def test_a_bump_anywhere_is_found(place: Fraction, bump: str, seam: str, pair: tuple[str, str]) -> None:
    """A right claim stays right; with something added that is zero nearly everywhere, it is refuted."""
    function, right = pair
    wrong = bump.format(u=f"({seam.format(c=place)})")
    expression = parse(function)
    for text, refuted in ((right, False), (f"{right} + {wrong}*({right.split(':')[-1]})", True)):
        claimed = ClaimedDerivative(read_claim(text, Subject(expression, [Derivative(("x",))])), expression)
        found = judge.judge(claimed, [], False, Tolerance(1e-9, 1e-12), seconds=0.01)
        assert (found.status is ClaimStatus.REFUTED) == refuted, found


def test_the_formula_shown_is_not_refuted_by_its_own_counterexample() -> None:
    """SymPy's closed form has the slope of abs at 0; the derivative exists there all the same, and is 1/2."""
    found = judged("max(x, 0) + log1p(exp(-abs(x)))", "where(x > 0, 1, 0) - sign(x)/(1 + exp(abs(x)))", "0")
    assert found.counterexample is not None
    assert (found.counterexample.point, found.counterexample.analytical) == ({"x": 0.0}, 0.5)
    assert found.analytical is not None
    again = judged("max(x, 0) + log1p(exp(-abs(x)))", found.analytical, "0")
    assert again.status.passes


def test_a_counterexample_that_is_no_double_is_told_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["x**2", "--at", "2", "--claim", "2*x + where(x == 1/3, 1, 0)", "--output-format"]
    assert run_command([*arguments, "table"]) == 1
    out = capsys.readouterr().out
    assert "✗ refuted at x=1/3: the claim is 1.66667, the derivative 0.666667" in out
    assert "x=1/3 is no double, so no point of --at is there" in out
    assert run_command([*arguments, "json"]) == 1
    example = json.loads(capsys.readouterr().out)["problems"][0]["claims"][0]["counterexample"]
    assert example["point"] == {"x": 1 / 3}
    assert example["exactly"] == {"x": "1/3"}


def test_what_is_evaluated_for_a_claim_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of thousands of roots, or none that balls can isolate: the places compared stay few."""
    seen: list[object] = []
    at = judge.DerivativeAndClaim.at
    monkeypatch.setattr(
        judge.DerivativeAndClaim, "at", lambda self, place, *more: seen.append(place) or at(self, place, *more)
    )
    for function, claim in (
        ("abs(sin(x))", "cos(x)*sign(sin(x))"),
        ("x + 0*abs(exp(x) - x**2 - sin(x*y))", "x: 1"),
        ("x", "where(sin(x)**2 + cos(x)**2 >= 1, 1, 1)"),
    ):
        seen.clear()
        assert judged(function, claim).status is not ClaimStatus.REFUTED
        assert len(seen) < 400


def test_the_counterexample_is_near_what_was_asked_for() -> None:
    found = judged("8*x**4+3*x**3", "32*x**3+9*x", "2").counterexample
    assert found is not None
    assert (found.point, found.claimed, found.analytical) == ({"x": 2.0}, 274.0, 292.0)
    found = judged("sqrt(x**2)", "1", "2").counterexample
    assert found is not None
    assert -1 < found.point["x"] < 0


def test_without_a_point_asked_for_the_counterexample_is_an_easy_one() -> None:
    found = judged("sqrt(x**2)", "1").counterexample
    assert found is not None
    assert (found.point, found.claimed, found.analytical) == ({"x": -1.0}, 1.0, -1.0)


def test_a_rounded_constant_agrees_with_a_remark() -> None:
    found = judged("2**x", "0.6931471805599453*2**x")
    assert found.status is ClaimStatus.AGREES
    assert found.note is not None
    assert "a rounded constant?" in found.note
    assert judged("2**x", "0.6931*2**x").status is ClaimStatus.REFUTED
    assert judged("2**x", "0.6931*2**x", claim_rtol=1e-3).status is ClaimStatus.AGREES


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        ("softplus(x)", "sigmoid(x)"),
        ("softplus(2*x)", "2*sigmoid(2*x)"),
        ("x + softplus(x, 2)", "1 + sigmoid(2*x)"),
        ("softplus(-x)", "-sigmoid(-x)"),
    ],
)
def test_the_threshold_of_softplus_is_no_rounded_constant(function: str, claim: str) -> None:
    found = judged(function, claim, "1")
    assert found.status is ClaimStatus.AGREES
    assert found.note is not None
    assert found.note.startswith("equal to ")
    assert found.note.endswith(
        ": softplus(x, beta=1, threshold=20) is log(1 + exp(beta*x))/beta, and x where beta*x > threshold"
    )


@pytest.mark.parametrize("function", ["abs(x)*2**x", "softplus(2**x)", "relu(x)*2**x + softplus(x)"])
def test_a_rounded_constant_beside_a_seam_is_one(function: str) -> None:
    right = {"abs(x)*2**x": "sign(x)*2**x + {}*abs(x)*2**x", "softplus(2**x)": "sigmoid(2**x)*{}*2**x"}
    claim = right.get(function, "(x > 0)*2**x + {}*relu(x)*2**x + sigmoid(x)").format("0.6931471805599453")
    assert "a rounded constant?" in str(judged(function, claim, "1").note)


def test_where_the_derivative_is_zero_atol_decides() -> None:
    assert judged("5 + 0*x", "1e-13*x/x", "1").status is ClaimStatus.AGREES
    assert judged("5 + 0*x", "1e-11*x/x", "1").status is ClaimStatus.REFUTED


def test_a_claim_that_is_undefined_where_the_derivative_exists() -> None:
    found = judged("x*log(x**2)-2*x", "2*log(x)")
    assert found.status.passes
    assert found.note is not None
    assert found.note.startswith("the claim is undefined at x=-")


def test_a_claim_that_is_never_defined_fails() -> None:
    found = judged("x**2", "log(-1 - x**2)")
    assert found.status is ClaimStatus.UNCHECKED
    assert not found.passed


def test_what_happens_at_a_tie() -> None:
    """A kink is no counterexample; where the derivative exists all the same, it counts."""
    assert judged("abs(x)", "sign(x)", "0", "1").status.passes
    assert judged("x*abs(x)", "2*abs(x)", "0").status.passes
    found = judged("x*abs(x)", "where(x == 0, 1, 2*abs(x))", "0")
    assert found.counterexample is not None
    assert (found.counterexample.claimed, found.counterexample.analytical) == (1.0, 0.0)
    assert judged("where(floor(x) == 0, 5*x, x**2)", "2*x").status is ClaimStatus.REFUTED
    assert judged("where(x == 0, 7, x**2)", "2*x", "0", "1").status.passes


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [
        ("sqrt(x**4)", "2*x", "2*x + where(x == 0, 1, 0)"),
        ("sqrt(x**2)**2", "2*x", "2*x + where(x == 0, 1, 0)"),
        ("sqrt(3*(x - 1/3)**4)", "2*sqrt(3)*(x - 1/3)", "2*sqrt(3)*(x - 1/3) + where(x == 1/3, 1, 0)"),
        ("where(x == 0, 0, x**2*sin(1/x))", "where(x == 0, 0, 2*x*sin(1/x) - cos(1/x))",
         "where(x == 0, 1, 2*x*sin(1/x) - cos(1/x))"),
    ],
)  # fmt: skip
def test_where_the_formula_of_the_derivative_has_no_value_it_may_exist(function: str, right: str, wrong: str) -> None:
    """0 times infinity, as in the chain rule of an even power of a norm."""
    assert judged(function, right, "0").status.passes
    found = judged(function, wrong, "0")
    assert found.counterexample is not None
    assert found.counterexample.claimed == 1.0
    assert found.counterexample.analytical == pytest.approx(0.0, abs=1e-12)


def test_claims_by_variable_and_order() -> None:
    result = check_expression(Request("x**2*y", at=("x=1,y=2",), claims=("x: 2*x*y", "y: x**2", "x,y: 2*x")))
    assert [(claim.wrt, claim.status) for claim in result.claims] == [
        (("x",), ClaimStatus.PROVEN), (("y",), ClaimStatus.PROVEN), (("x", "y"), ClaimStatus.PROVEN)
    ]  # fmt: skip
    assert judged("x**3", "6*x", order=2).status is ClaimStatus.PROVEN


def test_claims_may_use_intermediate_results() -> None:
    request = Request("2*y + 3", lets=("y = x*x",), at=("3.5",), claims=("x: 4*x", "y: 2"))
    assert all(claim.status is ClaimStatus.PROVEN for claim in check_expression(request).claims)


def test_each_of_several_claims_for_one_derivative_is_judged() -> None:
    result = check_expression(Request("x**2", at=("3",), claims=("3*x", "2*x", "x: x + x")))
    statuses = [ClaimStatus.REFUTED, ClaimStatus.PROVEN, ClaimStatus.PROVEN]
    assert [(claim.wrt, claim.status) for claim in result.claims] == [(("x",), status) for status in statuses]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expression": "x*y", "claims": ("y",)}, "it does not say which derivative it is: 'x: …' or 'y: …'"),
        ({"expression": "x", "claims": ("z: 1",)}, "the expression has no z; it has x"),
        ({"expression": "x", "claims": ("1 +",)}, "1 +"),
        ({"expression": "x", "claims": ("",)}, ""),
    ],
)
def test_a_claim_that_cannot_be_read_costs_nothing_else(options: dict[str, object], message: str) -> None:
    result = check_expression(Request(**options))  # type: ignore[arg-type]
    assert result.verdict is Verdict.MATCH
    assert result.checks
    assert (result.passed, result.bad_input) == (False, True)
    assert result.claims[-1].status is ClaimStatus.UNREADABLE
    assert message in (result.claims[-1].note or "")


@pytest.mark.usefixtures("in_this_process")
def test_the_report_says_of_an_unreadable_claim_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run_command(["x**2*y", "--at", "x=1,y=2", "--claim", "x: 2*x 2", "--claim", "y: x**2"]) == 2
    out, err = capsys.readouterr()
    assert "claim: ∂f/∂x = 2*x 2\n! unreadable\n" in out
    assert "  2*x 2\n" in out
    assert "✓ proven" in out
    assert "2 checks: 2 match · 2 claims (1 failed): 1 proven, 1 unreadable" in err
    file = tmp_path / "problems.yaml"
    file.write_text(
        "problems:\n  - {name: a, expression: x**2, at: 2, claim: 2*x +}\n  - {name: b, expression: x, at: 1}\n"
    )
    for output_format in FORMATS:
        assert run_command(["run", str(file), "--output-format", output_format]) == 2
        out, err = capsys.readouterr()
        assert "unreadable" in out
        assert ": :" not in out + err
        assert "2 checks: 2 match" in err
    file.write_text("problems:\n  - {name: a, expression: x**2, at: 2, claim: 2*x, expect_claim: unreadable}\n")
    assert run_command(["run", str(file)]) == 2


def test_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["8*x**4+3*x**3", "--at", "2", "--claim", "32*x**3+9*x"]) == 1
    out, err = capsys.readouterr()
    assert "claim: f'(x) = 32*x**3+9*x\ntruth: f'(x) = 32*x**3 + 9*x**2\n" in out
    assert "✗ refuted at x=2: the claim is 274, the derivative 292\n" in out
    assert "1 check: 1 match · 1 claim: 1 refuted" in err
    assert run_command(["x**2", "--at", "2", "--claim", "2*x"]) == 0
    assert "✓ proven (agrees at 27 points)" in capsys.readouterr().out


NAMES = {"sin": mpmath.sin, "cos": mpmath.cos, "exp": mpmath.exp, "atan": mpmath.atan, "tanh": mpmath.tanh}
RULES = {"sin": "cos(U)", "cos": "-sin(U)", "exp": "exp(U)", "atan": "1/(1+U**2)", "tanh": "1-tanh(U)**2"}
FUNCTIONS = st.sampled_from(sorted(NAMES))


@settings(max_examples=40, deadline=None)
@given(FUNCTIONS, st.integers(1, 9), st.integers(1, 5), st.sampled_from([1.0005, -1.0, 0.5, 2.0, 1 + 1e-8]))
def test_random_wrong_factors_are_refuted(name: str, a: int, n: int, factor: float) -> None:
    """f = g(a*x**n); the derivative that mpmath confirms is right is never refuted, a multiple of it always is."""
    function = f"{name}({a}*x**{n})"
    right = f"({RULES[name]})*{a * n}*x**{n - 1}".replace("U", f"({a}*x**{n})")
    value = mpmath.diff(lambda x: NAMES[name](a * x**n), 0.3)
    assert math.isclose(float(value), float(eval(right, {**NAMES, "x": mpmath.mpf("0.3")})), rel_tol=1e-6)  # noqa: S307
    expression = parse(function)
    for claim, refuted in ((right, False), (f"{Fraction(factor)}*({right})", True)):
        claimed = ClaimedDerivative(read_claim(claim, Subject(expression, [Derivative(("x",))])), expression)
        found = judge.judge(claimed, [], False, Tolerance(1e-9, 1e-12), seconds=0.05)
        assert (found.status is ClaimStatus.REFUTED) == refuted


def test_time_limits_nest() -> None:
    with pytest.raises(OutOfTime), time_limit(0.05), time_limit(60):
        time.sleep(10)
    with time_limit(60):
        with pytest.raises(OutOfTime), time_limit(0.05):
            time.sleep(10)
        time.sleep(0.01)
    with time_limit(None):
        pass
