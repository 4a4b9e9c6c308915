"""THE table of functions: one row each. Adding a function is adding a row.

The formulas in a row are written in the language that users type and are read by the same parser; the heavy libraries
are named, not imported. A formula may use the row's arguments, every function of the table, and the internal rows.

Each row states its own partial derivatives: SymPy's are often inaccurate in floating point, undefined at a point where
the derivative exists, or unevaluated. A test compares each with SymPy's derivative of the row's form.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from gradcheck_cli.expression.function import Function

F = Function
V = TypeVar("V")


def _larger(s: Any, x: Any, y: Any) -> Any:
    """max(x, y) in SymPy, whose own Max has a Heaviside for a derivative."""
    return s.Piecewise((x, x > y), (y, True), evaluate=False)


def _absolute(s: Any, x: Any) -> Any:
    """abs(x) in SymPy, whose own Abs has the derivative of a complex function where x is not known to be real."""
    return s.Abs(x) if x.is_extended_real else s.Piecewise((x, x > 0), (-x, True), evaluate=False)


def _smaller(s: Any, x: Any, y: Any) -> Any:
    return s.Piecewise((x, x < y), (y, True), evaluate=False)


_POSITIVE = ((0.3,), (1.7,), (4.1,))
_UNIT = ((-0.7,), (0.2,), (0.85,))
_PAIR = ((0.7, 1.3), (-1.1, 0.6), (2.3, -1.9))
_PIECEWISE = ((-4.3,), (-0.7,), (0.2,), (0.8,), (1.6,), (7.2,))

OPERATORS = (
    F("add", "x, y", "x + y", mixed="tn nt", torch=operator.add, sympy=lambda _, x, y: x + y, partials=("1", "1"),
      points=_PAIR, variables=("add",)),
    F("sub", "x, y", "x - y", mixed="tn nt", aliases=("subtract",), torch=operator.sub, sympy=lambda _, x, y: x - y,
      partials=("1", "-1"), points=_PAIR, variables=("sub", "subtract")),
    F("rsub", "x, other", "other - x", mixed="tn", method=False, definition="other - x", partials=("-1", "1"),
      points=_PAIR),
    F("mul", "x, y", "x * y", mixed="tn nt", aliases=("multiply",), torch=operator.mul, sympy=lambda _, x, y: x * y,
      partials=("y", "x"), points=_PAIR, variables=("mul", "multiply")),
    F("div", "x, y", "x / y", mixed="tn", aliases=("divide", "true_divide"), torch=operator.truediv,
      sympy=lambda _, x, y: x / y,
      partials=("1/y", "-x/y**2"), domain="y != 0", points=_PAIR,
      options={"rounding_mode": {"floor": "div_floor", "trunc": "div_trunc"}}, variables=("div", "divide")),
    F("pow", "x, y", "x ** y, with 0**0 = 1", operands=("input", "exponent"), mixed="tn nt", float_ulps=4,
      also=("power", "Pow"), torch=operator.pow,
      sympy=lambda _, x, y: x**y, partials=("y*x**where(y == 0, 1, y - 1)", "where(x == 0 and y > 0, 0, x**y*log(x))"),
      domain="x > 0 or x == 0 and y >= 0 or x < 0 and offset_from_integer(y) == 0",
      seams=("where(x == 0 and offset_from_integer(y) != 0, 0, 1)",), points=((0.7, 1.3), (2.3, -1.9)),
      variables=("pow", "power")),
    F("float_power", "x, y", "x ** y, computed in float64", operands=("input", "exponent"), mixed="tn nt",
      definition="x**y", partials=("y*x**where(y == 0, 1, y - 1)", "where(x == 0 and y > 0, 0, x**y*log(x))"),
      domain="x > 0 or x == 0 and y >= 0 or x < 0 and offset_from_integer(y) == 0",
      seams=("where(x == 0 and offset_from_integer(y) != 0, 0, 1)",), points=((0.7, 1.3), (2.3, -1.9))),
    F("neg", "x", "-x", aliases=("negative",), torch=operator.neg, sympy=lambda _, x: -x, partials=("-1",),
      exact=True, zeros="argument", variables=("neg", "negative")),
)  # fmt: skip

ELEMENTARY = (
    F("exp", doc="the exponential", float_ulps=4, partials=("exp(x)",), bounds=(0, float("inf")), latex=r"\exp",
      zeros="never"),
    F("exp2", doc="2**x", float_ulps=4, aliases=("special.exp2",), definition="2**x", partials=("log(2)*exp2(x)",),
      bounds=(0, float("inf")), zeros="never"),
    F("expm1", doc="exp(x) - 1, accurate near 0", float_ulps=4, aliases=("special.expm1",), ball="expm1",
      definition="exp(x) - 1",
      partials=("exp(x)",), bounds=(-1, float("inf")), zeros="argument"),
    F("log", doc="the natural logarithm", float_ulps=4, also=("ln",), partials=("1/x",), domain="x > 0",
      points=_POSITIVE, latex=r"\log"),
    F("log2", doc="the logarithm to base 2", float_ulps=4, definition="log(x)/log(2)",
      partials=("1/(x*log(2))",), domain="x > 0",
      points=_POSITIVE),
    F("log10", doc="the logarithm to base 10", float_ulps=4, definition="log(x)/log(10)", partials=("1/(x*log(10))",),
      domain="x > 0", points=_POSITIVE),
    F("log1p", doc="log(1 + x), accurate near 0", float_ulps=4, aliases=("special.log1p",), ball="log1p",
      definition="log(1 + x)",
      partials=("1/(1 + x)",), domain="x > -1", points=((-0.6,), (0.3,), (4.1,)), zeros="argument"),
    F("sqrt", doc="the square root", float_ulps=1, partials=("1/(2*sqrt(x))",), domain="x >= 0", seams=("x",),
      points=_POSITIVE,
      bounds=(0, float("inf")), zeros="argument"),
    F("rsqrt", doc="1/sqrt(x)", ball="rsqrt", definition="1/sqrt(x)", partials=("-rsqrt(x)/(2*x)",), domain="x > 0",
      points=_POSITIVE, bounds=(0, float("inf")), zeros="never"),
    F("cbrt", doc="x**(1/3), the principal root: x >= 0", torch=None, definition="x**(1/3)",
      partials=("1/(3*cbrt(x)**2)",), domain="x >= 0", seams=("x",), points=_POSITIVE, zeros="argument"),
    F("square", doc="x**2", definition="x**2", partials=("2*x",), bounds=(0, float("inf")), variables=("square",)),
    F("reciprocal", doc="1/x", definition="1/x", partials=("-1/x**2",), domain="x != 0", variables=("reciprocal",)),
    F("positive", doc="x itself", definition="x", partials=("1",), exact=True, variables=("positive",)),
    F("deg2rad", doc="degrees to radians", also=("radians",), definition="pi*x/180", partials=("pi/180",),
      variables=("radians",)),
    F("rad2deg", doc="radians to degrees", also=("degrees",), definition="180*x/pi", partials=("180/pi",),
      variables=("degrees",)),
    F("hypot", "x, y", "sqrt(x**2 + y**2), without overflow", ball="hypot", definition="sqrt(x**2 + y**2)",
      partials=("x/hypot(x, y)", "y/hypot(x, y)"), seams=("abs(x) + abs(y)",), points=_PAIR, bounds=(0, float("inf"))),
    F("logaddexp", "x, y", "log(exp(x) + exp(y))", float_ulps=8, ball="logaddexp", definition="log(exp(x) + exp(y))",
      partials=("sigmoid(x - y)", "sigmoid(y - x)"), points=_PAIR),
    F("logaddexp2", "x, y", "log2(2**x + 2**y)", ball="logaddexp2", definition="log2(2**x + 2**y)",
      partials=("sigmoid(log(2)*(x - y))", "sigmoid(log(2)*(y - x))"), points=_PAIR),
    F("xlogy", "x, y", "x*log(y), and 0 where x is 0", mixed="tn nt", aliases=("special.xlogy",), ball="xlogy",
      definition="x*log(y)", partials=("log(y)", "x/y"), domain="y > 0 or x == 0",
      seams=("where(y > 0, 1, 0)",), points=((0.7, 1.3), (-1.1, 0.6))),
    F("xlog1py", "x, y", "x*log(1 + y), and 0 where x is 0", mixed="tn nt", aliases=("special.xlog1py",),
      torch="special.xlog1py",
      ball="xlog1py", definition="x*log(1 + y)", partials=("log1p(y)", "x/(1 + y)"),
      domain="y > -1 or x == 0", seams=("where(y > -1, 1, 0)",), points=((0.7, 1.3), (-1.1, 0.6))),
    F("lerp", "x, end, weight", "x + weight*(end - x)", mixed="ttn", definition="x + weight*(end - x)",
      partials=("1 - weight", "weight", "end - x"), points=((0.7, 1.3, 0.4), (-1.1, 0.6, 1.7))),
    F("ldexp", "x, other", "x*2**other", definition="x*2**other", partials=("2**other", "log(2)*x*2**other"),
      points=_PAIR),
    F("nan_to_num", "x, nan=0", "x itself wherever it is finite", ball="positive", sympy=lambda _, x, nan: x,
      partials=("1",), overloads=("nan_to_num_bounded",)),
    F("nan_to_num_bounded", "x, nan:number, posinf:number, neginf:number",
      "nan_to_num with limits: x itself wherever it is finite", torch="nan_to_num", ball="positive",
      sympy=lambda _, x, *limits: x, partials=("1",), points=((-1.3, 0, 9, -9),)),
)  # fmt: skip

TRIGONOMETRIC = (
    F("sin", doc="sine", float_ulps=4, group="trigonometric", partials=("cos(x)",), bounds=(-1, 1), latex=r"\sin",
      odd=True),
    F("cos", doc="cosine", float_ulps=4, group="trigonometric", partials=("-sin(x)",), bounds=(-1, 1), latex=r"\cos"),
    F("tan", doc="tangent", float_ulps=4, group="trigonometric", partials=("sec(x)**2",), latex=r"\tan", odd=True),
    F("sec", doc="1/cos(x)", group="trigonometric", torch=None, ball="sec", definition="1/cos(x)",
      partials=("sec(x)*tan(x)",), latex=r"\sec"),
    F("csc", doc="1/sin(x)", group="trigonometric", also=("cosec",), torch=None, ball="csc",
      definition="1/sin(x)", partials=("-csc(x)*cot(x)",), domain="sin(x) != 0", latex=r"\csc"),
    F("cot", doc="1/tan(x)", group="trigonometric", torch=None, ball="cot", definition="1/tan(x)",
      partials=("-csc(x)**2",), domain="sin(x) != 0", latex=r"\cot"),
    F("asin", doc="inverse sine", float_ulps=4, group="trigonometric", aliases=("arcsin",),
      partials=("rsqrt((1 - x)*(1 + x))",),
      domain="x >= -1 and x <= 1", seams=("(1 - x)*(1 + x)",), points=_UNIT, latex=r"\arcsin", odd=True,
      zeros="argument"),
    F("acos", doc="inverse cosine", float_ulps=4, group="trigonometric", aliases=("arccos",),
      partials=("-rsqrt((1 - x)*(1 + x))",),
      domain="x >= -1 and x <= 1", seams=("(1 - x)*(1 + x)",), points=_UNIT, latex=r"\arccos"),
    F("atan", doc="inverse tangent", float_ulps=4, group="trigonometric", aliases=("arctan",),
      partials=("1/(1 + x**2)",), latex=r"\arctan", odd=True, zeros="argument"),
    F("acot", doc="atan(1/x)", group="trigonometric", also=("arccot",), torch=None, definition="atan(1/x)",
      partials=("-1/(1 + x**2)",), domain="x != 0"),
    F("asec", doc="acos(1/x)", group="trigonometric", also=("arcsec",), torch=None, definition="acos(1/x)",
      partials=("1/(abs(x)*sqrt((x - 1)*(x + 1)))",), domain="x >= 1 or x <= -1", seams=("(x - 1)*(x + 1)",),
      points=((-2.2,), (1.4,), (5.1,))),
    F("acsc", doc="asin(1/x)", group="trigonometric", also=("arccsc",), torch=None, definition="asin(1/x)",
      partials=("-1/(abs(x)*sqrt((x - 1)*(x + 1)))",), domain="x >= 1 or x <= -1", seams=("(x - 1)*(x + 1)",),
      points=((-2.2,), (1.4,), (5.1,))),
    F("atan2", "y, x", "the angle of the point (x, y)", float_ulps=4, group="trigonometric",
      aliases=("arctan2",), ball="atan2",
      partials=("x/(x**2 + y**2)", "-y/(x**2 + y**2)"), domain="x != 0 or y != 0", seams=("where(x > 0, 1, y)",),
      points=_PAIR, jumps=True),
    F("sinc", doc="sin(pi*x)/(pi*x), and 1 at 0", group="trigonometric", aliases=("special.sinc",), ball="sinc_pi",
      sympy=lambda s, x: s.sinc(s.pi * x), partials=("dsinc(1, x)",), bounds=(-1, 1)),
)  # fmt: skip

HYPERBOLIC = (
    F("sinh", doc="hyperbolic sine", float_ulps=4, group="hyperbolic", partials=("cosh(x)",), latex=r"\sinh",
      odd=True, zeros="argument"),
    F("cosh", doc="hyperbolic cosine", float_ulps=4, group="hyperbolic", partials=("sinh(x)",),
      bounds=(1, float("inf")), latex=r"\cosh", zeros="never"),
    F("tanh", doc="hyperbolic tangent", float_ulps=4, group="hyperbolic", aliases=("nn.functional.tanh",),
      partials=("sech(x)**2",),
      bounds=(-1, 1), latex=r"\tanh", odd=True, zeros="argument"),
    F("sech", doc="1/cosh(x)", group="hyperbolic", torch=None, ball="sech", definition="1/cosh(x)",
      partials=("-sech(x)*tanh(x)",), bounds=(0, 1), zeros="never"),
    F("csch", doc="1/sinh(x)", group="hyperbolic", also=("cosech",), torch=None, ball="csch",
      definition="1/sinh(x)", partials=("-csch(x)*coth(x)",), domain="x != 0"),
    F("coth", doc="1/tanh(x)", group="hyperbolic", torch=None, ball="coth", definition="1/tanh(x)",
      partials=("-csch(x)**2",), domain="x != 0", latex=r"\coth"),
    F("asinh", doc="inverse hyperbolic sine", float_ulps=4, group="hyperbolic", aliases=("arcsinh",),
      partials=("rsqrt(1 + x**2)",), odd=True, zeros="argument"),
    F("acosh", doc="inverse hyperbolic cosine", float_ulps=4, group="hyperbolic", aliases=("arccosh",),
      partials=("rsqrt((x - 1)*(x + 1))",), domain="x >= 1", seams=("x - 1",), points=((1.3,), (2.4,), (7.1,)),
      bounds=(0, float("inf"))),
    F("atanh", doc="inverse hyperbolic tangent", float_ulps=4, group="hyperbolic", aliases=("arctanh",),
      partials=("1/((1 - x)*(1 + x))",), domain="x > -1 and x < 1", points=_UNIT, odd=True, zeros="argument"),
    F("acoth", doc="atanh(1/x)", group="hyperbolic", also=("arccoth",), torch=None, definition="atanh(1/x)",
      partials=("1/((1 - x)*(1 + x))",), domain="x > 1 or x < -1", points=((-2.2,), (1.4,), (5.1,))),
    F("asech", doc="acosh(1/x)", group="hyperbolic", also=("arcsech",), torch=None, definition="acosh(1/x)",
      partials=("-1/(x*sqrt((1 - x)*(1 + x)))",), domain="x > 0 and x <= 1", seams=("1 - x",),
      points=((0.2,), (0.85,))),
    F("acsch", doc="asinh(1/x)", group="hyperbolic", also=("arccsch",), torch=None, definition="asinh(1/x)",
      partials=("-1/(abs(x)*sqrt(1 + x**2))",), domain="x != 0"),
)  # fmt: skip

_FUNCTIONAL = "nn.functional."

ACTIVATIONS = (
    F("sigmoid", doc="1/(1 + exp(-x))", group="activation", aliases=("special.expit", _FUNCTIONAL + "sigmoid"),
      also=("expit",),
      ball="sigmoid", definition="1/(1 + exp(-x))", partials=("sech(x/2)**2/4",), bounds=(0, 1), zeros="never"),
    F("logsigmoid", doc="log(sigmoid(x))", group="activation", also=("log_sigmoid",),
      torch=_FUNCTIONAL + "logsigmoid", ball="logsigmoid", definition="-log(1 + exp(-x))", partials=("sigmoid(-x)",),
      bounds=(float("-inf"), 0)),
    F("logit", doc="log(x/(1 - x))", group="activation", aliases=("special.logit",), definition="log(x/(1 - x))",
      partials=("1/(x*(1 - x))",), domain="x > 0 and x < 1", points=((0.2,), (0.85,)), overloads=("logit_clamped",)),
    F("logit_clamped", "x, eps:number", "logit of x clamped to [eps, 1 - eps]", group="activation", torch="logit",
      definition="logit(where(x < eps, eps, where(x > 1 - eps, 1 - eps, x)))",
      partials=("where(x < eps or x > 1 - eps, 0, 1/(x*(1 - x)))",),
      seams=("x - eps", "x - (1 - eps)"), points=((0.2, 0.1), (0.85, 0.1), (0.95, 0.1), (-1.3, 0.1))),
    F("softplus", "x, beta=1, threshold=20", "log(1 + exp(beta*x))/beta, and x where beta*x > threshold",
      group="activation", torch=_FUNCTIONAL + "softplus",
      definition="where(beta*x > threshold, x, logaddexp(0, beta*x)/beta)",
      sympy=lambda s, x, b, t: s.Piecewise((x, b * x > t), (s.log(1 + s.exp(b * x)) / b, True)),
      partials=("where(beta*x > threshold, 1, sigmoid(beta*x))",), seams=("beta*x - threshold",),
      points=((-1.3, 1, 20), (2.1, 1, 20), (0.4, 3, 0.5))),
    F("softsign", doc="x/(1 + abs(x))", group="activation", torch=_FUNCTIONAL + "softsign",
      definition="x/(1 + abs(x))", partials=("1/(1 + abs(x))**2",), bounds=(-1, 1)),
    F("relu", doc="max(x, 0)", inplace=True, group="activation", aliases=(_FUNCTIONAL + "relu",), also=("ReLU",),
      ball="relu",
      sympy=lambda s, x: _larger(s, x, 0), partials=("where(x > 0, 1, 0)",), seams=("x",), bounds=(0, float("inf"))),
    F("relu6", doc="min(max(x, 0), 6)", inplace=True, group="activation", torch=_FUNCTIONAL + "relu6",
      definition="hardtanh(x, 0, 6)",
      partials=("where(x > 0 and x < 6, 1, 0)",), seams=("x", "x - 6"), points=_PIECEWISE, bounds=(0, 6)),
    F("leaky_relu", "x, negative_slope=0.01", "x where x > 0, else negative_slope*x", inplace=True, group="activation",
      torch=_FUNCTIONAL + "leaky_relu", definition="where(x > 0, x, negative_slope*x)",
      partials=("where(x > 0, 1, negative_slope)",), seams=("x",)),
    F("prelu", "x, weight", "x where x > 0, else weight*x", group="activation",
      aliases=(_FUNCTIONAL + "prelu",), definition="where(x > 0, x, weight*x)",
      partials=("where(x > 0, 1, weight)", "where(x > 0, 0, x)"), seams=("x",), points=_PAIR),
    F("elu", "x, alpha=1", "x where x > 0, else alpha*(exp(x) - 1)", inplace=True, group="activation",
      torch=_FUNCTIONAL + "elu",
      definition="where(x > 0, x, alpha*expm1(x))", partials=("where(x > 0, 1, alpha*exp(x))",),
      seams=("x",)),
    F("celu", "x, alpha=1", "x where x > 0, else alpha*(exp(x/alpha) - 1)", method=False, inplace=True,
      group="activation", torch="celu",
      definition="where(x > 0, x, alpha*expm1(x/alpha))", partials=("where(x > 0, 1, exp(x/alpha))",),
      aliases=(_FUNCTIONAL + "celu",), seams=("x",)),
    F("selu", doc="the scaled ELU", method=False, inplace=True, group="activation", aliases=(_FUNCTIONAL + "selu",),
      definition="1.0507009873554804934193349852946*where(x > 0, x, 1.6732632423543772848170429916717*expm1(x))",
      partials=("1.0507009873554804934193349852946*where(x > 0, 1, 1.6732632423543772848170429916717*exp(x))",),
      seams=("x",)),
    F("gelu", doc="x*ndtr(x)", group="activation", torch=_FUNCTIONAL + "gelu", definition="x*erfc(-x/sqrt(2))/2",
      partials=("erfc(-x/sqrt(2))/2 + x*exp(-x**2/2)/sqrt(2*pi)",),
      options={"approximate": {"none": "gelu", "tanh": "gelu_tanh"}}),
    F("gelu_tanh", doc="gelu(x, approximate='tanh')", group="activation",
      torch=_FUNCTIONAL + "gelu",
      keywords={"approximate": "tanh"},
      definition="x*sigmoid(2*sqrt(2/pi)*(x + 0.044715*x**3))",
      partials=("sigmoid(2*sqrt(2/pi)*(x + 0.044715*x**3))"
                " + x*sqrt(2/pi)*(1 + 0.134145*x**2)*sech(sqrt(2/pi)*(x + 0.044715*x**3))**2/2",)),
    F("silu", doc="x*sigmoid(x)", inplace=True, group="activation", also=("swish",), torch=_FUNCTIONAL + "silu",
      definition="x*sigmoid(x)", partials=("sigmoid(x)*(1 + x*sigmoid(-x))",)),
    F("mish", doc="x*tanh(softplus(x))", inplace=True, group="activation", torch=_FUNCTIONAL + "mish",
      definition="x*tanh(logaddexp(0, x))",
      partials=("tanh(logaddexp(0, x)) + x*sigmoid(x)*sech(logaddexp(0, x))**2",)),
    F("hardtanh", "x, min_val=-1, max_val=1", "x clamped to [min_val, max_val]", inplace=True, group="activation",
      torch=_FUNCTIONAL + "hardtanh",
      definition="where(x < min_val, min_val, where(x > max_val, max_val, x))",
      partials=("where(x > min_val and x < max_val, 1, 0)",), seams=("x - min_val", "x - max_val"),
      points=((-4.3, -1, 1), (0.2, -1, 1), (1.6, -1, 2.5))),
    F("hardsigmoid", doc="x/6 + 1/2, clamped to [0, 1]", inplace=True, group="activation",
      torch=_FUNCTIONAL + "hardsigmoid",
      definition="where(x < -3, 0, where(x > 3, 1, x/6 + 1/2))", partials=("where(x > -3 and x < 3, 1/6, 0)",),
      seams=("x + 3", "x - 3"), points=_PIECEWISE, bounds=(0, 1)),
    F("hardswish", doc="x*hardsigmoid(x)", inplace=True, group="activation", torch=_FUNCTIONAL + "hardswish",
      definition="where(x < -3, 0, where(x > 3, x, x*(x + 3)/6))",
      partials=("where(x < -3, 0, where(x > 3, 1, (2*x + 3)/6))",), seams=("x + 3", "x - 3"), points=_PIECEWISE),
    F("hardshrink", "x, lambd=0.5", "x where abs(x) > lambd, else 0", group="activation",
      aliases=(_FUNCTIONAL + "hardshrink",), definition="where(x >= -lambd and x <= lambd, 0, x)",
      partials=("where(x >= -lambd and x <= lambd, 0, 1)",), seams=("x - lambd", "x + lambd"), jumps=True),
    F("softshrink", "x, lambd=0.5", "x moved towards 0 by lambd", group="activation", torch=_FUNCTIONAL + "softshrink",
      definition="where(x > lambd, x - lambd, where(x < -lambd, x + lambd, 0))",
      partials=("where(x >= -lambd and x <= lambd, 0, 1)",), seams=("x - lambd", "x + lambd")),
    F("tanhshrink", doc="x - tanh(x)", group="activation", torch=_FUNCTIONAL + "tanhshrink", definition="x - tanh(x)",
      partials=("tanh(x)**2",)),
    F("threshold", "x, threshold:number, value:number", "x where x > threshold, else value", inplace=True,
      group="activation",
      torch=_FUNCTIONAL + "threshold", definition="where(x > threshold, x, value)",
      partials=("where(x > threshold, 1, 0)",), seams=("x - threshold",), points=((-1.3, 0.1, 20), (2.1, 0.1, 20)),
      variables=("threshold",), jumps=True),
)  # fmt: skip

PIECEWISE = (
    F("abs", doc="the absolute value", group="piecewise", aliases=("absolute",), also=("fabs", "Abs"),
      sympy=_absolute, ball="absolute", partials=("where(x > 0, 1, where(x < 0, -1, 0))",), seams=("x",),
      bounds=(0, float("inf")), zeros="argument", variables=("absolute",)),
    F("sign", doc="-1, 0 or 1", group="piecewise", aliases=("sgn",), definition="where(x > 0, 1, where(x < 0, -1, 0))",
      sympy="sign", partials=("0",), seams=("x",), bounds=(-1, 1), jumps=True, variables=("sign",)),
    F("angle", doc="pi where x < 0, else 0", group="piecewise", definition="where(x < 0, pi, 0)", partials=("0",),
      seams=("x",), bounds=(0, 4), jumps=True),
    F("maximum", "x, y", "the larger one", group="piecewise", aliases=("max",), also=("Max",), ball="maximum",
      sympy=_larger, partials=("where(x > y, 1, where(x < y, 0, 1/2))", "where(y > x, 1, where(y < x, 0, 1/2))"),
      seams=("x - y",), points=_PAIR, latex=r"\max", associative=True, variables=("maximum", "max")),
    F("minimum", "x, y", "the smaller one", group="piecewise", aliases=("min",), also=("Min",), ball="minimum",
      sympy=_smaller, partials=("where(x < y, 1, where(x > y, 0, 1/2))", "where(y < x, 1, where(y > x, 0, 1/2))"),
      seams=("x - y",), points=_PAIR, latex=r"\min", associative=True, variables=("minimum", "min")),
    F("fmax", "x, y", "the larger one, ignoring NaN", group="piecewise", ball="maximum", sympy=_larger,
      partials=("where(x >= y, 1, 0)", "where(x < y, 1, 0)"), seams=("x - y",), points=_PAIR),
    F("fmin", "x, y", "the smaller one, ignoring NaN", group="piecewise", ball="minimum", sympy=_smaller,
      partials=("where(x <= y, 1, 0)", "where(x > y, 1, 0)"), seams=("x - y",), points=_PAIR),
    F("clamp", "x, min, max", "x clamped to [min, max]", mixed="tnn tnt ttn", group="piecewise", aliases=("clip",),
      definition="minimum(maximum(x, min), max)",
      partials=("where(x > max or x < min, 0, 1)", "where(x < min and min < max, 1, 0)",
                "where(x > max or min > max, 1, 0)"),
      seams=("x - min", "x - max", "min - max"), points=((-4.3, -1, 1), (0.2, -1, 1), (1.6, -1, 1.5)),
      overloads=("clamp_min", "clamp_max"), variables=("clamp", "clip")),
    F("clamp_min", "x, min", "the larger one", mixed="tn", group="piecewise", definition="maximum(x, min)",
      partials=("where(x >= min, 1, 0)", "where(x < min, 1, 0)"), seams=("x - min",), points=_PAIR),
    F("clamp_max", "x, max", "the smaller one", mixed="tn", group="piecewise", definition="minimum(x, max)",
      partials=("where(x <= max, 1, 0)", "where(x > max, 1, 0)"), seams=("x - max",), points=_PAIR),
    F("floor", doc="the largest integer <= x", group="piecewise", ball="floor", partials=("0",),
      seams=("offset_from_integer(x)",), jumps=True, variables=("floor",)),
    F("ceil", doc="the smallest integer >= x", group="piecewise", also=("ceiling",), ball="ceil", sympy="ceiling",
      partials=("0",), seams=("offset_from_integer(x)",), jumps=True, variables=("ceil", "ceiling")),
    F("round", doc="the nearest integer, halves to even", group="piecewise", aliases=("special.round",),
      definition="where(offset_from_integer((x - 1/2)/2) == 0, x - 1/2, floor(x + 1/2))",
      partials=("0",), seams=("offset_from_integer(x - 1/2)",), overloads=("round_decimals",), jumps=True,
      variables=("round",)),
    F("round_decimals", "x, *decimals:integer; from -100", "round to that many decimals", group="piecewise",
      torch="round",
      definition="where(decimals >= 0, round(x*10**decimals)/10**decimals, round(x/10**(-decimals))*10**(-decimals))",
      partials=("0",),
      seams=("offset_from_integer(where(decimals >= 0, x*10**decimals, x/10**(-decimals)) - 1/2)",),
      points=((1.234, 2), (-17.3, -1)), jumps=True),
    F("trunc", doc="the integer part, towards 0", group="piecewise", aliases=("fix",),
      definition="where(x >= 0, floor(x), ceil(x))", sympy=lambda s, x: s.sign(x) * s.floor(s.Abs(x)),
      partials=("0",), seams=("where(x > -1 and x < 1, 1, offset_from_integer(x))",), jumps=True,
      variables=("trunc", "fix")),
    F("frac", doc="x - trunc(x)", group="piecewise", definition="x - trunc(x)", partials=("1",),
      seams=("where(x > -1 and x < 1, 1, offset_from_integer(x))",), bounds=(-1, 1), jumps=True, variables=("frac",)),
    F("remainder", "x, y", "x - y*floor(x/y): the sign of y, as Python's %", mixed="tn nt", group="piecewise",
      also=("mod", "Mod"), torch="remainder", definition="x - y*floor(x/y)",
      partials=("1", "-floor(x/y)"), domain="y != 0", seams=("offset_from_integer(x/y)",), points=_PAIR, jumps=True,
      variables=("remainder", "mod")),
    F("fmod", "x, y", "x - y*trunc(x/y): the sign of x, as C's fmod", mixed="tn", group="piecewise",
      definition="x - y*trunc(x/y)", partials=("1", "-trunc(x/y)"), domain="y != 0",
      seams=("where(abs(x) < abs(y), 1, offset_from_integer(x/y))",), points=_PAIR, jumps=True),
    F("div_floor", "x, y", "div(x, y, rounding_mode='floor')", mixed="tn nt", group="piecewise",
      torch="div", keywords={"rounding_mode": "floor"}, definition="floor(x/y)", partials=("0", "0"),
      domain="y != 0", seams=("offset_from_integer(x/y)",), points=_PAIR, jumps=True),
    F("floor_divide", "x, y", "floor(x/y), for which torch has no derivative", mixed="tn nt", group="piecewise",
      definition="floor(x/y)", partials=("0", "0"), domain="y != 0", differentiable=False,
      seams=("offset_from_integer(x/y)",), points=_PAIR, jumps=True),
    F("div_trunc", "x, y", "div(x, y, rounding_mode='trunc')", mixed="tn nt", group="piecewise",
      torch="div", keywords={"rounding_mode": "trunc"}, definition="trunc(x/y)", partials=("0", "0"),
      domain="y != 0", seams=("where(abs(x) < abs(y), 1, offset_from_integer(x/y))",), points=_PAIR, jumps=True),
    F("heaviside", "x, values", "0 where x < 0, 1 where x > 0, values at 0", group="piecewise",
      definition="where(x > 0, 1, where(x < 0, 0, values))", sympy="Heaviside",
      partials=("0", "where(x == 0, 1, 0)"), seams=("x",), differentiable=False, points=_PAIR, jumps=True),
    F("copysign", "x, y", "abs(x) with the sign of y", mixed="tn", group="piecewise",
      definition="where(y >= 0, abs(x), -abs(x))",
      partials=("where(x > 0 and y >= 0 or x < 0 and y < 0, 1, where(x == 0, 0, -1))", "0"),
      seams=("x", "y"), points=_PAIR, jumps=True),
)  # fmt: skip

SPECIAL = (
    F("erf", doc="the error function", float_ulps=4, group="special", aliases=("special.erf",),
      partials=("2*exp(-x**2)/sqrt(pi)",),
      bounds=(-1, 1), odd=True, zeros="argument"),
    F("erfc", doc="1 - erf(x)", float_ulps=8, group="special", aliases=("special.erfc",),
      partials=("-2*exp(-x**2)/sqrt(pi)",),
      bounds=(0, 2), zeros="never"),
    F("erfinv", doc="the inverse of erf", group="special", aliases=("special.erfinv",),
      partials=("sqrt(pi)*exp(erfinv(x)**2)/2",), domain="x > -1 and x < 1", points=_UNIT, odd=True, zeros="argument"),
    F("erfcx", doc="exp(x**2)*erfc(x)", group="special", torch="special.erfcx", ball="erfcx",
      definition="exp(x**2)*erfc(x)", partials=("2*x*erfcx(x) - 2/sqrt(pi)",), bounds=(0, float("inf")),
      zeros="never"),
    F("ndtr", doc="the normal distribution function", group="special", torch="special.ndtr", aliases=("special.ndtr",),
      definition="erfc(-x/sqrt(2))/2", partials=("exp(-x**2/2)/sqrt(2*pi)",), bounds=(0, 1), zeros="never"),
    F("log_ndtr", doc="log(ndtr(x))", group="special", torch="special.log_ndtr", ball="log_ndtr",
      definition="log(ndtr(x))",
      partials=("sqrt(2/pi)/erfcx(-x/sqrt(2))",), bounds=(float("-inf"), 0)),
    F("ndtri", doc="the inverse of ndtr", group="special", torch="special.ndtri", ball="ndtri",
      sympy=lambda s, x: s.sqrt(2) * s.erfinv(2 * x - 1), partials=("sqrt(2*pi)*exp(ndtri(x)**2/2)",),
      domain="x > 0 and x < 1", points=((0.2,), (0.85,))),
    F("lgamma", doc="log(abs(gamma(x)))", group="special", aliases=("special.gammaln",), also=("gammaln", "loggamma"),
      ball="lgamma", sympy=lambda s, x: s.loggamma(x), partials=("digamma(x)",),
      domain="x > 0 or offset_from_integer(x) != 0", points=_POSITIVE),
    F("gamma", doc="exp(lgamma(x)), the gamma function for x > 0", group="special", torch=None, ball="gamma",
      definition="exp(lgamma(x))", sympy="gamma", partials=("gamma(x)*digamma(x)",), domain="x > 0",
      points=_POSITIVE, latex=r"\Gamma", zeros="never", variables=("gamma",)),
    F("digamma", doc="the derivative of lgamma", group="special", aliases=("special.psi", "special.digamma"),
      also=("psi",),
      ball="digamma", sympy=lambda s, x: s.polygamma(0, x), partials=("polygamma(1, x)",),
      domain="x > 0 or offset_from_integer(x) != 0", points=_POSITIVE, variables=("psi",)),
    F("polygamma", "n:integer, x", "the n-th derivative of digamma", group="special", aliases=("special.polygamma",),
      ball="polygamma", partials=("polygamma(n + 1, x)",),
      domain="x > 0 or offset_from_integer(x) != 0", points=((1, 0.4), (2, 1.7), (0, 2.6))),
    F("mvlgamma", "x, p:integer; from 1", "the log of the multivariate gamma function", group="special",
      aliases=("special.multigammaln",), ball="mvlgamma", sympy=lambda s, x, p: sum(
          (s.loggamma(x - s.Rational(j, 2)) for j in range(int(p))), p * (p - 1) * s.log(s.pi) / 4),
      partials=("mvpolygamma(0, x, p)",), domain="2*x > p - 1", points=((2.3, 1), (4.4, 3))),
    F("i0", doc="the modified Bessel function of order 0", group="special",
      aliases=("special.i0",), definition="besseli(0, x)", partials=("besseli(1, x)",),
      bounds=(1, float("inf")), zeros="never", variables=("i0",)),
    F("i0e", doc="exp(-abs(x))*i0(x)", group="special", torch="special.i0e", definition="besselie(0, x)",
      sympy=lambda s, x: s.exp(-s.Abs(x)) * s.besseli(0, x), partials=("besselie(1, x) - sign(x)*besselie(0, x)",),
      seams=("x",), bounds=(0, 1)),
    F("i1", doc="the modified Bessel function of order 1", group="special", torch="special.i1",
      definition="besseli(1, x)", partials=("(besseli(0, x) + besseli(2, x))/2",), variables=("i1",)),
    F("i1e", doc="exp(-abs(x))*i1(x)", group="special", torch="special.i1e", definition="besselie(1, x)",
      sympy=lambda s, x: s.exp(-s.Abs(x)) * s.besseli(1, x),
      partials=("(besselie(0, x) + besselie(2, x))/2 - sign(x)*besselie(1, x)",), seams=("x",), bounds=(-1, 1)),
    F("entr", doc="-x*log(x), and 0 at 0", group="special", torch="special.entr", ball="entr",
      definition="-x*log(x)", partials=("-log(x) - 1",), domain="x >= 0", seams=("x",), points=_POSITIVE),
    F("zeta", "x, q", "the Hurwitz zeta function", mixed="tn nt", group="special", torch="special.zeta",
      aliases=("special.zeta",),
      partials=("", "-x*zeta(x + 1, q)"), domain="x > 1 and q > 0",
      points=((2.3, 1.4), (3.1, 0.6)), variables=("zeta",)),
    F("igamma", "a, x", "the regularised lower incomplete gamma function", group="special",
      aliases=("special.gammainc",), also=("gammainc",), sympy=lambda s, a, x: s.lowergamma(a, x) / s.gamma(a),
      partials=("", "exp((a - 1)*log(x) - x - lgamma(a))"), domain="a > 0 and x >= 0", seams=("x",),
      points=((2.3, 1.4), (0.7, 2.6)), bounds=(0, 1)),
    F("igammac", "a, x", "the regularised upper incomplete gamma function", group="special",
      aliases=("special.gammaincc",), also=("gammaincc",), sympy=lambda s, a, x: s.uppergamma(a, x) / s.gamma(a),
      partials=("", "-exp((a - 1)*log(x) - x - lgamma(a))"), domain="a > 0 and x >= 0", seams=("x",),
      points=((2.3, 1.4), (0.7, 2.6)), bounds=(0, 1)),
)  # fmt: skip


def _undifferentiated(name: str, doc: str, signature: str = "x", **columns: Any) -> Function:
    """A function that torch has below torch.special and whose graph it cuts silently."""
    return F(name, signature, doc, group="not differentiated by torch", torch=f"special.{name}",
             aliases=(f"special.{name}",), differentiable=False, **columns)  # fmt: skip


def _polynomial(name: str, doc: str, definition: str, partial: str) -> Function:
    return _undifferentiated(name, doc, "x, n:integer", definition=definition, partials=(partial,),
                             points=((-0.7, 0), (0.2, 1), (0.85, 4), (1.6, 3)))  # fmt: skip


UNDIFFERENTIATED = (
    _undifferentiated("bessel_j0", "the Bessel function of the first kind, order 0", definition="besselj(0, x)",
                      partials=("-besselj(1, x)",), bounds=(-1, 1)),
    _undifferentiated("bessel_j1", "the Bessel function of the first kind, order 1", definition="besselj(1, x)",
                      partials=("(besselj(0, x) - besselj(2, x))/2",), bounds=(-1, 1)),
    _undifferentiated("bessel_y0", "the Bessel function of the second kind, order 0", definition="bessely(0, x)",
                      partials=("-bessely(1, x)",), domain="x > 0", points=_POSITIVE),
    _undifferentiated("bessel_y1", "the Bessel function of the second kind, order 1", definition="bessely(1, x)",
                      partials=("(bessely(0, x) - bessely(2, x))/2",), domain="x > 0", points=_POSITIVE),
    _undifferentiated("modified_bessel_i0", "the modified Bessel function of the first kind, order 0",
                      definition="besseli(0, x)", partials=("besseli(1, x)",)),
    _undifferentiated("modified_bessel_i1", "the modified Bessel function of the first kind, order 1",
                      definition="besseli(1, x)", partials=("(besseli(0, x) + besseli(2, x))/2",)),
    _undifferentiated("modified_bessel_k0", "the modified Bessel function of the second kind, order 0",
                      definition="besselk(0, x)", partials=("-besselk(1, x)",), domain="x > 0", points=_POSITIVE),
    _undifferentiated("modified_bessel_k1", "the modified Bessel function of the second kind, order 1",
                      definition="besselk(1, x)", partials=("-(besselk(0, x) + besselk(2, x))/2",), domain="x > 0",
                      points=_POSITIVE),
    _undifferentiated("scaled_modified_bessel_k0", "exp(x)*modified_bessel_k0(x)", operands=("x",),
                      definition="exp(x)*besselk(0, x)",
                      partials=("exp(x)*(besselk(0, x) - besselk(1, x))",), domain="x > 0", points=_POSITIVE),
    _undifferentiated("scaled_modified_bessel_k1", "exp(x)*modified_bessel_k1(x)", operands=("x",),
                      definition="exp(x)*besselk(1, x)",
                      partials=("exp(x)*(besselk(1, x) - (besselk(0, x) + besselk(2, x))/2)",), domain="x > 0",
                      points=_POSITIVE),
    _undifferentiated("spherical_bessel_j0", "sin(x)/x, and 1 at 0", definition="sinc(x/pi)",
                      operands=("x",), partials=("dsinc(1, x/pi)/pi",), bounds=(-1, 1)),
    _undifferentiated("airy_ai", "the Airy function", sympy="airyai", operands=("x",), partials=("airy_ai_prime(x)",)),
    _polynomial("chebyshev_polynomial_t", "Chebyshev polynomial T_n", "chebyshev_t(n, x)", "n*gegenbauer(1, n - 1, x)"),
    _polynomial("chebyshev_polynomial_u", "Chebyshev polynomial U_n", "gegenbauer(1, n, x)",
                "2*gegenbauer(2, n - 1, x)"),
    _polynomial("chebyshev_polynomial_v", "Chebyshev polynomial V_n", "gegenbauer(1, n, x) - gegenbauer(1, n - 1, x)",
                "2*gegenbauer(2, n - 1, x) - 2*gegenbauer(2, n - 2, x)"),
    _polynomial("chebyshev_polynomial_w", "Chebyshev polynomial W_n", "gegenbauer(1, n, x) + gegenbauer(1, n - 1, x)",
                "2*gegenbauer(2, n - 1, x) + 2*gegenbauer(2, n - 2, x)"),
    _polynomial("shifted_chebyshev_polynomial_t", "T_n(2*x - 1)", "chebyshev_t(n, 2*x - 1)",
                "2*n*gegenbauer(1, n - 1, 2*x - 1)"),
    _polynomial("shifted_chebyshev_polynomial_u", "U_n(2*x - 1)", "gegenbauer(1, n, 2*x - 1)",
                "4*gegenbauer(2, n - 1, 2*x - 1)"),
    _polynomial("shifted_chebyshev_polynomial_v", "V_n(2*x - 1)",
                "gegenbauer(1, n, 2*x - 1) - gegenbauer(1, n - 1, 2*x - 1)",
                "4*gegenbauer(2, n - 1, 2*x - 1) - 4*gegenbauer(2, n - 2, 2*x - 1)"),
    _polynomial("shifted_chebyshev_polynomial_w", "W_n(2*x - 1)",
                "gegenbauer(1, n, 2*x - 1) + gegenbauer(1, n - 1, 2*x - 1)",
                "4*gegenbauer(2, n - 1, 2*x - 1) + 4*gegenbauer(2, n - 2, 2*x - 1)"),
    _polynomial("hermite_polynomial_h", "the physicists' Hermite polynomial", "hermite(n, x)",
                "2*n*hermite(n - 1, x)"),
    _polynomial("hermite_polynomial_he", "the probabilists' Hermite polynomial",
                "2**(-n/2)*hermite(n, x/sqrt(2))", "2**(1/2 - n/2)*n*hermite(n - 1, x/sqrt(2))"),
    _polynomial("laguerre_polynomial_l", "the Laguerre polynomial", "laguerre(0, n, x)", "-laguerre(1, n - 1, x)"),
    _polynomial("legendre_polynomial_p", "the Legendre polynomial", "gegenbauer(1/2, n, x)",
                "gegenbauer(3/2, n - 1, x)"),
)  # fmt: skip


def _internal(name: str, signature: str, doc: str, **columns: Any) -> Function:
    """A function that only the formulas of this table use."""
    return F(name, signature, doc, group="internal", torch=None, internal=True, **columns)


INTERNAL = (
    _internal("offset_from_integer", "x", "x minus the nearest integer: 0 exactly at the integers", partials=("1",),
              seams=("offset_from_integer(x - 1/2)",), sympy=lambda s, x: x - s.floor(x + s.Rational(1, 2)),
              jumps=True),
    _internal("dsinc", "n:integer, x", "the n-th derivative of sinc",
              sympy=lambda s, n, x: s.diff(s.sinc(s.pi * x), x, n), partials=("dsinc(n + 1, x)",)),
    _internal("mvpolygamma", "n:integer, x, p:integer", "the sum of polygamma(n, x - j/2), j < p", sympy=None,
              partials=("mvpolygamma(n + 1, x, p)",)),
    _internal("besseli", "n:integer, x", "the modified Bessel function I_n",
              partials=("(besseli(n - 1, x) + besseli(n + 1, x))/2",)),
    _internal("besselie", "n:integer, x", "exp(-abs(x))*I_n(x)", seams=("x",),
              sympy=lambda s, n, x: s.exp(-s.Abs(x)) * s.besseli(n, x),
              partials=("(besselie(n - 1, x) + besselie(n + 1, x))/2 - sign(x)*besselie(n, x)",)),
    _internal("besselk", "n:integer, x", "the modified Bessel function K_n", domain="x > 0",
              partials=("-(besselk(n - 1, x) + besselk(n + 1, x))/2",)),
    _internal("besselj", "n:integer, x", "the Bessel function J_n",
              partials=("(besselj(n - 1, x) - besselj(n + 1, x))/2",)),
    _internal("bessely", "n:integer, x", "the Bessel function Y_n", domain="x > 0",
              partials=("(bessely(n - 1, x) - bessely(n + 1, x))/2",)),
    _internal("airy_ai_prime", "x", "the derivative of airy_ai", sympy="airyaiprime", partials=("x*airy_ai(x)",)),
    _internal("chebyshev_t", "n:integer, x", "T_n", sympy="chebyshevt", partials=("n*gegenbauer(1, n - 1, x)",)),
    _internal("gegenbauer", "a:number, n:integer, x", "C_n^(a), 0 for n < 0",
              sympy=lambda s, a, n, x: s.gegenbauer(n, a, x) if n >= 0 else s.S.Zero,
              partials=("2*a*gegenbauer(a + 1, n - 1, x)",)),
    _internal("hermite", "n:integer, x", "H_n, 0 for n < 0",
              sympy=lambda s, n, x: s.hermite(n, x) if n >= 0 else s.S.Zero, partials=("2*n*hermite(n - 1, x)",)),
    _internal("laguerre", "a:number, n:integer, x", "L_n^(a), 0 for n < 0",
              sympy=lambda s, a, n, x: s.assoc_laguerre(n, a, x) if n >= 0 else s.S.Zero,
              partials=("-laguerre(a + 1, n - 1, x)",)),
)  # fmt: skip


def _index(rows: Iterable[Function]) -> dict[str, Function]:
    table: dict[str, Function] = {}
    for row in rows:
        if row.name in table:
            raise ValueError(f"two rows are named {row.name}")
        table[row.name] = row
    return table


FUNCTIONS: dict[str, Function] = _index(
    (*OPERATORS, *ELEMENTARY, *TRIGONOMETRIC, *HYPERBOLIC, *ACTIVATIONS, *PIECEWISE, *SPECIAL, *UNDIFFERENTIATED,
     *INTERNAL)
)  # fmt: skip


def rows(names: str) -> frozenset[Function]:
    """The rows of these names."""
    return frozenset(FUNCTIONS[name] for name in names.split())


def by_row(values: Mapping[str, V]) -> dict[Function, V]:
    """By row what is given by its name."""
    return {FUNCTIONS[name]: value for name, value in values.items()}
