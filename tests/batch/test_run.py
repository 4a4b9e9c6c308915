"""`gradcheck run`: files in, a report and an exit code out."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.paths import PACKAGE, ROOT
from helpers.slow import slow
from helpers.tasks import double

from gradcheck_cli import run
from gradcheck_cli.batch.dispatch import Lost, Work
from gradcheck_cli.batch.selection import matcher
from gradcheck_cli.batch.workers import run_in_workers
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.problem_files.models import json_schema
from gradcheck_cli.records.results import ClaimStatus, Verdict

PASSING = """\
defaults: {rtol: 1.0e-9}
problems:
  - name: quartic
    expression: 8*x**4 + 3*x**3
    at: 2
    gradient: 292
    claim: 32*x**3 + 9*x**2
    tags: [polynomial, lab]
  - name: kink
    expression: relu(x)
    at: 0
    expect: kink
    tags: kinks
  - name: leak
    description: torch is wrong here, and this file knows
    expression: where(x > 0, sqrt(x), 0)
    at: -1
    expect: mismatch
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def write(text: str, name: str = "problems.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


def report(*arguments: str) -> tuple[int, dict[str, Any]]:
    """(exit code, JSON)."""
    code = run_command(["run", "--output-format", "json", "--output-file", "report.json", *arguments])
    return code, json.loads(Path("report.json").read_text(encoding="utf-8"))


def test_a_file_that_passes(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING)
    assert run_command(["run"]) == 0
    out, err = capsys.readouterr()
    assert out == (
        "problem  checks  worst relative error  claims  verdict\n"
        "────────────────────────────────────────────────────────────────────\n"
        "quartic       1                     0  proven  ✓ match\n"
        "kink          1                     –  –       ∧ kink\n"
        "leak          1                   nan  –       ✗ mismatch (expected)\n"
    )
    assert err.startswith(
        "3 problems, 3 checks: 1 match, 1 kink, 1 mismatch · 1 claim: 1 proven · float64 on cpu · torch"
    )


@pytest.mark.usefixtures("in_this_process")
def test_a_wrong_claim_fails_and_names_problem_point_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING.replace("9*x**2", "9*x"))
    assert run_command(["run"]) == 1
    out, err = capsys.readouterr()
    assert "quartic (problems.yaml:3)" in out
    assert "✗ refuted at x=2: the claim is 274, the derivative 292" in out
    assert "1 failed" in err


@pytest.mark.usefixtures("in_this_process")
def test_a_problem_that_cannot_be_read_does_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING.replace("expression: relu(x)", "expression: relu(x"))
    code, document = report()
    assert code == 2
    assert [problem["verdict"] for problem in document["problems"]] == ["match", "error", "mismatch"]
    assert "relu(x" in document["problems"][1]["error"]
    assert document["summary"]["problems_without_check"] == 1


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("old", "new", "verdict", "note"),
    [
        ("gradient: 292", "gradient: 291", "match", "the derivative is expected to be 291, and is 292"),
        ("gradient: 292", "value: 151", "match", "the value is expected to be 151, and is 152"),
        ("gradient: 292", "gradient: {x: 584/2}\n    value: 152", None, None),
        ("expect: kink", "expect: match", "kink", "expected match"),
        ("expect: kink", "expect: [match, kink]", None, None),
        ("expect: kink", "expect: {x: kink, reverse: kink}", None, None),
        ("expect: kink", "gradient: 0.5", "kink", "the derivative is expected to be 0.5, but has no value"),
        ("expect: mismatch", "mode: forward", "match", None),
        ("expect: mismatch", "mode: both\n    expect: {reverse: mismatch, forward: match}", None, None),
        ("expect: mismatch", "expect: unstable", "mismatch", "expected unstable"),
    ],
)
def test_expectations(old: str, new: str, verdict: str | None, note: str | None) -> None:
    """A difference fails the row and leaves its verdict alone; what is expected passes."""
    assert old in PASSING
    write(PASSING.replace(old, new))
    code, document = report()
    assert code == (1 if note else 0)
    failing = [check for problem in document["problems"] for check in problem["checks"] if not check["passed"]]
    if note:
        [row] = failing
        assert row["verdict"] == verdict
        assert note in row["note"]
    else:
        assert failing == []


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("at: [1, 2]\n    gradient: [2, 4, 6]", "gradient: there are 3 numbers for 2 points"),
        ("at: [1, 2, 3]\n    gradient: [2, 4]", "gradient: there are 2 numbers for 3 or more points"),
        ("at: 1\n    gradient: {y: 2}", "gradient: y is not checked here; there is x"),
        ("at: 1\n    expect: {forward: match}", "expect: forward is not checked here; there is x, reverse"),
        ("at: 1\n    expect_claim: refuted", "expect_claim: the problem has no claim"),
        ("at: y=1", "at: y=1: y is not a variable of the expression"),
        ("wrt: z", "wrt: z: the expression has no z"),
        ("at: 1\n    gradient: much", "gradient: much"),
        ("at: 1\n    device: cuda:77", "cuda:77"),
    ],
)
def test_what_does_not_fit_the_expression(keys: str, message: str) -> None:
    write(f"problems:\n  - name: a\n    expression: x**2\n    {keys}\n")
    code, document = report()
    assert code == 2
    assert message in document["problems"][0]["error"]
    assert "--" not in document["problems"][0]["error"], "options are called keys in a file"


@pytest.mark.usefixtures("in_this_process")
def test_expected_claims() -> None:
    text = "problems: [{name: a, expression: x**2, claim: 3*x, expect_claim: refuted, at: 1}]"
    write(text)
    code, document = report()
    assert code == 0
    assert document["problems"][0]["claims"][0]["status"] == "refuted"
    write(text.replace("refuted", "proven"))
    code, document = report()
    assert code == 1
    assert "expected proven" in document["problems"][0]["claims"][0]["note"]


@pytest.mark.usefixtures("in_this_process")
def test_lists_of_numbers_belong_to_the_points() -> None:
    write("problems: [{name: a, expression: x*y, at: {x: [1, 2], y: [3, 4]}, gradient: {x: [3, 4, 3, 4]}}]")
    assert report()[0] == 0
    write("problems: [{name: a, expression: x*y, at: {x: 1, y: 2}, order: 2, gradient: {'y,x': 1, 'x,x': 0}}]")
    assert report()[0] == 0


@pytest.mark.usefixtures("in_this_process")
def test_command_line_over_problem_over_file_over_pyproject() -> None:
    write("defaults: {rtol: 0.3, atol: 0.3}\nproblems: [{name: a, expression: x, at: 1, rtol: 0.2}]")
    write("[tool.gradcheck]\nrtol = 0.4\natol = 0.4\nmode = 'forward'\n", "pyproject.toml")
    problem = report()[1]["problems"][0]
    assert (problem["rtol"], problem["atol"], problem["checks"][0]["mode"]) == (0.2, 0.3, "forward")
    problem = report("--rtol", "0.1", "--mode", "reverse")[1]["problems"][0]
    assert (problem["rtol"], problem["atol"], problem["checks"][0]["mode"]) == (0.1, 0.3, "reverse")


@pytest.mark.usefixtures("in_this_process")
def test_samples_and_range_of_the_defaults_are_for_the_problems_that_they_suit() -> None:
    """What excludes them, points, another variable, arrays, is of the problem itself, and prevails."""
    text = (
        'defaults: {range: ["x=5:6", "0:1"], samples: 3}\nproblems:\n'
        '  - {name: counted, expression: x**2, at: "x=0:1"}\n'
        "  - {name: other, expression: y**2}\n"
        "  - {name: array, expression: sum(x**2), shape: {x: 3}}\n"
        "  - {name: more, expression: x**2, at: 2}\n"
        '  - {name: given, expression: "x = torch.tensor(2.0, requires_grad=True); y = x**2"}\n'
    )
    Path("problems.yaml").write_text(text, encoding="utf-8")
    code, data = report()
    assert {one["name"]: (one["error"], one["checks_total"]) for one in data["problems"]} == {
        "counted": (None, 3), "other": (None, 3), "array": (None, 3), "more": (None, 4), "given": (None, 4)
    }  # fmt: skip
    assert code == 0
    assert all(5 <= row["point"]["x"] <= 6 for row in data["problems"][3]["checks"] if row["point"]["x"] != 2)
    Path("problems.yaml").write_text(text.replace(", samples: 3", ""), encoding="utf-8")
    assert [one["checks_total"] for one in report()[1]["problems"]] == [5, 5, 3, 1, 1]
    Path("problems.yaml").write_text(text.replace("at: 2", "at: 2, range: 0:1").replace(", samples: 3", ""), "utf-8")
    told = next(one["error"] for one in report()[1]["problems"] if one["error"])
    assert told == "range is where to sample: give samples: N as well, or leave out at"


def test_a_pyproject_that_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING)
    write("[tool.gradcheck]\nrtl = 1\n", "pyproject.toml")
    assert run_command(["run"]) == 2
    assert "[tool.gradcheck]: rtl is not an option: did you mean rtol?" in capsys.readouterr().err


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["-k", "LEAK"], ["leak"]),
        (["-k", "k and not leak"], ["kink"]),
        (["-k", "quartic or leak"], ["quartic", "leak"]),
        (["--tag", "lab"], ["quartic"]),
        (["--tag", "kinks", "--tag", "lab"], ["quartic", "kink"]),
        (["-x", "--strict", "-k", "not quartic"], ["kink", "leak"]),
    ],
)
def test_selection(arguments: list[str], names: list[str]) -> None:
    write(PASSING)
    assert [problem["name"] for problem in report(*arguments)[1]["problems"]] == names


def test_an_empty_selection_is_not_green(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING)
    assert run_command(["run", "-k", "nothing"]) == 2
    assert "none of 3 problems matches -k 'nothing'" in capsys.readouterr().err
    write("problems: []\n", "empty.yaml")
    write("", "void.yaml")
    assert run_command(["run", "empty.yaml", "void.yaml"]) == 2
    err = capsys.readouterr().err
    assert "empty.yaml:1:11: problems is empty" in err
    assert "void.yaml:1:1: the file is empty" in err


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING)
    assert run_command(["run", "--list", "-k", "quartic or leak"]) == 0
    assert capsys.readouterr().out == "problems.yaml:3  quartic  [polynomial, lab]\nproblems.yaml:14  leak\n"


def test_fail_fast(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING.replace("gradient: 292", "gradient: 1"))
    assert run_command(["run", "-x"]) == 1
    assert "stopped at the first failure, 2 not run" in capsys.readouterr().err


@pytest.mark.slow
def test_runs_of_one_process_fork_from_one_server() -> None:
    write(PASSING)
    servers = set()
    for _ in range(2):
        run_command(["run", "-q"])
        servers.add(forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]
    assert len(servers) == 1


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("a", True), ("A", True), ("x", False), ("a and b", True), ("a and x", False), ("x or b", True),
        ("not x", True), ("not not x", False), ("x and x or a", True), ("x and (x or a)", False),
        ("not (x or a)", False),
    ],
)  # fmt: skip
def test_keywords(text: str, matches: bool) -> None:
    assert matcher(text)("a-b") is matches


@pytest.mark.parametrize("text", ["", "and", "a and", "a b", "(a", "a)", "not", "()"])
def test_keywords_that_cannot_be_read(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING)
    assert run_command(["run", "-k", text]) == 2
    assert "-k" in capsys.readouterr().err


@pytest.mark.usefixtures("in_this_process")
def test_files_that_are_not_there_do_not_stop_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING)
    Path("folder").mkdir()
    assert run_command(["run", "problem.yaml", "problems.yaml", "folder"]) == 2
    out, err = capsys.readouterr()
    assert "✓ match" in out
    assert "there is no file problem.yaml: did you mean problems.yaml?" in err
    assert "folder: there is no YAML file in this folder" in err
    assert "2 files not read" in err


def test_no_file_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run"]) == 2
    assert (
        "there is no problems.yaml in this folder: name a problem file, or - for standard input"
        in capsys.readouterr().err
    )


@pytest.mark.usefixtures("in_this_process")
def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASSING.encode("utf-16"))))
    code, document = report("-")
    assert code == 0
    assert document["problems"][0]["file"] == "standard input"


def test_json_lines_come_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    write(PASSING)
    assert run_command(["run", "--output-format", "json-lines"]) == 0
    first, *problems, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert set(first) == {"versions", "options"}
    assert [problem["name"] for problem in problems] == ["quartic", "kink", "leak"]
    assert last["summary"]["problems"] == 3


def test_from_python() -> None:
    write(PASSING)
    found = run("problems.yaml")
    assert found.passed
    assert [problem.verdict for problem in found.problems] == [Verdict.MATCH, Verdict.KINK, Verdict.MISMATCH]
    assert found.problems[0].claims[0].status is ClaimStatus.PROVEN


HANGS = """\
problems:
  - {name: before, expression: x**2, at: 1}
  - {name: hangs, expression: "polygamma(1, x)", at: -10000000000.5, timeout: 1}
  - {name: after, expression: x**3, at: 1}
"""


@pytest.mark.slow
def test_what_hangs_inside_torch_costs_one_problem() -> None:
    write(HANGS)
    code, document = report()
    assert code == 1
    assert [problem["verdict"] for problem in document["problems"]] == ["match", "error", "match"]
    assert document["problems"][1]["error"].startswith("no verdict within the time limit of ")


def test_a_worker_that_dies_costs_one_task() -> None:
    results = list(run_in_workers(Work(double), [(n, 1.0 if n == 4 else None) for n in (0, 1, 6, 2, 7, 3, 4, 8)]))
    numbers = [None if isinstance(result, Lost) else result for result in results]
    assert numbers == [0, None, 12, None, 14, None, None, 16]
    reasons = [result.reason for result in results if isinstance(result, Lost)]
    assert "signal SIGKILL: out of memory?" in reasons[0]
    assert "needs more memory" in reasons[1]
    assert "exit code 5" in reasons[2]
    assert "the time limit of 1 s" in reasons[3]


def test_an_exception_of_the_function_is_raised() -> None:
    with pytest.raises(ValueError, match="no"):
        list(run_in_workers(Work(double), [(5, None)]))


@pytest.fixture
def listens_to_ctrl_c() -> Iterator[None]:
    """In the background of a shell, Ctrl-C is ignored by the tests and by all that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listens_to_ctrl_c")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), slow(signal.SIGTERM, 143)])
def test_an_interruption_keeps_what_was_found(number: int, code: int) -> None:
    write(HANGS.replace("timeout: 1", "timeout: 600"))
    command = [sys.executable, "-m", "gradcheck_cli", "run", "--output-format", "json-lines"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert process.returncode == code
    assert json.loads(lines[1])["name"] == "before"
    assert json.loads(out.splitlines()[-1])["summary"]["interrupted"] is True
    assert "interrupted, 2 not run" in err, "what hangs was not waited for"
    assert "Traceback" not in err


class InterruptedAt(io.StringIO):
    """Output whose reader presses Ctrl-C as soon as a text appears, `times` times."""

    def __init__(self, text: str, times: int = 1) -> None:
        super().__init__()
        self.text, self.times = text, times

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.text in text:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
        return written


@pytest.mark.usefixtures("listens_to_ctrl_c")
def test_what_is_written_when_it_is_interrupted_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    write(PASSING)
    monkeypatch.setattr(sys, "stdout", InterruptedAt('"quartic"'))
    assert run_command(["run", "--output-format", "json-lines"]) == 130
    lines = [json.loads(line) for line in sys.stdout.getvalue().splitlines()]
    assert [line.get("name") for line in lines] == [None, "quartic", None]
    assert lines[-1]["summary"]["problems"] == 1
    assert lines[-1]["summary"]["not_run"] == 2


@pytest.mark.slow
@pytest.mark.usefixtures("listens_to_ctrl_c")
def test_a_second_interruption_takes_effect_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write(PASSING)
    monkeypatch.setattr(sys, "stdout", InterruptedAt('"quartic"', times=2))
    assert run_command(["run", "--output-format", "json-lines"]) == 130
    assert json.loads(sys.stdout.getvalue().splitlines()[-1])["summary"]["problems"] == 0


def test_the_parent_imports_no_torch() -> None:
    write(PASSING)
    script = (
        "import sys\nfrom gradcheck_cli.cli.app import run_command\n"
        "if __name__ == '__main__':\n"
        "    code = run_command(['run'])\n    sys.exit('torch' in sys.modules or 'sympy' in sys.modules or int(code))\n"
    )
    Path("script.py").write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(
    "text",
    [
        "expr: !!python/object/apply:os.system ['touch GRADCHECK_CANARY']",
        "!!python/object/apply:subprocess.Popen\n- [touch, GRADCHECK_CANARY]",
        "problems: [{expression: \"__import__('os').system('touch GRADCHECK_CANARY')\"}]",
        '{"a":' * 5000,
        "expr: " + "x" * 1_000_000,
        "problems: [{expression: " + "x" * 1_000_000 + "}]",
        '{"expr": 1e999}',
        '{"problems": [{"expression": ' + "9" * 10_000 + "}]}",
        "%YAML 9.9\n---\nexpr: x",
        "\t- x",
    ],
)
def test_hostile_files(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(text)
    assert run_command(["run"]) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert not Path("GRADCHECK_CANARY").exists()


def test_the_schema_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["schema", "--output-file", "schema.json"]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(Path("schema.json").read_text(encoding="utf-8"))["title"] == "gradcheck problem file"


@pytest.mark.usefixtures("in_this_process")
def test_the_problems_of_the_repository() -> None:
    code, document = report(str(ROOT / "problems.yaml"))
    assert code == 0
    claims = [claim["status"] for problem in document["problems"] for claim in problem["claims"]]
    assert claims.count("proven") == len(claims) - 1
    assert document["problems"][-1]["claims"][0]["note"] == "the inner derivative of sin(x**2) is missing (chain rule)"
    assert all(problem["description"] for problem in document["problems"])


def test_the_schema_that_is_shipped_is_up_to_date() -> None:
    shipped = json.loads((PACKAGE / "problem_files" / "schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema(), "run: gradcheck schema --output-file gradcheck_cli/problem_files/schema.json"


@pytest.mark.parametrize("name", [".pre-commit-hooks.yaml", "action.yml", ".github/workflows/ci.yml"])
def test_the_files_for_ci_are_yaml(name: str) -> None:
    assert yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
