"""What is true at hard points: kinks, jumps, one-sided domains, oscillation, slow growth, ties that persist."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli import Check, Verdict, check

INF, NAN = math.inf, math.nan


def row_of(expression: str, at: str, order: int = 1, mode: str = "reverse", wrt: str = "") -> Check:
    """The row by `wrt`: "x" or "x,y", or the only one."""
    result = check(expression, at=at, order=order, mode=mode)
    rows = [row for row in result.checks if not wrt or ",".join(row.wrt) == wrt]
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    ("expression", "at", "order", "truth"),
    [
        ("where(x==0, 0, x**2*sin(1/x))", "0", 1, 0.0),
        ("where(x==0, 0, x**4*sin(1/x))", "0", 2, 0.0),
        ("where(x==0, 0, abs(x)**1.05*sin(1/x))", "0", 1, 0.0),
        ("where(x>0, x, sin(x))", "0", 2, 0.0),
        ("where(x<0, sin(x), x-x**3/6)", "0", 4, 0.0),
        ("relu(x-2000)+exp(x)", "2000", 1, INF),
        ("relu(relu(x))", "-1", 2, 0.0),
        ("clamp(relu(x), 0, 1)+x**3", "-1", 2, -6.0),
        ("max(x, x)**2", "1.5", 2, 2.0),
        ("0**x", "1", 2, 0.0),
        ("xlogy(x, x)", "0", 1, -INF),
        ("x**x", "0", 1, -INF),
        ("sqrt(x)", "0", 1, INF),
        ("asin(x/3*3)", "1", 1, INF),
        ("sqrt(x/3*3-1)", "1", 1, INF),
        ("x**1.5", "0", 2, INF),
        ("sinc(x)", "0", 2, -(math.pi**2) / 3),
        ("sinc(x)", "0", 4, math.pi**4 / 5),
        ("x*(1+x**0.1)", "0", 1, 1.0),
        ("digamma(x)", "-1234567.5", 1, math.pi**2),
        ("log_ndtr(x)", "-1e9", 1, 1e9),
        ("i1(x)", "0", 1, 0.5),
        ("spherical_bessel_j0(x)", "0", 2, -1 / 3),
        ("(sin(1+x)-sin(1))/x", "1e-100", 1, -math.sin(1) / 2),
        ("x**1e-8", "0", 1, INF),
        ("1 + x**1e-6", "0", 1, INF),
        ("x**1.0001", "0", 1, 0.0),
        ("clamp(x, 1, 1)", "2", 1, 0.0),
        ("fmod(x, x) + remainder(x, x) + max(x, x) + fmin(x, x)", "1.5", 1, 2.0),
        ("relu(relu(x))*x", "-1", 2, 0.0),
    ],
)
def test_the_derivative_exists(expression: str, at: str, order: int, truth: float) -> None:
    """Whatever autograd says."""
    assert row_of(expression, at, order).analytical == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize(
    ("expression", "at", "order", "wrt", "left", "right"),
    [
        ("abs(x - 1e-150)*sqrt(x)", "1e-150", 1, "x", -1e-75, 1e-75),
        ("hardswish(x)*y", "x=3,y=2", 2, "x,y", 1.5, 1.0),
        ("abs(x)*y", "x=0,y=3", 2, "x,y", -1.0, 1.0),
        ("max(x, y)*z", "x=1,y=1,z=2", 2, "x,z", 0.0, 1.0),
        ("x*abs(x)", "0", 2, "x,x", -2.0, 2.0),
        ("abs(x)", "0", 2, "x,x", 0.0, 0.0),
        ("x**y", "x=0,y=0", 1, "y", 0.0, 0.0),
        ("floor(x/3*3)", "1", 1, "x", 0.0, 0.0),
        ("floor(log2(x))", "8", 1, "x", 0.0, 0.0),
        ("sign(x/3-1/3)", "1", 1, "x", 0.0, 0.0),
        ("abs(sin(x)**2+cos(x)**2-1+x)", "0", 1, "x", -1.0, 1.0),
        ("round(x, decimals=-1)", "15", 1, "x", 0.0, 0.0),
        ("atan2(y, x)", "x=-1,y=0", 1, "y", -1.0, -1.0),
        ("copysign(x, y)", "x=2,y=0", 1, "y", 0.0, 0.0),
        ("sqrt(abs(x))", "0", 1, "x", -INF, INF),
        ("fmod(x, 1/3)", "1", 1, "x", 1.0, 1.0),
        ("fmod(x*x, 2/6*x)", "100", 1, "x", 301 / 3, 100.0),
        ("remainder(x/3, 1/3)", "2", 1, "x", 1 / 3, 1 / 3),
        ("max(x, y, z)", "x=1,y=1,z=1", 2, "x,y", 0.0, 0.0),
        ("max(x, y, z)", "x=1,y=1,z=1", 2, "y,z", 0.0, 0.0),
        ("abs(x)*abs(y)", "x=0,y=0", 2, "x,y", -1.0, 1.0),
        ("relu(x)*relu(y)", "x=0,y=0", 2, "x,y", 0.0, 1.0),
    ],
)
def test_left_and_right(expression: str, at: str, order: int, wrt: str, left: float, right: float) -> None:
    """At a kink or a jump, the one-sided derivatives."""
    row = row_of(expression, at, order, wrt=wrt)
    assert (row.analytical, row.left, row.right) == (None, left, right)


@pytest.mark.parametrize(
    ("expression", "at", "reason"),
    [
        ("where(x==0, 0, x*frac(1/x))", "0", "oscillates"),
        ("where(x==0, 0, frac(1/x))", "0", "oscillates"),
        ("where(x==0, 0, x*cos(2*pi*log2(abs(x))))", "0", "oscillates"),
        ("where(x==0, 0, x*sin(1/x))", "0", "oscillates"),
        ("where(x>0, 1/x, 0)", "0", "unbounded just to the right"),
        ("sqrt(-x**2)", "0", "not defined on either side"),
        ("frac(1/x)", "0", "division by zero in 1/x"),
        ("log(abs(x))+1e15", "0", "log(abs(x)) has no real value where its argument is 0"),
        ("lgamma(x)", "-1e15", "lgamma(x) has no real value"),
        ("digamma(x)", "-1e300", "digamma(x) has no real value"),
        ("igamma(x, 2)", "-1", "igamma(x, 2) has no real value"),
        ("x/x", "0", "a removable singularity, with limit 1"),
        ("(x**2-1)/(x-1)", "1", "a removable singularity, with limit 2"),
        ("x**(1/3)", "-8", "has no real value where its arguments are -8 and 0.333333"),
    ],
)
def test_undefined_says_why(expression: str, at: str, reason: str) -> None:
    row = row_of(expression, at)
    assert row.verdict is Verdict.UNDEFINED
    assert row.note is not None
    assert reason in row.note
    assert ("removable" in row.note) == ("removable" in reason)


def test_at_a_jump_with_one_side_the_note_says_which() -> None:
    """0**y has no left side at 0, and 0**0 is 1."""
    row = row_of("x**y", "x=0,y=0", wrt="y")
    assert row.note == (
        "one-sided: the function exists only to the right of the point, and jumps here; the slope beside it is 0; "
        "autograd takes 0"
    )


LOG_NDTR = (
    "log1p(-0.5*erfc(x/(s*sqrt(2)))) if x/(s*sqrt(2)) > 0 else log(erfc(-x/(s*sqrt(2)))) + log(0.5)",
    "x=0,s=1",
)


@pytest.mark.parametrize(
    ("expression", "at", "wrt", "truth"),
    [
        (*LOG_NDTR, "x,x", -2 / math.pi),
        (*LOG_NDTR, "x,s", -math.sqrt(2 / math.pi)),
        (*LOG_NDTR, "s,s", 0.0),
        ("where(y == y, y, y)*clamp_min(x, x)", "x=2,y=1", "y,x", 1.0),
        ("where(x > 0, sin(x), x)*y", "x=0,y=3", "x,y", 1.0),
        ("(relu(x) - relu(-x))*y", "x=0,y=3", "x,y", 1.0),
        ("abs(relu(x))*y + x*y", "x=-1,y=2", "x,y", 1.0),
        ("prelu(x, w)", "x=0,w=0.25", "w,w", 0.0),
        ("abs(x)*abs(y)", "x=0,y=0", "x,x", 0.0),
    ],
)
def test_second_derivatives_where_a_branch_stays_tied(expression: str, at: str, wrt: str, truth: float) -> None:
    """Moved along one variable, a branch that depends on others is still decided at a tie."""
    assert row_of(expression, at, 2, wrt=wrt).analytical == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize(
    ("expression", "at", "value", "slope"),
    [
        ("exp(x)", "1e300", INF, INF),
        ("exp(-x)", "1e300", 0.0, 0.0),
        ("2**x", "1e300", INF, INF),
        ("exp(x**2)", "1e160", INF, INF),
        ("exp(-x**2)", "1e160", 0.0, 0.0),
        ("-exp(x**3)", "1e300", -INF, -INF),
        ("expm1(hypot(x, x))", "1e300", INF, INF),
        ("erfcx(x)", "-1e300", INF, -INF),
        ("cosh(x)", "-1e300", INF, -INF),
        ("gamma(x)", "1e300", INF, INF),
        ("i0(x)", "1e300", INF, INF),
        ("exp(exp(x))", "1000", INF, INF),
    ],
)
def test_beyond_any_double_a_bound_is_enough(expression: str, at: str, value: float, slope: float) -> None:
    row = row_of(expression, at)
    assert (row.value, row.analytical) == (value, slope)


def test_a_value_that_is_a_number_is_enough_for_a_derivative() -> None:
    """cos(exp(10000)) has no known digit, and lies in [-1, 1]: x has nothing to do with it."""
    result = check("x**2 - cos(exp(y))", at="x=1,y=1e4")
    assert [(row.wrt, row.analytical, row.value) for row in result.checks] == [
        (("x",), 2.0, None),
        (("y",), None, None),
    ]
    assert [row.verdict for row in result.checks] == [Verdict.MATCH, Verdict.ERROR]


HALFWAY = "-0.1666259765625"  # 1 + 2*x is then halfway between two numbers of float16


@pytest.mark.parametrize(
    "expression",
    [
        "where(x >= x, x, x) + x*x",
        "where(x >= 0*x, x, x) + x*x",
        "relu(0*x) + x + x*x",
        "max(x, x) + x*x",
        "abs(x - x) + x + x*x",
        "x/3*3 + x*x",
        "relu(x + 0.1666259765625)**2 + x + x*x",
    ],
)
def test_halfway_between_two_numbers_the_even_one_is_the_truth(expression: str) -> None:
    """Whether the derivative was probed or its ball is not exact."""
    assert row_of(expression, HALFWAY).analytical == -0.333251953125 + 1
    halves = check(expression, at=HALFWAY, dtype="float16").checks[0]
    assert halves.analytical == 0.6669921875


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-40, 40), min_size=2, max_size=5), st.integers(-200, 200))
def test_a_tie_that_changes_nothing_changes_no_digit(coefficients: list[int], numerator: int) -> None:
    polynomial = " + ".join(f"({c})*x**{k}" for k, c in enumerate(coefficients))
    at = repr(numerator / 64)
    plain = check(polynomial, at=at, dtype="float16", derivatives=False).checks[0]
    for tied in (f"{polynomial} + relu(0*x)", f"where(x*0 >= 0, {polynomial}, x)"):
        row = check(tied, at=at, dtype="float16", derivatives=False).checks[0]
        assert row.analytical == plain.analytical


@pytest.mark.parametrize(
    ("a", "x", "value"),
    [
        ("1e8", "1e8", 0.5000132980760141),  # 1/2 + 1/(3*sqrt(2*pi*a)) + ...
        ("1e12", "1e12", 0.50000013298076013),
        ("1e8", "5e7", 0.0),
        ("1e8", "2e8", 1.0),
        ("6000", "1e-300", 0.0),
        ("6000", "5800", 0.00456785701),
    ],
)
def test_incomplete_gamma_of_large_order(a: str, x: str, value: float) -> None:
    lower, upper = (check(f"{name}(a, x)", at=f"a={a},x={x}", wrt="x").checks[0] for name in ("igamma", "igammac"))
    assert lower.value == pytest.approx(value, rel=1e-6)
    assert upper.value == pytest.approx(1 - value, rel=1e-6)
    assert lower.analytical is not None
    assert lower.analytical == -(upper.analytical or 0.0)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma_of_large_order_is_flat_at_0(name: str) -> None:
    assert row_of(f"{name}(1e8, x)", "0").analytical == 0.0


@pytest.mark.parametrize("expression", ["xlogy(x, x)+1e15*x", "where(x<=0, 0, x*(1+1/log(x)))"])
def test_what_probes_do_not_tell_is_no_guess(expression: str) -> None:
    """Limits that are reached more slowly than the probes can see are an `error`, not a number."""
    row = row_of(expression, "0")
    assert row.verdict is Verdict.ERROR
    assert row.analytical is None
    assert row.note == "no certified reference: the one-sided limits change too slowly to tell"


@pytest.mark.parametrize(
    ("expression", "at", "mode", "verdict"),
    [
        ("softplus(x, 0.1, 2)", "20", "reverse", "unstable"),
        ("logit(x, 0.1)", "0.9", "reverse", "unstable"),
        ("sech(x)", "800", "reverse", "unstable"),
        ("csch(x)", "800", "forward", "unstable"),
        ("exp(round(x))", "1000", "forward", "unstable"),
        ("x + 0*exp(1000*x)", "1", "forward", "unstable"),
        ("where(x<0, x**(1+2), sqrt(x))", "-2", "reverse", "mismatch"),
        ("sqrt(x**4)+1/exp(1000)", "0", "reverse", "mismatch"),
        ("bessel_y1(x)", "1e-300", "reverse", "mismatch"),
        ("bessel_j0(1e300*x)", "1", "reverse", "mismatch"),
        ("hardsigmoid(x)", "1", "reverse", "mismatch"),
        ("where(x>0, (exp(x)-1)/x, bessel_j0(x))", "1e-9", "reverse", "unstable"),
        ("where(x<0, (exp(x)-1)/x, bessel_j0(x))", "1", "reverse", "mismatch"),
        ("(exp(x+1e-9)-1)/(x+1e-9)+relu(x)**2", "0", "reverse", "unstable"),
        ("(exp(x+1e-9)-1)/(x+1e-9)+relu(x)", "0", "reverse", "unstable"),
        ("clamp(x, 0, 10) - clamp(-x, 0, 10)", "0", "reverse", "mismatch"),
    ],
)
def test_rounding_and_wrong_gradients_are_told_apart(expression: str, at: str, mode: str, verdict: str) -> None:
    assert row_of(expression, at, mode=mode).verdict.value == verdict


def test_zero_tangents_of_other_variables_overflow_too() -> None:
    """Forward mode carries them through exp(y) = inf."""
    assert row_of("x+0*exp(y)", "x=1,y=1000", mode="forward", wrt="x").verdict is Verdict.UNSTABLE
    assert row_of("x**(y+1)", "x=-2,y=1", mode="forward", wrt="x").verdict is Verdict.MISMATCH


def test_an_intermediate_result_may_be_a_constant() -> None:
    assert check("u*x", at="x=2", let={"u": "3"}, wrt="u", mode="both").verdict is Verdict.MATCH
