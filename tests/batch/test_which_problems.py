"""Which problems `gradcheck run` checks: files, folders, patterns, FILE::NAME, --deselect, and what failed before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradcheck_cli import GradcheckError, run
from gradcheck_cli.cli import last_failed
from gradcheck_cli.cli.app import run_command


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "sub" / ".hidden").mkdir(parents=True)
    for name, text in {
        "a.yaml": "title: Homework\ndescription: 3\nproblems:\n  - {name: one, expression: x, at: 2}\n"
                  "  - {name: two, expression: x**2, at: 2, gradient: 5}\n",
        "sub/b.yml": "problems:\n  - {name: three, expression: x, at: 0}\n  - {name: two, expression: x, at: 1}\n",
        "sub/ci.yaml": "jobs: [1]\n",
        "sub/.hidden/c.yaml": "problems:\n  - {name: four, expression: x, at: 1}\n",
        "sub/notes.txt": "problems:\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "linked.yaml").symlink_to("a.yaml")


@pytest.mark.parametrize(
    ("arguments", "listed", "said"),
    [
        (["a.yaml"], "a.yaml:4  one, a.yaml:5  two", ""),
        (["."], "a.yaml:4  one, a.yaml:5  two, sub/b.yml:2  three, sub/b.yml:3  two",
         "no problem files, passed over: sub/ci.yaml\n"),
        (["sub/"], "sub/b.yml:2  three, sub/b.yml:3  two", "no problem files, passed over: sub/ci.yaml\n"),
        (["**/*.yml"], "sub/b.yml:2  three, sub/b.yml:3  two", ""),
        (["a.yaml::two"], "a.yaml:5  two", ""),
        (["a.yaml::one", "sub/b.yml::two"], "a.yaml:4  one, sub/b.yml:3  two", ""),
        (["a.yaml", "--deselect", "two"], "a.yaml:4  one", ""),
        (["a.yaml", "sub/b.yml", "--deselect", "sub/b.yml::two"],
         "a.yaml:4  one, a.yaml:5  two, sub/b.yml:2  three", ""),
        (["a.yaml", "./a.yaml", "**/a.yaml", "linked.yaml"], "a.yaml:4  one, a.yaml:5  two", ""),
        (["a.yaml::two", "a.yaml", "a.yaml::one", "a.yaml::one"], "a.yaml:5  two, a.yaml:4  one", ""),
        (["sub", "**/*.yml", "sub/b.yml::two"], "sub/b.yml:2  three, sub/b.yml:3  two",
         "no problem files, passed over: sub/ci.yaml\n"),
        (["a.yaml", "--lf"], "a.yaml:4  one, a.yaml:5  two",
         "no problem is known to have failed in a run before: all are checked\n"),
    ],
)  # fmt: skip
def test_what_is_run(arguments: list[str], listed: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", *arguments, "--list"]) == 0
    assert capsys.readouterr() == ("".join(f"{line}\n" for line in listed.split(", ")), said)


def test_of_several_tags_any_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.yaml").write_text(
        "defaults: {tags: lab}\nproblems:\n  - {name: a, expression: x, tags: [p]}\n"
        "  - {name: b, expression: x, tags: [q, r]}\n  - {name: c, expression: x}\n"
    )
    for tags, names in (("p", "a"), ("p q", "ab"), ("p,r", "ab"), ("lab", "abc"), ("q lab", "abc")):
        options = [word for tag in tags.split() for word in ("--tag", tag)]
        assert run_command(["run", "t.yaml", *options, "--list", "-f", "json"]) == 0
        assert "".join(one["name"] for one in json.loads(capsys.readouterr().out)) == names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.yaml::tow"], "a.yaml has no problem tow: did you mean two?"),
        (["*.json"], "*.json: no file has such a name"),
        (["subs/**/*.yml"], "subs/**/*.yml: there is no folder subs"),
        (["sub/.hidden/../../sub/.hidden/none"], "there is no file sub/.hidden/../../sub/.hidden/none"),
        (["sub/ci.y*"], "sub/ci.y*: none of 1 file has problems: at its top"),
        (["a.yaml", "--deselect", "tow"], "--deselect tow: this run has no problem tow: did you mean two?"),
        (
            ["a.yaml", "--deselect", "one", "--deselect", "two"],
            "--deselect one --deselect two leaves none of 2 problems",
        ),
        (["a.yaml", "q.yml", "*.yml"], "gradcheck: q.yml:2:1: a value is missing here"),
        (["::one"], "there is no problems.yaml in this folder"),
    ],
)
def test_what_cannot_be_run(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("q.yml").write_text("problems: [\n", encoding="utf-8")
    assert run_command(["run", *arguments, "--list"]) == 2
    assert capsys.readouterr().err.count(message) == 1


def test_what_failed_is_checked_again(capsys: pytest.CaptureFixture[str]) -> None:
    last_failed.remember(run("sub").problems)
    assert not last_failed.FOLDER.exists(), "nothing failed"
    assert run_command(["run", "a.yaml", "-q"]) == 1
    assert (last_failed.FOLDER / ".gitignore").read_text().endswith("*\n")
    assert run_command(["run", ".", "--lf", "--list"]) == 0
    out, err = capsys.readouterr()
    assert out.endswith("a.yaml:5  two\n")
    assert "1 of 4 problems failed in a run before\n" in err
    Path("a.yaml").write_text(Path("a.yaml").read_text().replace("gradient: 5", "gradient: 4"))
    last_failed.remember(run("a.yaml").problems)
    assert json.loads((last_failed.FOLDER / last_failed.FILE).read_text()) == {"failed": []}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"failed": 3}', '{"failed": [[1]]}', "[" * 100_000])
def test_a_broken_note_of_failures_is_none(text: str) -> None:
    last_failed.FOLDER.mkdir()
    (last_failed.FOLDER / last_failed.FILE).write_text(text)
    assert last_failed.last_failed() == set()


def test_folders_and_names_from_python() -> None:
    assert [result.name for result in run("sub").problems] == ["three", "two"]
    assert [result.name for result in run("sub/b.yml::three").problems] == ["three"]
    twice = run("sub", "sub/b.yml", "sub/b.yml::two", "a.yaml")
    assert [result.name for result in twice.problems] == ["three", "two", "one", "two"]
    assert str(twice).startswith("4 problems in 2 files (1 failed), 4 checks")
    with pytest.raises(GradcheckError, match="there is no YAML file in this folder"):
        run(_empty())


def _empty() -> str:
    Path("empty").mkdir()
    return "empty"


def test_a_title_is_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    Path("t.yaml").write_text("title: {a: b}\nproblems:\n  - {expression: x, at: 1}\n")
    assert run_command(["run", "t.yaml"]) == 2
    assert "t.yaml:1:8: title is a mapping: it takes a text" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output_format", "said"),
    [
        ("table", "Homework\n3\n\nproblem"),
        ("markdown", "\n**Homework**: 3\n"),
        ("latex", "\\section*{Homework}\n\n3\n\n"),
        ("junit", '<property name="title" value="Homework" />'),
        ("json", '"headings": [\n      {\n        "file": "a.yaml",\n        "title": "Homework",'),
        ("json-lines", '"headings": [{"file": "a.yaml", "title": "Homework", "description": "3"}]'),
    ],
)
def test_what_a_file_says_of_itself(output_format: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", "a.yaml", "--output-format", output_format]) == 1
    assert said in capsys.readouterr().out


def test_several_files_have_their_names_above_and_are_merged_with_what_they_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(["run", "a.yaml", "--output-file", "a.json"]) == 1
    assert run_command(["run", "sub/b.yml", "--output-file", "b.json"]) == 0
    capsys.readouterr()
    assert run_command(["merge", "a.json", "b.json"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("a.yaml: Homework\n3\n\nproblem")
    assert "\nsub/b.yml\nproblem" in out


def test_explain_takes_a_problem_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """With all that the file says of it; what is given on the command line prevails."""
    Path("e.yaml").write_text(
        "defaults: {dtype: float32}\nproblems:\n"
        "  - {name: a, expression: 3*y, let: {y: x**2}, at: {x: 5}, wrt: y, claim: 3, gradient: 4}\n"
        "  - {name: m, expression: sum(x**2), at: {x: {tensor: [1, 2]}}}\n"
        "  - {name: c, code: 'own.py::f', inputs: {x: '1'}}\n"
        "  - {name: b, expression: x +}\n"
    )
    assert run_command(["explain", "e.yaml::a"]) == 0
    shown, summary = capsys.readouterr()
    assert "at     x=5" in shown
    assert "df/dy = 3" in shown
    assert "df/dx" not in shown
    assert "✓ proven" in shown
    assert "float32" in summary
    assert run_command(["explain", "e.yaml::a", "--at", "7", "--dtype", "float64"]) == 0
    shown, summary = capsys.readouterr()
    assert "at     x=7" in shown
    assert "float64" in summary
    assert run_command(["explain", "e.yaml::m"]) == 0
    assert "[2  4]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.yaml", "a.yaml stands for 2 problems: name one, for example a.yaml::one"),
        ("a.yaml::on", "a.yaml has no problem on: did you mean one?"),
        ("::one", "there is no problems.yaml in this folder: name a problem file, or - for standard input"),
        (
            "c.yaml::c",
            "c is code, and gradcheck explain shows formulas: gradcheck run c.yaml::c --allow-code checks it",
        ),
        ("c.yaml::b", "c.yaml:3:5: b: there is no expression: a problem has at least an expression"),
    ],
)
def test_what_explain_says_of_other_problems(name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.yaml").write_text("problems:\n  - {name: c, code: 'own.py::f', inputs: {x: '1'}}\n  - {name: b}\n")
    assert run_command(["explain", name]) == 2
    assert capsys.readouterr() == ("", f"gradcheck: {message}\n")
