"""Adding a function is adding a row: nothing else has to know of it."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest

from gradcheck_cli.certified.proofs.proof import equal
from gradcheck_cli.checking.checker import check_expression
from gradcheck_cli.checking.points.texts import read_points
from gradcheck_cli.checking.reading import Reading
from gradcheck_cli.differentiation.gradient import derivative
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.nodes import Expr, call, constant, variable
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.printer import to_text
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import ProblemResult, Verdict

COLUMNS = {"doc": "x**3", "torch": None, "definition": "x*x*x", "partials": ("3*x**2",), "latex": r"\text{cub}"}
ROW = Function("cubed", **COLUMNS)  # type: ignore[arg-type]
x = variable("x")


def checked(text: str, at: str, expression: Expr) -> ProblemResult:
    """A check of an expression over x that no text could give."""
    request = Request(text, at=(at,))
    points = read_points(request.at, ("x",))
    return check_expression(
        request, reading=Reading(request, expression, {}, ("x",), (Derivative(("x",)),), (), points)
    )


def test_a_row_that_is_in_no_table_is_a_function() -> None:
    """Printed, differentiated, evaluated in balls and in torch, shown as a closed form, and proven."""
    expression = call(op.ADD, call(ROW, x), call(op.EXP, x))
    assert to_text(expression) == "cubed(x) + exp(x)"
    result = checked("cubed(x) + exp(x)", "2", expression)
    (check,) = result.checks
    assert check.verdict is Verdict.MATCH
    assert check.analytical == pytest.approx(19.38905609893065, rel=1e-15)
    assert result.derivatives == {"x": "3*x**2 + exp(x)"}
    assert equal(expression, derivative(expression, ("x",)), parse("3*x*x + exp(x)"), ("x",), 5.0)


def test_a_row_may_bear_the_name_of_another() -> None:
    """What is known of a function is known of its row, not of its name."""
    impostor = Function("sin", definition="x*x", partials=("2*x",), torch=lambda x: x * x)
    expression = call(impostor, x)
    (check,) = checked("sin(x)", "3", expression).checks
    assert (check.verdict, check.analytical, check.autograd) == (Verdict.MATCH, 6, 6)
    assert not equal(expression, derivative(expression, ("x",)), parse("cos(x)"), ("x",), 5.0)
    assert equal(expression, derivative(expression, ("x",)), parse("x + x"), ("x",), 5.0)


def test_its_arguments_may_be_numbers() -> None:
    row = Function("shifted", "x, n:integer; from -3", definition="x + n", torch=None, partials=("1",))
    assert (row.arguments[1].kind, row.arguments[1].least) == ("integer", -3)
    expression = call(row, x, constant(Fraction(-2)))
    (check,) = checked("shifted(x, -2)", "1", expression).checks
    assert (check.verdict, check.value) == (Verdict.MATCH, -1)


@pytest.mark.slow
def test_a_row_in_the_table_is_read_listed_and_checked() -> None:
    """In a process in which the table has one row more."""
    code = f"""
from gradcheck_cli.expression import functions
row = functions.Function("cubed", also=("cube",), **{COLUMNS!r})
functions.FUNCTIONS["cubed"] = row
from gradcheck_cli import check
from gradcheck_cli.language.latex import to_latex
from gradcheck_cli.language.parser import parse
result = check("cube(x) + cubed(x)", at=2, claim="6*x**2")
print(result.verdict.value, result.checks[0].analytical, result.claims[0].status.value, to_latex(parse("cubed(x)")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "match 24.0 proven \\text{cub}\\left(x\\right)\n", done.stderr
