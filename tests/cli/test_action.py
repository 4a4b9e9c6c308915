"""The step of the GitHub Action: a summary of the job, annotations, and the exit code of gradcheck."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from helpers.paths import ROOT
from helpers.records import VERSIONS, a_check, a_problem, quartic

from gradcheck_cli.records.report import Report
from gradcheck_cli.records.results import ProblemResult, Verdict
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the step is a script of bash")

# The real command line, but for what needs torch: instead of problems, reports of that name are read.
GRADCHECK = f"""#!{sys.executable}
import json, sys
from gradcheck_cli.cli.app import run_command
first, *arguments = sys.argv[1:]
json.dump([first, *arguments], open("arguments.json", "w"))
sys.exit(run_command(["merge", *arguments]))
"""


def action(tmp_path: Path, files: str, options: str, **environment: str) -> tuple[int, str, str]:
    """(exit code, standard output, the summary of the job)."""
    wrong = a_problem("x**2", [a_check({"x": 2.0}, 4.0, 5.0, Verdict.MISMATCH)])
    for name, result in (("right", quartic()), ("wrong", wrong)):
        report = Report((named(result, name),), VERSIONS)
        (tmp_path / f"{name}.json").write_text(RENDERERS["json"](report, Display()), encoding="utf-8")
    command = tmp_path / "bin" / "gradcheck"
    command.parent.mkdir(exist_ok=True)
    command.write_text(GRADCHECK)
    command.chmod(0o755)
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    environment = {
        **os.environ, **environment, "GITHUB_OUTPUT": str(tmp_path / "output"),
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "FILES": files, "OPTIONS": options,
        "GITHUB_STEP_SUMMARY": str(summary), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", ROOT / ".ci" / "action"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, summary.read_text(encoding="utf-8")


def named(result: ProblemResult, name: str) -> ProblemResult:
    return replace(result, name=name, file="p.yaml", line=7, index=ord(name[0]))


@pytest.mark.parametrize(
    ("files", "options", "code", "annotation", "summary"),
    [
        ("right.json", "", 0, "::notice title=gradcheck::1 problem, 1 check: 1 match", "## ✅ gradcheck"),
        (
            "wrong.json",
            "-q -o 'my report.xml'",
            1,
            "::error file=p.yaml,line=7,title=gradcheck%3A wrong::f'(x) at x=2",
            "## ❌ gradcheck",
        ),
        ("nothere.json", "", 2, "::error title=gradcheck::cannot read nothere.json", "## ❌ gradcheck"),
        ("right.json", "--typo 'two words'", 2, "::error title=gradcheck::there is no report", ""),
    ],
)
def test_the_step(tmp_path: Path, files: str, options: str, code: int, annotation: str, summary: str) -> None:
    found, shown, written = action(tmp_path, files, options)
    assert found == code
    assert any(line.startswith(annotation) for line in shown.splitlines()), shown
    assert written.startswith("before\n" + summary)
    if "my report" in options:
        assert (tmp_path / "my report.xml").read_text(encoding="utf-8").startswith("<?xml")
    if "two words" in options:
        assert '"two words"' in (tmp_path / "arguments.json").read_text()


def test_several_files_and_reports(tmp_path: Path) -> None:
    """Patterns are left to gradcheck; reports have the format of their suffix, also beside those of the options."""
    wanted = {"REPORTS": "'my report.xml'\nb.json gradcheck.html", "SARIF": "g.sarif"}
    code, _, _ = action(tmp_path, "right.json\n'**/nothing*.json'  w*.json", "-f gitlab -o quality.json", **wanted)
    assert code == 2
    arguments = json.loads((tmp_path / "arguments.json").read_text())
    assert arguments[:4] == ["run", "right.json", "**/nothing*.json", "w*.json"]
    assert (
        tmp_path / "output"
    ).read_text() == "reports<<end of reports\nmy report.xml\nb.json\ngradcheck.html\nend of reports\n"
    code, shown, _ = action(tmp_path, "right.json wrong.json", "-f gitlab -o quality.json", **wanted)
    assert code == 1, shown
    (quality,) = json.loads((tmp_path / "quality.json").read_text())
    assert quality["location"] == {"path": "p.yaml", "lines": {"begin": 7}}
    assert json.loads((tmp_path / "g.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((tmp_path / "b.json").read_text())["summary"]["problems"] == 2
    assert (tmp_path / "my report.xml").read_text().startswith("<?xml")
    assert (tmp_path / "gradcheck.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_action_runs_the_step_and_installs_what_was_tested() -> None:
    whole = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    inputs, steps = whole["inputs"], whole["runs"]["steps"]
    install, check = (step["run"] for step in steps if "run" in step)
    assert '-c "$GITHUB_ACTION_PATH/constraints.txt"' in install
    assert check == 'bash "$GITHUB_ACTION_PATH/.ci/action"'
    assert inputs["reports"]["default"] == "gradcheck.html"
    assert set(steps[1]["env"]) == {"FILES", "OPTIONS", "REPORTS", "SARIF"}
    assert {step["uses"].partition("@")[0] for step in steps if "uses" in step} == {
        "actions/upload-artifact", "github/codeql-action/upload-sarif",
    }  # fmt: skip
    assert all(step["if"].startswith("${{ !cancelled() && inputs.") for step in steps if "uses" in step)


def test_the_page_on_ci_uses_inputs_that_there_are() -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)]
    (job,) = (block["jobs"]["gradients"] for block in blocks if "jobs" in block)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert set(job["steps"][-1]["with"]) <= set(inputs)


@pytest.mark.parametrize(
    ("file", "is_checked"),
    [
        ("problems.yaml", True),
        ("course/problems-2.yml", True),
        ("losses.gradcheck.yaml", True),
        ("src/a/losses.gradcheck.yml", True),
        ("solved_problems.yaml", False),
        ("losses.yaml", False),
        ("gradcheck.yaml", False),
    ],
)
def test_the_hook_of_pre_commit_takes_problem_files(file: str, is_checked: bool) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (re.search(hook["files"], file) is not None) is is_checked


def test_the_hook_of_pre_commit_has_the_torch_that_is_tested() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    assert [one for one in constraints if one.startswith("torch==")] == hook["additional_dependencies"]


def test_the_hook_for_code_that_the_docs_show(tmp_path: Path) -> None:
    """Its command, as pre-commit runs it: in the folder of the repository, without file names."""
    (text,) = re.findall(
        r"```yaml\n(repos:\n  - repo: local\n.*?)```", (ROOT / "docs/ci.md").read_text("utf-8"), re.DOTALL
    )
    (hook,) = yaml.safe_load(text)["repos"][0]["hooks"]
    assert hook["pass_filenames"] is False
    for file, is_checked in (("src/losses.py", True), ("problems.yaml", True), ("other.yaml", False)):
        assert (re.search(hook["files"], file) is not None) is is_checked
    (tmp_path / "losses.py").write_text("def square(x):\n    return x * x\n", encoding="utf-8")
    problem = "problems:\n  - {name: a, code: 'losses.py::square', inputs: {x: '[1.0, 2.0]'}}\n"
    (tmp_path / "problems.yaml").write_text(problem, encoding="utf-8")
    command = [sys.executable, "-m", "gradcheck_cli", *hook["entry"].split()[1:]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 function, 4 entries: 4 match" in done.stderr
