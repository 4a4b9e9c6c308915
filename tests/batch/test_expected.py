"""What a problem file expects of several rows, and by which of them a problem that fails is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradcheck_cli import run
from gradcheck_cli.batch.report_files import problem_record
from gradcheck_cli.records.report import Report
from gradcheck_cli.render import labels
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.json import render_json

OUTCOMES = [
    # a problem, what the overview calls it
    ("expression: abs(x), at: [-1, 0, 2], expect: kink", "✗ unexpected match"),
    ("expression: abs(x), at: [-1, 0, 2], expect: match", "✗ unexpected kink"),
    ("expression: abs(x), at: [-1, 0, 2], expect: [match, kink]", "∧ kink"),
    ("expression: 'where(x > 0, sqrt(x), 0)', at: [-1, 1], expect: mismatch", "✗ unexpected match"),
    ("expression: 'where(x > 0, sqrt(x), 0)', at: [-1, 1], expect: [match, mismatch]", "✗ mismatch (expected)"),
    ("expression: 'abs(x)', at: [0], mode: both, expect: {reverse: kink, forward: match}", "✗ unexpected kink"),
    ("expression: relu(x) + 0*y, at: 'x=[0.,1], y=[1.,2]', expect: {x: kink, y: kink}", "✗ unexpected match"),
    ("expression: relu(x) + 0*y, at: 'x=[0.,1], y=[1.,2]', expect: {x: kink, y: match}", "∧ kink"),
]


@pytest.mark.parametrize(("problem", "said"), OUTCOMES)
def test_a_problem_is_called_by_what_was_not_expected(
    problem: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(f"problems:\n  - {{name: a, {problem}}}\n", encoding="utf-8")
    (result,) = run("p.yaml").problems
    assert labels.outcome(result)[0] == said
    (written,) = json.loads(render_json(Report((result,), {}), Display()))["problems"]
    assert labels.outcome(problem_record(written))[0] == said
