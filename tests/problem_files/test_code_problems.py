"""Problems of code in files: what they say, what is refused, and that nothing is imported unless it is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from helpers.user_files import write_user_files

from gradcheck_cli import CodeResult, Report, run
from gradcheck_cli.batch.resume import problem_key
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.problem_files.load import load_problems
from gradcheck_cli.problem_files.models import json_schema
from gradcheck_cli.records.request import CodeRequest, ProblemSpec

PROBLEMS = """\
defaults: {rtol: 1e-9, claim_rtol: 1e-3, seed: 4}
problems:
  - name: focal
    code: losses.py::focal_loss
    inputs: {logits: "randn(4, 3)", target: [0, 2, 1, 0]}
    expect: mismatch
    tags: [losses]
  - name: rms
    code: mylib/layers.py::RMSNorm
    init: 8
    inputs: ["randn(2, 8)"]
    dtype: bfloat16
    rtol: 0.05
  - name: by-input
    code: mylib.layers:RMSNorm
    init: {size: 2, eps: 1e-5}
    inputs: {x: [[1.0, 2.0]]}
    expect: {weight: match, x: [match, imprecise], reverse: [match, imprecise]}
  - name: unexpected
    code: mylib.layers:RMSNorm
    init: [2, 1e-5]
    inputs: {x: [[1.0, 2.0]]}
    wrt: weight
    expect: mismatch
  - name: formula
    expression: x**2
    at: 2
  - {name: raising, code: "odd.py::raises", inputs: {x: 1.0}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_user_files(tmp_path)
    (tmp_path / "p.yaml").write_text(PROBLEMS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(text: str, **options: object) -> ProblemSpec:
    (spec,) = load_problems(f"problems:\n  - {text}\n", "p.yaml", {}, {}, **{"allow_code": True, **options}).problems  # type: ignore[arg-type]
    return spec


def error(report: Report, name: str) -> str:
    return next(problem.error or "" for problem in report.problems if problem.name == name)


def test_code_in_a_file_is_checked_where_it_is_allowed(folder: Path) -> None:
    report = run("p.yaml", allow_code=True)
    assert {problem.name: (problem.passed, problem.verdict.value) for problem in report.problems} == {
        "focal": (True, "mismatch"), "rms": (True, "match"), "by-input": (True, "match"),
        "unexpected": (False, "match"), "formula": (True, "match"), "raising": (False, "error"),
    }  # fmt: skip
    focal, _, _, unexpected, *_ = report.problems
    assert isinstance(focal, CodeResult)
    assert (focal.tags, focal.expect, focal.checks_failed, focal.line) == (("losses",), "mismatch", 0, 3)
    assert all(entry.passed for entry in focal.checks)
    assert (unexpected.failure, unexpected.notices[-1]) == ("unexpected", "expected: mismatch; it is match")
    assert error(report, "raising").startswith("raises raises ValueError: it is odd\n  odd.py:11, in raises")
    assert report.bad_input


def test_nothing_is_imported_unless_it_is_allowed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "losses.py").write_text("raise SystemExit('it was run')\n")
    report = run("p.yaml")
    assert error(report, "focal") == (
        "p.yaml:4:11: focal: losses.py::focal_loss is code, which is imported and run with --allow-code only "
        "(from Python: allow_code=True)"
    )
    assert [problem.name for problem in report.problems if problem.passed] == ["formula"]
    assert run_command(["run", "p.yaml", "--list", "--tag", "losses"]) == 0
    assert capsys.readouterr().out.split() == ["p.yaml:3", "focal", "[losses]"]


def test_the_file_names_files_beside_itself(folder: Path) -> None:
    (folder / "problems").mkdir()
    (folder / "problems" / "own.py").write_text("def f(x):\n    return x.sin()\n")
    (folder / "problems" / "p.yaml").write_text("problems:\n  - {code: 'own.py::f', inputs: [1.0]}\n")
    assert run("problems/p.yaml", allow_code=True).passed


def test_a_request_has_what_is_written_and_what_holds_for_all(folder: Path) -> None:
    specs = load_problems(
        PROBLEMS, "p.yaml", {"dtype": "float32", "keep": 3}, {"timeout": 9.0}, allow_code=True
    ).problems
    request = specs[1].request
    assert isinstance(request, CodeRequest)
    assert (request.code, request.inputs, request.init) == ("mylib/layers.py::RMSNorm", ((None, "randn(2, 8)"),), "8")
    assert (request.dtype, request.rtol, request.seed, request.timeout) == ("float32", 0.05, 4, 9.0)
    by_input = specs[2].request
    assert isinstance(by_input, CodeRequest)
    assert (by_input.init, by_input.inputs) == ("size=2, eps=1e-5", (("x", "[[1.0, 2.0]]"),))


def test_a_result_is_taken_again_until_the_code_is_edited(folder: Path) -> None:
    spec = loaded("{code: 'losses.py::focal_loss', inputs: ['@a.npy']}", folder=str(folder))
    before = problem_key(spec)
    assert problem_key(spec) == before
    (folder / "a.npy").write_bytes(b"x")
    (edited,) = {problem_key(spec)} - {before}
    (folder / "losses.py").write_text("")
    assert problem_key(spec) not in (before, edited)


MISTAKES = {
    "{code: f, expression: x}": "expression is for an expression, and this problem has code: the keys are code, inputs",
    "{code: 'a.py::f', at: 2}": "at is for an expression, and this problem has code",
    "{expression: x, inputs: [1]}": "inputs is for code, and this problem has an expression",
    "{code: 'a.py::f', input: [1]}": "input is not a key of a problem: did you mean inputs?",
    "{code: [a]}": "code is a list: it takes the name of code, for example losses.py::focal_loss",
    "{code: 'a.py::f', inputs: 3}": "inputs is a text: it takes a mapping such as {x: [1.0, 2.0]}, or a list of values",
    "{code: 'a.py::f', inputs: {x: rndn(3)}}": "inputs: x: rndn makes no array: did you mean randn(4, 3)?",
    "{code: 'a.py::f', inputs: {x: {y: 1}}}": "inputs x is a mapping: it takes a value such as [[1, 2], [3, 4]]",
    "{code: 'a.py::f', inputs: [randn(3, 2)]}": "inputs: this ( is not closed\n  randn(3\n       ^ (between brackets,",
    "{code: 'a.py::f', init: 'a=1, a=2'}": "init: init a=1, a=2: a is given twice",
    "{code: 'a.py::f', order: 3}": "order 3: it takes a whole number from 1 to 2",
    "{code: 'a.py::f', cotangents: all}": "cotangents all: there are auto, one-hot, random",
    "{code: 'a.py::f', samples: 0}": "samples 0: it takes a whole number from 1 to 1000",
    "{code: 'a.py::f', stress: perhaps}": "stress perhaps: it takes true or false",
    "{code: 'a.py::f', expect: {x: right}}": "expect x right: ",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_in_the_file_has_its_place(text: str) -> None:
    spec = loaded(text)
    assert spec.request is None
    assert spec.error is not None
    place, _, message = spec.error.partition(": problem 1: ")
    assert place.startswith("p.yaml:2:")
    assert message.startswith(MISTAKES[text])


def test_an_expectation_of_what_is_not_there_is_told(folder: Path) -> None:
    (folder / "p.yaml").write_text("problems:\n  - {code: 'layers.py::Swish', inputs: [1.0], expect: {y: match}}\n")
    (problem,) = run("p.yaml", allow_code=True).problems
    assert problem.error == "expect: y is not checked here; there is x, reverse"


def test_the_schema_takes_what_is_read() -> None:
    schema = json.loads(json.dumps(json_schema()))
    jsonschema.validate(yaml.safe_load(PROBLEMS), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"problems": [{"code": "a.py::f", "at": 2}]}, schema)
