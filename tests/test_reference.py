"""What is true at hard points: kinks, jumps, one-sided domains, oscillation, slow growth, ties that persist."""

from __future__ import annotations

import math

import pytest

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


@pytest.mark.parametrize("expression", ["x**1.0001", "xlogy(x, x)+1e15*x", "where(x<=0, 0, x*(1+1/log(x)))"])
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
