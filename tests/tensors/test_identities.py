"""Identities of matrix calculus: each is proven or agrees, and wrong forms of it are refuted at an entry that is wrong.

They are those of standard tables: Petersen and Pedersen, The Matrix Cookbook (2012), sections 2.1 to 2.8; Magnus and
Neudecker, Matrix Differential Calculus (3rd edition), table 9; and what follows from them by the chain rule.
"""

from __future__ import annotations

import pytest
from helpers.slow import slow

from gradcheck_cli import check
from gradcheck_cli.records.results import ClaimStatus, Verdict

VECTOR = {"x": [0.5, -1.25, 2]}
MATRIX = {"A": [[2, 1, 0.5], [1, 3, -1], [0.25, -1, 4]], **VECTOR}
RECTANGLE = {"W": [[1, 2, -1], [0.5, -3, 2]], "x": [1, -1, 2], "y": [0.5, 1]}
ROWS = {"X": [[1, 2], [3, -1], [0.5, 1]], "w": [0.3, -0.7], "y": [1, 0, 1]}
QUADRATIC = {"A": [[1, 2], [3, 5]], "x": [1, -1.5]}
VECTORS = {"a": [1, 2, -1], "b": [0.5, 3, 2]}
SQUARE = {"A": [[2, 1], [0.5, 3]], "B": [[1, -1], [2, 0.5]]}

IDENTITIES = [
    # (formula, arrays, the right claim, wrong ones)
    ("dot(a, b)", VECTORS, "a: b", ("a: a", "a: 2*b", "a: -b")),
    ("dot(x, x)", VECTOR, "2*x", ("x", "-2*x", "x**2")),
    ("x @ A @ x", MATRIX, "x: (A + A.T) @ x", ("x: 2*A @ x", "x: A @ x", "x: 2*A.T @ x")),
    ("x @ A @ x", MATRIX, "A: outer(x, x)", ("A: 2*outer(x, x)", "A: -outer(x, x)", "A: x")),
    ("a @ outer(a, b) @ b", VECTORS, "a: 2*dot(b, b)*a", ("a: dot(b, b)*a", "a: 2*dot(a, b)*a", "a: 2*dot(b, b)*b")),
    ("sum((W @ x - y)**2)", RECTANGLE, "x: 2*W.T @ (W @ x - y)",
     ("x: W.T @ (W @ x - y)", "x: -2*W.T @ (W @ x - y)", "x: 2*W.T @ (W @ x)")),
    ("sum((W @ x - y)**2)", RECTANGLE, "W: 2*outer(W @ x - y, x)",
     ("W: outer(W @ x - y, x)", "W: 2*outer(W @ x, x)", "W: -2*outer(W @ x - y, x)")),
    ("mean((X @ w - y)**2)", ROWS, "w: 2/3*X.T @ (X @ w - y)",
     ("w: 2*X.T @ (X @ w - y)", "w: 2/3*X.T @ (y - X @ w)", "w: 1/3*X.T @ (X @ w - y)")),
    ("norm(x)", VECTOR, "x/norm(x)", ("x", "x/norm(x)**2", "2*x/norm(x)")),
    ("norm(x)**2", VECTOR, "2*x", ("x", "2*x/norm(x)", "-2*x")),
    ("norm(a - b)", VECTORS, "b: (b - a)/norm(a - b)", ("b: (a - b)/norm(a - b)", "b: b - a", "b: b/norm(b)")),
    ("trace(A)", SQUARE, "A: eye(2)", ("A: ones(2, 2)", "A: 2*eye(2)", "A: A")),
    ("trace(A @ B)", SQUARE, "A: B.T", ("A: B", "A: -B.T", "A: A.T")),
    ("trace(A.T @ B)", SQUARE, "A: B", ("A: B.T", "A: A", "A: 2*B")),
    ("trace(A @ A.T)", SQUARE, "A: 2*A", ("A: A", "A: 2*A.T", "A: A + A.T")),
    ("trace(A @ A)", SQUARE, "A: 2*A.T", ("A: 2*A", "A: A.T", "A: -2*A.T")),
    ("trace(A @ B @ A.T)", SQUARE, "A: A @ (B + B.T)", ("A: 2*A @ B", "A: (B + B.T) @ A", "A: A @ B.T")),
    ("det(A)", SQUARE, "A: det(A)*inv(A).T", ("A: inv(A).T", "A: det(A)*inv(A)", "A: det(A)*A.T")),
    ("logdet(A)", SQUARE, "A: inv(A).T", ("A: inv(A)", "A: -inv(A).T", "A: A.T")),
    ("trace(inv(A))", SQUARE, "A: -inv(A @ A).T", ("A: -inv(A).T", "A: inv(A @ A).T", "A: -inv(A @ A)")),
    ("logsumexp(x)", VECTOR, "softmax(x)", ("exp(x)", "-softmax(x)", "log_softmax(x)")),
    ("softmax(x)", VECTOR, "diag(softmax(x)) - outer(softmax(x), softmax(x))",
     ("diag(softmax(x))", "outer(softmax(x), softmax(x)) - diag(softmax(x))", "outer(softmax(x), softmax(x))")),
    ("log_softmax(x)", VECTOR, "eye(3) - outer(ones(3), softmax(x))",
     ("eye(3) - outer(softmax(x), ones(3))", "eye(3)", "-outer(ones(3), softmax(x))")),
    ("cross_entropy(x, 1)", VECTOR, "softmax(x) - onehot(1, 3)",
     ("softmax(x)", "onehot(1, 3) - softmax(x)", "softmax(x) - onehot(2, 3)")),
    ("sum(logaddexp(0, [-1, 1, -1]*(X @ w)))", ROWS, "w: X.T @ (sigmoid(X @ w) - [1, 0, 1])",
     ("w: X.T @ ([1, 0, 1] - sigmoid(X @ w))", "w: X.T @ sigmoid(X @ w)", "w: X.T @ (sigmoid(X @ w) - [1, 0, 1])/3")),
    ("binary_cross_entropy_with_logits(X @ w, y)", ROWS, "w: X.T @ (sigmoid(X @ w) - y)/3",
     ("w: X.T @ (sigmoid(X @ w) - y)", "w: X.T @ sigmoid(X @ w)/3", "w: -X.T @ (sigmoid(X @ w) - y)/3")),
    ("sigmoid(x)", VECTOR, "diag(sigmoid(x)*(1 - sigmoid(x)))",
     ("diag(sigmoid(x))", "sigmoid(x)*(1 - sigmoid(x))", "diag(1 - sigmoid(x))")),
    ("tanh(W @ x)", RECTANGLE, "x: diag(1 - tanh(W @ x)**2) @ W",
     ("x: W", "x: diag(1 - tanh(W @ x)) @ W", "x: -diag(1 - tanh(W @ x)**2) @ W")),
    ("sum(tanh(W @ x))", RECTANGLE, "W: outer(1 - tanh(W @ x)**2, x)",
     ("W: outer(1 - tanh(W @ x), x)", "W: outer(tanh(W @ x), x)", "W: outer(1 - tanh(W @ x)**2, ones(3))")),
    ("mean(x)", VECTOR, "ones(3)/3", ("ones(3)", "x/3", "-ones(3)/3")),
    ("var(x)", VECTOR, "2*(x - mean(x))/2", ("2*(x - mean(x))/3", "2*x/2", "x - mean(x) + 1")),
    ("prod(x)", VECTOR, "prod(x)/x", ("prod(x)", "1/x", "x/prod(x)")),
    ("cosine_similarity(a, b)", VECTORS, "a: b/(norm(a)*norm(b)) - dot(a, b)*a/(norm(a)**3*norm(b))",
     ("a: b/(norm(a)*norm(b))", "a: b", "a: a/(norm(a)*norm(b))")),
    ("normalize(x)", VECTOR, "(eye(3) - outer(x, x)/dot(x, x))/norm(x)",
     ("eye(3)/norm(x)", "eye(3) - outer(x, x)/dot(x, x)", "-outer(x, x)/norm(x)**3")),
    ("huber_loss(a, b, delta=1.5)", VECTORS, "a: clamp(a - b, -1.5, 1.5)/3",
     ("a: (a - b)/3", "a: clamp(b - a, -1.5, 1.5)/3", "a: clamp(a - b, -1.5, 1.5)")),
    ("sum(outer(a, b)**2)", VECTORS, "a: 2*a*dot(b, b)", ("a: 2*a*dot(a, b)", "a: a*dot(b, b)", "a: 2*b*dot(a, a)")),
]  # fmt: skip

SECOND = [
    ("x @ A @ x", MATRIX, "x, x: A + A.T", ("x, x: 2*A", "x, x: A")),
    ("logsumexp(x)", VECTOR, "diag(softmax(x)) - outer(softmax(x), softmax(x))", ("diag(softmax(x))",)),
    ("norm(x)**2/2", VECTOR, "eye(3)", ("2*eye(3)", "ones(3, 3)")),
    ("dot(a, b)**2", VECTORS, "a, b: 2*outer(b, a) + 2*dot(a, b)*eye(3)",
     ("a, b: 2*outer(a, b)", "a, b: 2*outer(b, a)")),
]  # fmt: skip


def identity_of(row: tuple[str, object, str, tuple[str, ...]]) -> str:
    return f"{row[0]} by {row[2]}"


def must_hold(formula: str, arrays: dict[str, list[object]], right: str, wrong: tuple[str, ...], order: int) -> None:
    variable = right.partition(":")[0].split(",")[0] if ":" in right else ""
    result = check(formula, arrays=arrays, claim=[right, *wrong], order=order)
    first, *others = result.claims
    assert result.verdict.passes
    assert first.status in (ClaimStatus.PROVEN, ClaimStatus.AGREES), first
    for claim in others:
        if claim.status is ClaimStatus.UNREADABLE:  # of another shape than the derivative
            assert "and the derivative is" in str(claim.note)
            continue
        assert claim.status is ClaimStatus.REFUTED, claim
        assert claim.counterexample is not None
        assert claim.counterexample.claimed != claim.counterexample.analytical
        assert variable in claim.counterexample.entry


@pytest.mark.parametrize("row", IDENTITIES[::3], ids=identity_of)
def test_an_identity(row: tuple[str, dict[str, list[object]], str, tuple[str, ...]]) -> None:
    must_hold(*row, order=1)


@slow
@pytest.mark.parametrize("row", [row for k, row in enumerate(IDENTITIES) if k % 3], ids=identity_of)
def test_the_other_identities(row: tuple[str, dict[str, list[object]], str, tuple[str, ...]]) -> None:
    must_hold(*row, order=1)


@pytest.mark.parametrize("row", SECOND, ids=identity_of)
def test_a_hessian(row: tuple[str, dict[str, list[object]], str, tuple[str, ...]]) -> None:
    must_hold(*row, order=2)


def test_enough_are_proven() -> None:
    """Not only compared."""
    chosen = [row for row in IDENTITIES if row[0] in ("dot(x, x)", "trace(A @ B)", "x @ A @ x", "det(A)")]
    for formula, arrays, right, _ in chosen:
        (claim,) = check(formula, arrays=arrays, claim=right).claims
        assert claim.status is ClaimStatus.PROVEN, (formula, claim)


@pytest.mark.parametrize(
    ("formula", "arrays", "claim", "slip"),
    [
        ("sum((W @ x - y)**2)", RECTANGLE, "W: outer(W @ x - y, x)", "the 2 of a square is missing"),
        ("sum((W @ x - y)**2)", RECTANGLE, "W: 2*outer(y - W @ x, x)", "the sign is wrong"),
        ("mean((X @ w - y)**2)", ROWS, "w: 2*X.T @ (X @ w - y)", "every entry is 3 times the derivative: X has 3 rows"),
        ("trace(A @ B)", SQUARE, "A: B", "it is transposed"),
        ("trace(inv(A))", SQUARE, "A: -inv(A @ A)", "it is transposed"),
        ("cross_entropy(x, 1)", VECTOR, "softmax(x)", "all but x[1] is right, which is off by 1"),
        ("dot(a, b)", VECTORS, "a: a", "with b in place of the a it is right"),
        ("sum(W @ x)", RECTANGLE, "W: ones(2, 3)", "the outer product with x is missing"),
        ("trace(A.T @ B)", SQUARE, "A: B.T", "it is transposed"),
        ("s = softmax(x)", VECTOR, "diag(s)", "the term - outer(s, s) is missing"),
        ("sum((x + 1)**2)/2", VECTOR, "x", "every entry is off by -1"),
        ("dot(a, a)/2 + dot(a, b)", VECTORS, "a: a", "the term + b is missing"),
        ("sum(x**3)", VECTOR, "3*x", "the power was dropped"),
        ("sum((W @ x)**2)", {**RECTANGLE, "W": [[1, 2, 0], [3, -1, 1], [2, 2, 5]]}, "x: 2*W @ (W @ x)",
         "with W.T in place of the first W it is right"),
        ("x @ A @ x", QUADRATIC, "x: 2*A @ x",
         "it holds for a symmetric A only: with (A + A.T)/2 in place of A it is right"),
        ("x @ A @ x/2", QUADRATIC, "x: A @ x",
         "it holds for a symmetric A only: with (A + A.T)/2 in place of A it is right"),
        ("x @ A @ x", QUADRATIC, "x: A @ x", "with (A + A.T) in place of A it is right"),
        ("softmax(x)", VECTOR, "diag(f*(1 - f))",
         "its diagonal is right, and the entries beside it are missing: write diag(f) - outer(f, f)"),
        ("softmax(x)", VECTOR, "f*(1 - f)",
         "these are the entries of its diagonal only, and there are others beside it: write diag(f) - outer(f, f)"),
        ("cumsum(x**2, dim=0)", VECTOR, "diag(2*x)", "its diagonal is right, and the entries beside it are missing"),
        ("sum(X**2, dim=0)", ROWS, "X: 2*X",
         "that is the gradient of sum(sum(X**2, dim=0)): the derivative has entries for each element of it"),
        ("sum(X**2, dim=1)", ROWS, "X: 2*X",
         "that is the gradient of sum(sum(X**2, dim=1)): the derivative has entries for each element of it"),
        ("sum(X**2)", ROWS, "X: 2*sum(X, dim=0)", "it is summed along dim 0, and the derivative is not"),
        ("sum(X**2)", ROWS, "X: 2*sum(X, dim=1, keepdim=true)", "it is summed along dim 1, and the derivative is not"),
        ("sum(X**2)", ROWS, "X: 2*sum(X)", "it is summed, and the derivative is not"),
        ("sum(sum(X, dim=0)**2)", ROWS, "X: 2*X", "the derivative is summed along dim 0, and it is not"),
        ("sum(sum(X, dim=1)**2)", ROWS, "X: 2*X", "the derivative is summed along dim 1, and it is not"),
        ("sum(X)**2", ROWS, "X: 2*X", "the derivative is summed, and it is not"),
        ("sum(x)**2", VECTOR, "2*x", "the derivative is summed, and it is not"),
        ("sum((X + b)**2)", {**ROWS, "b": [0.5, -1]}, "X: 2*sum(X + b, dim=0)",
         "it is summed along dim 0, and the derivative is not"),
    ],
)  # fmt: skip
def test_a_slip_is_named(formula: str, arrays: dict[str, list[object]], claim: str, slip: str) -> None:
    (found,) = check(formula, arrays=arrays, claim=claim).claims
    assert found.status is ClaimStatus.REFUTED
    assert slip in str(found.note)


def test_a_claim_of_the_branch_that_ran_is_no_function() -> None:
    numbers, condition = check("sum(relu(x))", arrays={"x": [1, -1, 2]}, claim=["[1, 0, 1]", "x > 0"]).claims
    assert numbers.status is ClaimStatus.REFUTED
    assert condition.status is ClaimStatus.PROVEN


@pytest.mark.parametrize(
    ("formula", "arrays", "wrt", "right", "wrong"),
    [
        ("x @ A @ x", {"x": [1, 2], "A": [[1, 2], [2, 3]]}, "x", "(A + A.T) @ x", "2*A @ x"),
        ("sum(c*x**2)", {"x": [1, 2], "c": [2, 2]}, "x", "2*c*x", "4*x"),
        ("sum(x)**2", {"x": [1, 2]}, "x[0]", "2*sum(x)", "2*(x[0] + 2)"),
    ],
)
def test_what_is_not_derived_by_varies_too(
    formula: str, arrays: dict[str, list[object]], wrt: str, right: str, wrong: str
) -> None:
    claims = check(formula, arrays=arrays, wrt=[wrt], claim=[right, wrong]).claims
    assert [claim.status for claim in claims] == [ClaimStatus.PROVEN, ClaimStatus.REFUTED]


def test_what_is_chosen_by_order_is_not_proven() -> None:
    (claim,) = check("sum(sort(x)*[1, 2, 3])", arrays={"x": [1, -1, 2]}, claim="[2, 1, 3]").claims
    assert claim.status is ClaimStatus.AGREES
    assert "as long as the same elements are chosen" in str(claim.note)


def test_an_identity_of_labels_is_none_of_numbers() -> None:
    """With y of any numbers it is wrong, and the report says where."""
    arrays = {"z": [0.3, -0.7], "y": [1, 0]}
    (claim,) = check("sum(logaddexp(0, -(2*y - 1)*z))", arrays=arrays, claim="z: sigmoid(z) - y").claims
    assert claim.status is ClaimStatus.REFUTED
    assert claim.counterexample is not None
    assert 0 < claim.counterexample.point["y[0]"] != 1


def test_a_number_that_is_no_fraction_costs_no_memory() -> None:
    """In `normalize` the norm is held above 1e-12, so that a seam has a coefficient beyond all numbers."""
    arrays = {"w": [0.5, -3, 2], "x": [0.5, -1.25, 2]}
    (claim,) = check("logsumexp(normalize(w)) + 0*sum(x)", arrays=arrays, claim="x: 0*x", wrt="x").claims
    assert claim.status.passes


def test_the_ones_of_a_onehot_are_those_of_the_working_dtype() -> None:
    (claim,) = check("cross_entropy(x, 1)/3", arrays=VECTOR, claim="softmax(x)/3 - onehot(1, 3)/3").claims
    assert claim.passed


@pytest.mark.parametrize(
    ("formula", "arrays", "right", "wrong"),
    [
        ("norm(x)**2", {"x": [0, 0]}, "2*x", "2*x + where(x == 0, 1, 0)"),
        ("0.5*||x - y||^2", {"x": [1, 2], "y": [1, 2]}, "x: x - y", "x: x - y + where(x == y, 1, 0)"),
        ("norm(x)**4", {"x": [0, 0]}, "4*norm(x)**2*x", "x"),
        ("sqrt(sum(x**2))**2", {"x": [0, 0]}, "2*x", "x"),
        ("norm(x)**2", {"x": [0.0] * 120}, "2*x", "2*x + where(x == 0, 1, 0)"),
    ],
)
def test_a_power_of_a_norm_has_a_derivative_at_0(
    formula: str, arrays: dict[str, list[object]], right: str, wrong: str
) -> None:
    claims = check(formula, arrays=arrays, claim=[right, wrong]).claims
    assert claims[0].passed
    assert claims[1].status is ClaimStatus.REFUTED


@pytest.mark.parametrize("size", [2, 120])
def test_a_norm_itself_has_none_there(size: int) -> None:
    (claim,) = check("norm(x)", arrays={"x": [0] * size}, claim="where(norm(x) == 0, 7, x/norm(x))").claims
    assert claim.status is not ClaimStatus.REFUTED


@pytest.mark.parametrize(
    ("formula", "arrays", "claim", "where"),
    [
        ("-sum(y*log_softmax(x))", {"x": [1, 2, 3], "y": [0, 1, 0]}, "x: softmax(x) - y", "sum(y) = 1"),
        ("-sum(y*log(softmax(x)))", {"x": [1, 2, 3], "y": [0.2, 0.5, 0.3]}, "x: softmax(x) - y", "sum(y) = 1"),
        ("x @ A @ x", {"x": [1, 2], "A": [[1, 2], [2, 3]]}, "x: 2*A @ x", "A = A.T"),
        ("x/norm(x)", {"x": [0.6, 0.8]}, "eye(2) - outer(x, x)", "norm(x) = 1"),
        ("sum(b*x**2)", {"x": [1, 2], "b": 1}, "x: 2*x", "b = 1"),
        ("sum(logaddexp(0, -(2*y - 1)*z))", {"z": [0.3, -0.7], "y": [1, 0]}, "z: sigmoid(z) - y",
         "each element of y is 0 or 1"),
    ],
)  # fmt: skip
def test_where_a_claim_holds_that_is_wrong_in_general(
    formula: str, arrays: dict[str, object], claim: str, where: str
) -> None:
    (found,) = check(formula, arrays=arrays, claim=claim).claims
    assert found.status is ClaimStatus.REFUTED
    assert found.note == f"it holds where {where}, as at the numbers given, and not in general"


def test_a_claim_that_is_right_by_chance_is_said_to_be() -> None:
    (found,) = check("sum(x**2)", arrays={"x": [1, 3]}, claim="[2, 6]").claims
    assert str(found.note).startswith("every entry is right at the numbers given, and not in general")


def test_the_diagonal_of_a_hessian_is_named() -> None:
    (found,) = check("sum(x**3)", arrays={"x": [1, 3]}, order=2, claim="6*x").claims
    assert found.note == "these are the entries of its diagonal: write diag(6*x)"


def test_the_diagonal_of_a_jacobian_is_named() -> None:
    (found,) = check("x**2", arrays={"x": [1, 3]}, claim="2*x").claims
    assert found.note == "these are the entries of its diagonal: write diag(2*x), or check sum(x**2)"


@pytest.mark.parametrize(
    ("formula", "hessian"),
    [
        ("norm(x)**2", (2.0, 0.0, 0.0, 2.0)),
        ("sqrt(sum(x**2))**2", (2.0, 0.0, 0.0, 2.0)),
        ("norm(x)**3 + x[0]*x[1]", (0.0, 1.0, 1.0, 0.0)),
        ("norm(x)**4/4", (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_the_second_derivative_of_a_power_of_a_norm_at_0(formula: str, hessian: tuple[float, ...]) -> None:
    """torch's is NaN; the truth is not, though the formula of the gradient has no value there."""
    result = check(formula, arrays={"x": [0, 0]}, order=2)
    (block,) = result.blocks
    assert block.analytical == hessian
    assert {entry.verdict for entry in result.checks} == {Verdict.MISMATCH}
    assert "is a tensor changed" not in " ".join(finding.text for finding in result.findings)
