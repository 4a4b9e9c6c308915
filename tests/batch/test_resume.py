"""--resume: a result counts for whatever run asks the same, however that shows it."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from gradcheck_cli.batch.resume import MAKES_A_VERDICT
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.records.request import Request

PROBLEMS = """problems:
  - {name: a, expression: x**2, at: 1, gradient: 2, expect: match, tags: one}
  - {name: b, expression: relu(x) - relu(-x), at: 0}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("problems.yaml").write_text(PROBLEMS, encoding="utf-8")


def resumed(*options: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """(report, what was said)."""
    run_command(["run", *options, "--resume", "a.jsonl"])
    captured = capsys.readouterr()
    return captured.out, captured.err


def write(*options: str) -> None:
    """A report whose notices tell that they come from it."""
    run_command(["run", "--output-format", "json-lines", "--output-file", "a.jsonl", *options])
    lines = Path("a.jsonl").read_text(encoding="utf-8").splitlines()
    marked = [json.dumps({**json.loads(line), "notices": ["from before"]}) for line in lines[1:-1]]
    Path("a.jsonl").write_text("\n".join([lines[0], *marked, lines[-1]]) + "\n", encoding="utf-8")


SERVES = [
    # (options of the report, options of the run that resumes, how many of the two problems are taken)
    ([], [], 2),
    ([], ["-v"], 2),
    ([], ["--output-format", "json"], 2),
    ([], ["--output-format", "json-lines"], 2),
    ([], ["--output-format", "markdown"], 2),
    ([], ["--output-format", "json", "--no-derivatives"], 2),
    (["--no-derivatives"], [], 2),
    (["--no-derivatives"], ["--output-format", "json"], 0),
    (["--no-derivatives"], ["--output-format", "json", "--no-derivatives"], 2),
    ([], ["-k", "a"], 1),
    ([], ["--rtol", "0.5"], 0),
    ([], ["--strict"], 0),
    ([], ["--timeout", "9"], 0),
    (["--seed", "1"], ["--seed", "2"], 0),
]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(("before", "options", "taken"), SERVES)
def test_what_serves(before: list[str], options: list[str], taken: int, capsys: pytest.CaptureFixture[str]) -> None:
    write(*before)
    capsys.readouterr()
    report, said = resumed(*options, capsys=capsys)
    total = 1 if "-k" in options else 2
    assert f"{taken} of {total} problem{'s' if total > 1 else ''} " in said
    if "json" in options:
        document = json.loads(report)
        assert [problem["notices"] == ["from before"] for problem in document["problems"]] == [bool(taken)] * total
        assert [("derivatives" in problem) for problem in document["problems"]] == [len(options) == 2] * total


@pytest.mark.usefixtures("in_this_process")
def test_what_is_only_display_may_change(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    capsys.readouterr()
    file = Path("problems.yaml")
    file.write_text(PROBLEMS.replace("tags: one", "tags: two, description: the square"), encoding="utf-8")
    report, said = resumed("--output-format", "json", capsys=capsys)
    assert "2 of 2 problems" in said
    first, _ = json.loads(report)["problems"]
    assert (first["tags"], first["description"]) == (["two"], "the square")
    file.write_text(PROBLEMS.replace("expect: match", "expect: kink"), encoding="utf-8")
    report, said = resumed("--output-format", "json", capsys=capsys)
    assert "1 of 2 problems" in said
    assert json.loads(report)["problems"][0]["passed"] is False


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    write("-k", "a")
    capsys.readouterr()
    assert resumed("-q", "-k", "a", capsys=capsys) == ("", "")


WANTED = ("derivatives", "formula", "keep", "picture", "chains", "words")


def test_every_field_of_a_request_makes_a_verdict_or_is_what_is_wanted_of_it() -> None:
    assert {field.name for field in fields(Request)} == {*MAKES_A_VERDICT, *WANTED}


@pytest.mark.slow
@pytest.mark.parametrize("code", ["own.py::square", "package.module:square"])
def test_of_code_all_that_it_imported_has_to_be_the_same(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("package").mkdir()
    Path("package/__init__.py").touch()
    text = "import factors\n\ndef square(x):\n    return factors.one() * x * x\n"
    for file in ("own.py", "package/module.py"):
        Path(file).write_text(text, encoding="utf-8")
    Path("factors.py").write_text("def one():\n    return 1.0\n", encoding="utf-8")
    Path("p.yaml").write_text(
        f"problems:\n  - {{name: s, code: '{code}', inputs: {{x: randn(2)}}}}\n", encoding="utf-8"
    )

    def taken() -> int:
        assert run_command(["run", "p.yaml", "--allow-code", "--resume", "r.jsonl", "-o", "r.jsonl"]) == 0
        said = capsys.readouterr().err
        return int(said.partition(" of 1 problem")[0].rpartition("\n")[2])

    assert [taken(), taken()] == [0, 1]
    Path("factors.py").write_text("def one():\n    return 1.00\n", encoding="utf-8")
    assert [taken(), taken()] == [0, 1]
    lines = [json.loads(line) for line in Path("r.jsonl").read_text(encoding="utf-8").splitlines()]
    (problem,) = (line for line in lines if "sources" in line)
    assert "factors.py" in problem["sources"]
    del problem["sources"]
    Path("r.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    assert taken() == 0  # an older report does not say what it rests on
