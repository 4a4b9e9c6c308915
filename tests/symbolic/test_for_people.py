"""Closed forms as people write them. That they are the derivative is checked at every point that is checked."""

from __future__ import annotations

import pytest

from gradcheck_cli import check
from gradcheck_cli.differentiation.steps import AS_WRITTEN
from gradcheck_cli.records.results import ClaimStatus

FORMS = [
    # (formula, by, the closed form)
    ("x*sigmoid(x)", "x", "x*(1 - sigmoid(x))*sigmoid(x) + sigmoid(x)"),
    ("silu(x)", "x", "x*(1 - sigmoid(x))*sigmoid(x) + sigmoid(x)"),
    ("logsigmoid(x)", "x", "1 - sigmoid(x)"),
    ("-(y*log(sigmoid(z)) + (1 - y)*log(1 - sigmoid(z)))", "z", "sigmoid(z) - y"),
    ("(sigmoid(x) - y)^2", "x", "2*(1 - sigmoid(x))*(sigmoid(x) - y)*sigmoid(x)"),
    ("1/(1 + exp(-x))", "x", "exp(-x)/(1 + exp(-x))**2"),
    ("exp(-(x - m)^2/(2*s^2))", "x", "(m - x)*exp(-(x - m)**2/(2*s**2))/s**2"),
    ("x^2*(x + 1)", "x", "3*x**2 + 2*x"),
    ("(2*x + 1)^3", "x", "6*(2*x + 1)**2"),
    ("8*x^4 + 3*x^3", "x", "32*x**3 + 9*x**2"),
    ("(exp(x) - 1)/x", "x", "exp(x)/x - (exp(x) - 1)/x**2"),
    ("tanh(w*x + b)", "w", "x*(1 - tanh(b + w*x)**2)"),
]


@pytest.mark.parametrize(("formula", "by", "form"), FORMS, ids=[formula for formula, _, _ in FORMS])
def test_a_closed_form(formula: str, by: str, form: str) -> None:
    result = check(formula, samples=5, range="0.2:0.9")
    assert result.derivatives is not None
    assert result.derivatives[by] == form


def test_the_second_derivative_of_sigmoid_has_no_exponentials() -> None:
    result = check("sigmoid(x)", order=2, samples=5)
    assert result.derivatives is not None
    assert "exp" not in result.derivatives["x,x"]


@pytest.mark.parametrize("name", AS_WRITTEN)
def test_what_explain_writes_for_a_function_is_its_derivative(name: str) -> None:
    (written,) = AS_WRITTEN[name]
    (claim,) = check(f"{name}(x)", claim=written).claims
    assert claim.status is ClaimStatus.PROVEN
