"""What the left side of a claim says."""

from __future__ import annotations

import pytest

from gradcheck_cli.claims.claim_text import claimed_names, separate_claims, split_claim


@pytest.mark.parametrize(
    ("text", "names", "formulas"),
    [
        ("2*x", "", "2*x"),
        ("x: 2*x", "x", "2*x"),
        ("x, y: 1", "x y", "1"),
        ("x = y", "x", "y"),
        ("f'(x) = 2*x", "x", "2*x"),
        ("f''(x): 2", "x x", "2"),
        ("f' = 2", "", "2"),
        ("y′ = 2", "", "2"),
        ("dy/dx = 2x", "x", "2x"),
        ("dsigma/dx = 1", "x", "1"),
        ("d sigma / d x: 1", "x", "1"),
        ("df(x)/dx = 2", "x", "2"),
        ("d/dx f(x) = 2x", "x", "2x"),
        ("∂f/∂x = y", "x", "y"),
        ("∂L/∂w₁ = x", "w₁", "x"),
        ("∂f/∂x(x, y) = y", "x", "y"),
        ("∂_x f = y", "x", "y"),
        ("d²f/dx² = 2", "x x", "2"),
        ("d^2f/dx^2 = 2", "x x", "2"),
        ("d2y/dx2 = 2", "x x", "2"),
        ("d3y/dx3 = 2", "x x x", "2"),
        ("∂²f/∂x∂y = 1", "x y", "1"),
        ("∂^2f/(∂x∂y) = 1", "x y", "1"),
        ("d2f/dx dy = 1", "x y", "1"),
        ("[y, x]", "", "y|x"),
        ("(y, max(x, 1),)", "", "y|max(x, 1)"),
        ("∇f = (y, x)", "", "y|x"),
        ("gradient: [y, x]", "", "y|x"),
        ("(x + 1)*(y)", "", "(x + 1)*(y)"),
        ("(x)", "", "(x)"),
        ("(x, y) + (1, 2)", "", "(x, y) + (1, 2)"),
        ("max(x, y)", "", "max(x, y)"),
        ("x if x == 1 else 2", "", "x if x == 1 else 2"),
        ("where(x <= 1, 2, x)", "", "where(x <= 1, 2, x)"),
        ("d/dx (x^2) = 2x", "x", "2x"),
        (r"\frac{dy}{dx} = \frac{1}{x}", "x", r"\frac{1}{x}"),
        (r"$\frac{\partial f}{\partial x} = y$", "x", "y"),
        (r"\frac{\partial^2 f}{\partial x \, \partial y} = 1", "x y", "1"),
        (r"f^{\prime}(x) = 2x", "x", "2x"),
        (r"\nabla f = (y, x)", "", "y|x"),
        ("sin(x) = cos(x)", "", "sin(x) = cos(x)"),
    ],
)
def test_left_sides(text: str, names: str, formulas: str) -> None:
    found = split_claim(text)
    assert (" ".join(found.names), "|".join(found.formulas)) == (names, formulas)


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("dx: y, dy: x", ["dx: y", "dy: x"]),
        ("x=y; y=x", ["x=y", "y=x"]),
        ("df/dx = max(x, y)\ndf/dy = x", ["df/dx = max(x, y)", "df/dy = x"]),
        ("{x: y, y: x}", ["x: y", "y: x"]),
        ("{x: y}", ["x: y"]),
        ("x, y: 1", ["x, y: 1"]),
        ("x: y", ["x: y"]),
        ("[y, x]", ["[y, x]"]),
        ("max(x, y)", ["max(x, y)"]),
    ],
)
def test_several_claims_in_one_text(text: str, claims: list[str]) -> None:
    assert separate_claims(text) == claims


def test_dx_and_f_x_are_x_where_that_is_a_variable() -> None:
    assert split_claim("dx: y").wrt(["x", "y"]) == ("x",)
    assert split_claim("f_x = y").wrt(["x", "y"]) == ("x",)
    assert split_claim("dx: y").wrt(["dx", "y"]) == ("dx",)
    assert split_claim("dz: y").wrt(["x", "y"]) == ("dz",)


def test_names_that_are_certainly_variables() -> None:
    """pi is one where it is differentiated by, and stays a constant where a claim may mean something else."""
    assert claimed_names(["pi: 2", "dy/de = 1", "tau = 3", "f'(2) = 4"]) == {"pi", "e"}


@pytest.mark.parametrize("text", ["d" * 500 + "/d", "∂f/" + "∂x" * 5_000 + " = 1", "(" * 5_000, "d^999999999f/dx = 1",
                                  "f" + "'" * 5_000 + " = 1", "[" + "," * 10_000 + "]", "x: " * 1_000, "d/" * 90 + "=1",
                                  "dx^99999999999/dx^99999999 = 1", "f'(" * 60 + "="])  # fmt: skip
def test_hostile_left_sides_end(text: str) -> None:
    separate_claims(text)
    split_claim(text)
