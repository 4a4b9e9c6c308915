"""What is read, as what; and what is refused, with which words. Nothing is ever executed."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from helpers.expressions import call
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Constant, Expr, constant, named, variable
from gradcheck_cli.language import dialects, parser
from gradcheck_cli.language.cursor import MAX_LENGTH, MAX_NESTING, MAX_NODES
from gradcheck_cli.language.parser import parse, parse_constant
from gradcheck_cli.language.script import parse_lets
from gradcheck_cli.language.signatures import FORMS, find

x, y, z = map(variable, "xyz")


SPECIAL = {"Piecewise", "Heaviside", "number", "tensor", "module"}


def number(value: str | int) -> Constant:
    return constant(Fraction(value))


def same(first: str, second: str) -> None:
    assert parse(first) is parse(second)


# What an operator does to another: in full parentheses on the right.
PRECEDENCE = [
    ("-x**2", "-(x**2)"),
    ("2**-x", "2**(-x)"),
    ("2**-x**y", "2**(-(x**y))"),
    ("x**y**z", "x**(y**z)"),
    ("x^y^2", "x**(y**2)"),
    ("-x^2", "-(x^2)"),
    ("-x*y", "(-x)*y"),
    ("x*-y", "x*(-y)"),
    ("x - y - z", "(x - y) - z"),
    ("x/y/z", "(x/y)/z"),
    ("x/y*z", "(x/y)*z"),
    ("x + y*z", "x + (y*z)"),
    ("--x", "-(-x)"),
    ("+x", "x"),
    ("- +x", "-x"),
    ("2x", "2*x"),
    ("2x**2", "2*(x**2)"),
    ("-2x", "(-2)*x"),
    ("2x/3", "(2*x)/3"),
    ("3(x + 1)", "3*(x + 1)"),
    ("(x + 1)(x - 1)", "(x + 1)*(x - 1)"),
    ("(x + 1)y", "(x + 1)*y"),
    ("2 sin(x)", "2*sin(x)"),
    ("2sin(x)cos(x)", "(2*sin(x))*cos(x)"),
    ("y/2*3x", "((y/2)*3)*x"),
    ("2x²y", "(2*(x**2))*y"),
    ("2²x", "(2**2)*x"),
    ("x if y > 0 else z", "x if (y > 0) else z"),
    ("x + 1 if y > 0 else z*2", "(x + 1) if (y > 0) else (z*2)"),
    ("x if y > 0 else y if z > 0 else z", "x if y > 0 else (y if z > 0 else z)"),
    ("where(x > 0 and y > 0 or z > 0, x, y)", "where(((x > 0) and (y > 0)) or (z > 0), x, y)"),
    ("where(not x > 0 and y > 0, x, y)", "where((not (x > 0)) and (y > 0), x, y)"),
    ("where(x < y < z, x, y)", "where(x < y and y < z, x, y)"),
    ("where(x < y <= z != 1, x, y)", "where((x < y and y <= z) and z != 1, x, y)"),
    ("where((x > 0) & ~(y > 0) | (z > 0), x, y)", "where((x > 0 and not y > 0) or z > 0, x, y)"),
    ("where(torch.gt(x, y), x, y)", "where(x > y, x, y)"),
    ("where(torch.ne(input=x, other=1), x, y)", "where(x != 1, x, y)"),
    ("where(np.less_equal(x, y), x, y)", "where(x <= y, x, y)"),
    ("where(torch.logical_and(torch.ge(x, 0), y < 1), x, y)", "where(x >= 0 and y < 1, x, y)"),
    ("where(logical_or(x < 0, logical_not(jnp.equal(y, 1))), x, y)", "where(x < 0 or not y == 1, x, y)"),
    ("where(x + 1 > y*2, x, y)", "where((x + 1) > (y*2), x, y)"),
]


@pytest.mark.parametrize(("text", "explicit"), PRECEDENCE)
def test_precedence(text: str, explicit: str) -> None:
    same(text, explicit)


def test_nothing_is_folded() -> None:
    assert parse("x/x") is call("div", x, x)
    assert parse("0*x") is call("mul", number(0), x)
    assert parse("-2") is call("neg", number(2))
    assert parse("x + 0") is call("add", x, number(0))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", "3"),
        ("2.5", "5/2"),
        (".5", "1/2"),
        ("1.", "1"),
        ("1e-3", "1/1000"),
        ("1E+3", "1000"),
        ("2e−3", "1/500"),
        ("007", "7"),
        ("1_000_000", "1000000"),
        ("0.1", "1/10"),
        ("0e999999999", "0"),
        ("1e308", str(10**308)),
        ("1e-399", f"1/{10**399}"),
        ("0." + "3" * 999, "0." + "3" * 999),
    ],
)
def test_numbers_are_exact(text: str, value: str) -> None:
    assert parse(text) is number(value)


@pytest.mark.parametrize(
    ("pasted", "plain"),
    [
        ("x−1", "x-1"),
        ("x–1", "x-1"),
        ("2×x·y∗z", "2*x*y*z"),
        ("x÷2", "x/2"),
        ("x² + x³", "x**2 + x**3"),
        ("x¹⁰", "x**10"),
        ("x⁻¹", "x**-1"),
        ("2πx²", "2*π*x²"),
        ("2*π1", "2*(π1)"),
        ("2π", "2*pi"),
        ("τ/2", "tau/2"),
        ("√(x + 1)", "sqrt(x + 1)"),
        ("2√(x)", "2*sqrt(x)"),
        ("x\u00a0+\u30001\u2009", "x + 1"),
        ("x\r\n\t+ 1", "x + 1"),
        ("where(x ≤ 1, x, y)", "where(x <= 1, x, y)"),
        ("where(x ≠ 1, x, y)", "where(x != 1, x, y)"),
        ("2e", "2*e"),
        ("2e3x", "2000*x"),
        ("2e-x", "2*e - x"),
        ("d/dx + 1", "(d/dx) + 1"),
    ],
)
def test_what_is_pasted(pasted: str, plain: str) -> None:
    same(pasted, plain)


@pytest.mark.parametrize(
    "name", ["x", "xy", "x_1", "I", "E1", "S", "C", "beta", "lambd", "α", "Δx", "é", "x̂", "_x", "print", "self"]
)
def test_names_of_variables(name: str) -> None:
    assert parse(name) is variable(name)


def test_names_of_functions_may_be_variables() -> None:
    assert parse("gamma*2") is call("mul", variable("gamma"), number(2))
    assert parse("sin + 1", names=["sin"]) is call("add", variable("sin"), number(1))


def test_constants() -> None:
    assert parse("pi") is constant("pi")
    assert parse("e*tau") is call("mul", constant("e"), constant("tau"))
    assert parse("math.pi + np.e") is call("add", constant("pi"), constant("e"))
    assert parse("E**x") is parse("e**x")
    assert parse("E**x", names=["E"]) is call("pow", variable("E"), x)
    assert parse("pi", names=["pi"]) is variable("pi")
    assert parse("0.5", exact=True) is constant(Fraction(1, 2), exact=True)


CALLS = [
    ("abs(x)", call("abs", x)),
    ("Abs(x)", call("abs", x)),
    ("ln(x)", call("log", x)),
    ("arctan2(y, x)", call("atan2", y, x)),
    ("max(x, y)", call("maximum", x, y)),
    ("Max(x, y, z)", call("maximum", call("maximum", x, y), z)),
    ("Heaviside(x)", call("heaviside", x, number("1/2"))),
    ("Heaviside(x, 0)", call("heaviside", x, number(0))),
    ("softplus(x)", call("softplus", x, number(1), number(20))),
    ("softplus(x, beta=2)", call("softplus", x, number(2), number(20))),
    ("softplus(x, threshold=-1/3)", call("softplus", x, number(1), number("-1/3"))),
    ("leaky_relu(input=x, negative_slope=2*3)", call("leaky_relu", x, number(6))),
    ("clamp(x, 0, 1)", call("clamp", x, number(0), number(1))),
    ("clamp(x, 0)", call("clamp_min", x, number(0))),
    ("clamp(x, min=0)", call("clamp_min", x, number(0))),
    ("clamp(x, max=1)", call("clamp_max", x, number(1))),
    ("logit(x, 1e-6)", call("logit_clamped", x, number("1/1000000"))),
    ("gelu(x)", call("gelu", x)),
    ("gelu(x, approximate='tanh')", call("gelu_tanh", x)),
    ("gelu_tanh(x)", call("gelu_tanh", x)),
    ("round(x)", call("round", x)),
    ("round(x, 2)", call("round_decimals", x, number(2))),
    ("round(x, decimals=-2)", call("round_decimals", x, number(-2))),
    ('div(x, y, rounding_mode="floor")', call("div_floor", x, y)),
    ("pow(x, exponent=2)", call("pow", x, number(2))),
    ("polygamma(1, x)", call("polygamma", number(1), x)),
    ("where(x > 0, y, z)", call("where", call("gt", x, number(0)), y, z)),
    ("torch.where(x > 0, y, z)", call("where", call("gt", x, number(0)), y, z)),
    ("Piecewise((x, x > 0), (y, True))", call("where", call("gt", x, number(0)), x, y)),
    ("sin(x,)", call("sin", x)),
    ("x.sigmoid()", call("sigmoid", x)),
    ("(x + 1).pow(2)", call("pow", call("add", x, number(1)), number(2))),
    ("x.clamp(min=0).exp()", call("exp", call("clamp_min", x, number(0)))),
    ("x.polygamma(1)", call("polygamma", number(1), x)),
    ("torch.exp(x)", call("exp", x)),
    ("np.arcsin(x)", call("asin", x)),
    ("math.fabs(x)", call("abs", x)),
    ("sp.Abs(x)", call("abs", x)),
    ("F.relu(x)", call("relu", x)),
    ("torch.nn.functional.relu(x)", call("relu", x)),
    ("jnp.power(x, y)", call("pow", x, y)),
    ("jax.nn.soft_sign(x)", call("softsign", x)),
    ("torch.special.expit(x)", call("sigmoid", x)),
    ("scipy.special.j0(x)", call("bessel_j0", x)),
    ("math.hypot(x, y)", call("hypot", x, y)),
    ("F.relu(x, inplace=False)", call("relu", x)),
    ("F.elu(x, alpha=2, inplace=False)", call("elu", x, number(2))),
    ("torch.add(x, y, alpha=2)", call("add", x, call("mul", number(2), y))),
    ("torch.sub(x, y, alpha=3)", call("sub", x, call("mul", number(3), y))),
    ("x.add(other=y, alpha=2)", call("add", x, call("mul", number(2), y))),
    ("K.exp()", call("exp", variable("K"))),
    ("torch.where(condition=x > 0, input=y, other=z)", call("where", call("gt", x, number(0)), y, z)),
    ("np.where(x > 0, y, other=z)", call("where", call("gt", x, number(0)), y, z)),
]


@pytest.mark.parametrize(("text", "expected"), CALLS, ids=[text for text, _ in CALLS])
def test_calls(text: str, expected: Expr) -> None:
    assert parse(text) is expected


@pytest.mark.parametrize("name", [name for name, row in FUNCTIONS.items() if not row.internal])
def test_every_row_is_called_by_its_name_and_aliases(name: str) -> None:
    row = FUNCTIONS[name]
    given = [str(i + 1) if a.kind != "real" else f"x{i}" for i, a in enumerate(row.arguments)]
    expected = parse(f"{name}({', '.join(given)})")
    for alias in row.spellings:
        prefix = "torch." if "." in alias else ""
        assert parse(f"{prefix}{alias}({', '.join(given)})") is expected


def test_libraries_name_what_exists() -> None:
    for library in dialects.LIBRARIES.values():
        for ours in library.names.values():
            if not isinstance(ours, str):
                assert ours.definition is not None
                assert parse(ours.definition, internal=True) is not None
            else:
                assert ours in {*FORMS, *SPECIAL, "pi", "e", "tau"} or find(ours) is not None


def test_torch_has_what_its_prefixes_offer() -> None:
    import torch

    places = {"torch": torch, "torch.special": torch.special, "torch.nn.functional": torch.nn.functional}
    for prefix, module in places.items():
        assert all(hasattr(module, name) for name in dialects.LIBRARIES[prefix].names)


def test_formulas_of_the_table() -> None:
    """They may call internal rows, leave parameters open, be conditions, and use any name for a variable."""
    assert parse("besselj(0, x)", internal=True, exact=True) is call("besselj", constant(0, exact=True), x)
    n = variable("n")
    open_parameter = call("add", n, constant(1, exact=True))
    assert parse("dsinc(n + 1, x)", internal=True, exact=True) is call("dsinc", open_parameter, x)
    assert parse("x > 0", internal=True) is call("gt", x, number(0))
    with pytest.raises(ExpressionError, match="no function besselj"):
        parse("besselj(0, x)")


RIGHT_HAND_SIDE = (
    '= has no meaning here: give the right-hand side alone, x**2 (--let "y = x*x" names an intermediate result).'
)
LAMBDA = "lambda is a word of Python: give the formula alone, such as x**2; for a variable write lambd."
PREFIX = (
    "{} is neither a variable with a value nor a known prefix: "
    "write the function alone, or after torch., F., np., jnp., math., sp., scipy.special. or jax.nn."
)
TENSORS = " It takes an array: give x one as its value, x=[1, 2, 3] (in a file, x: {tensor: [1, 2, 3]})."

# (text, message, line of carets)
ERRORS = [
    ("", "There is no expression.", None),
    ("   ", "There is no expression.", "  ^"),
    ("x(2)", "x is not a function: for a product write x*(2).", "  ^"),
    ("x1 (y + 1)", "x1 is not a function: for a product write x1*(y + 1).", "  ^^"),
    ("pi(x)", "pi is not a function: for a product write pi*(x).", "  ^^"),
    ("1/2x", "This can be read in two ways: write (1/2)*x or 1/(2*x).", "  ^^^^"),
    ("y + 3*x/2sin(x)", "This can be read in two ways: write (3*x/2)*sin(x) or 3*x/(2*sin(x)).", "      ^^^^^^^^^^^"),
    ("1/2x**2", "This can be read in two ways: write (1/2)*x**2 or 1/(2*x**2).", "  ^^^^^^^"),
    ("e^2x", "This can be read in two ways: write (e^2)*x or e^(2*x).", "  ^^^^"),
    ("e^-2x", "This can be read in two ways: write (e^-2)*x or e^(-2*x).", "  ^^^^^"),
    ("2**3x", "This can be read in two ways: write (2**3)*x or 2**(3*x).", "  ^^^^^"),
    ("x**2(y + 1)", "This can be read in two ways: write (x**2)*(y + 1) or x**(2*(y + 1)).", "  ^^^^^^^^^^^"),
    ("x²**3", "This can be read in two ways: put parentheses.", "   ^^^"),
    ("x 2", "An operator is missing: write x*2.", "  ^^^"),
    ("2 3", "An operator is missing: write 2*3.", "  ^^^"),
    ("(x + 1)2", "An operator is missing: write (x + 1)*2.", "  ^^^^^^^^"),
    ("gamma x", "An operator is missing: write gamma(x) or gamma*x.", "  ^^^^^^^"),
    ("learning rate", "An operator is missing: write learning*rate, or learning_rate for one name.", "  " + "^" * 13),
    ("sin⁻²(x)", "sin is a function: for a power of it write sin(x)**-2.", "  ^^^^^"),
    ("sin^n(x)", "sin is a function: for a power of it write sin(x)**2.", "  ^^^^"),
    ("exp^-1(x)", "This can be read in two ways: write 1/exp(x), or the inverse of exp by its own name.", "  ^^^^^^"),
    ("sin x/2", "This can be read in two ways: write sin(x)/2 or sin(x/2).", "  ^^^^^^^"),
    ("|x", "This | is never closed: |x| is abs(x).", "  ^"),
    ("|x|y|z|", "This can be read in two ways: put * where a product is meant, |x|*y*|.", "  ^^^^^"),
    ("x || y", "|| has no meaning here: write x or y.", "    ^^"),
    ("d/dx (x^2)", "gradcheck differentiates by itself: give the function alone, such as x**2.", "  ^^^^"),
    ("∂f/∂x", "gradcheck differentiates by itself: give the function alone, such as x**2.", "  ^"),
    ("x' + 1", None, "   ^"),
    ("exp -x", "exp is a function: write exp(-x).", "  ^^^"),
    ("1 + sin", "sin is a function: write sin(x).", "      ^^^"),
    ("np.exp", "np.exp is a function: write np.exp(x).", "  ^^^^^^"),
    ("sine(x)", "There is no function sine. Did you mean sin, sinh or sinc?", "  ^^^^"),
    ("2*Sigmoid(x)", "There is no function Sigmoid. Did you mean sigmoid?", "    ^^^^^^^"),
    ("frobnicate(x)", "There is no function frobnicate. See `gradcheck functions`.", "  ^^^^^^^^^^"),
    ("x.sigmoyd()", "There is no method sigmoyd. Did you mean sigmoid?", "    ^^^^^^^"),
    ("np.sine(x)", "np.sine is not known to gradcheck. Did you mean np.sin, np.sinh or np.sinc?", "  ^^^^^^^"),
    ("sin(x, y)", "sin(x) takes 1 argument, but 2 were given.", "  ^^^"),
    ("sin()", "sin(x) takes 1 argument, but none was given.", "  ^^^"),
    ("arctan2(y)", "arctan2(y, x) takes 2 arguments, but 1 was given.", "  ^^^^^^^"),
    ("elu(x, 1, 2)", "elu(x, alpha=1) takes 1 to 2 arguments, but 3 were given.", "  ^^^"),
    ("elu(x, beta=1)", "elu has no argument beta: it is elu(x, alpha=1).", "  ^^^"),
    ("elu(x, alpha=y)", "The argument alpha of elu is a plain number, such as 2 or 0.5, not y.", "               ^"),
    ("1 + mpmath.sqrt(x)", PREFIX.format("mpmath"), "      ^^^^^^^^^^^"),
    ("cmath.sqrt(x)", PREFIX.format("cmath"), "  ^^^^^^^^^^"),
    ("K.exp(x)", PREFIX.format("K"), "  ^^^^^"),
    ("m.maximum(x, y)", PREFIX.format("m"), "  ^^^^^^^^^"),
    ("x.sin(y, z)", "sin(x) takes 1 argument, but 3 were given.", "    ^^^"),
    ("(x + 1).sin(y)", "sin(x) takes 1 argument, but 2 were given.", "          ^^^"),
    (
        "softplus(x, 2, beta=3)",
        "beta is given twice, by its place and by its name: it is softplus(x, beta=1, threshold=20).",
        "  ^^^^^^^^",
    ),
    (
        "nan_to_num(x, 0, posinf=1)",
        "These arguments do not go together: it is nan_to_num(x, nan=0) or nan_to_num(x, nan, posinf, neginf).",
        "  ^^^^^^^^^^",
    ),
    ("elu(alpha=2)", "These arguments do not go together: it is elu(x, alpha=1).", "  ^^^"),
    (
        "round(x, decimals=400)",
        "The argument decimals of round is an integer from -100 to 100, not 400.",
        "                    ^^^",
    ),
    ("sin(x, inplace=True)", "sin has no argument inplace: it is sin(x).", "  ^^^"),
    ("add(x, y, alpha=z)", "The argument alpha of add is a plain number, such as 2 or 0.5, not z.", " " * 18 + "^"),
    ("torch.gt(x)", "torch.gt(input, other) takes 2 arguments, but 1 was given.", "  ^^^^^^^^"),
    (
        "torch.gt(x, y)",
        "torch.gt(x, y) is a condition where a number is wanted: write where(torch.gt(x, y), 1, 0).",
        "  ^^^^^^^^^^^^^^",
    ),
    ("sni(x)", "There is no function sni. Did you mean sin?", "  ^^^"),
    ("lg(x)", "torch has no lg: write log10(x).", "  ^^"),
    ("integrate(x)", "There is no function integrate. See `gradcheck functions`.", "  ^^^^^^^^^"),
    ("x.detach()", "There is no method detach.", "    ^^^^^^"),
    ("torch.sum(x)", "torch.sum is not known to gradcheck." + TENSORS, "  ^^^^^^^^^"),
    ("softmax(x)", "There is no function softmax." + TENSORS, "  ^^^^^^^"),
    ("x.mean()", "There is no method mean." + TENSORS, "    ^^^^"),
    ("np.relu(x)", "np.relu is not known to gradcheck: without the prefix, write relu(x).", "  ^^^^^^^"),
    ("np.log_expit(x)", "np.log_expit is not known to gradcheck: without the prefix, write logsigmoid(x).", None),
    ("np.tau", "np.tau is not known to gradcheck: without the prefix, write tau.", "  ^^^^^^"),
    ("elu(x, alpha=1, alpha=2)", "alpha is given twice.", "                  ^^^^^"),
    ("elu(alpha=1, x)", "An argument without a keyword comes after one with a keyword.", "               ^"),
    ("gelu(x, approximate='cosh')", "approximate is one of 'none', 'tanh'.", "                      ^^^^^^"),
    ("relu(x, mode='a')", "relu has no argument mode: it is relu(x).", "               ^^^"),
    ("polygamma(0.5, x)", "The argument n of polygamma is an integer from 0 to 100, not 0.5.", "            ^^^"),
    ("polygamma(101, x)", "The argument n of polygamma is an integer from 0 to 100, not 101.", "            ^^^"),
    ("np.log(x, 2)", "log takes one argument: for the logarithm to base 2 write log(x)/log(2).", "  ^^^^^^"),
    ("torch.log(x, 2)", "log takes one argument: for the logarithm to base 2 write log(x)/log(2).", "  ^^^^^^^^^"),
    ("max(x)", "max(x, y) takes 2 arguments, but 1 was given.", "  ^^^"),
    ("where(x, y, z)", "where wants a condition, and x is a number: write x != 0.", "        ^"),
    ("where(x > 0, y)", "where takes a condition and two values: where(x > 0, a, b).", "  ^^^^^"),
    ("x.where(y > 0, z)", "Write where(condition, x, y): the condition comes first.", "    ^^^^^"),
    (
        "Piecewise((x, x > 0))",
        "No case holds at x = -1: add a last pair (value, True).",
        "  ^^^^^^^^^^^^^^^^^^^^^",
    ),
    (
        "Piecewise((x), (y, True))",
        "Piecewise takes pairs (value, condition), the last of them (value, True).",
        "            ^",
    ),
    ("x!", "! has no meaning here: for the factorial write gamma(x + 1).", "   ^"),
    ("(x + 1)!", "! has no meaning here: for the factorial write gamma((x + 1) + 1).", "         ^"),
    ("x%2", "% has no meaning here: write remainder(x, 2).", "   ^"),
    ("x//2", "// has no meaning here: write floor(x/2).", "   ^^"),
    ("x<<y + 1", "<< has no meaning here: write x*2**(y + 1).", "   ^^"),
    ("y = x**2", RIGHT_HAND_SIDE, "    ^"),
    ("f(x) = x**2", RIGHT_HAND_SIDE, "       ^"),
    ("y := x**2", ":" + RIGHT_HAND_SIDE, "    ^^"),
    ("x =", '= has no meaning here: --let "y = x*x" names an intermediate result, == compares.', "    ^"),
    ("x + 1 = 2", '= has no meaning here: --let "y = x*x" names an intermediate result, == compares.', "        ^"),
    ("return x**2", "return has no meaning here: leave it out.", "  ^^^^^^"),
    ("return (x)", "return has no meaning here: leave it out.", "  ^^^^^^"),
    ("lambda x: x**2", LAMBDA, "  ^^^^^^"),
    ("def f(x): return x", "def is a word of a program: give the formula alone, such as x**2.", "  ^^^"),
    ("import torch", "import is a word of a program: give the formula alone, such as x**2.", "  ^^^^^^"),
    (
        "x[0]",
        "Brackets [ ] have no meaning here: group with ( ), and give every number a name of its own, such as x0.",
        "   ^",
    ),
    ("'x'", "A text in quotes has no meaning here.", "  ^^^"),
    ("lambda*x", LAMBDA, "  ^^^^^^"),
    ("is_*yield", "yield is a word of Python, not a name: for a variable write yield_.", "      ^^^^^"),
    ("1j*x", "1j is imaginary, and complex numbers are not read: for a variable j write 1*j.", "  ^^"),
    ("x — 1", "The character —, U+2014 (EM DASH), is not read here: if - is meant, type that.", "    ^"),
    ("0x1f", "Numbers are decimal here: write this one so.", "  ^^^^"),
    ("1..2", "This is not a number: it has a dot or an underscore too many.", "  ^^^"),
    ("1__0", "This is not a number: it has a dot or an underscore too many.", "  ^^"),
    ("x and y", "and wants a condition, and x is a number: write x != 0.", "  ^"),
    (
        "where(x > 0 & y < 1, x, y)",
        "& wants a condition, and 0 is a number: put each comparison in parentheses.",
        "            ^",
    ),
    ("x<=1<=2", "x<=1<=2 is a condition where a number is wanted: write where(x<=1<=2, 1, 0).", "  ^^^^^^^"),
    ("x > 0", "x > 0 is a condition where a number is wanted: write where(x > 0, 1, 0).", "  ^^^^^"),
    ("True", "True is a condition where a number is wanted: write 1.", "  ^^^^"),
    ("None", "None is not a number.", "  ^^^^"),
    ("1 - inf", "inf is not a finite number.", "      ^^^"),
    ("oo", "oo is not a finite number.", "  ^^"),
    ("__x__", "A name may not begin with two underscores or be made of them.", "  ^^^^^"),
    ("_", "A name may not begin with two underscores or be made of them.", "  ^"),
    ("x.real", "After a dot only a method call is read, such as x.sigmoid().", "   ^^^^^"),
    ("x.__class__", "After a dot only a method call is read, such as x.sigmoid().", "   ^^^^^^^^^^"),
    ("x if y > 0", "This if has no else: write a if condition else b.", "    ^^"),
    ("x else y", "else without an if: write a if condition else b.", "    ^^^^"),
    ("x**", "Something is missing: the expression ends too early.", "     ^"),
    ("*x", "Something is missing before *.", "  ^"),
    ("()", "Something is missing before ).", "   ^"),
    ("(x", "This ( is never closed.", "  ^"),
    ("x)", "This ) closes nothing.", "   ^"),
    ("x, y", "One expression is wanted here, and this comma begins a second.", "   ^"),
    ("torch.sec(x)", None, "  ^^^^^^^^^"),
    ("torch.softplus(x)", None, "  ^^^^^^^^^^^^^^"),
    (
        "1 + sp.loggamma(x)",
        "sp.loggamma: it is not real at negative x: write lgamma(x), the log of abs(gamma(x)).",
        "      ^^^^^^^^^^^",
    ),
    ("scipy.stats.norm(x)", "Of scipy, gradcheck reads scipy.special only.", "  ^^^^^^^^^^^^^^^^"),
    ("9**9**9", "9**9**9 does not fit in a double: it is larger than 1.8e308.", "  ^^^^^^^"),
    ("x**(9**9**9)", "9**9**9 does not fit in a double: it is larger than 1.8e308.", "      ^^^^^^^"),
    ("9**-9**9", "9**-9**9 does not fit in a double: it is smaller than 1e-400.", "  ^^^^^^^^"),
    ("x**1e7", "x**1e7 has an exponent beyond 1,000,000.", "  ^^^^^^"),
    ("(1 + 1e-300)**1000", "(1 + 1e-300)**1000 has more than 100,000 binary digits.", "  " + "^" * 18),
    ("1e309", "1e309 does not fit in a double (5e-324 to 1.8e308): write a smaller number.", "  ^^^^^"),
    ("1e-401*x", "1e-401 does not fit in a double (5e-324 to 1.8e308): write 0.", "  ^^^^^^"),
    ("x\u200b", "There is an invisible or unreadable character here, U+200B (ZERO WIDTH SPACE): delete it.", "   ^"),
    ("ｘ", "The name ｘ is written with U+FF58 (FULLWIDTH LATIN SMALL LETTER X): if x is meant, type that.", "  ^"),
    ("xⁿ", "ⁿ is a superscript letter: write a power with **, x**n.", "  ^^"),
    ("eˣ + 1", "ˣ is a superscript letter: write a power with **, e**x.", "  ^^"),
    ("xᵀ", "ᵀ is the transpose of an array, and this is a formula of numbers: write a power with **.", "  ^^"),
    ("f ∘ g", "∘ is the composition of functions: write f(g(x)).", "    ^"),
    ("x^T x", "^T is the transpose of an array: give arrays as values, as in --at x=[1, 2].", "  ^^^"),
    ("x**2, 2", "A point is given by --at 2.", "      ^^^"),
    ("derivative of sin x", "gradcheck differentiates by itself: give the function alone, sin x.", "  " + "^" * 14),
    ("Find the gradient of x^2", "gradcheck differentiates by itself: give the function alone, x^2.", "  " + "^" * 21),
    ("sp.diff(x**2, x)", "sp.diff: gradcheck differentiates by itself: give the function alone.", "  ^^^^^^^"),
    ("😀*x", "The character 😀, U+1F600 (GRINNING FACE), has no meaning here.", "  ^"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "carets"), ERRORS, ids=[repr(text) for text, _, _ in ERRORS])
def test_errors_say_what_and_where(text: str, message: str | None, carets: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert message is None or caught.value.message == message
    lines = str(caught.value).split("\n")
    if carets is not None:
        assert lines[-1] == carets
        assert len(lines) == 3


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("sp.gamma(x)", "gamma(x)"),
        ("sp.besselj(0, x)", "bessel_j0(x)"),
        ("math.gamma(x)", "gamma(x)"),
        ("np.log(x, 2)", "log(x)/log(2)"),
        ("math.inf", "not a finite number"),
        ("np.max(x, y)", "maximum(x, y)"),
        ("torch.sec(x)", "1/cos(x)"),
        ("torch.cbrt(x)", "cbrt"),
        ("torch.ln(x)", "torch.log"),
        ("torch.erfcx(x)", "torch.special.erfcx"),
        ("torch.nn.ReLU", "torch.nn.ReLU()(x)"),
        ("factorial(n)", "gamma(n + 1)"),
    ],
)
def test_a_meaning_that_differs_names_the_right_form(text: str, instead: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert instead in caught.value.message


def test_a_name_given_a_value_is_not_a_function() -> None:
    with pytest.raises(ExpressionError, match=r"gamma is not a function: for a product write gamma\*\(2\)"):
        parse("gamma(2)", names=["gamma"])


def test_lets_are_named_and_see_the_ones_before() -> None:
    lets = parse_lets(["y = x*x", " z=2*y + 3"])
    square = named("y", call("mul", x, x))
    assert lets["y"] is call("mul", x, x)
    assert lets["z"] is call("add", call("mul", number(2), square), number(3))
    assert parse("z", lets=lets) is named("z", lets["z"])
    assert parse("e + 1", lets=parse_lets(["e = x"])) is call("add", named("e", x), number(1))


@pytest.mark.parametrize(
    ("definitions", "names", "message"),
    [
        (["y = y + 1"], [], "y is defined by itself."),
        (["y = z", "z = y"], [], "z is used before its --let: put that one first."),
        (["y = x", "y = 2"], [], "y is defined twice: give the second one a name of its own."),
        (["y = x"], ["y"], "y is given a value and defined by --let: leave one of them out."),
        (["x*x"], [], '--let takes a definition such as "y = x*x".'),
        (["y == x"], [], '--let takes a definition such as "y = x*x".'),
        (["2 = x"], [], '--let takes a definition such as "y = x*x".'),
        (["lambda = x"], [], LAMBDA),
        (["__y = x"], [], "A name may not begin with two underscores or be made of them."),
        (["y = x > 0"], [], "x > 0 is a condition where a number is wanted: write where(x > 0, 1, 0)."),
        (["y ="], [], "There is no expression."),
    ],
)
def test_lets_that_do_not_fit(definitions: list[str], names: list[str], message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_lets(definitions, names=names)
    assert caught.value.message == message


def test_lets_cannot_hide_a_large_power() -> None:
    lets = parse_lets(["a = 9**300", "b = a*a"])
    with pytest.raises(ExpressionError, match="does not fit in a double"):
        parse("b**b", lets=lets)


def test_lets_count_in_the_size() -> None:
    lets = parse_lets([f"y{i} = " + "+".join(f"{i}.{j:03}1" for j in range(1000)) for i in range(50)])
    with pytest.raises(ExpressionError, match="nodes"):
        parse("+".join(lets), lets=lets)


def test_constants_for_points() -> None:
    assert parse_constant("pi/4") is call("div", constant("pi", exact=True), constant(4, exact=True))
    with pytest.raises(ExpressionError) as caught:
        parse_constant("2*x")
    assert str(caught.value) == "x is not a number: a constant is wanted here, such as pi/4.\n  2*x\n    ^"


def from_depth(frames: int, run: Callable[[], Expr]) -> Expr:
    return run() if frames == 0 else from_depth(frames - 1, run)


@pytest.mark.parametrize(
    ("before", "after"),
    [("(", ")"), ("-(", ")"), ("sin(", ")"), ("np.exp(", ")"), ("x.pow(", ")"), ("elu(2*(x)-", ")")],
)
def test_nesting(before: str, after: str) -> None:
    """Up to the bound it works, also far up in a stack; beyond it is an error."""
    depth = MAX_NESTING - 2
    assert from_depth(300, lambda: parse(before * depth + "x" + after * depth)) is not None
    with pytest.raises(ExpressionError, match="nested more than 100 deep"):
        parse(before * (MAX_NESTING + 1) + "x" + after * (MAX_NESTING + 1))


LONG = {
    "a sum": "+".join(["x"] * 5000),
    "signs": "-" * 10_000 + "x",
    "a chain of comparisons": "where(" + "<".join(["x"] * 5000) + ", 1, 0)",
    "choices": "x if x>0 else " * 900 + "x",
    "a maximum": "max(" + ",".join(["x"] * 5000) + ")",
    "missing operators": "(x)" * 4000,
    "superscripts": "(x)²" * 4000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_long_chains_do_not_recurse(text: str) -> None:
    assert from_depth(300, lambda: parse(text)) is not None


@pytest.mark.parametrize("step", ["x**", "x**-", "x^"])
def test_a_tower_of_powers_is_nested(step: str) -> None:
    """Its value is beyond any exponent long before its text is long."""
    assert from_depth(300, lambda: parse(step * MAX_NESTING + "x")) is not None
    with pytest.raises(ExpressionError, match="nested more than 100 deep"):
        parse(step * 4000 + "x")


# One or more of each kind of text that is meant to run code, to hang, to eat memory or to end in a traceback.
HOSTILE = [
    "__import__('os').system('touch CANARY')",
    "exec(\"open('CANARY', 'w')\")",
    "eval('1')",
    "open('CANARY','w').write('x')",
    "globals()",
    "(1).__class__.__bases__[0].__subclasses__()",
    "''.__class__.__mro__",
    "sin.__globals__",
    "(lambda: 0).__code__",
    "'{0.__class__}'.format(1)",
    'f"{x}"',
    "'x' * 10**9",
    "[x for x in range(10**9)]",
    "(x := 5)",
    "x; import os",
    "yield x",
    "**x",
    "x is y",
    "...",
    "__𝐜𝐥𝐚𝐬𝐬__",
    "ｅｖａｌ('1')",
    "x\u202e+1\u202c",
    "٣*x",
    "sın(x)",
    "\x1b[31mx\x1b[0m",
    "\ud800*x",
    "x**9**9**9",
    "((9**9)**9999)**9999",
    "2**(2**64)",
    "(2**64)**(2**64)",
    "(1e300 + 2 - 1e300)**(9**8)",
    "(1e-300*1e-300)**1000000",
    "1.00000000001**1000000",
    "factorial(10**9)",
    "isprime(2**20000 + 1)",
    "tan(10**1000000)",
    "limit(x, x, oo)",
    "Sum(x, (x, 1, 10**12)).doit()",
    "Symbol('x'*10**8)",
    "[" * 1000,
    "(" * 20_000,
    "|" * 20_000,
    "1." * 9000,
    "x!" * 9000,
    "elu(x,".join([""] * 91) + "1" + ")" * 90,
    "elu(x, " + "+".join(["1.00001**1000"] * 1400) + ")",
    "9" * 5000,
    "1e999999999",
    "1e" + "9" * 15_000,
    "1e-" + "9" * 15_000,
    "x⁹⁹⁹⁹⁹⁹⁹⁹",
    "²" * 20_000,
    "x+" * 20_000 + "x",
    "a" * 100_000,
    " " * 100_000,
    "x?1:2",
    "x<<200000000",
    "NaN*x",
    "b'x'",
    "\\x41",
    "x\\\n+1",
    "import",
    "$(touch CANARY)",
    "`touch CANARY`",
    "&& touch CANARY",
    "<script>alert(1)</script>",
    "\x07",
    "'; DROP TABLE t; --",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text)[:40] for text in HOSTILE])
def test_hostile_texts_are_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert len(caught.value.message) < 400
    assert all(char.isprintable() or char == "\n" for char in str(caught.value))
    assert not list(tmp_path.iterdir())


def test_the_length_is_bounded() -> None:
    assert parse("x" + " " * (MAX_LENGTH - 1)) is x
    with pytest.raises(ExpressionError, match="20,001 characters"):
        parse("x" + " " * MAX_LENGTH)
    assert MAX_NODES == 100_000


def test_the_package_of_the_parser_never_runs_text() -> None:
    runs_text = re.compile(r"(?<![.\w])(eval|exec|compile|__import__)\(|import (ast|tokenize|sympy|builtins)\b")
    for path in Path(parser.__file__).parent.glob("*.py"):
        assert not runs_text.search(path.read_text(encoding="utf-8")), path


FRAGMENTS = re.findall(
    r"\S+",
    """
    x y z 1 2 0.5 pi e ( ) , + - * / ** ^ < <= == = . | & ~ ! % [ ² √ if else and or not True where( Piecewise( sin(
    max( clamp( softplus( beta= .sigmoid() np. torch. 9**9 1e __ 'a' é sin ln ½ ⁻¹ ^-1 ^{ } || θ theta log_3 x₁ d/dx
    """,
)
TEXTS = st.lists(st.sampled_from([*FRAGMENTS, "\u200b", " ", "\n", "x ", " y"]), max_size=14).map("".join) | st.text(
    max_size=30
)


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_any_text_ends_in_an_expression_or_an_error_with_a_place(text: str) -> None:
    found = None
    try:
        parse(text)
    except ExpressionError as error:
        found = error
    if found is not None:
        assert 0 <= found.start <= len(text)
        assert found.start < found.end
        assert str(found)
