"""What is printed, and that reading it gives the very same expression."""

from __future__ import annotations

from fractions import Fraction

import pytest
from helpers.expressions import call
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Expr, constant, named, variable
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.printer import short_text, text_within, to_text

x, y = variable("x"), variable("y")

# What is read, and how it is printed.
PRINTED = [
    ("8*x**4+3*x**3", "8*x**4 + 3*x**3"),
    ("2x", "2*x"),
    ("-x^2", "-x**2"),
    ("(-x)**2", "(-x)**2"),
    ("x**(y**2)", "x**y**2"),
    ("(x**y)**2", "(x**y)**2"),
    ("x**(-2)", "x**-2"),
    ("x**(1/2)", "x**(1/2)"),
    ("x - (y - 1)", "x - (y - 1)"),
    ("(x - y) - 1", "x - y - 1"),
    ("x + (y + 1)", "x + (y + 1)"),
    ("x/(y*2)", "x/(y*2)"),
    ("(x*y)/2", "x*y/2"),
    ("-(x*y)", "-(x*y)"),
    ("-(x)*y", "-x*y"),
    ("x*(-y)", "x*-y"),
    ("-(x + y)", "-(x + y)"),
    ("--x", "--x"),
    ("(x if y > 0 else 1) + 2", "(x if y > 0 else 1) + 2"),
    ("x if y > 0 else (y if x > 0 else 1)", "x if y > 0 else y if x > 0 else 1"),
    ("(x if y > 0 else y) if x > 0 else 1", "(x if y > 0 else y) if x > 0 else 1"),
    ("where(0 < x < 1, x, y)", "where(0 < x and x < 1, x, y)"),
    ("where((x > 0 or y > 0) and not x == y, x, y)", "where((x > 0 or y > 0) and not x == y, x, y)"),
    ("where(not (x > 0 and y > 0), x, y)", "where(not (x > 0 and y > 0), x, y)"),
    ("Piecewise((x, x > 0), (y, True))", "where(x > 0, x, y)"),
    ("max(x, y, 1)", "maximum(x, y, 1)"),
    ("max(x, max(y, 1))", "maximum(x, maximum(y, 1))"),
    ("softplus(x)", "softplus(x)"),
    ("softplus(x, 2)", "softplus(x, 2)"),
    ("softplus(x, threshold=5)", "softplus(x, 1, 5)"),
    ("softplus(x, -1/3)", "softplus(x, -1/3)"),
    ("gelu(x, approximate='tanh')", "gelu(x, approximate='tanh')"),
    ("round(x, 2)", "round(x, decimals=2)"),
    ("div(x, y, rounding_mode='floor')", "div(x, y, rounding_mode='floor')"),
    ("div(x, y)", "x/y"),
    ("clamp(x, max=1)", "clamp(x, max=1)"),
    ("clamp(x, 0)", "clamp(x, min=0)"),
    ("logit(x, 0.1)", "logit(x, 0.1)"),
    ("ln(x)", "log(x)"),
    ("2π", "2*pi"),
    ("1e-3", "0.001"),
    ("1e300", "1e300"),
    ("1234567890123456", "1234567890123456"),
    ("0.1000000000000000055511151231257827", "1000000000000000055511151231257827e-34"),
]


@pytest.mark.parametrize(("typed", "printed"), PRINTED)
def test_printed(typed: str, printed: str) -> None:
    expr = parse(typed)
    assert to_text(expr) == printed
    assert parse(printed) is expr


def test_numbers_of_the_rules() -> None:
    """A derivative holds numbers that nobody types as one: they print with the parentheses they need."""
    third, minus = constant(Fraction(1, 3), exact=True), constant(-2, exact=True)
    assert to_text(call("pow", x, third)) == "x**(1/3)"
    assert to_text(call("mul", third, x)) == "1/3*x"
    assert to_text(call("mul", x, third)) == "x*(1/3)"
    assert to_text(call("pow", minus, x)) == "(-2)**x"
    assert to_text(call("pow", x, minus)) == "x**-2"


def test_intermediate_results() -> None:
    total = named("s", call("add", x, y))
    product = call("mul", total, x)
    assert to_text(product) == "s*x"
    assert to_text(product, expand=True) == "(x + y)*x"


def test_what_would_be_too_long_is_refused_early() -> None:
    expr: Expr = x
    for _ in range(3000):
        expr = call("mul", call("sin", expr), expr)
    with pytest.raises(ValueError, match="20,000 characters"):
        to_text(expr)
    assert text_within(expr, 1_000) is None
    assert text_within(call("add", x, y), 4) is None
    assert text_within(call("add", x, y), 5) == "x + y"


def test_what_is_too_long_is_shown_without_what_is_deepest() -> None:
    expr: Expr = x
    for _ in range(3000):
        expr = call("mul", call("sin", expr), call("add", expr, y))
    assert short_text(call("pow", expr, constant(2))) == "(sin(sin(…*…)*(…*… + y))*(sin(…*…)*(…*… + y) + y))**2"
    assert short_text(call("pow", expr, constant(2)), limit=20) == "(sin(…)*(… + y))**2"
    assert short_text(call("log1p", variable("x" * 100))) == "log1p(…)"
    assert short_text(call("sin", x)) == "sin(x)"
    assert short_text(constant(Fraction(10**80 + 1, 7))) == "…"


def test_depth_is_no_limit() -> None:
    assert to_text(parse("-" * 9000 + "x")) == "-" * 9000 + "x"


VARIABLES = st.sampled_from(["x", "y", "x1", "gamma", "α", "I"]).map(variable)
NUMBERS = st.one_of(
    st.integers(0, 10**20).map(Fraction),
    st.decimals(0, 10**6, allow_nan=False, allow_infinity=False).map(Fraction),
    st.floats(0, 1e308).map(repr).map(Fraction),
    st.sampled_from([Fraction(10) ** power for power in (-399, -320, 308)]),
)
# Powers of constants are bounded: a base here is a variable, or a call with one.
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
OPERATORS = ("add", "sub", "mul", "div", "pow", "neg")
ROWS = [row for row in FUNCTIONS.values() if not row.internal and row.name not in OPERATORS]


@st.composite
def conditions(draw: st.DrawFn, numbers: st.SearchStrategy[Expr]) -> Expr:
    kind = draw(st.sampled_from([*COMPARISONS, *COMPARISONS, "and", "or", "not", "true"]))
    if kind == "true":
        return call("true")
    if kind == "not":
        return call("not", draw(conditions(numbers)))
    operands = conditions(numbers) if kind in ("and", "or") else numbers
    return call(kind, draw(operands), draw(operands))


@st.composite
def calls(draw: st.DrawFn, numbers: st.SearchStrategy[Expr]) -> Expr:
    kind = draw(st.sampled_from(["neg", "pow", "binary", "binary", "choice", "row", "row"]))
    if kind == "neg":
        return call("neg", draw(numbers))
    if kind == "pow":
        return call("pow", call("sin", draw(numbers)), call("cos", draw(numbers)))
    if kind == "binary":
        return call(draw(st.sampled_from(["add", "sub", "mul", "div"])), draw(numbers), draw(numbers))
    if kind == "choice":
        name = draw(st.sampled_from(["where", "ifelse"]))
        return call(name, draw(conditions(numbers)), draw(numbers), draw(numbers))
    row = draw(st.sampled_from(ROWS))
    return call(row.name, *(draw(argument(row, index, numbers)) for index in range(len(row.arguments))))


def argument(row: Function, index: int, numbers: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    kind = row.arguments[index].kind
    if kind == "real":
        return numbers
    if kind == "integer":
        return st.integers(1, 100).map(constant)
    return st.fractions(-50, 50).map(constant) | st.just(constant(1))


EXPRESSIONS: st.SearchStrategy[Expr] = st.recursive(
    VARIABLES | NUMBERS.map(constant) | st.sampled_from(["pi", "e", "tau"]).map(constant), calls, max_leaves=25
)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_reading_what_was_printed_gives_the_same_expression(expr: Expr) -> None:
    assert parse(to_text(expr, expand=True)) is expr
