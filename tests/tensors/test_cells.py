"""Cells of notebooks with vectors: what is read, what is refused, and that the gradient is the one that they give."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from gradcheck_cli import check, explain
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.request import Request
from gradcheck_cli.tensors.check import check_arrays
from gradcheck_cli.tensors.question import read_question
from gradcheck_cli.tensors.wanted import is_about_arrays

CELLS = (Path(__file__).parent / "cells.txt").read_text().partition("\n\n")[2].split("\n\n")
READ = [(cell, wanted.strip()) for cell, is_read, wanted in (row.partition("\n=> ") for row in CELLS) if is_read]
REFUSED = [(cell, said.strip()) for cell, is_refused, said in (row.partition("\n=! ") for row in CELLS) if is_refused]
XS = "x = torch.tensor([1., 2., 3.], requires_grad=True)\n"


def test_each_row_is_read_or_refused() -> None:
    assert len(CELLS) == len(READ) + len(REFUSED) >= 60


def reading(cell: str, **options: object) -> str:
    """As cells.py writes it."""
    question = read_question(Request(cell, **options))  # type: ignore[arg-type]
    defined = [*question.definitions.items(), (question.name, question.formula)]
    text = "; ".join(f"{left} = {right}" for left, right in defined)
    return " | ".join([f"{text} @ {', '.join(w.name for w in question.wanted)}", *question.notices])


@pytest.mark.parametrize(("cell", "wanted"), READ, ids=[cell for cell, _ in READ])
def test_what_is_read(cell: str, wanted: str) -> None:
    assert is_about_arrays(Request(cell))
    assert reading(cell) == wanted


@pytest.mark.parametrize(("cell", "said"), REFUSED, ids=[cell for cell, _ in REFUSED])
def test_what_is_refused_is_told_at_its_place(cell: str, said: str) -> None:
    assert is_about_arrays(Request(cell))
    with pytest.raises(GradcheckError) as caught:
        read_question(Request(cell))
    message, *place = str(caught.value).splitlines()
    assert message == said
    assert "^" in place[-1] if place else "call it once" in said or "one function at a time" in said


ELSE = ("rand", "g(u)", ">>>", "plt.", "cuda")
"""In cells that cannot be run here, or draw other numbers."""
OURS = [cell for cell, _ in READ if "backward(" in cell and not any(word in cell for word in ELSE)]


@pytest.fixture
def _doubles() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.usefixtures("_doubles")
@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("cell", OURS)
def test_the_gradient_is_that_of_the_cell(cell: str) -> None:
    """The cell is run, and what it leaves in .grad is what is certified."""
    there = {"torch": torch, "np": np, "nn": nn, "F": functional, "Variable": torch.autograd.Variable}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(cell, there)  # noqa: S102  these cells
    result = check_arrays(Request(cell))
    assert result.passed
    assert result.blocks
    for block in result.blocks:
        assert np.allclose(block.analytical, there[block.input].grad.reshape(-1).numpy(), rtol=1e-12)


DRAWN = "W = torch.randn(2, 3, requires_grad=True)\nx = torch.rand(3)\ny = (W @ x).sum()\ny.backward()"


def test_what_is_drawn_is_that_of_a_shape_and_follows_the_seed() -> None:
    question = read_question(Request(DRAWN))
    assert torch.equal(question.inputs["W"], read_question(Request("sum(W)", shapes=("W: 2x3",))).inputs["W"])
    assert torch.equal(question.inputs["W"], read_question(Request(DRAWN)).inputs["W"])
    assert not torch.equal(question.inputs["W"], read_question(Request(DRAWN, seed=1)).inputs["W"])


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"at": ("x=[4, 5]",)}, "y = (x**2).sum() @ x | passed over: x = torch.rand(3, requires_grad=True), for x has "
                                "another value"),
        ({"wrt": ("x[1]",)}, "y = (x**2).sum() @ x[1] | x was drawn: rand(3), seed 0"),
        ({"lets": ("n = randn(2)",)}, "n = randn(2); y = (x**2).sum() @ x | n was drawn: randn(2), seed 0 | x was "
                                      "drawn: rand(3), seed 0"),
    ],
)  # fmt: skip
def test_options_beside_a_cell(options: dict[str, object], wanted: str) -> None:
    assert reading("x = torch.rand(3, requires_grad=True)\ny = (x**2).sum()", **options) == wanted


@pytest.mark.parametrize(
    ("formula", "at", "is_one"),
    [
        ("x.sum()", "x=torch.tensor([1., 2., 3.])", True),
        ("x @ x", "x=np.array([1, 2, 3])", True),
        ("x @ x", "x=torch.tensor([1., 2., 3.], requires_grad=True)", True),
        ("x**2", "x=torch.randn(3)", True),
        ("x**2", "x=2*torch.ones(3)", True),
        ("x**2", "x=torch.tensor([1., 2., 3.])", False),
        ("x**2", "x=torch.linspace(0, 1, 3)", False),
        ("sum(x**2) + x.mean()", "x=torch.linspace(0, 1, 3)", True),
    ],
)
def test_arrays_of_libraries_as_values(formula: str, at: str, *, is_one: bool) -> None:
    request = Request(formula, at=(at,))
    assert is_about_arrays(request) == is_one
    if is_one:
        assert read_question(request).inputs["x"].shape == (3,)


def test_a_cell_in_a_problem_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "problems.yaml"
    file.write_text(
        "problems:\n- expression: |\n    x = torch.rand(3, requires_grad=True)\n    y = (x**2).sum()\n"
        "    y.backward()\n  claim: 2*x\n"
    )
    assert run_command(["run", str(file)]) == 0
    assert "1 formula, 3 entries: 3 match · 1 claim: 1 proven" in "".join(capsys.readouterr())


@pytest.mark.parametrize("shapes", [("A: 2x3", "B: 3x2"), ("A: 2x3, B: 3x2",), ("A=2x3; B=(3, 2)",)])
def test_shapes_in_one_text(shapes: tuple[str, ...]) -> None:
    question = read_question(Request("trace(A @ B)", shapes=shapes))
    assert [tuple(x.shape) for x in question.inputs.values()] == [(2, 3), (3, 2)]


def test_a_constant_is_differentiated_by_where_that_is_asked() -> None:
    cell = f"{XS}v = torch.tensor([1., 0.1, 10.])\ny = x**2\ny.backward(v)"
    assert "@ v |" in reading(cell, wrt=("v",))


def test_the_report_says_what_was_read(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    cell = f"import torch\n{XS}y = x**2\nv = torch.tensor([1., 0.1, 10.])\ny.backward(v)\nprint(x.grad)"
    assert run_command([cell, "--claim", "2*v*x"]) == 0
    out = capsys.readouterr().out
    assert "y    = x**2\nv    = torch.tensor([1., 0.1, 10.])\nf(x) = sum(v*y)\n" in out
    assert "∂f/∂x = [2  0.4  60]" in out
    assert "• the text gives x = [1., 2., 3.]\n• backward(v) gives the gradient of sum(v*y)\n" in out
    assert "• passed over: import torch; print(x.grad)" in out
    assert "✓ proven" in out


def test_cells_from_python_are_said_to_be_of_arrays() -> None:
    cell = f"{XS}y = (x**2).sum()\ny.backward()"
    assert [entry.analytical for entry in check(cell, arrays={}).checks] == [2, 4, 6]
    assert [step.name for step in explain(cell, arrays={}).steps] == ["x", "a", "y"]
    for function in (check, explain):
        with pytest.raises(GradcheckError, match="this text gives arrays of its own"):
            function(cell)  # type: ignore[operator]


def test_the_chain_rule_has_the_operands_of_a_function_that_is_called() -> None:
    cell = f"{XS}def g(u):\n    v = u*u\n    return v + 2*u\ny = g(x + 1).sum()\ny.backward()"
    formulas = {step.name: step.formula for step in explain(cell, arrays={}).steps}
    assert list(formulas.values()) == [None, "x + 1", "a*a", "2*a", "b + c", "g(x + 1).sum()"]


HOSTILE = [
    XS
    + "; ".join(["a(u) = u", *(f"{chr(98 + k)}(u) = {chr(97 + k)}({chr(97 + k)}(u))" for k in range(24))])
    + "; y(x)",
    XS + "f0(u) = u*u; " + "; ".join(f"f{k + 1}(u) = f{k}(u)" for k in range(400)) + "; sum(f400(x))",
    XS + "f0(u) = u*u; " + "; ".join(f"f{k + 1}(u) = {'(' * 90}f{k}(u){')' * 90}" for k in range(60)) + "; sum(f60(x))",
    XS + "def f(u):\n    return f(u)\ny = f(x).sum()",
    XS + "def f(u):\n    return " + "+".join(["u"] * 4_000) + "\ny = " + "+".join(["f(x)"] * 900),
    "x = torch.tensor(" + "[" * 3_000 + "1.," + "]" * 3_000 + ", requires_grad=True); y = x.sum()",
    "x = torch.rand(99999, 99999, requires_grad=True); y = x.sum()",
    "x = torch.rand(-3, requires_grad=True); y = x.sum()",
    "x = torch.rand(torch.rand(3), requires_grad=True); y = x.sum()",
    "x = torch.ones(" * 3_000,
    "x = torch.tensor([1., 2.], requires_grad=True); y = __import__('os').system('true')",
    "x = torch.tensor([1., 2.], requires_grad=True); torch.autograd.grad()",
    "x = torch.tensor([1., 2.], requires_grad=True); torch.autograd.grad(, x)",
    "x = torch.tensor([1., 2.], requires_grad=True); .backward()",
    "x = torch.tensor([], requires_grad=True); y = x.sum()",
    "x = torch.tensor([[1., 2.], [3.]], requires_grad=True); y = x.sum()",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:60] for text in HOSTILE])
def test_hostile_cells_end_in_a_sentence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([text]) == 2
    message = capsys.readouterr().err
    assert message.startswith("gradcheck: ")
    assert "bug" not in message


PIECES = [
    *(
        "x = torch.tensor([1., 2.], requires_grad=True)",
        "W = torch.rand(2, 2)",
        "y = x*x",
        "z = (W @ x).sum()",
        "y",
        "\n",
    ),
    *(
        "y.backward()",
        "y.backward(x)",
        "z.backward()",
        "torch.autograd.grad(z, x)",
        "def f(u):",
        "  return u*u",
        "f(x)",
    ),
    *(
        ";",
        "x.grad",
        "print(y)",
        "for i in y:",
        "lambda u: u",
        "(",
        ")",
        "[",
        "= ",
        ".sum()",
        ", ",
        "x.requires_grad_()",
    ),
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("\n".join) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_cell_is_read_or_refused_with_a_sentence(text: str) -> None:
    with contextlib.suppress(GradcheckError):
        read_question(Request(f"{XS.replace('x', 'v')}{text}"))


@pytest.mark.parametrize("asked", ["torch.autograd.functional.hessian(f, x)", "jax.hessian(f)(x)", "hessian(f)(x)"])
def test_a_hessian_is_asked_for_by_the_order(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([f"{XS}def f(x):\n    return (x**2).sum()\nH = {asked}"]) == 2
    assert "This is a Hessian: write f(x), and ask for it by --order 2." in capsys.readouterr().err
    assert run_command([f"{XS}def f(x):\n    return (x**2).sum()\nf(x)", "--order", "2"]) == 0
    assert "∂²f/∂x∂x = [2  0  0]" in capsys.readouterr().out
