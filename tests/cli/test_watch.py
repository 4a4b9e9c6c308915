"""--watch: what changed is checked again when a file is saved, whatever becomes of the files meanwhile."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.watching import watching

from gradcheck_cli.cli.app import run_command
from gradcheck_cli.cli.watch import heading

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are other signals there")

PROBLEMS = """\
problems:
  - {name: cubic, expression: 8*x**4 + 3*x**3, at: 2, gradient: 292}
  - {name: square, expression: x**2, at: 3, claim: 2*x}
"""
WRONG = PROBLEMS.replace("claim: 2*x", "claim: 3*x")
LOSSES = """\
import torch
from factors import factor

class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return factor() * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * factor() * x * grad

def endless(x):
    while True:
        pass
"""
WATCHED = re.compile(
    r"<!-- watched: saved with (?P<new>.*?) in place of (?P<old>.*?) -->\n"
    r"```text\n\$ gradcheck run --watch\n(?P<shown>.*?)```",
    re.DOTALL,
)
FILE = re.compile(r"<!-- file ([^\n]+) -->\n```\w*\n(.*?)```", re.DOTALL)
FACTORS = "def factor():\n    return 3.0\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def test_what_changed_is_checked_again() -> None:
    save("problems.yaml", PROBLEMS)
    with watching("run") as run:
        assert "2 problems, 2 checks: 2 match · 1 claim: 1 proven" in run.until("watching 1 file; Ctrl-C ends it")
        save("problems.yaml", WRONG)
        said = run.until("1 claim: 1 refuted")
        assert "1 of 2 problems checked again: square" in said
        assert "✗ refuted at x=3: the claim is 9, the derivative 6" in said
        save("problems.yaml", "problems:\n  - {name: cubic, expression: [")
        said = run.until("1 file not read")
        assert "problems.yaml:3:1: a value is missing here" in said
        assert "waiting for problems.yaml to be saved again" in said
        assert "nothing to check again" not in said
        save("problems.yaml", PROBLEMS)
        assert "1 of 2 problems checked again: square" in run.until("1 claim: 1 proven")
        Path("problems.yaml").unlink()
        run.until("there is no problems.yaml in this folder")
        save("problems.yaml", PROBLEMS)
        assert "nothing to check again" in run.until("1 claim: 1 proven")
        save("notes.txt", "of no problem")
        os.utime("problems.yaml")
        assert run.silent()
        assert run.end() == 130


def test_code_is_imported_anew() -> None:
    save("losses.py", LOSSES)
    save("factors.py", FACTORS)
    with watching("code", "losses.py::Square", "randn(3)") as run:
        assert "9 match" in run.until("watching 2 files")
        save("losses.py", LOSSES.replace("return 2 *", "return 4 *"))
        assert "Square.backward (losses.py:11) is wrong by x" in run.until(
            "losses.py::Square checked again", "(3 failed)"
        )
        save("factors.py", "def factor(:\n")
        assert "factors.py:1: this is no Python" in run.until("checked again")
        save("losses.py", LOSSES)
        assert "factors.py:1: this is no Python" in run.until("checked again")
        save("factors.py", FACTORS)
        run.until("checked again", "9 entries: 9 match")
        assert run.end(signal.SIGTERM) == 143


@pytest.mark.slow
def test_files_that_come_and_go_in_folders() -> None:
    Path("all/deep").mkdir(parents=True)
    save("all/a.yaml", PROBLEMS)
    with watching("run", "all") as run:
        run.until("watching 1 file")
        save("all/deep/b.yaml", "problems:\n  - {name: new, expression: x**3, at: 1}\n")
        assert "1 of 3 problems checked again: new" in run.until("3 problems in 2 files")
        Path("all/later").mkdir()
        run.silent()
        save("all/later/c.yaml", "problems:\n  - {name: last, expression: x**3, at: 2}\n")
        assert "1 of 4 problems checked again: last" in run.until("4 problems in 3 files")
        os.rename("all/deep", "elsewhere")
        run.until("3 problems in 2 files")
        os.rename("elsewhere", "all/deep")
        run.until("4 problems in 3 files")
        # As many editors save: another file takes the place of the old one.
        save("all/.a.yaml.swp", WRONG)
        os.replace("all/.a.yaml.swp", "all/a.yaml")
        run.until("1 claim: 1 refuted")
        assert run.end() == 130


@pytest.mark.slow
def test_the_file_behind_a_link_and_the_options_of_a_project() -> None:
    Path("elsewhere").mkdir()
    save("elsewhere/real.yaml", "problems:\n  - {name: sum, expression: x + 0.1, at: 0.2}\n")
    Path("problems.yaml").symlink_to("elsewhere/real.yaml")
    with watching("run", "-v") as run:
        run.until("watching 1 file")
        save("elsewhere/real.yaml", "problems:\n  - {name: sum, expression: x + 0.1, at: 0.3}\n")
        run.until("sum checked again")
        save("pyproject.toml", '[tool.gradcheck]\ndtype = "float32"\n')
        run.until("sum checked again", "float32 on cpu")


@pytest.mark.slow
def test_time_limits_hold_and_code_in_files_is_followed() -> None:
    save("losses.py", LOSSES)
    save("factors.py", FACTORS)
    Path("tests").mkdir()
    one = "  - {name: square, code: ../losses.py::Square, inputs: {x: randn(2)}}\n"
    two = "  - {name: endless, code: ../losses.py::endless, inputs: {x: randn(2)}, timeout: 1}\n"
    save("tests/problems.yaml", f"problems:\n{one}")
    with watching("run", "tests/problems.yaml", "--allow-code") as run:
        run.until("watching 3 files")
        save("tests/problems.yaml", f"problems:\n{one}{two}")
        assert "1 of 2 problems checked again: endless" in run.until("no verdict within", "(1 failed)")
        save("losses.py", LOSSES.replace("return 2 *", "return 4 *"))
        assert "2 of 2 problems checked again: square, endless" in run.until("(2 failed)")


@pytest.mark.slow
def test_what_is_saved_during_a_check_is_not_missed() -> None:
    slow = "problems:\n  - {name: slow, code: wait.py::f, inputs: {x: randn(2)}}\n"
    wait = "import time\ntime.sleep(2)\n\ndef f(x):\n    return x * "
    save("problems.yaml", slow)
    save("wait.py", f"{wait}2\n")
    with watching("run", "--allow-code") as run:
        run.until("watching 2 files")
        save("wait.py", f"{wait}3\n")
        time.sleep(1)
        save("wait.py", f"{wait}torch.tensor(4.)\n")
        assert "NameError" in run.until("NameError")
        save("problems.yaml", slow.replace("slow,", "slower,"))
        run.until("slower checked again")


@pytest.mark.slow
def test_a_round_that_is_left_early_and_a_report_in_a_file() -> None:
    save("problems.yaml", WRONG.replace("gradient: 292", "gradient: 291"))
    with watching("run", "-x", "-o", "report.jsonl") as run:
        run.until("watching 1 file", "1 not run")
        save("problems.yaml", WRONG)
        run.until("2 of 2 problems checked again", "1 refuted")
        save("problems.yaml", PROBLEMS)
        run.until("1 of 2 problems checked again: square", "1 proven")
        lines = Path("report.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 4  # the first, two problems, the summary
        assert ['"name": "cubic"' in lines[1], '"name": "square"' in lines[2]] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "-", "--watch"], "--watch does not go with standard input"),
        (["run", "--watch", "--list"], "--watch does not go with --list"),
        (["run", "--watch", "--resume", "a.jsonl"], "--watch does not go with --resume"),
        (["run", "--watch", "--executor", "dask://localhost:8786"], "--watch does not go with --executor"),
        (["run", "--watch", "--profile"], "--watch does not go with --profile"),
        (["code", "losses.py::f", "--watch", "--profile"], "--watch does not go with --profile"),
        (["x**2", "--watch"], "there is no option --watch"),
    ],
)
def test_what_it_does_not_go_with(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    save("losses.py", "def f(x):\n    return x\n")
    save("problems.yaml", PROBLEMS)
    assert run_command(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_without_watchfiles(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    save("problems.yaml", PROBLEMS)
    assert run_command(["run", "--watch"]) == 2
    assert "--watch needs the package watchfiles: pip install 'gradcheck-cli[watch]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("again", "total", "unread", "words"),
    [
        ([], 4, [], "nothing to check again"),
        (["a"], 1, [], "a checked again"),
        (["a", "b"], 4, [], "2 of 4 problems checked again: a, b"),
        (list("abcd"), 4_000, [], "4 of 4,000 problems checked again"),
        ([], 0, ["p.yaml"], "waiting for p.yaml to be saved again"),
        (["a"], 2, ["p.yaml", "q.yaml"],
         "1 of 2 problems checked again: a; waiting for p.yaml, q.yaml to be saved again"),
    ],
)  # fmt: skip
def test_what_is_said_above_a_report(again: list[str], total: int, unread: list[str], words: str) -> None:
    assert heading(again, total, unread).rstrip("\n").endswith(f"  {words}")


@pytest.mark.slow
def test_the_page_shows_what_is_printed() -> None:
    page = ROOT / "docs" / "watch.md"
    shown, first, second = watched(page)
    assert shown == first + second


def watched(page: Path) -> tuple[str, str, str]:
    """What the page shows below its command, and what that prints at first, and when the file is saved."""
    text = page.read_text(encoding="utf-8")
    file, problems = FILE.search(text).groups()  # type: ignore[union-attr]
    old, new, shown = WATCHED.search(text).group("old", "new", "shown")  # type: ignore[union-attr]
    save(file, problems)
    with watching("run", columns=80) as run:
        first = run.until("Ctrl-C ends it")
        save(file, problems.replace(old, new))
        second = run.until("refuted at")
    return shown, *(in_the_page(said) for said in (first, second))


def in_the_page(said: str) -> str:
    """The time and the build of torch are the machine's affair."""
    return re.sub(r"(torch [\d.]+)\S*", r"\1", re.sub(r"\d\d:\d\d:\d\d", "17:05:12", said))
