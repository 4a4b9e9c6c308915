"""What does not fit: one sentence with a caret, and the shapes in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.cli.app import run_command
from gradcheck_cli.errors import GradcheckError
from gradcheck_cli.records.request import Request
from gradcheck_cli.tensors.question import read_question

AT = "W=[[1,2],[3,4]], A=[[1,2,3],[4,5,6]], x=[1,-1], y=[1,2,3], z=randn(5), a=2, t=[0,1]"

WRONG = [
    # (formula, what is said)
    ("A @ x", "A is 2x3 and x has 2 elements: @ needs 3"),
    ("W @ y", "W is 2x2 and y has 3 elements: @ needs 2"),
    ("x @ y", "x has 2 elements and y has 3 elements: @ needs 2"),
    ("A @ A", "A is 2x3 and A is 2x3: @ needs 3"),
    ("a @ x", "a is a number and x has 2 elements: @ is the product of arrays"),
    ("x @ 2", "x has 2 elements and 2 is a number"),
    ("W + A", "W is 2x2 and A is 2x3: element by element they do not fit"),
    ("x + y", "x has 2 elements and y has 3 elements: element by element"),
    ("x * z", "x has 2 elements and z has 5 elements"),
    ("W - y", "W is 2x2 and y has 3 elements"),
    ("x < y", "x has 2 elements and y has 3 elements"),
    ("where(x > 0, x, y)", "x has 2 elements and y has 3 elements"),
    ("where(x, x, 0)", "where wants a condition first"),
    ("where(x > 0, x)", "where takes a condition and two values"),
    ("maximum(x, y)", "x has 2 elements and y has 3 elements"),
    ("mse_loss(x, y)", "x has 2 elements and y has 3 elements"),
    ("dot(W, y)", "W is 2x2 and y has 3 elements: @ needs 2"),
    ("dot(x, y)", "x has 2 elements and y has 3 elements"),
    ("matmul(A, x)", "A is 2x3 and x has 2 elements: @ needs 3"),
    ("outer(W, x)", "outer takes two vectors: W is 2x2 and x has 2 elements"),
    ("trace(x)", "trace takes a matrix: x has 2 elements"),
    ("det(A)", "det takes a square matrix: A is 2x3"),
    ("inv(x)", "inv takes a square matrix"),
    ("logdet(A @ A.T @ A)", "logdet takes a square matrix"),
    ("cholesky(A)", "cholesky takes a square matrix"),
    ("matrix_power(A, 2)", "matrix_power takes a square matrix"),
    ("softmax(x, dim=1)", "x has 2 elements: it has dim 0 (or -1), and dim is 1"),
    ("softmax(x, dim=-2)", "dim is -2"),
    ("sum(W, dim=2)", "W is 2x2: it has dims 0 to 1, and dim is 2"),
    ("W.sum(dim=5)", "W is 2x2: it has dims 0 to 1, and dim is 5"),
    ("W.mean(axis=3)", "dim is 3"),
    ("sum(x, dim=0.5)", "dim is a whole number, not 0.5"),
    ("sum(x, dim=true)", "dim is a whole number, not True"),
    ("sum(x, dim='a')", "dim is a whole number, not a"),
    ("cumsum(x, 3)", "dim is 3"),
    ("unsqueeze(x, 4)", "dim is 4"),
    ("unsqueeze(x)", "dim is missing: unsqueeze(input, dim)"),
    ("stack([x, y])", "torch refuses this"),
    ("stack([x, x], dim=3)", "dim is 3"),
    ("cat([W, y])", "torch refuses this"),
    ("stack(2)", "stack takes arrays"),
    ("cat('a')", "cat takes arrays"),
    ("x[2]", "x has 2 elements: there is no index 2, only 0 to 1"),
    ("x[-3]", "there is no index -3, only 0 to 1"),
    ("x[0, 0]", "x has 2 elements: it takes 1 index, not 2"),
    ("W[0, 0, 0]", "W is 2x2: it takes 2 indices, not 3"),
    ("W[:, 2]", "there is no index 2 along dim 1, only 0 to 1"),
    ("W[2]", "there is no index 2 along dim 0"),
    ("a[0]", "a is a number, and has no elements"),
    ("x[]", "An index is missing"),
    ("x[0.5]", "An index is a whole number"),
    ("x[y]", "An index is a whole number or a slice"),
    ("x[1:2:0]", "The step of a slice is a whole number from 1"),
    ("x[0", "This [ is never closed"),
    ("x[99999999999]", "An index is a whole number"),
    ("[[1, 2], [3]] @ x", "All rows of an array are equally long"),
    ("[1, [2]] + x", "All rows of an array are equally long"),
    ("[] + x", "An empty list has no numbers"),
    ("[1, 2", "This [ is never closed"),
    ("(x, y) + 1", "An array or a number is wanted here, and this is a list"),
    ("[x, y] + 1", "torch refuses this: stack expects each tensor to be equal size"),
    ("true + x", "An array or a number is wanted here"),
    ("sum(x, bogus=1)", "sum has no argument bogus: it has input, dim, keepdim"),
    ("softmax(x, 0, 1)", "takes 2 arguments, not 3"),
    ("softmax()", "input is missing: softmax(input, dim=)"),
    ("softmax(dim=0)", "input is missing"),
    ("softmax(dim=0, x)", "What has no name stands before what has one"),
    ("softmax(x, dim=0, dim=0)", "dim is given twice"),
    ("softmax(x, 0, dim=0)", "dim is given twice"),
    ("sum(x, keepdim=1)", "keepdim of sum is true or false, not 1"),
    ("mse_loss(x, x, reduction='avg')", "reduction of mse_loss is 'mean' or 'sum' or 'none', not 'avg'"),
    ("mse_loss(x, x, reduction=1)", "reduction of mse_loss"),
    ("mse_loss(x)", "target is missing"),
    ("huber_loss(x, x, delta='a')", "delta of huber_loss is a number, not 'a'"),
    ("norm(x, p='q')", "p of norm is a number"),
    ("norm(x, p='2')", "p of norm is a number, not '2'"),
    ("matrix_power(A, '2')", "n of matrix_power is a whole number, not '2'"),
    ("cross_entropy(z, 5)", "there is no class 5: the classes are 0 to 4"),
    ("cross_entropy(z, -1)", "there is no class -1"),
    ("cross_entropy(z, y)", "z has 5 elements: it needs one class"),
    ("cross_entropy(A, 1)", "A is 2x3: it needs 2 classes, one for each row"),
    ("cross_entropy(A, [0, 3])", "there is no class 3: the classes are 0 to 2"),
    ("cross_entropy(A, [0.5, 1])", "no array of whole numbers"),
    ("cross_entropy(a, 0)", "a is a number: it has no classes"),
    ("nll_loss(A, 1)", "it needs 2 classes"),
    ("onehot(5, 5)", "there is no class 5: the classes are 0 to 4"),
    ("onehot(-1, 5)", "there is no class -1"),
    ("onehot(1, 0)", "onehot has from 1 to 10,000,000 elements, not 0"),
    ("onehot(1, 99999999999)", "onehot has from 1 to 10,000,000 elements"),
    ("onehot(1, 2.5)", "n of onehot is a whole number, not 2.5"),
    ("reshape(x, 3)", "x has 2 elements (2 elements), which do not make the shape (3,)"),
    ("W.view(3, 2)", "W is 2x2 (4 elements), which do not make the shape (3, 2)"),
    ("reshape(W, (-1, -1))", "do not make the shape"),
    ("reshape(W, 'a')", "the shape of reshape is whole numbers"),
    ("layer_norm(x, 3)", "torch refuses this"),
    ("einsum('ij,j', W)", "torch refuses this"),
    ("einsum(W, x)", "equation of einsum is a text in quotes"),
    ("solve(A, x)", "torch refuses this"),
    ("softmx(x)", "There is no function softmx of arrays. Did you mean softmax?"),
    ("torch.sofmax(x)", "There is no function sofmax of arrays"),
    ("x.summ()", "There is no function summ of arrays. Did you mean sum?"),
    ("foo(x)", "There is no function foo of arrays"),
    ("q + x", "q has no value: give it one by --at"),
    ("softmax + x", "softmax is a function: write softmax(input, dim=)"),
    ("x(2)", "x is an array, and not a function: write x*(...)"),
    ("1/2x", "This can be read in two ways: write (1/2)*x or 1/(2*x)"),
    ("x**2a", "This can be read in two ways: write (x**2)*a or x**(2*a)"),
    ("x y", "An operator is missing: write x*y (element by element) or x @ y"),
    ("W x", "An operator is missing: write W*x (element by element) or W @ x"),
    ("|W|", "This can be read in two ways: write abs(W) or det(W)"),
    ("||x", "This || is never closed"),
    ("|x", "This | is never closed"),
    ("(x + 1", "This ( is never closed"),
    ("sum(x", "This ( is never closed"),
    ("x +", "Something is missing: the expression ends too early"),
    ("* x", "Something is missing before *"),
    ("x + * y", "Something is missing before *"),
    ("x) + 1", ") has no meaning here"),
    ("x = y = 1", "x has a value already"),
    ("x % 2", "% has no meaning here"),
    ("x.foo", ".foo has no meaning here: there are .T and .mT"),
    ("x.", "A name is missing behind the dot"),
    ("x.sum().item()", "item() makes a constant of it"),
    ("randn(3) + x", 'randn draws numbers: give them to a variable, by --at "x=randn(3)"'),
    ("zeros(-1) + x", "a shape is made of whole numbers from 0"),
    ("eye(99999999) @ x", "an array has at most 10,000,000 elements"),
    ("9**9**9*x", "This has no finite value"),
    ("1/0*x", "This has no finite value"),
    ("x > 0", "There is nothing to differentiate: this is a condition"),
    ("2 + 3", "There is nothing to differentiate: this is a constant"),
    ("tensor(x, y)", "tensor takes one list of numbers"),
    ("x if a > 0 else y", "A branch is written where(x > 0, a, b)"),
    ("'a' + x", "Something is missing before"),
    ("x @", "Something is missing"),
    ("", "There is no expression"),
    ("# only a comment", "There is no formula in this text"),
    ("s = x*x", None),
    ("sin", "sin is a function: write sin(x)"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "said"), WRONG, ids=[formula for formula, _ in WRONG])
def test_what_does_not_fit(formula: str, said: str | None) -> None:
    if said is None:
        read_question(Request(formula, at=(AT,)))
        return
    with pytest.raises(GradcheckError) as caught:
        read_question(Request(formula, at=(AT,)))
    assert said in str(caught.value)
    assert "^" in str(caught.value).splitlines()[-1] or not formula


POINTS = [
    (["--at", "x=[1, 2"], "is not closed"),
    (["--at", "x=[[1,2],[3]]"], "all rows are equally long"),
    (["--at", "x=[1, q]"], "q is not known here"),
    (["--at", "x=randn(-1)"], "a shape is made of whole numbers from 0"),
    (["--at", "x=randnn(3)"], "x"),
    (["--at", "x=[1,2]", "--at", "x=[3,4]"], "checked at one point"),
    (["--at", "x=[1,2], x=[3]"], "gives x two values"),
    (["--at", "x=[nan]"], "elements that are not finite"),
    (["--at", "x=@missing.npy"], "cannot be read"),
    (["--at", "x=[1,2]", "--shape", "x: 3"], "x has a value already"),
    (["--shape", "x"], "a shape is written"),
    (["--shape", "x: 3x"], "a shape is written"),
    (["--shape", "x: 99999999999"], "an array has from 1 to 10,000,000 elements"),
    (["--shape", "x: 0"], "an array has from 1 to"),
    (["--at", "x=[1,2]", "--samples", "3"], "is for formulas of numbers"),
    (["--at", "x=[1,2]", "--wrt", "q"], "there is no variable q: there is x"),
    (["--at", "x=[1,2]", "--wrt", "x[5]"], "x has the shape 2, and no such element"),
    (["--at", "x=[1,2]", "--order", "3"], "of arrays, the orders are 1 and 2"),
    (["--at", "x=[1,2]", "--claim", "[1,2,3]"], "it is 3 numbers, and the derivative is 2 numbers"),
    (["--at", "x=[1,2]", "--claim", "q: x"], "nothing is derived by q"),
    (["--at", "x=[1,2]", "--claim", "2*q"], "q has no value"),
    (["--at", "x=[1,2]", "--let", "x*x"], "an intermediate result has a name"),
    (["--at", "x=[1,2]", "--let", "x = 2"], "x has a value already"),
    (["--at", "x=[1,2]", "--device", "cuda:77"], "cuda"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), POINTS, ids=[" ".join(options) for options, _ in POINTS])
def test_options_that_do_not_fit(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["sum(x**2)", *options]) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert said in message
    assert "Traceback" not in message


HOSTILE = [
    "(" * 5_000 + "x" + ")" * 5_000,
    "[" * 5_000 + "1" + "]" * 5_000,
    "x" + "[0]" * 5_000,
    "x" + ".T" * 6_000,
    "-" * 15_000 + "x",
    "+".join(["x"] * 9_000),
    "x**" * 3_000 + "2",
    "sum(" * 3_000 + "x",
    "|" * 9_999,
    "x @ " * 4_000 + "x",
    "9" * 5_000 + "*x",
    "1e999999999*x",
    "kron(kron(kron(kron(W, W), kron(W, W)), kron(kron(W, W), kron(W, W))), kron(W, W))",
    "outer(flatten(outer(z, z)), flatten(outer(flatten(outer(z, z)), flatten(outer(flatten(outer(z, z)), z)))))",
    "matrix_power(W, 10**9)",
    "x; " * 5_000 + "x",
    "__import__('os').system('true')",
    "x.__class__.__bases__",
    "lambda: x",
    "x\u200b + 1",
    "x\u202e + 1",
    "\x00x",
    "x" * 30_000,
    "einsum('" + "i" * 5_000 + "', W)",
    "reshape(x, " + "1," * 5_000 + "2)",
    "ones(1000, 1000, 1000) @ x",
    "arange(0, 1e300, 1e-300)",
    "W[" + "0," * 5_000 + "0]",
    "x^T " * 5_000,
    "x·" * 5_000 + "x",
    "\\|" * 5_000,
    "\\frac" * 5_000,
    "x^{T" * 3_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[text[:30].encode("unicode_escape").decode() for text in HOSTILE])
def test_hostile_texts_end_in_a_sentence(text: str) -> None:
    try:
        read_question(Request(text, at=(AT,)))
    except GradcheckError as error:
        assert str(error)  # noqa: PT017 - it may as well be right


@settings(max_examples=80, deadline=None)
@given(st.text("xyzWA()[]{}@*+-.,:0123T =|^'\\\\$ᵀ·×_", max_size=25) | st.text(max_size=12))
def test_no_text_ends_in_anything_but_a_sentence(text: str) -> None:
    try:
        read_question(Request(text, at=(AT,)))
    except GradcheckError as error:
        assert str(error)  # noqa: PT017
