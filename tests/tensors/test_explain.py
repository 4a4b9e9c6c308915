"""explain of formulas of arrays: every vector-Jacobian product is run, and is what the certified adjoint says."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from helpers.slow import slow

from gradcheck_cli import GradcheckError, explain
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.records.array_explanation import ArrayExplanation, ArrayStep
from gradcheck_cli.tensors.adjoints import BY_NAME, WITH, WITHOUT
from gradcheck_cli.tensors.functions import TENSOR_FUNCTIONS
from gradcheck_cli.tensors.program import Program
from gradcheck_cli.tensors.reader import read

VECTOR = {"x": [0.5, -1.25, 2.0, 0.75]}
POSITIVE = {"x": [0.5, 0.25, 0.75], "y": [0.4, 0.5, 0.2]}
MATRIX = {"x": [[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]]}
SQUARE = {"x": [[2.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.25, -1.0, 4.0]], "y": [1.0, -2.0, 0.5]}
TWO = {"A": [[1.0, 2.0, -1.0], [0.5, -3.0, 2.0]], "B": [[0.5, 1.0], [2.0, -1.0], [1.5, 0.25]],
       "u": [1.0, -1.0], "v": [0.5, 2.0, -1.5]}  # fmt: skip

CALLS = [
    *((f"{name}(x{more})", MATRIX)
      for name in ("sum", "mean", "prod", "amax", "amin", "max", "min", "norm", "logsumexp")
      for more in ("", ", dim=0", ", dim=1, keepdim=true")),
    *((f"{name}(x{more})", MATRIX) for name in ("var", "std") for more in ("", ", dim=1", ", dim=0, correction=0")),
    *((call, VECTOR) for call in ("norm(x, 1)", "norm(x, 3)", "sum(x, dim=0)", "x.T*2", "normalize(x)", "rms_norm(x)",
      "flip(x, 0)", "reshape(x, (2, 2))", "squeeze(x)", "unsqueeze(x, 0)", "diag(x)", "cumsum(x)", "cumprod(x)")),
    *((f"{name}(x{more})", MATRIX) for name in ("softmax", "log_softmax", "softmin", "cumsum", "cumprod",
      "logcumsumexp") for more in ("", ", dim=0")),
    *((call, MATRIX) for call in ("layer_norm(x)", "rms_norm(x, (2, 3))", "normalize(x)", "normalize(x, dim=0)",
      "transpose(x)", "x.T", "flatten(x)", "reshape(x, (3, 2))", "tril(x)", "triu(x, 1)", "flip(x, 1)",
      "sum(x, dim=(0, 1))", "mean(x, dim=(0, 1), keepdim=true)")),
    *((call, TWO) for call in ("A @ B", "A @ v", "u @ A", "v @ v", "dot(u, B[0])", "matmul(B, A)", "outer(u, v)",
      "cross(v, A[0])", "linear(A, B.T)", "linear(v, A, u)", "linear(A, B.T, u)", "cosine_similarity(A, B.T)",
      "cosine_similarity(v, A[1])", "einsum('ij,jk->ik', A, B)", "einsum('ij,j', A, v)", "einsum('i,j->ij', u, v)",
      "stack(v, A[0])", "stack([v, A[0]], dim=1)", "cat(u, v)", "cat([A, B.T], dim=1)",
      "layer_norm(A, (3,), v, B[:, 0])",
      "rms_norm(A, (3,), v)", "layer_norm(v)", "where(A > 0, A, v)", "A + v", "v - A", "A*v", "A/v", "A**2", "-A",
      "A*3.5", "2/A", "maximum(A, 3*v)", "atan2(A, v)", "A*u.unsqueeze(1)", "sum(u)*A", "v.mean()/A")),
    *((call, SQUARE) for call in ("trace(x)", "det(x)", "logdet(x)", "inv(x)", "solve(x, y)", "solve(x, x.T + 1)",
      "matrix_power(x, 3)", "diag(x)", "x.T @ x", "t(x)")),
    *((f"{name}(x, y{more})", POSITIVE) for name in ("mse_loss", "l1_loss", "binary_cross_entropy", "kl_div",
      "binary_cross_entropy_with_logits") for more in ("", ", reduction='sum'", ", reduction='none'")),
    *((call, POSITIVE) for call in ("huber_loss(4*x, y, delta=0.5)", "smooth_l1_loss(4*x, y, beta=0.5)",
      "kl_div(x, log(y), log_target=true)")),
    *((call, {"x": [0.5, -1.25, 2.0, 0.75], "Z": [[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]]}) for call in (
      "cross_entropy(x, 2)", "cross_entropy(Z, [2, 0])", "cross_entropy(Z, [2, 0], reduction='sum')",
      "nll_loss(log_softmax(Z), [2, 0])", "nll_loss(x, 1)", "cross_entropy(Z, [1, 1], reduction='none')")),
]  # fmt: skip


def evaluated(text: str, explanation: ArrayExplanation) -> np.ndarray:
    """A product, run as a formula of the language."""
    adjoints = {step.name: step for step in explanation.steps if step.adjoint is not None}
    formula, _, definitions = text.partition(WITH)
    arrays = {
        **{step.name: tensor(step.numbers, step) for step in explanation.steps},
        **{f"adjoint_{name}": tensor(step.adjoint.analytical, step) for name, step in adjoints.items() if step.adjoint},
    }
    program = Program(arrays)
    names: dict[str, object] = dict(program.inputs)
    for definition in filter(None, definitions.split("; ")):
        name, _, right = definition.partition(" = ")
        names[name] = read(_named(right), program, names, torch.float64)  # type: ignore[arg-type]
    value = read(_named(formula), program, names, torch.float64).value  # type: ignore[arg-type]
    return value.numpy() if isinstance(value, torch.Tensor) else np.asarray(float(value))


def _named(text: str) -> str:
    return re.sub(r"\bdf/d(\w+)\b", r"adjoint_\1", text)


def tensor(numbers: object, step: ArrayStep) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64).reshape(step.shape)


def require_right(explanation: ArrayExplanation) -> int:
    """Each adjoint is the sum of its products. How many of these have a formula."""
    count = 0
    for step in explanation.steps:
        texts = [one.text for one in step.contributions]
        if step.adjoint is None or any(text is None or "elsewhere" in text for text in texts):
            continue
        count += len(texts)
        total = sum(np.broadcast_to(evaluated(str(text), explanation), step.shape) for text in texts)
        assert total == pytest.approx(np.reshape(step.adjoint.analytical, step.shape), rel=1e-9, abs=1e-12), texts
    return count


_FIRST = {call.partition("(")[0]: call for call, _ in reversed(CALLS)}
_ROWS = [(slow if call not in _FIRST.values() else pytest.param)(call, arrays) for call, arrays in CALLS]


@pytest.mark.parametrize(("call", "arrays"), _ROWS, ids=[call for call, _ in CALLS])
def test_a_product_is_what_it_says(call: str, arrays: dict[str, object]) -> None:
    used = {name: array for name, array in arrays.items() if re.search(rf"\b{name}\b", call)}
    explanation = explain(f"sum(sin({call})*1.5)", arrays=used)
    assert explanation.result.passed
    assert require_right(explanation) >= 4
    assert all(one.text is not None for step in explanation.steps for one in step.contributions)


def test_each_function_of_arrays_has_a_product_or_is_known_to_have_none() -> None:
    assert set(TENSOR_FUNCTIONS) - set(BY_NAME) == WITHOUT
    tried = " ".join(call for call, _ in CALLS)
    untried = {name for name in BY_NAME if name.isidentifier() and not re.search(rf"\b{name}\(", tried)}
    assert untried == set()


OF_NUMBERS = [
    row for row in FUNCTIONS.values()
    if not row.internal and len(row.arguments) == 1 and row.arguments[0].kind == "real" and row.points
]  # fmt: skip


@pytest.mark.parametrize(
    "row", [row if k % 8 == 0 else slow(row) for k, row in enumerate(OF_NUMBERS)], ids=[row.name for row in OF_NUMBERS]
)
def test_a_function_of_numbers_is_applied_to_each(row: object) -> None:
    name, points = row.name, [float(point[0]) for point in row.points]  # type: ignore[attr-defined]
    try:
        explanation = explain(f"sum({name}(x))", arrays={"x": points})
    except GradcheckError:
        pytest.skip("not a function of arrays")
    if explanation.result.passed:  # torch's own may be off
        assert require_right(explanation) == 2


def test_an_operand_that_is_used_twice_gets_a_sum() -> None:
    explanation = explain("sum(softmax(x)*x)", arrays={"x": [1, 2, 3]})
    assert [one.text for one in explanation.by_name["x"].contributions] == ["df/db * a", "a*(df/da - sum(df/da * a))"]
    assert require_right(explanation) == 4


def test_names_of_intermediate_results_stay() -> None:
    explanation = explain("-sum(s*log(s))", let={"s": "softmax(x)"}, arrays={"x": [1, 2, 3]})
    assert [step.formula for step in explanation.steps] == [None, "softmax(x)", "log(s)", "s*a", "sum(b)", "-c"]


def test_of_an_array_the_adjoints_are_those_of_its_sum() -> None:
    explanation = explain("W @ x", arrays={"W": [[1, 2], [3, 4]], "x": [1, -1]})
    assert explanation.summed
    assert explanation.by_name["x"].adjoint is not None
    assert explanation.by_name["x"].adjoint.analytical == (4, 6)


@pytest.mark.parametrize(
    ("formula", "x", "blamed"),
    [
        ("sum(where(x > 0, sqrt(x), 0))", [1, -1], "sqrt(x)"),
        ("sum(norm(2*x))", [0, 0, 1e-300], "norm(a)"),
        ("sum(x**2)", [1, 2], None),
    ],
)
def test_the_step_that_is_to_blame_is_marked(formula: str, x: list[float], blamed: str | None) -> None:
    explanation = explain(formula, arrays={"x": x})
    assert [step.formula for step in explanation.steps if step.blamed] == ([] if blamed is None else [blamed])
    assert len(explanation.sentences) == (blamed is not None)


LEAST_SQUARES = ["sum((W @ x - y)**2)", "--at", "W=[[1,2],[3,4]], x=[1,-1], y=[0,1]"]


@pytest.mark.parametrize("width", ["60", "80", "120"])
def test_the_table(width: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    assert run_command(["explain", *LEAST_SQUARES]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= int(width)
    assert "a = W @ x" in out
    if width != "60":
        assert "df/dW    outer(df/da, x)          [-2  2]     [-2  2]     ✓ match\n" in out


@pytest.mark.parametrize(
    ("output_format", "said"),
    [
        ("markdown", "| `df/dW` | `outer(df/da, x)` | `[-2 2]`<br>`[-4 4]` | `[-2 2]`<br>`[-4 4]` | ✓ match |"),
        ("latex", r"\texttt{df/dW} & \texttt{outer(df/da, x)} & \begin{bmatrix} -2 & 2 \\ -4 & 4 \end{bmatrix}"),
    ],
)
def test_other_formats(output_format: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", *LEAST_SQUARES, "--output-format", output_format]) == 0
    assert said in capsys.readouterr().out


def test_json_has_all_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--shape", "W: 8x9", "--shape", "x: 9", "--output-format", "json"]
    assert run_command(["explain", "sum((W @ x)**2)", *options]) == 0
    document = json.loads(capsys.readouterr().out)
    steps = {step["name"]: step for step in document["steps"]}
    assert np.shape(steps["W"]["adjoint"]["analytical"]) == (8, 9)
    assert steps["W"]["contributions"] == [{"by": "W", "step": "a", "text": "outer(df/da, x)", "right": True}]
    assert document["problem"]["verdict"] == "match"


def test_what_is_large_shows_its_worst_entry_and_how_many_steps_are_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    formula = "+".join(f"sum(sin(x*{k}))" for k in range(1, 20))
    assert run_command(["explain", formula, "--shape", "x: 20"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"and \d+ more steps between these", out)
    assert "20 numbers" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sum(x**2)", "--at", "x=[1,2]", "--order", "2"], "explain shows formulas of arrays in order 1"),
        (["sum(y)", "--at", "x=[1,2]"], "y has no value"),
    ],
)
def test_what_cannot_be_explained(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_product_that_is_one_name_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "c @ v", "--at", "c=[1, 2], v=[3, 4]"]) == 0
    rows = {row.split()[0]: row.split()[1] for row in capsys.readouterr().out.splitlines() if row.startswith("df/d")}
    assert rows == {"df/dv": "c", "df/dc": "v"}


@pytest.mark.parametrize("columns", ["80", "40"])
def test_the_row_of_a_matrix_goes_on_between_two_numbers(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    at = "x=[0.123456, -0.234567, 0.345678, -0.456789, 0.567891, -0.678912, 0.789123]"
    assert run_command(["explain", "sum(3*x)", "--at", at, "-v"]) == 0
    written = capsys.readouterr().out
    assert max(map(len, written.splitlines())) <= int(columns)
    value = written.partition("value")[2].partition("]")[0]
    assert "\n" in value.strip()
    assert value.replace("[", "").split() == at[3:-1].split(", ")
