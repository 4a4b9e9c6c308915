"""Texts with a left side, several definitions or the cell of a notebook, from every surface to the report."""

from __future__ import annotations

from pathlib import Path

import pytest
from language.pasted import NOTEBOOK

from gradcheck_cli import GradcheckError, check, explain, run
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.results import ProblemResult
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.table import render_table

CELL = """
import torch
x = torch.tensor(3.5, requires_grad=True)
y = x*x  # the square
z = 2*y + 3
z.backward()
print(x.grad)
"""


def table(result: ProblemResult) -> str:
    return render_table(Report((result,), {}), Display())


def test_the_left_side_names_the_function_in_the_report() -> None:
    shown = table(check("y = x**2 + 5", at=2, claim="2*x + 1"))
    assert shown.startswith("y(x)  = x**2 + 5\ny'(x) = 2*x\n\ny(2) = 9\n")
    assert "claim: y'(x) = 2*x + 1" in shown
    several = table(check("a = w*x", at="w=1,x=2"))
    assert several.startswith("a(w, x) = w*x\n∂a/∂w   = x\n")
    assert check("x**2", at=2).function_name is None


def test_a_cell_gives_its_point_and_says_what_was_passed_over() -> None:
    result = check(CELL)
    assert (result.function_name, result.lets, result.checks[0].point) == ("z", {"y": "x*x"}, {"x": 3.5})
    assert result.checks[0].analytical == 14
    assert result.notices == (
        "the text gives the point x=3.5",
        "passed over: # the square; import torch; print(x.grad)",
    )
    elsewhere = check(CELL, at=1)
    assert elsewhere.checks[0].analytical == 4
    assert "passed over: the point x=3.5 of the text" in elsewhere.notices
    assert check(CELL, samples=2).checks[0].point == {"x": 3.5}
    assert len(check(CELL, range="0:1").checks) == 5


@pytest.mark.parametrize(("name", "cell", "point", "value", "derivatives"), NOTEBOOK, ids=[row[0] for row in NOTEBOOK])
def test_the_cells_of_a_notebook_give_their_numbers(
    name: str, cell: str, point: dict[str, float], value: float, derivatives: dict[str, float]
) -> None:
    result = check(cell)
    assert result.passed
    assert [(row.point, row.value) for row in result.checks] == [(point, value)] * len(derivatives)
    assert {row.wrt[0]: row.analytical for row in result.checks} == derivatives


def test_the_variables_stand_as_the_function_has_them() -> None:
    assert check("f(x, y) = y + x*y; f(1, 2)").variables == ("x", "y")
    assert check("lambda x, y: y + x*y", at="1,2").checks[0].point == {"x": 1, "y": 2}


@pytest.mark.parametrize(
    ("text", "at", "point"),
    [
        ("f(x, y) = x*y, y = 2", "x=1", {"x": 1, "y": 2}),
        ("f(x, y) = x*y, y = 2", "1", {"x": 1, "y": 2}),
        ("f(x, y) = x*y, y = 2", {"x": 1}, {"x": 1, "y": 2}),
        ("f(x, y) = x*y; y = 2", "x=1", {"x": 1, "y": 2}),
        ("f(x, y) = x*y; x = 3; y = 2", "x=1", {"x": 1, "y": 2}),
        ("f(x, y) = x*y; x = 3; y = -2.5", (), {"x": 3, "y": -2.5}),
        ("y = x**2; x = 3", (), {"x": 3}),
        ("f(x) = a*x**2; a = 3", "2", {"x": 2}),
        ("f(x, y) = x*y at x=1, y=2", "x=5,y=6", {"x": 5, "y": 6}),
    ],
)
def test_values_that_the_text_gives(text: str, at: object, point: dict[str, float]) -> None:
    result = check(text, at=at)  # type: ignore[call-overload]
    assert [row.point for row in result.checks] == [point] * len(point)
    assert result.passed


def test_explain_calls_the_result_as_the_text_does() -> None:
    assert explain("σ(x) = 1/(1 + exp(-x))", at=2).name == "σ"
    cell = explain(CELL, at=())
    assert (cell.name, cell.point, [step.name for step in cell.steps]) == ("z", {"x": 3.5}, ["x", "y", "a", "z"])


@pytest.mark.parametrize(
    "let", [{"a": "-x", "b": "exp(a)"}, "a = -x; b = exp(a)", {"a(x)": "-x", "b(a)": "exp(a)"}, "b(x) = exp(-x)"]
)
def test_definitions_from_python(let: object) -> None:
    result = check("1/(1 + b)", at=2, let=let)  # type: ignore[arg-type]
    assert result.checks[0].analytical == 0.10499358540350652


def test_what_was_assumed_is_said() -> None:
    assert "xe is read as one variable; a product is written x*e" in check("xe^x").notices
    assert check("wx", at="wx=2").notices == ()
    assert check("sin^-1(x)", at=0.5).notices == ("sin^-1 is read as asin, the inverse; 1/sin(x) is the reciprocal",)
    assert check("θ**2", at="θ=1", wrt="theta").variables == ("θ",)


def test_definitions_in_files(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        """problems:
  - {name: left side, expression: y = x^2; 2*y, at: 2, gradient: 8}
  - {name: text, let: a = -x; b = exp(a), expression: 1/(1 + b), at: 2, wrt: [x, b]}
  - {name: functions, let: {a(x): -x, b(x): exp(x)}, expression: 1/(1 + b(a(x))), at: 2, gradient: 0.10499358540350652}
  - name: cell
    gradient: 292
    expression: |
      x = torch.tensor(2.0, requires_grad=True)
      f = 8*x**4 + 3*x**3
      f.backward()
""",
        encoding="utf-8",
    )
    report = run(tmp_path / "p.yaml")
    assert [problem.error for problem in report.problems] == [None] * 4
    assert report.passed


@pytest.mark.parametrize(
    ("expression", "at", "message"),
    [
        ("y = x + y", "x=1", "y is defined by itself."),
        ("f(x) = f(x - 1) + 1", "1", "f is defined by itself."),
        ("y = x**2", "y=1", "y is the function here, and is given a value: leave one of them out."),
        ("y = x; z = 2*y", "y=1", "y is given a value and defined here: leave one of them out."),
        ("z = 2*y; y = x", "1", "y is used before its definition: put that one first."),
        ("y = x; y = 2*x", "1", "y is defined twice: give the second one a name of its own."),
        ("f(x, y) = x*y; y = 2", (), 'the text gives y=2, and no value to x: give it by at="x=1"'),
        ("y = x + y, y = 2", (), "y is defined twice: give the second one a name of its own."),
        ("y = x, z = 2", (), "One expression is wanted here, and this comma begins a second."),
        ("y = x**2, x = 1, x = 2", (), "One expression is wanted here, and this comma begins a second."),
        ("y = z = x", "1", "One name is enough: y or z."),
        ("x**2; x + 1", "1", "This formula has no name, and is not the last one: give one function at a time."),
        ("y = x**2\n-y", "1", "This can be read in two ways: "),
        ("g(x) = x; g(x, 2)", "1", "g(x) takes 1 argument, but 2 were given."),
        ("y = x; z = 2*x; y.backward(); z.backward()", "1", "backward is called on y and on z: give one function"),
        ("f'(x) = 2*x", "1", 'This is a derivative: give the function, and this by claim="2*x".'),
        ("f(x)=x^3, f'(x)=3x^2", "1", 'This is a derivative: give the function, and this by claim="3x^2".'),
        ("dy/dx = 2x", "1", 'This is a derivative: give the function, and this by claim="2x".'),
        ("import torch", "1", "There is no formula in this text: give one, such as y = x**2."),
        ("x = torch.tensor(2., requires_grad=True)", "1", "There is no formula in this text, only points."),
        ("def f(x): pass", "1", "This def has no formula: write def f(x): return x**2."),
        ("def f(x, *y): return x", "1", "The parameters x, *y are no list of names, such as x, y."),
        ("g(x) = x; g²(x + 1)", "1", "This can be read in two ways: write g(...)**2 or g(g(...))."),
        ("wx + b", "w=1,x=2,b=3", "wx has no value: for a product write w*x."),
        ("xe^x", "1", "xe has no value: for a product write x*e."),
        ("def f(x):\n  if x > 0:\n    y = x\n  return y", "1", "Of a program only branches that return are read"),
        ("def f(x):\n  if x > 0:\n    return x", "1", "This def returns nothing where no branch is taken"),
        ("for i in y: x = i", "1", "for is a word of a program: give the formula alone, such as x**2."),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none(expression: str, at: str, message: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        check(expression, at=at)
    assert str(caught.value).startswith(message)


X = "x = torch.tensor(3.0, requires_grad=True)\n"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (f"{X}with torch.no_grad():\n    c = x*2\ny = c*x\ny.backward()", "torch holds it constant: c = x*2. Give its"),
        (f"{X}with torch.inference_mode():\n    y = x**2", "torch holds it constant: y = x**2"),
        (f"{X}with torch.set_grad_enabled(False):\n    y = x**2", "torch holds it constant: y = x**2"),
        (f"torch.set_grad_enabled(False)\n{X}y = x**2", "torch holds it constant: x = torch.tensor(3.0"),
        (f"@torch.no_grad()\ndef f(x):\n    return x**2\n{X}y = f(x)", "torch holds it constant: def f(x)"),
        (
            f"{X}y = x**2\ny.backward(torch.tensor(10.))",
            "backward multiplies the gradient by torch.tensor(10.)",
        ),
        (f"{X}y = x**2\ny.backward(gradient=v)", "backward multiplies the gradient by v"),
        (
            f"{X}y = x**2\ny.backward(retain_graph=True)\ny.backward()",
            "backward is called 2 times on y",
        ),
        ("x = torch.tensor([1., 2.], requires_grad=True)\ny = x**2", "this text gives arrays of its own"),
        (f"{X}y = x**2\ny += x\ny.backward()", "A name keeps what it is given here"),
        (f"{X}y = x\nfor i in range(3):\n    y = y*x\ny.backward()", "A loop is not read"),
        (f"{X}if x > 0:\n    y = x\ny.backward()", "for branches write where(x > 0, a, b)"),
        (f"{X}a, b = x, x**2\nb.backward()", "One name on the left side is read"),
        (f"{X}x.requires_grad_(False)\ny = x**2", "This ends the gradient"),
    ],
)
def test_a_cell_that_has_another_gradient_is_no_match(cell: str, said: str) -> None:
    with pytest.raises(GradcheckError) as raised:
        check(cell)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("cell", "derivatives"),
    [
        (f"{X}y = x**2\ny.backward()\nwith torch.no_grad():\n    print(x.grad)", [6]),
        (f"{X}y = x**2\ny.backward(torch.tensor(1.0))", [6]),
        (f"{X}y = x**2\ny.backward(retain_graph=True)", [6]),
        (f"{X}y = x**2\ny.backward(gradient=torch.ones_like(x))", [6]),
    ],
)
def test_a_cell_that_has_the_same_gradient_is_read(cell: str, derivatives: list[float]) -> None:
    assert [row.analytical for row in check(cell).checks] == derivatives


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("lnx", {"at": 1}, 'lnx has no value: for the function write ln(x); for a variable of that name, at="lnx=2".'),
        ("cosx + sinx", {"at": 1}, "for the function write cos(x)"),
        ("xsinx", {}, "for the function write x*sin(x)"),
    ],
)
def test_a_name_that_is_something_else_without_its_signs(text: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(GradcheckError) as raised:
        check(text, **options)  # type: ignore[call-overload]
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("sigmoid(x)", "s(1-s)"),
        ("sigmoid(x)", "f (1 - f)"),
        ("sigmoid(x)", "f(x)(1 - f(x))"),
        ("sigmoid(x)", "f(-x)*f(x)"),
        ("σ(x) = 1/(1 + exp(-x))", "σ(1-σ)"),
        ("y = tanh(x)", "(1 - y)(1 + y)"),
        ("y = tanh(x)", "1 - y(y)"),
    ],
)
def test_the_value_of_the_function_times_a_bracket_is_a_product(text: str, claim: str) -> None:
    (found,) = check(text, at=1, claim=claim).claims
    assert (found.status.value, found.expression) == ("proven", claim)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("logp*x", {"at": "logp=1,x=2"}),
        ("lnx**2", {"at": "lnx=2"}),
        ("cost*x", {}),
        ("x**2", {"at": 1, "claim": "c*x"}),
    ],
)
def test_names_that_are_names(text: str, options: dict[str, object]) -> None:
    assert check(text, **options).error is None  # type: ignore[call-overload]
