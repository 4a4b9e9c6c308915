"""The line of a magic, as words: what a shell would do to quotes, and what no shell does to formulas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck_cli.errors import UsageError
from gradcheck_cli.notebook.variables import with_numbers
from gradcheck_cli.notebook.words import formula_first, words

OPTIONS = {"--at", "--claim", "--let", "-v", "-q"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x**2 --at 2", ["x**2", "--at", "2"]),
        ("x**2 + sin(x) --at 2", ["x**2 + sin(x)", "--at", "2"]),
        ('"x**2 + sin(x)" --at 2', ["x**2 + sin(x)", "--at", "2"]),
        ("'x**2' '--at' 2", ["x**2", "--at", "2"]),
        ("x**2 --at 2;", ["x**2", "--at", "2"]),
        ("y = x^2; z = 2y + 3 --at 3.5", ["y = x^2; z = 2y + 3", "--at", "3.5"]),
        ("w x + b w=2 x=1 b=0.5", ["w x + b", "w=2", "x=1", "b=0.5"]),
        ("y=x**2 + 5 -v", ["y=x**2 + 5", "-v"]),
        ("f(x) = x*exp(-x), x=1 -v", ["f(x) = x*exp(-x), x=1", "-v"]),
        ("y=x**2; z=2*y x=3", ["y=x**2; z=2*y", "x=3"]),
        ("-x**2 --at 2", ["-x**2", "--at", "2"]),
        ("--at 2 x**2", ["--at", "2", "x**2"]),
        ("--at=2 'x + 1'", ["--at=2", "x + 1"]),
        ('x --at="x = 1"', ["x", "--at=x = 1"]),
        ("x == 1", ["x == 1"]),
        ("sum(W @ x) --at W=[[1, 2], [3, 4]], x=[1, -1]", ["sum(W @ x)", "--at", "W=[[1, 2], [3, 4]],", "x=[1, -1]"]),
        (r"\frac{1}{x + 1} --at 1", [r"\frac{1}{x + 1}", "--at", "1"]),
        (r"$\sqrt{x}$", [r"$\sqrt{x}$"]),
        (r'"\frac{\"x\"}{\\ 2}"', [r'\frac{"x"}{\ 2}']),
        ("f'(x) = 2*x", ["f'(x) = 2*x"]),
        ('x --claim "f\'(x) = 1"', ["x", "--claim", "f'(x) = 1"]),
        ("w*x --claim w: x --at w=1,x=2", ["w*x", "--claim", "w: x", "--at", "w=1,x=2"]),
        ("x**2 --claim 2 x", ["x**2", "--claim", "2 x"]),
        ("x**2 --claim=2*x + 0 x=1", ["x**2", "--claim=2*x + 0", "x=1"]),
        ("z = 2y --let y = x*x + 1 --claim x: 4x -v", ["z = 2y", "--let", "y = x*x + 1", "--claim", "x: 4x", "-v"]),
        ('x**2 --claim "2 * x" x=1', ["x**2", "--claim", "2 * x", "x=1"]),
        ("sin(x --at 2", ["sin(x", "--at", "2"]),
        ("'x", ["'x"]),
        ('"x" "y"z', ["x", "yz"]),
        ("", []),
        ("   ", []),
    ],
)
def test_words(line: str, expected: list[str]) -> None:
    assert formula_first(line, words(line), OPTIONS) == expected


@given(st.text(alphabet="x1+ =-'\"()[]{}\\;\n", max_size=40))
def test_every_character_is_in_one_word(line: str) -> None:
    """Words stand in the line one after the other, with nothing but spaces between them."""
    rest = line.rstrip().removesuffix(";")
    found, end = words(line), 0
    for word in found:
        assert not rest[end : word.start].strip()
        assert word.start < word.end <= len(rest)
        end = word.end
    assert not rest[end:].strip()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["x^{w}", "--at", "w={w}"], ["x^{w}", "--at", "w=0.1"]),
        (["x", "--let", "y = x^{w}", "--claim", "x^{w}", "--claim={w}"], ["x", "--let", "y = x^{w}", "--claim", "x^{w}",
                                                                     "--claim={w}"]),
        (["x", "x={many}", "x={none: 1}"], ["x", "x=[1,2.5]", "x={none: 1}"]),
        (["x", "--at", "{x: 1}"], ["x", "--at", "{x: 1}"]),
        (["x", "--samples", "{count}"], ["x", "--samples", "3"]),
    ],
)  # fmt: skip
def test_variables_are_replaced_except_in_formulas(texts: list[str], expected: list[str]) -> None:
    names = {"w": 0.1, "many": [1, 2.5], "count": 3}
    assert with_numbers(texts, names, formula_first=True) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "{w}: the notebook has no variable w"),
        ({"w": print}, "w=<built-in function print> is no number"),
        ({"w": float("nan")}, "w=nan is not finite"),
    ],
)
def test_a_variable_without_numbers(value: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        with_numbers(["x", "--at", "{w}"], value, formula_first=True)
    assert str(error.value) == message
