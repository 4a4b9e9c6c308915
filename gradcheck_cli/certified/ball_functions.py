"""The functions of the table that `arb` has not, or has under another name or with a narrower domain.

Each takes and returns balls (`flint.arb`) at the precision in force: the result encloses the true value for every point
of the arguments, and is not finite where that is not a real number or nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable

from flint import acb, arb, arb_series, ctx, fmpq

NAN = arb("nan")
EVERYTHING = arb(0, float("inf"))
_HALF = arb(0.5)
_UNIT = arb(0.5, 0.5)  # [0, 1]


def _order(n: arb) -> int:
    """An argument of kind "integer" as an int."""
    value = n.unique_fmpz()
    assert value is not None, n
    return int(value)


def add(x: arb, y: arb) -> arb:
    return x + y


def sub(x: arb, y: arb) -> arb:
    return x - y


def mul(x: arb, y: arb) -> arb:
    return x * y


def div(x: arb, y: arb) -> arb:
    return x / y


def neg(x: arb) -> arb:
    return -x


def positive(x: arb, *_: arb) -> arb:
    return x


def pow(x: arb, y: arb) -> arb:
    """x**y with 0**0 = 1; a negative base has integer exponents only."""
    if y.is_exact() and y.is_integer():
        if not _order(y) % 2:
            return abs(x) ** y
        return x**y
    if x.is_zero():
        if y > 0:
            return arb(0)
        return NAN
    return x**y


def hypot(x: arb, y: arb) -> arb:
    return abs(x) if y.is_zero() else abs(y) if x.is_zero() else (x * x + y * y).sqrt()


def _log1p_exp(x: arb) -> arb:
    """log(1 + exp(x)), without loss for large x."""
    return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()


def logaddexp(x: arb, y: arb) -> arb:
    return x + _log1p_exp(y - x)


def logaddexp2(x: arb, y: arb) -> arb:
    log2 = arb(2).log()
    return x + _log1p_exp((y - x) * log2) / log2


def sigmoid(x: arb) -> arb:
    return 1 / (1 + (-x).exp()) if x > 0 else x.exp() / (1 + x.exp())


def logsigmoid(x: arb) -> arb:
    return -_log1p_exp(-x)


def xlogy(x: arb, y: arb) -> arb:
    return arb(0) if x.is_zero() else x * y.log()


def xlog1py(x: arb, y: arb) -> arb:
    return arb(0) if x.is_zero() else x * y.log1p()


def entr(x: arb) -> arb:
    return arb(0) if x.is_zero() else -x * x.log()


def atan2(y: arb, x: arb) -> arb:
    return NAN if x.is_zero() and y.is_zero() else arb.atan2(y, x)


def relu(x: arb) -> arb:
    return x.max(arb(0))


def absolute(x: arb) -> arb:
    return abs(x)


def maximum(x: arb, y: arb) -> arb:
    return x.max(y)


def minimum(x: arb, y: arb) -> arb:
    return x.min(y)


def offset_from_integer(x: arb) -> arb:
    """x minus the integer nearest to its midpoint."""
    return x - (x.mid() + _HALF).floor()


def erfcx(x: arb) -> arb:
    """exp(x**2)*erfc(x); for large x by Tricomi's U: erfcx(x) = U(1/2, 1/2, x**2)/sqrt(pi) (DLMF 7.11.5)."""
    if x > 8:
        return (x * x).hypgeom_u(_HALF, _HALF) / arb.pi().sqrt()
    return (x * x).exp() * x.erfc()


def log_ndtr(x: arb) -> arb:
    """log of the normal distribution function; for x < -8 through erfcx, since erfc would underflow any exponent."""
    scaled = -x / arb(2).sqrt()
    return (erfcx(scaled) / 2).log() - scaled * scaled if x < -8 else (scaled.erfc() / 2).log()


def digamma(x: arb) -> arb:
    return polygamma(arb(0), x) if x < -10 else x.digamma()


def ndtri(p: arb) -> arb:
    return -arb(2).sqrt() * (2 * p).erfcinv()


def lgamma(x: arb) -> arb:
    return x.lgamma() if x > 0 else abs(x.gamma()).log()


def gamma(x: arb) -> arb:
    return x.gamma() if x > 0 else NAN


def harmonic(x: arb) -> arb:
    return digamma(x + 1) + arb.const_euler()


def lbeta(a: arb, b: arb) -> arb:
    return a.lgamma() + b.lgamma() - (a + b).lgamma() if a > 0 and b > 0 else NAN


def beta(a: arb, b: arb) -> arb:
    return lbeta(a, b).exp()


def polygamma(n: arb, x: arb) -> arb:
    """The n-th derivative of digamma; for negative x by reflection (DLMF 5.15.6), else the work grows with abs(x)."""
    order = _order(n)
    if x < -10:
        series = arb_series([x, 1], order + 1).cot_pi()
        cotangent = series[order] * arb(order).fac() * arb.pi()
        reflected = polygamma(n, 1 - x)
        return (-reflected if order % 2 else reflected) - cotangent
    if order == 0:
        return x.digamma()
    value: acb = acb(x).polygamma(order)
    return value.real


def mvpolygamma(n: arb, x: arb, p: arb) -> arb:
    return sum((polygamma(n, x - arb(fmpq(j, 2))) for j in range(_order(p))), arb(0))


def mvlgamma(x: arb, p: arb) -> arb:
    """log of the multivariate gamma function: p(p-1)/4 log(pi) + the sum of lgamma(x - j/2), j < p."""
    order = _order(p)
    if not 2 * x > order - 1:
        return NAN
    constant = arb.pi().log() * fmpq(order * (order - 1), 4)
    return sum((lgamma(x - arb(fmpq(j, 2))) for j in range(order)), constant)


def zeta(x: arb, q: arb) -> arb:
    """The Hurwitz zeta function; for large x by its first term and a bound of the rest by the integral test."""
    if not (x > 1 and q > 0):
        return NAN
    if x > 10_000:
        rest = (q / (q + 1)) ** x * (1 + (q + 1) / (x - 1))
        return q ** (-x) * (1 + arb(0).union(rest))
    return x.zeta(q)


def igamma(a: arb, x: arb) -> arb:
    if not (a > 0 and x >= 0):
        return NAN
    if x.is_zero():
        return arb(0)
    return _between_0_and_1(_large_lower, a, x) if a > LARGE_ORDER else x.gamma_lower(a, regularized=1)


def igammac(a: arb, x: arb) -> arb:
    if not (a > 0 and x >= 0):
        return NAN
    if x.is_zero():
        return arb(1)
    if not a > LARGE_ORDER:
        return x.gamma_upper(a, regularized=1)
    return _between_0_and_1(_large_upper, a, x) if 2 * x > a else 1 - igamma(a, x)


LARGE_ORDER = 1_000  # from here on arb's incomplete gamma functions take long, and often lose all digits
MOST_TERMS = 100_000
ENOUGH_BITS = 640  # where terms are many


def _between_0_and_1(compute: Callable[[arb, arb], arb], a: arb, x: arb) -> arb:
    """A result known to lie there, at no more bits than can be had in time."""
    with ctx.workprec(min(ctx.prec, ENOUGH_BITS) if 2 * x > a else ctx.prec):
        value = compute(a, x)
        return value.intersection(_UNIT) if value.is_finite() else _UNIT


def _large_upper(a: arb, x: arb) -> arb:
    """igammac by Tricomi's U (DLMF 8.5.3 and 13.2.40): x**a*exp(-x)*U(1, 1 + a, x)/gamma(a)."""
    return (a * x.log() - x - a.lgamma()).exp() * x.hypgeom_u(arb(1), a + 1)


def _large_lower(a: arb, x: arb) -> arb:
    """igamma from igammac, and where that is too close to 1 by the series (DLMF 8.7.1) of x**n/(a + 1)...(a + n)."""
    if 2 * x > a:
        value = 1 - _large_upper(a, x)
        if value.rel_accuracy_bits() >= ctx.prec // 2 or not x < a:
            return value
    term = total = arb(1)
    negligible = arb(2) ** -ctx.prec
    for n in range(1, MOST_TERMS):
        term = term * x / (a + n)
        total = total + term
        if term < total * negligible:
            break
    rest = term * x / (a - x)  # the terms fall faster than powers of x/(a + n)
    return (a * x.log() - x - (a + 1).lgamma()).exp() * (total + arb(0).union(rest))


def besseli(n: arb, x: arb) -> arb:
    return x.bessel_i(n)


def besselie(n: arb, x: arb) -> arb:
    return (-abs(x)).exp() * x.bessel_i(n)


def besselk(n: arb, x: arb) -> arb:
    return x.bessel_k(n) if x > 0 else NAN


def besselj(n: arb, x: arb) -> arb:
    return x.bessel_j(n)


def bessely(n: arb, x: arb) -> arb:
    return x.bessel_y(n) if x > 0 else NAN


def airy_ai_prime(x: arb) -> arb:
    return x.airy_ai(derivative=1)


def chebyshev_t(n: arb, x: arb) -> arb:
    order = _order(n)
    if order == 0:
        return arb(1)
    previous, current = arb(1), x
    for _ in range(order - 1):
        previous, current = current, 2 * x * current - previous
    return current


def gegenbauer(a: arb, n: arb, x: arb) -> arb:
    """C_n^(a)(x) by its recurrence (DLMF 18.9.1)."""
    order = _order(n)
    if order < 0:
        return arb(0)
    previous, current = arb(0), arb(1)
    for k in range(1, order + 1):
        previous, current = current, (2 * x * (k + a - 1) * current - (k + 2 * a - 2) * previous) / k
    return current


def hermite(n: arb, x: arb) -> arb:
    """H_n(x) by its recurrence (DLMF 18.9.1)."""
    order = _order(n)
    if order < 0:
        return arb(0)
    previous, current = arb(0), arb(1)
    for k in range(order):
        previous, current = current, 2 * x * current - 2 * k * previous
    return current


def laguerre(a: arb, n: arb, x: arb) -> arb:
    """L_n^(a)(x) by its recurrence (DLMF 18.9.1)."""
    order = _order(n)
    if order < 0:
        return arb(0)
    previous, current = arb(0), arb(1)
    for k in range(1, order + 1):
        previous, current = current, ((2 * k - 1 + a - x) * current - (k - 1 + a) * previous) / k
    return current


def dsinc(n: arb, x: arb) -> arb:
    """The n-th derivative of sin(pi x)/(pi x), as a Taylor coefficient of the quotient; at a ball around 0 the bound
    pi**n/(n + 1), from sinc(x) = the integral of cos(pi t x) over 0 <= t <= 1."""
    order = _order(n)
    scaled = arb.pi() * x
    factorial, power = arb(order).fac(), arb.pi() ** order
    if scaled.is_zero():
        sign = [1, 0, -1, 0][order % 4]
        return sign * power / (order + 1)
    if x.contains(0):
        return arb(0, (power / (order + 1)).upper())
    series = arb_series([scaled, 1], order + 1)
    return (series.sin() / series)[order] * factorial * power
