"""The step of the GitHub Action: a summary of the job, annotations, and the exit code of gradcheck."""

from __future__ import annotations

import os
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


def action(tmp_path: Path, files: str, options: str) -> tuple[int, str, str]:
    """(exit code, standard output, the summary of the job)."""
    wrong = a_problem("x**2", [a_check({"x": 2.0}, 4.0, 5.0, Verdict.MISMATCH)])
    for name, result in (("right", quartic()), ("wrong", wrong)):
        report = Report((named(result, name),), VERSIONS)
        (tmp_path / f"{name}.json").write_text(RENDERERS["json"](report, Display()), encoding="utf-8")
    command = tmp_path / "bin" / "gradcheck"
    command.parent.mkdir()
    command.write_text(GRADCHECK)
    command.chmod(0o755)
    summary = tmp_path / "summary"
    summary.write_text("before\n")
    environment = {
        **os.environ, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}", "FILES": files, "OPTIONS": options,
        "GITHUB_STEP_SUMMARY": str(summary), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", ROOT / ".ci" / "action"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, summary.read_text(encoding="utf-8")


def named(result: ProblemResult, name: str) -> ProblemResult:
    return replace(result, name=name, file="p.yaml", line=7, index=len(name))


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


def test_the_action_runs_the_step_and_installs_what_was_tested() -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    install, check = (step["run"] for step in steps)
    assert '-c "$GITHUB_ACTION_PATH/constraints.txt"' in install
    assert check == 'bash "$GITHUB_ACTION_PATH/.ci/action"'
    assert set(steps[1]["env"]) == {"FILES", "OPTIONS"}
