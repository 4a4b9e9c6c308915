"""`pytest --gradcheck`: problem files as tests."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from helpers.plugin_runs import run

pytest_plugins = ["pytester"]

PROBLEMS = """\
problems:
  - name: square
    tags: [quick, torch issue]
    expression: x**2
    at: 2
  - name: a leak
    tags: [slow, skip]
    description: The gradient of a branch that was not taken
    expression: where(x > 0, sqrt(x), 0)
    at: -1
  - name: known
    tags: slow
    expression: where(x > 0, sqrt(x), 0)
    at: -1
    expect: mismatch
  - name: std::exp
    expression: exp(x)
    at: 0
    claim: exp(x)
  - {name: square, expression: x**2, at: 2}
  - {name: too slow, expression: "x**2", at: "x=-3:3:100001", timeout: 1e-6}
  - {expression: sin(x}
  - {code: "layers.py::double", inputs: {x: "randn(3)"}}
"""
IDS = ["square", "a leak", "known", "std:exp", "square (2)", "too slow", "problem 7", "problem 8"]
LAYERS = """
def double(x):
    print("is called")
    return 2*x
"""


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".yaml", problems=PROBLEMS)
    pytester.makepyfile(layers=LAYERS)
    return pytester


def passed(done: pytest.RunResult) -> list[str]:
    return re.findall(r"^(.*) PASSED", done.stdout.str(), re.MULTILINE)


def test_an_item_a_problem(folder: pytest.Pytester) -> None:
    done = run(folder, "--gradcheck", "-v", "--strict-markers", "--junitxml=report.xml")
    done.assert_outcomes(passed=3, failed=5)
    assert passed(done) == [f"problems.yaml::{name}" for name in ("square", "known", "std:exp")]
    found = re.findall(r"^problems\.yaml::(.*) (?:PASSED|FAILED)", done.stdout.str(), re.MULTILINE)
    assert found == IDS
    leak = re.split(r"^_+ (?:a leak|square \(2\)) _+$", done.stdout.str(), flags=re.MULTILINE)[1]
    assert re.sub(r"torch \S+", "torch", leak).strip("\n") == (
        """a leak (problems.yaml:6)
The gradient of a branch that was not taken
f(x) = where(x > 0, sqrt(x), 0)

f(-1) = 0

 x  analytical  autograd  relative error  verdict
────────────────────────────────────────────────────
-1           0       nan             nan  ✗ mismatch

• NaN enters at sqrt(x): local derivative nan times incoming 0, from the branch
  of where() that was not taken; write where(x > 0, sqrt(where(x > 0, x, 1)), 0)
  instead: autograd is then 0, not nan
1 problem (1 failed), 1 check: 1 mismatch · float64 on cpu · torch"""
    )
    shown = done.stdout.str()
    assert "Traceback" not in shown
    assert "gradcheck_cli/" not in shown
    assert "\x1b" not in shown
    for sentence in (
        "problems.yaml:20:12: square: the name is taken: square begins in line 2",
        "no verdict within the time limit of 1e-06 s",
        "This ( is never closed.",
        "layers.py::double is code, which is imported and run with --gradcheck-allow-code only (in",
        "FAILED problems.yaml::a leak - f'(x) at x=-1: analytical 0, autograd n",
    ):
        assert re.sub(r"\s+", " ", sentence) in re.sub(r"\s+", " ", shown), sentence
    case = ET.parse(folder.path / "report.xml").getroot().findall(".//testcase")[1]
    assert {one.get("name"): one.get("value") for one in case.findall("properties/property")} == {
        "verdict": "mismatch", "rows": "1", "rows_failed": "1",
    }  # fmt: skip
    (failure,) = case.findall("failure")
    assert str(failure.get("message")).startswith("f'(x) at x=-1: analytical 0")
    assert str(failure.text).startswith("a leak (problems.yaml:6)")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["-k", "squ"], ["square"]),
        (["-k", "quick"], ["square"]),
        (["-m", "quick"], ["square"]),
        (["-m", "torch_issue"], ["square"]),
        (["-m", "slow and not skip"], ["known"]),
        (["problems.yaml::std:exp"], ["std:exp"]),
        (["--gradcheck-allow-code", "problems.yaml::problem 8"], ["problem 8"]),
        (["-o", "gradcheck_allow_code=true", "-k", "8"], ["problem 8"]),
    ],
)
def test_what_is_selected(folder: pytest.Pytester, arguments: list[str], names: list[str]) -> None:
    done = run(folder, "--gradcheck", "-v", *arguments)
    assert passed(done) == [f"problems.yaml::{name}" for name in names]


def test_which_files(pytester: pytest.Pytester) -> None:
    problem = "problems: [{name: one, expression: x, at: 1}]\n"
    for name in (
        "problems.yaml",
        "problems.yml",
        "a.gradcheck.yaml",
        "sub/b.gradcheck.yml",
        "problems-2.yaml",
        "other.yaml",
    ):
        file = pytester.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(problem if name != "other.yaml" else "openapi: 3.1.0\n")
    usual = {"a.gradcheck.yaml", "problems.yaml", "problems.yml", "sub/b.gradcheck.yml"}
    for arguments, files in (
        ([], set()),
        (["--gradcheck"], usual),
        (["-o", "gradcheck=true"], usual),
        (["-o", "gradcheck=true", "sub"], {"sub/b.gradcheck.yml"}),
        (["--gradcheck", "-o", "gradcheck_files=problems*.yaml"], {"problems.yaml", "problems-2.yaml"}),
        (["--gradcheck", "-o", "gradcheck_files=sub/*.yml"], {"sub/b.gradcheck.yml"}),
        (["--gradcheck", "problems-2.yaml"], {"problems-2.yaml"}),
        (["problems.yaml", "a.gradcheck.yaml::one"], {"problems.yaml", "a.gradcheck.yaml"}),
        (["problems.yaml", "problems-2.yaml"], set()),
    ):
        done = run(pytester, "--collect-only", "-q", *arguments)
        assert {line.partition("::")[0] for line in done.outlines if "::" in line} == files, arguments
    done = run(pytester, "--gradcheck", "other.yaml")
    done.stdout.fnmatch_lines(["other.yaml:1:1: openapi is not a key of a problem file: *"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "problems: [{expression: x, at: 1}\n",
            "broken.gradcheck.yaml:2:1: the list that begins with [[] in line 1 goes *",
        ),
        ("problems: []\n", "broken.gradcheck.yaml:1:11: problems is empty: it takes a list; *"),
        ("problem: 1\n", "broken.gradcheck.yaml:1:1: problem is not a key of a problem file: *"),
    ],
)
def test_a_broken_file(folder: pytest.Pytester, text: str, message: str) -> None:
    (folder.path / "broken.gradcheck.yaml").write_text(text)
    done = run(folder, "--gradcheck")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*ERROR collecting broken.gradcheck.yaml*", message, "ERROR broken.gradcheck.yaml*"])
    assert "Traceback" not in done.stdout.str()


def test_a_pyproject_that_cannot_be_read_and_one_that_counts(folder: pytest.Pytester) -> None:
    folder.makepyprojecttoml("[tool.gradcheck]\nstrikt = true\n")
    done = run(folder, "--gradcheck")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*pyproject.toml: [[]tool.gradcheck]: strikt is not *"])
    folder.makepyprojecttoml('[tool.gradcheck]\ndtype = "float32"\n[tool.pytest.ini_options]\ngradcheck = true\n')
    done = run(folder, "-k", "leak")
    done.stdout.fnmatch_lines(["1 problem (1 failed), 1 check: 1 mismatch · float32 on cpu*"])


def test_colours_and_a_wide_terminal(folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    done = run(folder, "--gradcheck", "--color=yes", "-k", "leak", "--junitxml=report.xml")
    shown = done.stdout.str()
    assert "\x1b[1;31m✗ mismatch\x1b[0m" in shown
    assert "from the branch of where() that was not taken" in shown
    assert "#x1B" not in (folder.path / "report.xml").read_text()


def test_a_failure_in_a_line(folder: pytest.Pytester) -> None:
    done = run(folder, "--gradcheck", "--tb=line", "-q", "-k", "leak")
    _, _, line, *_ = done.outlines
    assert line.startswith(f"{folder.path}/problems.yaml:6: f'(x) at x=-1: analytical 0, autograd nan (mismatch): ")


@pytest.mark.slow
def test_with_xdist(folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    done = folder.runpytest_subprocess("-p", "xdist", "-p", "gradcheck", "--gradcheck", "-n", "2", "-rA", "-v")
    done.assert_outcomes(passed=3, failed=5)
    found = re.findall(r"^(?:PASSED|FAILED) problems\.yaml::(.*?)(?: - .*)?$", done.stdout.str(), re.MULTILINE)
    assert sorted(found) == sorted(IDS)
    done.stdout.fnmatch_lines(["* from the branch of where() that was", "FAILED *::a leak - f'(x) at x=-1: *"])
