"""The command line: what is typed becomes a Request; what happens becomes an exit code. Nothing is computed here."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.records import VERSIONS, a_check, a_problem, quartic

import gradcheck_cli.checking.checker
import gradcheck_cli.cli.commands.check
from gradcheck_cli.cli import streams
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.cli.arguments import arrange
from gradcheck_cli.cli.exit_codes import ExitCode
from gradcheck_cli.errors import ExpressionError, InternalError, UsageError
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.tensors.functions import TENSOR_FUNCTIONS
from gradcheck_cli.versions import __version__


@pytest.fixture(autouse=True)
def _a_plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(gradcheck_cli.cli.commands.check, "versions", lambda: VERSIONS)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that reach check_expression, which finds everything in order."""
    seen: list[Request] = []

    def check_expression(request: Request, **_: Any) -> Any:
        seen.append(request)
        return quartic()

    monkeypatch.setattr(gradcheck_cli.checking.checker, "check_expression", check_expression)
    return seen


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], Any]) -> None:
    monkeypatch.setattr(gradcheck_cli.checking.checker, "check_expression", lambda request, **_: answer())


def raising(error: BaseException) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (["x**2", "--at", "2"], Request("x**2", at=("2",))),
        (["check", "x**2", "--at", "2"], Request("x**2", at=("2",))),
        (["--at", "2", "x**2"], Request("x**2", at=("2",))),
        (["-x**2", "--at", "-2"], Request("-x**2", at=("-2",))),
        (["-vx", "--at", "2"], Request("-vx", at=("2",))),
        (["-x", "--at", "2"], Request("-x", at=("2",))),
        (["-qv", "-v", "-q", "--wrt", "qv"], Request("-qv", wrt=("qv",))),
        (["x**2", "x=2"], Request("x**2", at=("x=2",))),
        (["x=2", "x**2"], Request("x**2", at=("x=2",))),
        (["x*y", "x=1", "y=2", "-q"], Request("x*y", at=("x=1,y=2",))),
        (["x*y", "--at", "x=1", "y=2"], Request("x*y", at=("x=1,y=2",))),
        (["x*y", "x=1", "y=2", "x=3", "y=4"], Request("x*y", at=("x=1,y=2;x=3,y=4",))),
        (["x", "--at", "1", "2", "-3", "-q"], Request("x", at=("1;2;-3",))),
        (["x", "--at", "1,", "2,", "3"], Request("x", at=("1;2;3",))),
        (["x", "--at", "[1,", "2,", "3]"], Request("x", at=("[1,2,3]",))),
        (["--", "-x", "--at", "2", "-q"], Request("-x", at=("2",))),
        (["x", "--", "--at", "2"], Request("x", at=("2",))),
        (["y = x**2", "x=2"], Request("y = x**2", at=("x=2",))),
        (["theta", "--at", "2"], Request("theta", at=("2",))),
        (["help", "--at", "2"], Request("help", at=("2",))),
        (["check", "theta"], Request("theta")),
        (["x1"], Request("x1")),
        (["-1/(1+exp(-x))", "--at=-2", "--range", "-3:3"], Request("-1/(1+exp(-x))", at=("-2",), ranges=("-3:3",))),
        (["--", "--x"], Request("--x")),
        (["--at", "1", "--", "-v"], Request("-v", at=("1",))),
        (["check", "run"], Request("run")),
        (["check", "check"], Request("check")),
        (["x*y", "--at", "x=1,y=-2", "--at", "x=3,y=4"], Request("x*y", at=("x=1,y=-2", "x=3,y=4"))),
        (["x*y", "--wrt", "x", "--wrt", "y"], Request("x*y", wrt=("x", "y"))),
        (["x*y", "--wrt", "x, y"], Request("x*y", wrt=("x", "y"))),
        (["2*y", "--let", "y = x*x", "--let=z = -y"], Request("2*y", lets=("y = x*x", "z = -y"))),
        (
            ["x", "--order", "2", "--mode", "both", "--dtype", "float32", "--device", "cuda:1", "--strict"],
            Request("x", order=2, mode="both", dtype="float32", device="cuda:1", strict=True),
        ),
        (["x", "--rtol", "1e-3", "--atol=0"], Request("x", rtol=1e-3, atol=0.0)),
        (["x", "--samples", "3", "--seed", "-7"], Request("x", samples=3, seed=-7)),
        (["x", "--no-derivatives"], Request("x", derivatives=False)),
        (["x", "--dtype", "double"], Request("x", dtype="float64")),
        (["x", "--dtype", "fp16"], Request("x", dtype="float16")),
        (["x", "--dtype", "torch.float32"], Request("x", dtype="float32")),
        (["x", "--dtype", "torch.half"], Request("x", dtype="float16")),
        (["x", "--dtype", "bf16"], Request("x", dtype="bfloat16")),
    ],
)
def test_what_is_asked_for(arguments: list[str], request_: Request, requests: list[Request]) -> None:
    assert run_command(arguments) == ExitCode.PASSED
    assert [replace(request, keep=request_.keep) for request in requests] == [request_]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], 'what should be checked? For example:\n  gradcheck "x**2 + sin(x)" --at 2              a formula\n'),
        (
            ["check"],
            'what should be checked? For example:\n  gradcheck "x**2 + sin(x)" --at 2\n`gradcheck check --help`',
        ),
        (["explain"], 'what should be explained? For example:\n  gradcheck explain "x**2'),
        (["--at", "2"], 'there is no expression. For example:\n  gradcheck "x**2 + sin(x)" --at 2\n'),
        (["x", "+1"], "one expression is checked at a time, but there are 2: 'x', '+1'. Put the expression in quotes"),
        (["x", "--sample", "3"], "there is no option --sample: did you mean --samples"),
        (["x", "--dtpye=float32"], "there is no option --dtpye: did you mean --dtype"),
        (["--2*x"], "an expression that begins with two minus signs goes after a lone --: gradcheck -- '--2*x'"),
        (["x", "--at"], "--at needs a value, but is followed by nothing"),
        (["x", "--at", "--order", "2"], "--at needs a value, but is followed by --order"),
        (["x", "--strict=yes"], "--strict takes no value"),
        (["x", "--at", "1", "-qv"], "-qv: short options are not joined: write -q -v\n"),
        (["x", "--at", "1", "-vv"], "-vv: short options are not joined: write -v\n"),
        (["x", "--at", "1", "-z"], "there is no option -z: gradcheck --help lists the options (and if -z belongs to"),
        (["x", "-at", "1"], "there is no option -at: did you mean --at?"),
        (["ru"], "ru is no command: did you mean gradcheck run? (as a formula it needs a value: gradcheck ru --at 2)"),
        (["problems"], "problems is no command: did you mean gradcheck run?"),
        (["list"], "list is no command: did you mean gradcheck functions or gradcheck run --list?"),
        (["init"], "init is no command: gradcheck --help lists the commands (as a formula it needs a value"),
        (["problem_5"], "problem_5 is no command: gradcheck --help lists the commands"),
        (["theta", "-q"], "theta is no command: gradcheck --help lists the commands"),
        (["-x"], "there is no option -x: gradcheck --help lists the options (as a formula it needs a value"),
        (["-vx"], "there is no option -vx: gradcheck --help lists the options"),
        (["-q"], "there is no expression"),
        (["sin"], "sin is a function: write sin(x)."),
        (["pi"], "pi has no variable"),
        (["rnu", "problems.yaml"], "there is no command rnu: did you mean gradcheck run problems.yaml?"),
        (["explian", "x**2", "--at", "2"], "did you mean gradcheck explain 'x**2' --at 2?"),
        (["help", "explian"], "there is no command explian: did you mean gradcheck help explain?"),
        (["nosuch.yaml"], "there is no file nosuch.yaml"),
        (["run", "--wotch"], "there is no option --wotch: did you mean --watch?"),
        (["run", "--jbos", "2"], "there is no option --jbos: did you mean --jobs?"),
        (["run", "-z"], "there is no option -z: --help lists the options"),
        (["run", "-qv"], "-qv: short options are not joined: write -q -v"),
        (["run", "--jobs"], "--jobs needs a value, but is followed by nothing"),
        (["schema", "problems.yaml"], "gradcheck schema takes no arguments, but there is 'problems.yaml'"),
        (["functions", "a", "b"], "gradcheck functions takes one word, but there is 'a' 'b'"),
        (["merge"], "which reports should be joined? For example:\n  gradcheck merge part-1.json"),
        (["x", "--order", "two"], "--order two: it takes a whole number from 1 to 10"),
        (["x", "--order", "0"], "--order 0: it takes a whole number from 1 to 10"),
        (["x", "--order", "11"], "--order 11: it takes a whole number from 1 to 10"),
        (["x", "--samples", "0"], "--samples 0: it takes a whole number from 1\n"),
        (["x", "--seed", "1.5"], "--seed 1.5: it takes a whole number\n"),
        (["x", "--dtype", "int8x"], "--dtype int8x: there are float64, float32, float16, bfloat16\n"),
        (["x", "--dtype", "float"], "--dtype float is float32 in torch and float64 in NumPy: write one of these\n"),
        (["x", "--dtype", "float23"], "--dtype float23: did you mean float32?"),
        (["x", "--mode", "fast"], "--mode fast: there are reverse, forward, both\n"),
        (
            ["x", "--output-format", "pdf"],
            "--output-format pdf: there are table, json, json-lines, junit, github, sarif, gitlab, markdown, latex, "
            "html\n",
        ),
        (["functions", "--output-format", "jsn"], "--output-format jsn: did you mean json? There are table, json\n"),
        (["x", "--output-file", ""], "--output-file needs the name of a file"),
        (["functions", "--output-file", ""], "--output-file needs the name of a file"),
        (["x", "--wrt", ""], "--wrt: the name of a variable is missing: write --wrt x"),
        (["x", "--rtol", "nan"], "--rtol nan: it takes a finite number from 0, for example 1e-9"),
        (["x", "--atol", "-1"], "--atol -1: it takes a finite number from 0"),
        (["x", "--atol", "much"], "--atol much: it takes a finite number from 0"),
        (["\udcce\udcb1**2"], "set a UTF-8 locale, for example LC_ALL=C.UTF-8"),
        (["x", "--at", "\udcce=1"], "set a UTF-8 locale"),
        (["functions", "no such function"], "no function has 'no such function'"),
        (["functions", "--typo"], "there is no option --typo"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, requests: list[Request], capsys: Any) -> None:
    assert run_command(arguments) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, requests) == ("", [])
    assert err.startswith("gradcheck: ")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["help"], "Usage: gradcheck EXPR [POINT]... [OPTIONS]\n       gradcheck run [FILE]... [OPTIONS]\n"),
        (["help", "run"], "Usage: gradcheck run [FILE]... [OPTIONS]\n\n  Check the problems of files.\n"),
        (["run", "--help"], "Arguments:\n  [FILE]...  Problem files, folders, '**/*.yaml' or FILE::NAME;"),
        (["version"], f"gradcheck {__version__} (torch "),
        (["-V"], f"gradcheck {__version__} (torch "),
    ],
)
def test_words_that_are_commands(arguments: list[str], shown: str, requests: list[Request], capsys: Any) -> None:
    assert run_command(arguments) == 0
    out, _ = capsys.readouterr()
    assert shown in out
    assert "<" not in out.replace("x**3 or x^3", "").partition("Options:")[0]
    assert requests == []


def test_a_folder_may_be_a_quotient(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert run_command(["a/b"]) == 2
    assert "gradcheck run a/b checks the problems in it, gradcheck check a/b the formula" in capsys.readouterr().err


def test_a_file_of_problems_is_run(capsys: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("problems:\n  - {name: one, expression: x**2, at: 2}\n", encoding="utf-8")
    for arguments in ([str(file)], ["-v", str(file)], [str(file), "-k", "one"]):
        assert run_command([*arguments, "--list"]) == 0
        assert "one" in capsys.readouterr().out


def test_report_and_summary_go_apart(requests: list[Request], capsys: Any) -> None:
    assert run_command(["x"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("f(x)  = 8*x**4 + 3*x**3\n")
    assert out.endswith("2         292       292               0  ✓ match\n")
    assert err == "1 check: 1 match · float64 on cpu · torch 2.13.0\n"


def test_quiet(requests: list[Request], capsys: Any) -> None:
    assert run_command(["x", "-q"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    row = a_check({"x": 0.0}, 1.0, 0.0, Verdict.MISMATCH)
    answering(monkeypatch, lambda: a_problem("relu(x)-relu(-x)", [row]))
    assert run_command(["x", "-q"]) == ExitCode.FAILED
    out, err = capsys.readouterr()
    assert "✗ mismatch" in out
    assert err.startswith("1 check: 1 mismatch")


def test_json(requests: list[Request], capsys: Any) -> None:
    assert run_command(["x", "--output-format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["match"] == 1
    assert run_command(["x", "--output-format", "json-lines", "--at", "2"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["options"]["at"] == ["2"]


def test_every_format_can_be_asked_for(requests: list[Request]) -> None:
    for name in RENDERERS:
        assert run_command(["x", "--output-format", name]) == 0


def test_output_file(requests: list[Request], capsys: Any, tmp_path: Path) -> None:
    """The file gets the format asked for; the table is shown all the same."""
    file = tmp_path / "report.json"
    assert run_command(["x", "--output-file", str(file), "--output-format", "json"]) == 0
    assert "✓ match" in capsys.readouterr().out
    assert json.loads(file.read_text(encoding="utf-8"))["summary"]["match"] == 1
    assert run_command(["x", "--output-file", str(tmp_path)]) == ExitCode.BAD_INPUT
    assert "cannot write" in capsys.readouterr().err


def test_short_names_of_output(requests: list[Request], capsys: Any, tmp_path: Path) -> None:
    file, junit = tmp_path / "report", tmp_path / "report.xml"
    assert run_command(["x", "-f", "json", "-o", str(file), "--junitxml", str(junit)]) == 0
    assert "✓ match" in capsys.readouterr().out
    assert json.loads(file.read_text(encoding="utf-8"))["summary"]["match"] == 1
    assert "<testsuite" in junit.read_text(encoding="utf-8")
    assert run_command(["x", "--format", "json", "--junitxml", str(junit)]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["match"] == 1
    assert run_command(["x", "-o", str(junit), "--junitxml", str(junit)]) == ExitCode.BAD_INPUT
    assert "each needs one of its own" in capsys.readouterr().err
    assert run_command(["functions", "relu6", "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "relu6"


@pytest.mark.parametrize("command", [["x"], ["functions", "relu6"]])
def test_colors_can_be_asked_for(
    command: list[str], requests: list[Request], capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert run_command([*command, "--color"]) == 0
    assert "\x1b[" in capsys.readouterr().out
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run_command([*command, "--no-color"]) == 0
    assert "\x1b[" not in capsys.readouterr().out
    assert run_command(command) == 0
    assert "\x1b[" in capsys.readouterr().out, "what was asked for before is forgotten"


def test_an_output_file_is_tried_before_the_work(requests: list[Request], capsys: Any, tmp_path: Path) -> None:
    assert run_command(["x", "--output-file", str(tmp_path / "none" / "x.json")]) == ExitCode.BAD_INPUT
    assert "x.json: No such file or directory" in capsys.readouterr().err
    assert requests == []


def test_a_check_that_cannot_be_done_says_so_in_its_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A report of yesterday would be taken for one of today."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("yesterday's")
    answering(monkeypatch, raising(UsageError("no")))
    for file in (old, new):
        assert run_command(["x", "--output-file", str(file)]) == ExitCode.BAD_INPUT
        assert file.read_text() == "f = x\n\n! no\n"


class Full(io.StringIO):
    """A stream with no space left behind it."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [None, Full(), closed()])
def test_trouble_on_standard_error_changes_nothing(
    stream: Any, requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert run_command(["x"]) == ExitCode.PASSED
    assert run_command(["x", "--typo"]) == ExitCode.BAD_INPUT
    answering(monkeypatch, raising(ZeroDivisionError()))
    assert run_command(["x"]) == ExitCode.BUG


@pytest.mark.parametrize(
    ("stream", "why"), [(None, "it is closed"), (Full(), "No space left on device"), (closed(), "it is closed")]
)
@pytest.mark.parametrize("arguments", [["x"], ["--help"], ["--version"], ["functions"], ["functions", "--help"]])
def test_a_report_that_cannot_be_written(
    stream: Any, why: str, arguments: list[str], requests: list[Request], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    assert run_command(arguments) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err == f"gradcheck: cannot write to standard output: {why}\n"
    monkeypatch.setattr(sys, "stderr", stream)
    assert run_command(arguments) == ExitCode.BAD_INPUT


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def check_expression(_: Request, on_progress: Callable[[int], None], **__: Any) -> Any:
        on_progress(12_000)
        return quartic()

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(gradcheck_cli.checking.checker, "check_expression", check_expression)
    assert run_command(["x"]) == 0
    assert "points" not in terminal.getvalue(), "nothing in the first second"
    monkeypatch.setattr(streams, "PATIENCE", 0)
    assert run_command(["x"]) == 0
    line = "12,000 points checked"
    assert f"\r{line}\r{' ' * len(line)}\r1 check" in terminal.getvalue()


@pytest.mark.parametrize(("stream", "arguments"), [(io.StringIO(), ["x"]), (Terminal(), ["x", "-q"]), (None, ["x"])])
def test_no_progress_elsewhere(stream: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def check_expression(_: Request, on_progress: Any, **__: Any) -> Any:
        assert on_progress is None
        return quartic()

    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(gradcheck_cli.checking.checker, "check_expression", check_expression)
    assert run_command(arguments) == 0


def test_messages_wrap_at_the_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    source = "  " + "x + " * 12
    answering(monkeypatch, raising(ExpressionError("word " * 20, source, 2, 3)))
    for stream, longest in ((Terminal(), 40), (io.StringIO(), 120)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert run_command(["x"]) == ExitCode.BAD_INPUT
        *message, formula, carets = stream.getvalue().splitlines()
        assert 35 < max(map(len, message)) <= longest
        assert formula == f"  {source}"
        assert carets == "    ^"


def test_errors_of_users_are_sentences(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    answering(monkeypatch, raising(ExpressionError("there is no function sin: did you mean sine?", "sin(x)", 0, 3)))
    assert run_command(["sin(x)"]) == ExitCode.BAD_INPUT
    assert capsys.readouterr() == ("", "gradcheck: there is no function sin: did you mean sine?\n  sin(x)\n  ^^^\n")


def test_control_characters_do_not_reach_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    answering(monkeypatch, raising(UsageError("no \x1b[31m")))
    assert run_command(["x"]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err == "gradcheck: no \\x1b[31m\n"


@pytest.mark.parametrize("error", [InternalError("two balls are apart"), ZeroDivisionError("two balls are apart")])
def test_our_own_errors_are_called_that(error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    answering(monkeypatch, raising(error))
    assert run_command(["x"]) == ExitCode.BUG
    out, err = capsys.readouterr()
    assert out == ""
    assert "this is a bug in gradcheck" in err
    assert f"{type(error).__name__}: two balls are apart" in err
    assert "File" not in err
    assert run_command(["x", "-v"]) == ExitCode.BUG
    assert "File" in capsys.readouterr().err


def test_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, raising(KeyboardInterrupt()))
    assert run_command(["x"]) == ExitCode.INTERRUPTED


def test_bad_input_that_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda: replace(quartic(), bad_input=True))
    assert run_command(["x"]) == ExitCode.BAD_INPUT


def test_help_teaches_by_example(capsys: Any) -> None:
    assert run_command(["--help"]) == 0
    text = capsys.readouterr().out
    assert text.count("\n    gradcheck ") >= 6
    assert "Exit codes:" in text
    assert "x>=1" not in text
    for option in ("--at", "--wrt", "--let", "--order", "--samples", "--range", "--no-derivatives", "--version"):
        assert option in text
    assert max(map(len, text.splitlines())) <= 80


def test_version(capsys: Any) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"gradcheck {__version__} (torch ")


def test_functions(capsys: Any) -> None:
    assert run_command(["functions", "softplus"]) == 0
    assert "softplus(x, beta=1, threshold=20)" in capsys.readouterr().out
    assert run_command(["functions", "softplus", "--output-format", "json"]) == 0
    assert "softplus" in [row["name"] for row in json.loads(capsys.readouterr().out)]


def test_functions_of_arrays_are_listed(capsys: Any) -> None:
    assert run_command(["functions", "of arrays", "--output-format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows.keys() == TENSOR_FUNCTIONS.keys()
    assert rows["sum"]["usage"] == "sum(input, dim=, keepdim=)"
    assert run_command(["functions", "logsumexp"]) == 0
    assert "log(sum(exp(x)))" in capsys.readouterr().out


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = f'"{sys.executable}" -m gradcheck_cli'
    return subprocess.run(
        command.replace("gradcheck", program), shell=True, capture_output=True, text=True, check=False,
        env={**os.environ, **environment}, encoding="utf-8",
    )  # fmt: skip


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = shell("gradcheck functions | head -1")
    assert done.stdout.strip()
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("gradcheck functions relu >/dev/full", 2, "cannot write to standard output: No space left on device"),
        ("gradcheck functions relu >&-", 2, "cannot write to standard output: it is closed"),
        ("gradcheck functions relu 2>&-", 0, ""),
        ("gradcheck functions xyz 2>/dev/full", 2, ""),
        ("gradcheck --help >/dev/full", 2, "cannot write to standard output"),
        ("PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LC_ALL=C gradcheck 'α**2'", 2, "bytes that are not ascii, the encoding"),
    ],
)
def test_streams_of_a_shell(command: str, code: int, message: str) -> None:
    done = shell(command)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stderr.count("\n") == bool(message)


def test_a_terminal_that_knows_ascii_only() -> None:
    done = shell("gradcheck functions 'αβγ'", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == ExitCode.BAD_INPUT
    assert "\\u03b1" in done.stderr


OPTIONS = {"--at": True, "--strict": False, "-v": False, "--help": False}


@pytest.mark.parametrize(
    ("arguments", "arranged"),
    [
        (["-x", "--at", "-2"], ["--at=-2", "--", "-x"]),
        (["-v", "-vv", "--at", "-v=1"], None),
        (["-v", "-vv"], ["-v", "--", "-vv"]),
        (["--at=", "x"], ["--at=", "--", "x"]),
        (["--at", "", "x"], ["--at=", "--", "x"]),
        (["--at", "--2", "x"], ["--at=--2", "--", "x"]),
        (["--", "--strict"], ["--", "--strict"]),
        (["--strict"], None),
        (["--strict", "--help"], ["--strict", "--help"]),
    ],
)
def test_arrange(arguments: list[str], arranged: list[str] | None) -> None:
    if arranged is None:
        with pytest.raises(UsageError):
            arrange(arguments, OPTIONS)
    else:
        assert arrange(arguments, OPTIONS) == arranged


COLORS = [
    # (environment, whether it is a terminal, whether there are colours)
    ({}, True, True),
    ({}, False, False),
    ({"FORCE_COLOR": "1"}, False, True),
    ({"FORCE_COLOR": ""}, False, False),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ({"NO_COLOR": "1"}, True, False),
    ({"TERM": "dumb"}, True, False),
    ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
]


@pytest.mark.parametrize(("environment", "terminal", "colored"), COLORS)
def test_colors(
    environment: dict[str, str], terminal: bool, colored: bool, monkeypatch: pytest.MonkeyPatch, requests: list[Request]
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    stream.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdout", stream)
    assert run_command(["x", "--at", "1"]) == 0
    assert ("\x1b[32m✓ match" in stream.getvalue()) == colored
