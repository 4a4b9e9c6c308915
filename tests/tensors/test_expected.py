"""What is expected of a formula of arrays: numbers entry by entry, verdicts, claims."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck_cli.cli.app import run_command

SQUARE = ["x @ x", "--at", "x=[1,2]"]
MATRIX = ["sum(A @ A)", "--at", "A=[[1,2],[3,4]]"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([*SQUARE, "--gradient", "x=[2,4]"], 0, ""),
        ([*SQUARE, "--gradient", "[2,4]"], 0, ""),
        ([*SQUARE, "--value", "5"], 0, ""),
        ([*SQUARE, "--gradient", "x=[2,5]"], 1, "∂f/∂x[1] is expected to be 5, and is 4"),
        ([*SQUARE, "--value", "999"], 1, "f is expected to be 999, and is 5"),
        ([*SQUARE, "--gradient", "7"], 2, "--gradient: 1 number for the derivative by x, which has 2 entries"),
        ([*SQUARE, "--value", "[1,2,3]"], 2, "--value: 3 numbers for f, which has 1 entry"),
        ([*SQUARE, "--gradient", "q=7"], 2, "--gradient: q is not checked here; there is x"),
        ([*SQUARE, "--order", "2", "--gradient", "[2,4]"], 2, "--gradient: of arrays, it is compared in order 1"),
        ([*MATRIX, "--gradient", "A=[[7,11],[9,13]]"], 0, ""),
        ([*MATRIX, "--gradient", "A=[[5,12],[6,13]]"], 1, "∂f/∂A[1,0] is expected to be 6, and is 9"),
        ([*MATRIX, "--gradient", "A=[[0,0],[0,0]]"], 1, "and 1 more expected number: wrong"),
        (["x*y", "--at", "x=[1,2],y=3", "--gradient", "4"], 2, "there are several derivatives, so say which is which"),
        (["3*x", "--at", "x=[1,2]", "--gradient", "[[3,0],[0,3]]", "--value", "[3,6]"], 0, ""),
        (["3*x", "--at", "x=[1,2]", "--gradient", "[[3,0],[1,3]]"], 1, "∂f[1]/∂x[0] is expected to be 1, and is 0"),
        (["norm(x)", "--at", "x=[0,0]", "--gradient", "[0,0]"], 1, "is expected to be 0, and has no certified value"),
    ],
)
def test_numbers(arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == code
    out, err = capsys.readouterr()
    assert said in out + err


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        ("gradient: {x: [2, 4]}, value: 5", 0, "2 entries: 2 match"),
        ("gradient: {x: [2, 5]}", 1, "✗ wrong number"),
        ("value: 999", 1, "✗ wrong number"),
        ("gradient: {q: 7}", 2, "gradient: q is not checked here; there is x"),
        ("expect: mismatch", 1, "expected: mismatch; it is match"),
        ("expect: match", 0, "2 match"),
        ("claim: 3*x, expect_claim: refuted", 0, "1 refuted"),
        ("claim: 2*x, expect_claim: refuted", 1, "expected refuted"),
        ("claim: 2*x, expect_claim: {x: proven}", 0, "1 claim: 1 proven"),
        ("claim: 2*x, expect_claim: {y: proven}", 2, "expect_claim: there is no claim for y"),
        ("expect_claim: proven", 2, "expect_claim: the problem has no claim"),
    ],
)
def test_problem_files(problem: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f'problems:\n  - {{name: p, expression: x @ x, at: "x=[1,2]", {problem}}}\n', encoding="utf-8")
    assert run_command(["run", str(file)]) == code
    out, err = capsys.readouterr()
    assert said in out + err


@pytest.mark.usefixtures("in_this_process")
def test_a_matrix_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    for wrong in (0, 1):
        file.write_text(
            "problems:\n  - expression: sum(A @ A)\n    at: A=[[1,2],[3,4]]\n    gradient:\n      A:\n"
            f"        - [7, 11]\n        - [9, {13 + wrong}]\n",
            encoding="utf-8",
        )
        assert run_command(["run", str(file)]) == wrong
