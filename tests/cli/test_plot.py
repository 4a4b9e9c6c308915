"""`--plot`: on the terminal, to a file, and what cannot be drawn."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from gradcheck_cli.batch.run import check_request
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.cli.commands import code

FORMULA = ["x**3", "--at", "2"]


@pytest.mark.parametrize("place", [0, 1, 3], ids=["first", "in between", "last"])
def test_the_plot_is_below_the_table(place: int, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*FORMULA[:place], "--plot", *FORMULA[place:]]
    assert run_command(arguments) == 0
    report = capsys.readouterr().out
    assert report.index("✓ match") < report.index("error in ulps")
    assert "o autograd at the points asked for" in report


def test_without_the_option_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(FORMULA) == 0
    assert "ulps" not in capsys.readouterr().out


@pytest.mark.parametrize("form", [["--plot", "{}"], ["--plot={}"]], ids=["apart", "joined"])
@pytest.mark.parametrize("name", ["a b(1).SVG", pytest.param("b.pdf", marks=pytest.mark.slow)])
def test_a_file_gets_a_figure(form: list[str], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / name
    assert run_command([*FORMULA, *(part.format(file) for part in form)]) == 0
    assert file.stat().st_size > 1_000
    assert "error in ulps" not in capsys.readouterr().out


def test_a_formula_after_the_option_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--plot", "2.5*x", "--at", "2"]) == 0
    assert "2.5*x" in capsys.readouterr().out


def test_the_jacobian_of_code_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "isolated", lambda request, where, profile: check_request(request))
    file = tmp_path / "double.py"
    file.write_text("def double(x):\n    return 2 * x\n")
    assert run_command(["code", f"{file}::double", "[1.0, 2.0]", "--plot"]) == 0
    assert "∂out/∂x: 2 x 2" in capsys.readouterr().out


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "problems:\n- {name: a, expression: x**3, at: 2}\n- {name: b, expression: x, at: 2}\n"
    Path("two.yaml").write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("two")
def test_a_problem_of_a_file_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "--plot", "two.yaml::a"]) == 0
    report = capsys.readouterr().out
    assert report.index("✓ match") < report.index("o autograd at the points asked for")
    pytest.importorskip("matplotlib")
    assert run_command(["run", "two.yaml", "-k", "b", "--plot", "b.svg"]) == 0
    assert Path("b.svg").stat().st_size > 1_000


BAD = [
    ([*FORMULA, "--plot", "a.jpg"], "--plot a.jpg: a figure is written as .svg, .png, .pdf"),
    ([*FORMULA, "--plot=a"], "--plot a: a figure is written as"),
    ([*FORMULA, "--plot="], "--plot= needs the name of a file"),
    ([*FORMULA, "--plot", "--output-format", "json"], "standard output has json"),
    ([*FORMULA, "--plot", "/nowhere/a.svg"], "cannot write /nowhere/a.svg"),
    (["run", "--plot", "two.yaml"], "--plot draws one problem, and there are 2: name one, by FILE::NAME or -k"),
    (["explain", "x", "--plot"], "gradcheck explain draws nothing"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_what_cannot_be_drawn_is_a_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], two: None
) -> None:
    assert run_command(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_report_and_a_figure_need_a_file_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "a.svg")
    assert run_command([*FORMULA, "-f", "json", "-o", file, "--plot", file]) == 2
    assert "each needs one of its own" in capsys.readouterr().err


def test_a_missing_extra_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def without(name: str, *rest: Any) -> Any:
        return None if name == "matplotlib" else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    file = tmp_path / "a.svg"
    assert run_command([*FORMULA, "--plot", str(file)]) == 2
    assert "needs matplotlib: pip install 'gradcheck-cli[plot]'" in capsys.readouterr().err
    assert not file.exists()
    assert run_command([*FORMULA, "--plot"]) == 0  # the terminal needs no more than there is


def test_what_has_nothing_to_draw_writes_no_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "a.svg"
    assert run_command(["x**2", "--at", "2", "--timeout", "0.000001", "--plot", str(file)]) == 1
    assert "nothing to draw" in capsys.readouterr().err
    assert not file.exists()
