"""Reports of formulas of arrays, as people and programs get them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradcheck_cli.cli.app import run_command

WRONG = ["softmax(x)", "--at", "x=[1,2,3]", "--claim", "diag(softmax(x))"]
LEAST_SQUARES = ["sum((W @ x - y)**2)", "--at", "W=[[1,2],[3,4]], x=[1,-1], y=[0,1]"]


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def report(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run_command(list(arguments)) == code
    return capsys.readouterr().out


def test_the_notebook_s_sample(capsys: pytest.CaptureFixture[str]) -> None:
    out = report(capsys, "x**2", "--at", "x=[0.6694, 0.6904, 0.69]")
    assert "∂f/∂x = [1.3388       0     0]\n        [     0  1.3808     0]\n        [     0       0  1.38]\n" in out


def test_a_wrong_entry_is_shown_beside_the_true_one(capsys: pytest.CaptureFixture[str]) -> None:
    out = report(capsys, "norm(x)", "--at", "x=[0,0,1e-300]", code=1)
    assert "   ∂f/∂x = [0  0  1]\nautograd = [0  0  0]\n" in out
    assert "∂f/∂x[2]   analytical 1   autograd 0" in out


def test_what_is_too_large_shows_its_worst_entries(capsys: pytest.CaptureFixture[str]) -> None:
    out = report(capsys, "sum((W @ x)**2)", "--shape", "W: 7x8", "--shape", "x: 8")
    assert "∂f/∂W = " not in out
    assert "∂f/∂W[" in out
    assert "W was drawn: randn(7, 8), seed 0" in out


def test_the_hessian(capsys: pytest.CaptureFixture[str]) -> None:
    out = report(capsys, "x[0]*x[1]**2", "--at", "x=[2,3]", "--order", "2")
    assert "∂²f/∂x∂x = [0  6]\n           [6  4]\n" in out
    assert "autograd's Hessian is symmetric" in out


@pytest.mark.parametrize(
    ("output_format", "told"),
    [
        ("table", "✗ refuted at ∂f[2]/∂x[2]: the claim is 0.665241, the derivative 0.222695"),
        ("markdown", "        [-0.059892  -0.162803   0.222695]\n"),
        ("latex", "    0.0819251 & -0.022033 & -0.059892 \\\\\n"),
        ("junit", '<failure type="refuted"'),
        ("github", "is refuted: at ∂f[2]/∂x[2] it is 0.665241"),
    ],
)
def test_a_refuted_claim(output_format: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = report(capsys, *WRONG, "--output-format", output_format, code=1)
    assert told in out
    assert "softmax(x)" in out


def test_json_has_the_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(report(capsys, *LEAST_SQUARES, "--wrt", "W", "--output-format", "json"))
    [problem] = document["problems"]
    assert (problem["kind"], problem["expression"], problem["subject"]) == ("arrays", "sum((W @ x - y)**2)", "f")
    [block] = problem["blocks"]
    assert block["analytical"] == block["autograd"] == [[-2.0, 2.0], [-4.0, 4.0]]


def test_a_file_of_them_is_resumed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, lines = tmp_path / "problems.yaml", tmp_path / "a.jsonl"
    file.write_text(
        "problems:\n"
        "  - {name: vector, expression: sum(x**2), at: {x: {tensor: [1, 2]}}, claim: 2*x}\n"
        "  - {name: drawn, expression: logsumexp(W @ x), shape: {W: 3x4, x: 4}, claim: {x: W.T @ softmax(W @ x)}}\n"
    )
    assert run_command(["run", str(file), "-f", "json-lines", "-o", str(lines)]) == 0
    capsys.readouterr()
    assert run_command(["run", str(file), "--resume", str(lines), "-f", "json"]) == 0
    out, err = capsys.readouterr()
    assert "2 of 2 problems" in err
    assert [problem["claims"][0]["status"] for problem in json.loads(out)["problems"]] == ["proven", "proven"]


def test_a_claim_without_a_value_is_remarked(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--at", "x=[1,-1]", "--claim", "1/(2*sqrt(x))"]
    out = " ".join(report(capsys, "sum(where(x > 0, sqrt(x), 0))", *options, code=1).split())
    assert "the claim is undefined at x[1], where the derivative exists" in out


@pytest.mark.parametrize("formula", ["sum(y)", "y", "sum(where(x > 0, y, 2*y))"])
def test_what_does_not_depend_on_it_has_the_derivative_0(formula: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = report(capsys, formula, "--at", "x=[1,-1], y=[3,4]", "--wrt", "x")
    assert "∂f/∂x = [0  0]" in out


@pytest.mark.parametrize("formula", ["sum(x)", "sum(x) + sum(y)**2", "sum(y)"])
def test_a_hessian_that_is_zero(formula: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command([formula, "--at", "x=[1,-1], y=[3,4]", "--wrt", "x", "--order", "2"])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert ".py" not in out
    assert ("∂²f/∂x∂x = [0  0]" in out) if code == 0 else ("all its derivatives are 0" in " ".join(out.split()))


@pytest.mark.parametrize("name", ["grad_out", "grad_x", "out", "f"])
@pytest.mark.parametrize("order", [1, 2])
def test_no_name_of_a_variable_is_special(name: str, order: int, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--at", f"{name}=[1,2], x=[3,4]", "--order", str(order), "--output-format", "json"]
    (result,) = json.loads(report(capsys, f"sum({name}**3*x)", *options))["problems"]
    assert sorted({block["input"] for block in result["blocks"]}) == sorted([name, "x"])
    assert result["counts"]["match"] == (4 if order == 1 else 16)
    assert result["subject"] not in (name, "x")


def test_what_torch_warns_of_is_a_remark(capsys: pytest.CaptureFixture[str]) -> None:
    out = report(capsys, "kl_div(log(x), x)", "--at", "x=[0.2,0.8]")
    assert out.count("torch warns: reduction: 'mean' divides the total loss") == 1
