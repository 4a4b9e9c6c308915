"""Formulas of arrays as they stand in notes: w·x, x^T A x, LaTeX. Each is what a formula in torch's notation is."""

from __future__ import annotations

import pytest
import torch

from gradcheck_cli import check, explain
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.request import Request
from gradcheck_cli.tensors.question import read_question

AT = "w=[1,-2], x=[3,4], b=0.5, A=[[1,2],[3,5]], W=[[1,2],[3,4],[5,6]], mu=[0.5,1], u=[1,2,3], v=[3,4,5]"

READ = [
    # (as on paper, in torch's notation)
    ("w·x + b", "w @ x + b"),
    ("w⋅x", "dot(w, x)"),
    ("A·x", "A @ x"),
    ("x·A·x", "x @ A @ x"),
    ("2·x", "2*x"),
    ("b·w·x", "b*w @ x"),
    ("w ⊙ x", "w*x"),
    ("w^T x + b", "w @ x + b"),
    ("w^{T} x", "w @ x"),
    ("wᵀx", "w @ x"),
    ("w^⊤ x", "w @ x"),
    ("w^T @ x", "w @ x"),
    ("w^T · x", "w @ x"),
    ("x^T A x", "x @ A @ x"),
    ("x^T A^T A x", "x @ A.T @ A @ x"),
    ("A^TA x", "A.T @ A @ x"),
    ("(A x)^T (A x)", "dot(A @ x, A @ x)"),
    ("x^T(A x)", "x @ A @ x"),
    ("½ x^T A x - b", "0.5*x @ A @ x - b"),
    ("0.5 x^T A x", "0.5*x @ A @ x"),
    ("-x^T A x/2", "-x @ A @ x/2"),
    ("(x^T x)^2", "dot(x, x)**2"),
    ("x^T x x^T x", "dot(x, x)**2"),
    ("(x - mu)^T A (x - mu)", "(x - mu) @ A @ (x - mu)"),
    ("(x - mu)(x - mu)^T", "outer(x - mu, x - mu)"),
    ("w x^T", "outer(w, x)"),
    ("2 w x^T x", "2*outer(w, x) @ x"),
    ("A w x^T", "outer(A @ w, x)"),
    ("w^T + 2x^T", "w + 2*x"),
    ("W^T u", "W.T @ u"),
    ("x^T", "x"),
    ("x^T^T x^T", "outer(x, x)"),
    ("log(1 + exp(-w^T x))", "log(1 + exp(-(w @ x)))"),
    ("σ(w·x + b)", "sigmoid(w @ x + b)"),
    ("tr(A^T A)", "trace(A.T @ A)"),
    ("s = w^T x; s^2 + s", "(w @ x)**2 + w @ x"),
    ("g(u) = u^T A u; g(x) + g(w)", "x @ A @ x + w @ A @ w"),
    ("sum(x)^2 sin(b)", "sum(x)**2*sin(b)"),
    ("sum(x^2 b)", "sum(x**2*b)"),
    (r"\mathbf{w}^\top \mathbf{x} + b", "w @ x + b"),
    (r"\mathbf{w}^T\mathbf{x}", "w @ x"),
    (r"w^{\top}x", "w @ x"),
    (r"x^{\mathsf T} A x", "x @ A @ x"),
    (r"x^\mathrm{T} A x", "x @ A @ x"),
    (r"$x^TAx$", "x @ A @ x"),
    (r"\mathbf{w} \cdot \mathbf{x}", "w @ x"),
    (r"w \odot x", "w*x"),
    (r"\frac{1}{2} \mathbf{x}^\top \mathbf{A} \mathbf{x} - b", "x @ A @ x/2 - b"),
    (r"(x - \boldsymbol{\mu})^T A (x - \mu)", "(x - mu) @ A @ (x - mu)"),
    (r"\|Ax - w\|^2", "norm(A @ x - w)**2"),
    (r"\|Ax - w\|_2^2", "norm(A @ x - w)**2"),
    (r"\lVert A x - w \rVert", "norm(A @ x - w)"),
    (r"\frac{1}{2}\left\| Ax - w \right\|_2^2", "norm(A @ x - w)**2/2"),
    (r"$||Ax - w||^2$", "norm(A @ x - w)**2"),
    (r"\|A\|_F", "norm(A)"),
    (r"\frac{1}{1 + e^{-w^T x}}", "1/(1 + e**(-(w @ x)))"),
    (r"\sigma(w^\top x + b)", "sigmoid(w @ x + b)"),
    (r"\operatorname{softmax}(Wx)", "softmax(W @ x)"),
    (r"\det(A) + \mathrm{tr}(A)", "det(A) + trace(A)"),
    (r"$L = \frac{1}{2}\|Ax - w\|^2$", "norm(A @ x - w)**2/2"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "torchs"), READ, ids=[text for text, _ in READ])
def test_on_paper(text: str, torchs: str) -> None:
    found, wanted = (read_question(Request(one, at=(AT,))) for one in (text, torchs))
    assert torch.equal(found.value, wanted.value)
    run = [one.program.run(dict(one.inputs), [one.result.arg])[0] for one in (found, wanted)]
    assert torch.equal(*run)


REFUSED = [
    ("w^T x^T", "w^T and x^T are two rows, which have no product."),
    ("A x^T", "x^T is a row, and a matrix has no product with a row behind it."),
    ("w^T * x", "w^T is a row, and * works element by element: write w^T @ x for the product."),
    ("w^T + x", "w^T is a row, and + works element by element."),
    ("w^T x + x w", "This can be read in several ways: write dot(x, w), x*w (element by element) or outer(x, w)."),
    ("u × v", "This can be read in several ways: write u @ v, u*v (element by element), outer(u, v) or cross(u, v)."),
    ("A × x", "This can be read in several ways: write A @ x or A*x (element by element)."),
    ("w^T u", "w^T has 2 elements and u has 3 elements: @ needs 2."),
    ("u·x", "u has 3 elements and x has 2 elements: @ needs 3."),
    ("b^T x", "A number has no transpose."),
    ("A^-1 x", "This can be read in two ways: write inv(A), or 1/A for each element."),
    ("A^{-1} x", "This can be read in two ways: write inv(A), or 1/A for each element."),
    ("A⁻¹ x", "This can be read in two ways: write inv(A), or 1/A for each element."),
    ("1/2 x^T A x", "This can be read in two ways: write (1/2)*x or 1/(2*x)."),
    ("2Ax", "Ax has no value: for the product write A @ x (element by element A*x)."),
    ("x^TAx", "Ax has no value: for the product write A @ x (element by element A*x)."),
    ("x^2 w", "This can be read in two ways: write (x^2)*w or x^(2*w)."),
    (r"\sum_i x_i", r"The \sum of the elements of an array is written sum(x)."),
    (r"\|x\|_1", r"Of norms the Euclidean is read: write \operatorname{norm}(x, 1) for another."),
    (r"\|x", r"This \| is never closed."),
    ("x^T +", "Something is missing"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_no_product(text: str, said: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        read_question(Request(text, at=(AT,)))
    assert str(caught.value).startswith(said)
    assert "^" in str(caught.value).splitlines()[-1]


def test_a_variable_that_is_called_t_is_no_transpose() -> None:
    assert read_question(Request("x^T", at=("x=[2,3], T=2",))).value.tolist() == [4.0, 9.0]
    assert read_question(Request("x^Tau", at=("x=[2,3], Tau=2",))).value.tolist() == [4.0, 9.0]


def test_how_a_dot_is_read_is_said() -> None:
    dot = "· between arrays is read as @, the dot product of vectors; element by element it is *"
    assert read_question(Request("w·x + x·w", at=(AT,))).notices == (dot,)
    assert read_question(Request("2·x", at=(AT,))).notices == ()
    assert read_question(Request("w x^T", at=(AT,))).notices == (
        "w x^T is read as an outer product, which is a matrix",
    )


def test_claims_and_the_chain_rule_as_on_paper() -> None:
    arrays = {"x": [1, 2], "A": [[1, 2], [3, 4]]}
    claims = check("x^T A x", arrays=arrays, claim={"x": "(A + A^T) x", "A": r"\mathbf{x} \mathbf{x}^\top"}).claims
    assert [claim.status.value for claim in claims] == ["proven", "proven"]
    assert [step.formula for step in explain("x^T A x", arrays=arrays).steps] == [None, None, "x^T A", "a x"]


@pytest.mark.parametrize("text", ["[x[0], 2*x[1]]", "[x[0]/2, x[1]]*2", "y = [x[0], 2*x[1]]"])
def test_a_list_of_arrays_is_an_array(text: str) -> None:
    result = check(text, arrays={"x": [1.0, 2.0]})
    assert result.passed
    assert result.blocks[0].shape[0] == (2,)


def test_a_list_of_arrays_and_numbers_is_none() -> None:
    with pytest.raises(GradcheckError, match="This is a list of several things"):
        check("[x[0], 2]", arrays={"x": [1.0, 2.0]})


def test_two_names_within_bars() -> None:
    with pytest.raises(GradcheckError, match=r"An operator is missing: write A\*x .element by element. or A @ x"):
        check("||A x - b||^2", arrays={"A": [[1.0, 2.0]], "x": [1.0, 2.0], "b": [1.0]})
