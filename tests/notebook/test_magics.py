"""`%gradcheck` and `%%gradcheck`, in an IPython of this process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.notebooks import shell_of_this_process

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.explanation import Explained, Explanation
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.results import ProblemResult, Verdict

FUNCTION = """
import torch


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 2 * x**2
"""


class Notebook:
    """What a user sees of cells that run one after the other."""

    def __init__(self, shell: Any, output: pytest.CaptureFixture[str]) -> None:
        self.shell, self.output = shell, output

    def run(self, cell: str) -> Any:
        """The value of a cell. `said`: what it printed; `trouble`: to standard error; `failed`: whether it raised."""
        self.output.readouterr()
        result = self.shell.run_cell(cell, store_history=True)
        self.said, self.trouble = self.output.readouterr()
        self.failed = not result.success
        return result.result

    @property
    def exit_code(self) -> int:
        return int(self.shell.user_ns["_exit_code"])

    @property
    def number(self) -> int:
        """Of the last cell."""
        return int(self.shell.execution_count) - 1


@pytest.fixture(scope="module", name="shell")
def _shell() -> Iterator[Any]:
    with shell_of_this_process() as shell:
        shell.run_cell("%load_ext gradcheck_cli")
        yield shell


@pytest.fixture(name="notebook")
def _notebook(shell: Any, capsys: pytest.CaptureFixture[str]) -> Notebook:
    return Notebook(shell, capsys)


@pytest.mark.parametrize(
    ("line", "kind", "passed"),
    [
        ("%gradcheck x**2 + sin(x) --at 2", ProblemResult, True),
        ('%gradcheck "x**2" --at 2 --claim "3*x"', ProblemResult, False),
        (r"%gradcheck $\frac{\sin^2 x}{\sqrt{1 + x^{2}}}$ --at 1", ProblemResult, True),
        ("%gradcheck check x --at 1", ProblemResult, True),
        ("%gradcheck x**2 --at x=[0.6694, 0.6904, 0.69]", CodeResult, True),
    ],
)
def test_a_check_is_its_record(notebook: Notebook, line: str, kind: type, passed: bool) -> None:
    result = notebook.run(line)
    assert isinstance(result, kind)
    assert result.passed is passed
    assert notebook.exit_code == (not passed)
    assert str(result) in notebook.said  # IPython has shown it
    assert not notebook.trouble


def test_explain_and_its_several_points(notebook: Notebook) -> None:
    assert isinstance(notebook.run("%gradcheck explain x*sin(x) --at 1"), Explanation)
    assert isinstance(notebook.run("%gradcheck explain x*sin(x) --at 1 --at 2"), Explained)


@pytest.mark.usefixtures("in_this_process")
def test_a_file_of_problems_is_a_report(notebook: Notebook, tmp_path: Any) -> None:
    file = tmp_path / "problems.yaml"
    file.write_text("problems: [{name: square, expression: x**2, at: 1}]")
    report = notebook.run(f"%gradcheck run {file}")
    assert isinstance(report, Report)
    assert report.passed


def test_a_plot_is_part_of_what_the_record_shows(notebook: Notebook, tmp_path: Any) -> None:
    record = notebook.run(f"%gradcheck x**2 --at 2 --plot {tmp_path / 'square.svg'}")
    texts = record._repr_mimebundle_()
    assert '<img src="data:image/svg+xml;base64,' in texts["text/html"]
    assert "⣀" in texts["text/plain"]
    assert (tmp_path / "square.svg").read_text().startswith("<?xml")
    assert notebook.run("%gradcheck x**2 --at 2 --plot").picture == record.picture


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%gradcheck --version", "gradcheck "),
        ("%gradcheck help run", "gradcheck run [FILE]..."),
        ("%gradcheck functions softplus", "softplus(x"),
        ("%gradcheck x --at 1 --output-format markdown", "## ✅ `x`"),
        ("%gradcheck x --at 1 -v", "1 check: 1 match"),
        ("%gradcheck x --at 1 -q", ""),
        ("%gradcheck x --at 1;", ""),
    ],
)
def test_what_is_asked_for_as_text_is_text(notebook: Notebook, line: str, said: str) -> None:
    assert notebook.run(line) is None
    assert said in notebook.said + notebook.trouble
    assert bool(notebook.said) is bool(said)
    assert notebook.exit_code == 0


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        ("%gradcheck", "what should be checked?"),
        ("%gradcheck x^ --at 2", "the expression ends too early"),
        ("%gradcheck expalin x**2", "did you mean gradcheck explain"),
        ("%gradcheck x --att 2", "--att"),
        ("%gradcheck x --at {nowhere}", "the notebook has no variable nowhere"),
    ],
)
def test_bad_input_is_a_sentence(notebook: Notebook, line: str, trouble: str) -> None:
    assert notebook.run(line) is None
    assert trouble in notebook.trouble
    assert "Traceback" not in notebook.said + notebook.trouble
    assert notebook.exit_code == 2
    assert not notebook.failed


def test_variables_of_the_notebook(notebook: Notebook) -> None:
    notebook.run("import torch; w = 0.1; x = torch.tensor([1.0, 2.0])")
    assert notebook.run("%gradcheck w**2 --at w={w}").checks[0].point == {"w": 0.1}
    assert notebook.run("%gradcheck sum(w*x) --at x={x},w={w}").passed
    assert notebook.run("%%gradcheck {x}\nx = x + 1\nf = lambda x: x*x").passed


def test_the_last_function_of_a_cell_is_checked(notebook: Notebook) -> None:
    result = notebook.run(f"%%gradcheck 3*randn(4){FUNCTION}")
    assert (result.subject, result.verdict, notebook.exit_code) == ("Cube", Verdict.MISMATCH, 1)
    assert result.place == f"In[{notebook.number}]:5"
    assert result.findings[0].place == f"In[{notebook.number}]:12"
    assert result.findings[0].text.startswith(f"Cube.backward (In[{notebook.number}]:12) is wrong")
    assert notebook.run("Cube.apply(torch.ones(1))").item() == 1, "the cell ran in the notebook"


def test_code_of_the_notebook_has_a_name(notebook: Notebook) -> None:
    notebook.run(f"{FUNCTION}double = lambda x: 2*x")
    assert notebook.run("%gradcheck code double randn(3)").passed
    assert not notebook.run("%gradcheck code Cube.apply 'x=randn(3)' --order 2").passed
    assert notebook.run("%gradcheck code math:sin 2.0") is None


NET = """
import torch
class Net(torch.nn.Module):
    def __init__(self, size=2):
        super().__init__()
        self.layer = torch.nn.Linear(size, 2)
    def forward(self, x):
        return self.layer(x)
def loss(x):
    return (x**2).sum()
from math import sin
size: int = 3
"""


@pytest.mark.parametrize(
    ("line", "subject"),
    [
        ("randn(3)", "loss"),
        ("loss randn(3)", "loss"),
        ("Net randn(1, 2)", "Net"),
        ("Net --init 3 randn(1, 3) --dtype float32", "Net"),
        ("Net -f table 'x=randn(1, 2)' --wrt x --mode both", "Net"),
    ],
)
def test_what_the_line_says(notebook: Notebook, line: str, subject: str) -> None:
    result = notebook.run(f"%%gradcheck {line}{NET}")
    assert (result.subject, result.passed) == (subject, True)


@pytest.mark.parametrize(
    ("cell", "trouble"),
    [
        ("%%gradcheck\ndef f(x): return x", "the argument x is missing"),
        ("%%gradcheck\n1 + 1", "the cell defines nothing that can be checked"),
        ("%%gradcheck g 1.0\ndef f(x): return x", "there is no g: the cell does not define it"),
        ("%%gradcheck 1.0 --dtpe float32\ndef f(x): return x", "--dtpe"),
        ("%%gradcheck 1.0\ndef f(x):\n    return x + undefined", ":3, in f: return x + undefined"),
        ("%%gradcheck {nowhere}\ndef f(x): return x", "the notebook has no variable nowhere"),
    ],
)
def test_what_cannot_be_checked_is_a_sentence(notebook: Notebook, cell: str, trouble: str) -> None:
    assert notebook.run(cell) is None
    assert trouble in notebook.trouble
    assert "Traceback" not in notebook.said + notebook.trouble
    assert notebook.exit_code == 2


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("def f(x): return x\n1/0", "----> 3 1/0\n\nZeroDivisionError: division by zero"),
        ("def f(x): return x/", "line 2\n    def f(x): return x/"),
        ("%nothing_of_the_kind", "Line magic function `%nothing_of_the_kind` not found"),
    ],
)
def test_errors_of_a_cell_are_the_users(notebook: Notebook, body: str, shown: str) -> None:
    """Shown once, with none of our frames, in the cell that the user sees, counted as it is there."""
    notebook.run(f"%%gradcheck randn(3)\n{body}")
    said = notebook.said + notebook.trouble
    assert notebook.failed
    assert said.count(shown) == 1
    assert "gradcheck_cli" not in said
    assert "In[" not in said or f"In[{notebook.number}]" in said


def test_a_cell_shows_what_it_shows(notebook: Notebook) -> None:
    notebook.run("%%gradcheck f 2.0\nf = lambda x: x\nprint('printed')\n'the last value'")
    assert "printed\n" in notebook.said
    assert f"Out[{notebook.number}]: 'the last value'" in notebook.said


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("gradcheck_cli.check('x^', at=2)", "ExpressionError: Something is missing"),
        ("gradcheck_cli.check(Cube, {'y': torch.ones(2)})", "there is no such argument"),
        ("gradcheck_cli.gradcheck(Cube.apply, torch.ones(2, requires_grad=True))", "Cube.backward (In["),
    ],
)
def test_what_python_functions_raise_has_the_users_frames_only(notebook: Notebook, call: str, shown: str) -> None:
    notebook.run(f"import gradcheck_cli{FUNCTION}\ndef mine():\n    {call}\nmine()")
    said = notebook.said + notebook.trouble
    assert shown in said
    assert f"In[{notebook.number}], line 18" in said
    assert ".py" not in said


def test_an_interruption_stops_the_notebook(notebook: Notebook) -> None:
    notebook.run("%%gradcheck randn(3)\ndef f(x):\n    raise KeyboardInterrupt")
    assert notebook.failed
    assert "KeyboardInterrupt" in notebook.said
    assert ".py" not in notebook.said + notebook.trouble


def test_the_package_imports_no_ipython() -> None:
    script = "import sys, gradcheck_cli; gradcheck_cli.load_ipython_extension; sys.exit('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
