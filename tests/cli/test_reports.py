"""Which reports are written, where, and that they are written whatever happens."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from helpers.records import VERSIONS, a_check, a_problem

import gradcheck_cli.checking.checker
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import FORMATS

TAB = "problems:\n\t- name: a\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a report to merge, and what torch has to do done by hand."""
    monkeypatch.chdir(tmp_path)
    row = a_check({"x": 2.0}, 4.0, 5.0, Verdict.MISMATCH)
    result = a_problem("x**2", [row], name="square", file="a.yaml", line=3)
    Path("part.json").write_text(RENDERERS["json"](Report((result,), VERSIONS), Display()), encoding="utf-8")
    Path("tab.yaml").write_text(TAB, encoding="utf-8")
    monkeypatch.setattr(gradcheck_cli.checking.checker, "check_expression", lambda *_, **__: a_problem("x**2", [row]))
    return tmp_path


def format_of(text: str) -> str:
    """The format of a report by its first characters."""
    starts = {"{\n": "json", '{"': "json-lines", "<?xml": "junit", "::": "github", "##": "markdown", "[": "list"}
    return next((name for start, name in starts.items() if text.startswith(start)), "table")


FORMAT, FILE = "--output-format", "--output-file"
DESTINATIONS = [
    # (options, the format of each file, that of standard output)
    ([], {}, "table"),
    ([FORMAT, "junit"], {}, "junit"),
    ([FILE, "a.xml"], {"a.xml": "junit"}, "table"),
    ([FILE, "a.XML", FILE, "b.jsonl", FILE, "c.json", FILE, "d.md", FILE, "e.txt", FILE, "f"],
     {"a.XML": "junit", "b.jsonl": "json-lines", "c.json": "json", "d.md": "markdown", "e.txt": "table", "f": "table"},
     "table"),
    ([FORMAT, "junit", FILE, "a.txt", FORMAT, "github", FILE, "b.json"], {"a.txt": "junit", "b.json": "github"},
     "table"),
    ([FORMAT, "github", FILE, "a", FILE, "b.md", FILE, "c.xml"], {"a": "github", "b.md": "markdown", "c.xml": "junit"},
     "table"),
    ([FILE, "a.md", FORMAT, "json", FILE, "b.json", FILE, "c"], {"a.md": "markdown", "b.json": "json", "c": "table"},
     "table"),
    ([FORMAT, "json", FILE, "a.md", FORMAT, "junit", FILE, "b.xml", FILE, "c.json"],
     {"a.md": "markdown", "b.xml": "junit", "c.json": "json"}, "table"),
    ([FORMAT, "markdown", FILE, "a", FILE, "b.json"], {"a": "markdown", "b.json": "json"}, "table"),
    ([FILE, "a.txt", FILE, "b.json", FORMAT, "junit", FORMAT, "github"], {"a.txt": "junit", "b.json": "github"},
     "table"),
]  # fmt: skip


@pytest.mark.parametrize("command", [["merge", "part.json"], ["x**2", "--at", "2"]], ids=" ".join)
@pytest.mark.parametrize(("options", "files", "shown"), DESTINATIONS)
def test_formats_and_files_are_pairs_and_without_a_format_the_suffix_decides(
    command: list[str], options: list[str], files: dict[str, str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*command, *options]) == 1
    assert {name: format_of(Path(name).read_text(encoding="utf-8")) for name in files} == files
    assert format_of(capsys.readouterr().out) == shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([FORMAT, "json", FORMAT, "junit"],
         "standard output takes one report, so --output-format is given once, or as often as --output-file: they are "
         "pairs"),
        ([FORMAT, "json", FORMAT, "junit", FILE, "a"],
         "--output-format is given twice and --output-file once: each format is for one file"),
        ([FILE, "a.md", FORMAT, "json", FILE, "b.xml"],
         "--output-format json: by their suffixes, the files have other formats: give --output-format once for each "
         "--output-file, in their order"),
        ([FILE, "a.json", FILE, "a.json"], "--output-file a.json is given twice: each report needs a file of its own"),
        ([FILE, "a.json", FILE, "./a.json"], "--output-file a.json is given twice: each report needs a file of its "),
        ([FILE, "a.csv"],
         "--output-file a.csv: no format here has the suffix .csv: name one by --output-format, or take one of "),
        ([FORMAT, "jnuit"], "--output-format jnuit: did you mean junit? There are table, "),
    ],
)  # fmt: skip
def test_what_makes_no_pairs(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["merge", "part.json", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"gradcheck: {message}")


def test_reports_to_merge_are_named_by_patterns_too(capsys: pytest.CaptureFixture[str]) -> None:
    """As run takes them: the shell of a CI file does not expand what is quoted."""
    Path("parts").mkdir()
    for name in ("1", "2"):
        text = Path("part.json").read_text(encoding="utf-8").replace("square", name)
        Path(f"parts/{name}.json").write_text(text, encoding="utf-8")
    assert run_command(["merge", "part.json", "parts/*.json", FORMAT, "json"]) == 1
    assert json.loads(capsys.readouterr().out)["summary"]["problems"] == 3
    assert run_command(["merge", "parts/1.json", "**/*.json"]) == 2
    assert "parts/1.json is named twice: each report counts once" in capsys.readouterr().err
    assert run_command(["merge", "none-*.json"]) == 2
    assert "none-*.json: no file has such a name" in capsys.readouterr().err


def test_explanations_and_lists_know_their_own_suffixes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "x", FILE, "a.xml"]) == 2
    assert "no format here has the suffix .xml" in capsys.readouterr().err
    assert run_command(["functions", "relu", FILE, "a.json"]) == 0
    assert json.loads(Path("a.json").read_text(encoding="utf-8"))[0]["name"] == "relu"


def junit_error(text: str) -> dict[str, str | None]:
    case = ET.fromstring(text).find("testsuite/testcase")
    assert case is not None
    error = case.find("error")
    assert error is not None
    assert ET.fromstring(text).get("errors") == "1"
    return {**case.attrib, "message": error.get("message")}


UNREAD = [
    # (command, where, what)
    (["run", "tab.yaml"], {"file": "tab.yaml", "line": "2"},
     "tab.yaml:2:1: there is a tab: lines are indented with spaces"),
    (["run", "nothere.yaml"], {"file": "nothere.yaml"}, "there is no file nothere.yaml: did you mean one.yaml?"),
    (["run", "latin.yaml"], {"file": "latin.yaml", "line": "1"},
     "latin.yaml:1: the byte 0xE9 is not UTF-8: save the file as UTF-8"),
    (["run", "one.yaml", "-k", "zzz"], {"name": "the run"},
     "none of 1 problem matches -k 'zzz': --list shows the names"),
    (["run", "one.yaml", "--resume", "nothere.jsonl"], {"name": "the run"},
     "--resume nothere.jsonl: there is no such file; a run that begins it writes there too, by --output-file "
     "nothere.jsonl"),
    (["merge", "part.json", "tab.yaml"], {"name": "the run"},
     "tab.yaml is no report of gradcheck: write one by --output-format json or json-lines"),
    (["x +"], {"name": "x +"}, "Something is missing: the expression ends too early."),
    (["x +", "--all-rows"], {"name": "x +"}, "Something is missing: the expression ends too early."),
]  # fmt: skip


@pytest.mark.parametrize(("command", "where", "message"), UNREAD, ids=lambda given: str(given)[:40])
def test_every_format_is_written_with_the_error_in_it(
    command: list[str], where: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("latin.yaml").write_bytes("# caf\xe9".encode("latin-1"))
    Path("one.yaml").write_text("problems: [{name: one, expression: x}]", encoding="utf-8")
    files = ["a.xml", "a.json", "a.jsonl", "a.md", "a.txt"]
    assert run_command([*command, *(word for name in files for word in (FILE, name))]) == 2
    told = capsys.readouterr().err
    texts = {name: Path(name).read_text(encoding="utf-8") for name in files}
    error = junit_error(texts["a.xml"])
    assert error | where | {"message": message} == error
    assert not json.loads(texts["a.json"])["summary"]["passed"]
    assert not json.loads(texts["a.jsonl"].splitlines()[-1])["summary"]["passed"]
    assert all(message in text for text in (told, texts["a.json"], texts["a.jsonl"]))
    assert message.split(":")[0] in texts["a.md"]


def test_an_annotation_is_at_the_line_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "tab.yaml", FORMAT, "github"]) == 2
    assert capsys.readouterr().out.splitlines()[0] == (
        "::error file=tab.yaml,line=2,title=gradcheck::tab.yaml:2:1: there is a tab: lines are indented with spaces"
    )


def test_what_was_to_be_resumed_and_is_no_report_is_not_written_over() -> None:
    Path("one.yaml").write_text("problems: [{name: one, expression: x}]", encoding="utf-8")
    assert run_command(["run", "one.yaml", "--resume", "tab.yaml", FORMAT, "json-lines", FILE, "tab.yaml"]) == 2
    assert Path("tab.yaml").read_text(encoding="utf-8") == TAB


def test_the_list_of_problems_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    Path("p.yaml").write_text(
        "problems:\n- {name: a, expression: x, tags: [t], description: d}\n- {name: b, expression: 2, color: red}\n"
    )
    assert run_command(["run", "p.yaml", "--list", FORMAT, "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first == {
        "index": 0, "name": "a", "file": "p.yaml", "line": 2, "description": "d", "tags": ["t"], "error": None
    }  # fmt: skip
    assert "color" in second["error"]
    assert run_command(["run", "p.yaml", "--list", FORMAT, "junit"]) == 2


PROBLEMS = """problems:
  - {name: named, expression: "y = x^2; z = 2y + 3", at: [1, 2], claim: 3*x}
  - {name: many, expression: sin(x)*x, at: x=-3:3:150, gradient: 3}
  - {name: fine, expression: sin(x)*x, at: x=-3:3:150}
  - {name: let, expression: x**3 + w*x, let: {w: 2*x}, at: [1, 2, 3], dtype: float32, rtol: 1e-30, atol: 0}
  - {name: arrays, expression: sum(x*x), at: {x: {tensor: [1, 2]}}, gradient: {x: [1, 2]}}
"""


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("more", [[], ["-v"], ["-q"]])
def test_the_table_is_the_same_whatever_is_written_beside_it(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("p.yaml").write_text(PROBLEMS, encoding="utf-8")
    tables = {}
    for name in (None, *FORMATS[1:]):
        options = [] if name is None else ["-o", "report", "-f", name]
        assert run_command(["run", "p.yaml", *more, *options]) == 1
        tables[name] = capsys.readouterr().out
    assert "wrong number" in tables[None]
    assert [name for name, table in tables.items() if table != tables[None]] == []
