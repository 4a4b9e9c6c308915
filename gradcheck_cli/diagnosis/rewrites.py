"""Forms that keep the digits, or whose derivative torch gets right: what to write instead of an expression.

A rewrite is a row of REWRITES. Its forms are equal as real functions, at least where it is proposed: nothing is
proposed before it was verified there (see remedies.py). `u`, `v` and `w` stand for any sub-expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gradcheck_cli.diagnosis.rewrite_rules import (
    double_where,
    factored_polynomial,
    log_of_exponentials,
    log_softmax,
    softmax,
)
from gradcheck_cli.expression.nodes import Call, Expr


@dataclass(frozen=True)
class Rewrite:
    """One rewrite.

    pattern: what it is for, a formula of u, v and w; better: what to write for it, a formula of the same. Or pattern is
    the name of a rule, and better a function from any part to what it may become. cures: an expression and a point
    where it helps; spares: an expression and a point where it must not be applied, since it does not fit or would not
    be equal.
    """

    pattern: str
    better: str | Callable[[Call], Iterator[Expr]]
    cures: tuple[str, str]
    spares: tuple[str, str]


R = Rewrite

REWRITES: tuple[Rewrite, ...] = (
    # branches
    R("where(u == 0, 1, sin(u)/u)", "sinc(u/pi)",
      ("where(x == 0, 1, sin(x)/x)", "0"), ("where(x == 1, 2, sin(x)/x)", "1")),
    # logarithms of sums of exponentials
    R("log(1 + exp(u))", "logaddexp(0, u)", ("log(1 + exp(x))", "800"), ("log(2 + exp(x))", "800")),
    R("log1p(exp(u))", "logaddexp(0, u)", ("log1p(exp(x))", "750"), ("log1p(exp(x) + x)", "750")),
    R("log(exp(u) + exp(v))", "logaddexp(u, v)",
      ("log(exp(x) + exp(2*x))", "-800"), ("log(exp(x) - exp(2*x))", "-800")),
    R("the logarithm of a sum of exponentials", log_of_exponentials,
      ("log(exp(x) + exp(2*x) + exp(3*x) + 1)", "800"), ("log(exp(x) + exp(2*x) + x)", "800")),
    R("the logarithm of a softmax", log_softmax,
      ("log(exp(x)/(exp(x) + exp(2) + exp(3)))", "-800"), ("log(exp(x)/(exp(x) + exp(2) + 3))", "-800")),
    R("log(2**u + 2**v)/log(2)", "logaddexp2(u, v)", ("log(2**x + 2**y)/log(2)", "x=2000,y=1"),
      ("log(3**x + 2**y)/log(2)", "x=2000,y=1")),
    R("log(sigmoid(u))", "logsigmoid(u)", ("log(sigmoid(x))", "-800"), ("log(sigmoid(x) + 1e-320)", "-800")),
    R("log(1/(1 + exp(-u)))", "logsigmoid(u)", ("log(1/(1 + exp(-x)))", "-800"), ("log(2/(1 + exp(-x)))", "-800")),
    R("log(1 - sigmoid(u))", "logsigmoid(-u)", ("log(1 - sigmoid(x))", "60"), ("log(2 - sigmoid(x))", "60")),
    R("log(cosh(u))", "abs(u) + log1p(exp(-2*abs(u))) - log(2)", ("log(cosh(x))", "800"), ("log(sinh(x))", "800")),
    R("log(0.5*erfc(u/(sqrt(2)*v)))", "log_ndtr(-u/v)",
      ("log(0.5*erfc((y - x)/(sqrt(2)*s)))", "x=0,y=40,s=1"), ("log(0.4*erfc(y/(sqrt(2)*s)))", "y=40,s=1")),
    R("log(0.5*erfc(u/sqrt(2)))", "log_ndtr(-u)",
      ("log(0.5*erfc(x/sqrt(2)))", "40"), ("log(0.5*erf(x/sqrt(2)))", "40")),
    R("log(0.5*erfc(u))", "log_ndtr(-sqrt(2)*u)", ("log(0.5*erfc(x))", "28"), ("log(0.5*erf(x))", "28")),
    R("log(erfc(u)/2)", "log_ndtr(-sqrt(2)*u)", ("log(erfc(x)/2)", "28"), ("log(erfc(x)/3 + 1)", "28")),
    R("log(erfc(u))", "log(2) + log_ndtr(-sqrt(2)*u)", ("log(erfc(x))", "28"), ("log(erfc(x) + 1)", "28")),
    R("log(v*erfc(u))", "log(2*v) + log_ndtr(-sqrt(2)*u)", ("log(0.3*erfc(x))", "28"), ("log(0.3*erf(x))", "28")),
    R("log(erfc(u)/v)", "log(2/v) + log_ndtr(-sqrt(2)*u)", ("log(erfc(x)/3)", "28"), ("log(erf(x)/3)", "28")),
    R("log(1 - erf(u))", "log(2) + log_ndtr(-sqrt(2)*u)", ("log(1 - erf(x))", "8"), ("log(2 - erf(x))", "8")),
    R("log(1 + erf(u))", "log(2) + log_ndtr(sqrt(2)*u)", ("log(1 + erf(x))", "-8"), ("log(2 + erf(x))", "-8")),
    R("log(v*(1 + erf(u)))", "log(2*v) + log_ndtr(sqrt(2)*u)",
      ("log(0.5*(1 + erf(x)))", "-8"), ("log(0.5*(2 + erf(x)))", "-8")),
    R("log(v*(1 - erf(u)))", "log(2*v) + log_ndtr(-sqrt(2)*u)",
      ("log(0.5*(1 - erf(x)))", "8"), ("log(0.5*(2 - erf(x)))", "8")),
    R("log(1 - ndtr(u))", "log_ndtr(-u)", ("log(1 - ndtr(x))", "10"), ("log(2 - ndtr(x))", "10")),
    R("log(1 - igamma(u, v))", "log(igammac(u, v))", ("log(1 - igamma(3, x))", "36"), ("log(2 - igamma(3, x))", "36")),
    R("log(ndtr(u))", "log_ndtr(u)", ("log(ndtr(x))", "-50"), ("log(ndtr(x) + 1)", "-50")),
    R("log(gamma(u))", "lgamma(u)", ("log(gamma(x))", "300"), ("log(gamma(x) + 1)", "300")),
    R("log(1 - exp(u))", "log(-expm1(u))", ("log(1 - exp(x))", "-1e-12"), ("log(2 - exp(x))", "-1e-12")),
    # log(1 + u), and logarithms of products and powers
    R("log(1 + u)", "log1p(u)", ("sqrt(log(1 + x))", "1e-12"), ("sqrt(log(2 + x))", "1e-12")),
    R("log((1 + u)/(1 - u))", "2*atanh(u)",
      ("sqrt(log((1 + x)/(1 - x)))", "1e-12"), ("log((1 + x)/(1 - y))", "x=1e-5,y=2e-5")),
    R("log(exp(u))", "u", ("log(exp(x))", "800"), ("log(exp(x) + 1)", "-800")),
    R("log(u**v)", "v*log(u)", ("log(x**301)", "20"), ("log(x**300)", "20")),
    R("log(u**v)", "v*log(abs(u))", ("log(x**300)", "-20"), ("log(1 + x**300)", "-20")),
    R("log(u*v)", "log(abs(u)) + log(abs(v))",
      ("log(x*y)", "x=-1e-200,y=-1e-200"), ("log(x + y)", "x=1e-200,y=1e-200")),
    R("log(1/u)", "-log(u)", ("log(1/x)", "1e-200"), ("log(1/x + 1)", "1e-200")),
    R("log(u/v)", "log(u) - log(v)", ("log(3/x)", "1e-200"), ("log(3 - 1/x)", "1")),
    R("log(u/v)", "log(abs(u)) - log(abs(v))", ("log(x/y)", "x=1e200,y=1e-200"), ("log(x - y)", "x=1e-200,y=1e-200")),
    R("log(u + v) - log(u)", "log1p(v/u)",
      ("1e20*(log(x + 1) - log(x))", "1e12"), ("1e20*(log(x + 1) - log(2*x))", "1e12")),
    # sigmoid and tanh written with exp
    R("1/(1 + exp(-u))", "sigmoid(u)", ("1/(1 + exp(-x))", "-800"), ("1/(2 + exp(-x))", "-800")),
    R("v/(1 + exp(-u))", "v*sigmoid(u)", ("x/(1 + exp(-x))", "-800"), ("x/(2 + exp(-x))", "-800")),
    R("exp(u)/(1 + exp(u))", "sigmoid(u)", ("exp(x)/(1 + exp(x))", "800"), ("exp(x)/(1 + exp(2*x))", "800")),
    R("exp(u)/(exp(u) + exp(v))", "sigmoid(u - v)",
      ("exp(x)/(exp(x) + exp(3))", "800"), ("exp(x)/(exp(y) + exp(3))", "x=800,y=1")),
    R("a softmax", softmax,
      ("exp(x)/(exp(x) + exp(2) + exp(3))", "800"), ("exp(x)/(exp(x) + exp(2) - exp(3))", "800")),
    R("(exp(u) - exp(-u))/(exp(u) + exp(-u))", "tanh(u)", ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", "800"),
      ("(exp(x) - exp(-x))/(exp(x) + exp(-2*x))", "800")),
    R("(exp(2*u) - 1)/(exp(2*u) + 1)", "tanh(u)", ("(exp(2*x) - 1)/(exp(2*x) + 1)", "400"),
      ("(exp(2*x) - 2)/(exp(2*x) + 1)", "400")),
    R("(1 - exp(-2*u))/(1 + exp(-2*u))", "tanh(u)", ("(1 - exp(-2*x))/(1 + exp(-2*x))", "-400"),
      ("(1 - exp(-3*x))/(1 + exp(-2*x))", "-400")),
    R("2/(1 + exp(-2*u)) - 1", "tanh(u)", ("2/(1 + exp(-2*x)) - 1", "-400"), ("3/(1 + exp(-2*x)) - 1", "-400")),
    R("sinh(u)/cosh(u)", "tanh(u)", ("sinh(x)/cosh(x)", "800"), ("sinh(x)/cosh(2*x)", "800")),
    R("sigmoid(u)", "1/(1 + exp(-u))", ("1e20*sigmoid(x)", "40"), ("1e20*tanh(x)", "40")),
    R("1 - sigmoid(u)", "sigmoid(-u)", ("x/(1 - sigmoid(x))", "38"), ("x/(2 - sigmoid(x))", "38")),
    R("1 - tanh(u)**2", "sech(u)**2", ("1e9*(1 - tanh(x)**2)", "19"), ("1e9*(1 - tanh(x)**3)", "19")),
    R("relu(-u)*exp(u)", "relu(-u)*exp(minimum(u, 0))", ("relu(-x)*exp(x)", "1000"), ("relu(x)*exp(x)", "1000")),
    # removable singularities: a series near 0, good to the last digits of a double
    R("(exp(u) - 1)/u", "where(abs(u) < 1e-4, 1 + u/2 + u**2/6 + u**3/24, expm1(u)/u)",
      ("(exp(x) - 1)/x", "3e-9"), ("(exp(x) - 2)/x", "3e-9")),
    R("expm1(u)/u", "where(abs(u) < 1e-4, 1 + u/2 + u**2/6 + u**3/24, expm1(u)/u)",
      ("expm1(x)/x", "3e-9"), ("expm1(x)/x**2", "1e-12")),
    R("log(1 + u)/u", "where(abs(u) < 1e-5, 1 - u/2 + u**2/3 - u**3/4, log1p(u)/u)",
      ("log(1 + x)/x", "1e-9"), ("log(2 + x)/x", "1e-9")),
    R("log1p(u)/u", "where(abs(u) < 1e-5, 1 - u/2 + u**2/3 - u**3/4, log1p(u)/u)",
      ("log1p(x)/x", "1e-9"), ("log1p(x)/x**2", "1e-9")),
    R("(exp(v*u) - 1)/u",
      "v*where(abs(v*u) < 1e-4, 1 + v*u/2 + (v*u)**2/6 + (v*u)**3/24, expm1(v*u)/(v*u))",
      ("(exp(2*x) - 1)/x", "3e-9"), ("(exp(2*x) - 1)/x**2", "1e-6")),
    R("(1 - exp(-u))/u", "where(abs(u) < 1e-4, 1 - u/2 + u**2/6 - u**3/24, -expm1(-u)/u)",
      ("(1 - exp(-x))/x", "3e-9"), ("(2 - exp(-x))/x", "3e-9")),
    R("u/(exp(u) - 1)", "1/where(abs(u) < 1e-4, 1 + u/2 + u**2/6 + u**3/24, expm1(u)/u)",
      ("x/(exp(x) - 1)", "3e-9"), ("x/(exp(x) - 2)", "3e-9")),
    R("(exp(u) - 1 - u)/u**2",
      "where(abs(u) < 0.01, 1/2 + u/6 + u**2/24 + u**3/120 + u**4/720 + u**5/5040, (exp(u) - 1 - u)/u**2)",
      ("(exp(x) - 1 - x)/x**2", "1e-6"), ("(exp(x) - 1 + x)/x**2", "1e-6")),
    R("log(1 + v*u)/u",
      "v*where(abs(v*u) < 1e-5, 1 - v*u/2 + (v*u)**2/3 - (v*u)**3/4, log1p(v*u)/(v*u))",
      ("log(1 + 2*x)/x", "1e-9"), ("log(2 + 2*x)/x", "1e-9")),
    R("tanh(u)/u", "where(abs(u) < 1e-3, 1 - u**2/3 + 2*u**4/15, tanh(u)/where(u == 0, 1, u))",
      ("tanh(x)/x", "0"), ("tanh(2*x)/x", "0")),
    R("sinh(u)/u", "where(abs(u) < 1e-3, 1 + u**2/6 + u**4/120, sinh(u)/where(u == 0, 1, u))",
      ("sinh(x)/x", "0"), ("sinh(2*x)/x", "0")),
    R("sin(v*u)/u", "v*sinc(v*u/pi)", ("sin(2*x)/x", "0"), ("sin(2*x)/x**2", "0")),
    R("sin(v*u)/u", "v*where(abs(v*u) < 1e-3, 1 - (v*u)**2/6 + (v*u)**4/120, sin(v*u)/(v*u))",
      ("sin(5*x)/x", "1e-9"), ("sin(5*x)/x**2", "1e-9")),
    R("sin(u)/u", "sinc(u/pi)", ("sin(x)/x", "0"), ("sin(2*x)/x", "0")),
    R("sin(u)/u", "where(abs(u) < 1e-3, 1 - u**2/6 + u**4/120, sin(u)/u)",
      ("sin(x)/x", "1e-9"), ("sin(2*x)/x", "1e-9")),
    R("(1 - cos(u))/u**2", "where(abs(u) < 1e-3, 1/2 - u**2/24 + u**4/720, 2*(sin(u/2)/u)**2)",
      ("(1 - cos(x))/x**2", "5e-9"), ("(1 - cos(2*x))/x**2", "5e-9")),
    R("(1 - cos(v*u))/u**2",
      "v**2*where(abs(v*u) < 1e-3, 1/2 - (v*u)**2/24 + (v*u)**4/720, 2*(sin(v*u/2)/(v*u))**2)",
      ("(1 - cos(3*x))/x**2", "3e-9"), ("(2 - cos(3*x))/x**2", "3e-9")),
    R("(1 - cos(u))/u", "where(abs(u) < 1e-3, u/2 - u**3/24 + u**5/720, (1 - cos(u))/u)",
      ("(1 - cos(x))/x", "1e-9"), ("(1 - cos(2*x))/x", "1e-9")),
    # cancellation
    R("exp(u) - 1", "expm1(u)", ("log(exp(x) - 1)", "1e-9"), ("log(exp(x) - 2)", "1e-9")),
    R("1 - exp(u)", "-expm1(u)", ("log(1 - exp(-x))", "1e-9"), ("log(2 - exp(-x))", "1e-9")),
    R("exp(u) - exp(-u)", "2*sinh(u)", ("log(exp(x) - exp(-x))", "1e-10"), ("log(exp(x) - exp(-2*x))", "1e-10")),
    R("exp(u) - exp(v)", "exp(v)*expm1(u - v)",
      ("log(exp(x) - exp(1))", "1.0000000001"), ("log(exp(x) - 2)", "1.0000000001")),
    R("1 - cos(u)", "2*sin(u/2)**2", ("log(1 - cos(x))", "1e-6"), ("log(2 - cos(x))", "1e-6")),
    R("cosh(u) - 1", "2*sinh(u/2)**2", ("log(cosh(x) - 1)", "1e-6"), ("log(cosh(x) - 2)", "2")),
    R("1 - erf(u)", "erfc(u)", ("log(1 - erf(x))", "5"), ("log(2 - erf(x))", "5")),
    R("1 + erf(u)", "erfc(-u)", ("log(1 + erf(x))", "-5"), ("log(2 + erf(x))", "-5")),
    R("exp(u**2)*erfc(u)", "erfcx(u)", ("exp(x**2)*erfc(x)", "27"), ("exp(x)*erfc(x)", "27")),
    R("1 - sqrt(1 - u)", "u/(1 + sqrt(1 - u))", ("log(1 - sqrt(1 - x))", "1e-9"), ("log(1 - sqrt(1 - x))", "-0.5")),
    R("sqrt(1 + u) - 1", "u/(sqrt(1 + u) + 1)", ("log(sqrt(1 + x) - 1)", "1e-9"), ("log(sqrt(2 + x) - 1)", "1e-9")),
    R("sqrt(u + v) - sqrt(u - v)", "2*v/(sqrt(u + v) + sqrt(u - v))",
      ("1e16*(sqrt(x + 1) - sqrt(x - 1))", "1e12"), ("1e16*(sqrt(x + 1) - sqrt(x - 2))", "1e12")),
    R("sqrt(u + v) - sqrt(u)", "v/(sqrt(u + v) + sqrt(u))",
      ("1e12*(sqrt(x + 1) - sqrt(x))", "1e12"), ("1e12*(sqrt(x + 1) - sqrt(2*x))", "1e12")),
    R("sqrt(u**2 + v) - u", "v/(sqrt(u**2 + v) + u)",
      ("1e9*(sqrt(x**2 + 1) - x)", "1e8"), ("1e9*(sqrt(x**2 + 1) - 2*x)", "1e8")),
    R("u - sqrt(u**2 - v)", "v/(u + sqrt(u**2 - v))",
      ("1e9*(x - sqrt(x**2 - 1))", "1e8"), ("1e9*(x - sqrt(x**3 - 1))", "1e8")),
    R("1/u - 1/(u + v)", "v/(u*(u + v))", ("1e30*(1/x - 1/(x + 1))", "1e9"), ("1e30*(1/x - 1/(2*x + 1))", "1e9")),
    R("1/(u + v) - 1/u", "-v/(u*(u + v))", ("1e30*(1/(x + 1) - 1/x)", "1e9"), ("1e30*(1/(x + 1) - 2/x)", "1e9")),
    R("atan(u + v) - atan(u)", "atan2(v, 1 + u*(u + v))",
      ("1e30*(atan(x + 1) - atan(x))", "1e9"), ("1e30*(atan(x + 1) - atan(2*x))", "1e9")),
    R("sin(u + v) - sin(u)", "2*cos(u + v/2)*sin(v/2)", ("log(sin(x + y) - sin(x))", "x=1,y=1e-9"),
      ("log(sin(x + y) - sin(2*x))", "x=1,y=1e-9")),
    R("u**2 - v**2", "(u - v)*(u + v)",
      ("log(x**2 - y**2)", "x=1.00000001,y=1"), ("log(x**2 - y**3)", "x=1.00000001,y=1")),
    # overflow and underflow on the way
    R("sqrt(u**2 + v**2)", "hypot(u, v)",
      ("sqrt(x**2 + y**2)", "x=1e200,y=1e200"), ("sqrt(x**2 - y**2)", "x=1e200,y=1")),
    R("sqrt(u**2 + v**2 + w**2)", "hypot(hypot(u, v), w)",
      ("sqrt(x**2 + y**2 + 4**2)", "x=1e200,y=1e200"), ("sqrt(x**2 + y**2 - 4**2)", "x=1e200,y=1e200")),
    R("sqrt(u**2 + 1)", "hypot(u, 1)", ("sqrt(x**2 + 1)", "1e200"), ("sqrt(x**3 + 1)", "1e200")),
    R("sqrt(1/u)", "rsqrt(u)", ("sqrt(1/x)", "1e-160"), ("sqrt(2 + 1/x)", "1e-160")),
    R("sqrt(u**2)", "abs(u)", ("sqrt(x*x)", "1e-200"), ("sqrt(x**3)", "1e-200")),
    R("sqrt(u)**2", "u", ("sqrt(x)*sqrt(x)", "0"), ("sqrt(x)*sqrt(2*x)", "0")),
    R("exp(log(u))", "u", ("exp(log(x))", "0"), ("exp(log(x) + 1)", "-1")),
    R("exp(u)*exp(v)", "exp(u + v)", ("exp(x)*exp(-x + 1)", "800"), ("exp(x) + exp(-x + 1)", "800")),
    R("exp(u)/exp(v)", "exp(u - v)", ("exp(x)/exp(x - 1)", "800"), ("exp(x)/cosh(x)", "800")),
    R("u**2/v**2", "(u/v)**2", ("x**2/y**2", "x=1e200,y=1e200"), ("x**2/y**3", "x=1e200,y=1e200")),
    # kinks: forms whose derivative at the tie is right, or lies between the one-sided ones
    R("relu(u) - relu(-u)", "u", ("relu(x) - relu(-x)", "0"), ("relu(x) - relu(-2*x)", "0")),
    R("relu(u) + log1p(exp(-abs(u)))", "logaddexp(0, u)",
      ("relu(x) - x*t + log1p(exp(-abs(x)))", "x=0,t=1"), ("relu(x) + log1p(exp(-2*abs(x)))", "0")),
    R("clamp_min(u, 0) + log1p(exp(-abs(u)))", "logaddexp(0, u)",
      ("clamp(x, min=0) - x*t + log1p(exp(-abs(x)))", "x=0,t=1"), ("clamp(x, min=0) + log1p(exp(-2*abs(x)))", "0")),
    R("relu(u) + softplus(-abs(u))", "logaddexp(0, u)", ("relu(x) + softplus(-abs(x))", "0"),
      ("relu(x) + softplus(-2*abs(x))", "0")),
    R("relu(u) + minimum(u, 0)", "u", ("relu(x) + min(x, 0)", "0"), ("relu(x) + min(2*x, 0)", "0")),
    R("clamp(u, 0, v) - clamp(-u, 0, v)", "clamp(u, -v, v)", ("clamp(x, 0, 10) - clamp(-x, 0, 10)", "0"),
      ("clamp(x, 0, 10) - clamp(-x, 0, 9)", "0")),
    R("acos(cos(u))", "abs(atan2(sin(u), cos(u)))", ("acos(cos(x))", "0"), ("acos(cos(x)/2)", "0")),
    R("xlogy(u, u)", "-entr(u)", ("xlogy(x, x)", "0"), ("xlogy(x, 2*x)", "0")),
    R("u**u", "exp(-entr(u))", ("x**x", "0"), ("x**y", "x=0,y=1")),
    R("u*log(u)", "-entr(u)", ("x*log(x)", "0"), ("x*log(2*x)", "0")),
    R("hypot(u, v)", "where(u == 0 and v == 0, 0, hypot(where(u == 0 and v == 0, 1, u), v))",
      ("hypot(x, y)", "x=0,y=0"), ("sqrt(x*y)", "x=0,y=0")),
    R("sqrt(u)", "where(u == 0, 0, sqrt(where(u == 0, 1, u)))", ("x*sqrt(abs(x))", "0"), ("sqrt(1 - cos(x))", "1e-9")),
    R("u**v", "where(u == 0, 0, where(u == 0, 1, u)**v)", ("max(x, 0)**0.5", "0"), ("max(x, 0)**2", "0")),
    R("asin(u)", "where(abs(u) < 1, asin(where(abs(u) < 1, u, 0)), pi/2*sign(u))",
      ("asin(clamp(x, -1, 1))", "1"), ("acos(clamp(x, -1, 1))", "1")),
    R("acos(u)", "where(abs(u) < 1, acos(where(abs(u) < 1, u, 0)), where(u > 0, 0, pi))",
      ("acos(clamp(x, -1, 1))", "-1"), ("asin(clamp(x, -1, 1))", "-1")),
    R("acosh(u)", "where(u == 1, 0, acosh(where(u == 1, 2, u)))",
      ("acosh(clamp(x, min=1))", "1"), ("asin(clamp(x, -1, 1))", "1")),
    R("a branch not taken that leaks", double_where,
      ("where(x > 0, sqrt(x), 0)", "-1"), ("where(x > 0, 1/x, 0)", "0")),
    R("a polynomial", factored_polynomial, ("1e9*(x**3 - 3*x**2 + 3*x - 1)", "1.0001"), ("x + sin(x)", "1")),
)  # fmt: skip
"""In the order in which they are tried: the shortest advice for the same trouble first."""
