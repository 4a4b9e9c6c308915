"""The formats of a whole report, from records made by hand: no torch, no SymPy."""

from __future__ import annotations

import ast
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import junitparser
import pytest
from helpers.paths import PACKAGE, ROOT
from helpers.records import VERSIONS, a_check, a_problem, quartic
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gradcheck_cli import render
from gradcheck_cli.checking.failures import failure
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.report import Heading, Report, Trouble
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Claim, ClaimStatus, Counterexample, ProblemResult, Verdict
from gradcheck_cli.render import EXPLANATIONS, RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import EXPLANATION_FORMATS, FORMATS
from gradcheck_cli.render.summary import summary_line


def named(result: ProblemResult, name: str, line: int, file: str = "problems.yaml") -> ProblemResult:
    return replace(result, name=name, file=file, line=line)


def whole() -> Report:
    """Two files, every kind of outcome, and a file that is missing."""
    proven = Claim(Derivative(("x",)), "32*x**3 + 9*x**2", ClaimStatus.PROVEN, True, 21)
    refuted = Claim(
        Derivative(("x",)),
        "2",
        ClaimStatus.REFUTED,
        False,
        25,
        Counterexample({"x": 3.0}, 2.0, 6.0),
        "the sign is wrong",
        "2*x",
    )
    kink = a_check({"x": 0.0}, None, 0.0, Verdict.KINK, left=0.0, right=1.0, note="no derivative: [0, 1]")
    leak = a_check({"x": -1.0}, 0.0, math.nan, Verdict.MISMATCH, rel_error=math.nan, note="the branch | leaks")
    off = a_check({"x": 1e-9}, 0.5, -81.7, Verdict.UNSTABLE, passed=False, rel_error=164.4, note="cancellation")
    return Report(
        (
            named(replace(quartic(), claims=(proven,)), "quartic", 3),
            named(a_problem("relu(x)", [kink]), "kink", 8),
            named(replace(a_problem("where(x > 0, sqrt(x), 0)", [replace(leak, passed=False)]), description="a trap"),
                  "leak", 12),
            named(a_problem("where(x > 0, sqrt(x), 0)", [replace(leak, passed=True)]), "known", 15),
            named(a_problem("(exp(x)-1)/x", [off]), "unstable", 20),
            named(replace(a_problem("x**2", [a_check({"x": 3.0}, 6.0, 6.0)], passed=False), claims=(refuted,)),
                  "claim", 2, "more.yaml"),
            named(failure(Request("x +"), "a value is missing\n  x +\n     ^", bad_input=True),
                  "broken", 7, "more.yaml"),
        ),
        VERSIONS,
        1.5,
        troubles=(Trouble("there is no file third.yaml", "third.yaml"),),
    )  # fmt: skip


def test_every_format_has_a_renderer() -> None:
    assert tuple(RENDERERS) == FORMATS
    assert tuple(EXPLANATIONS) == EXPLANATION_FORMATS
    for name in FORMATS:
        assert RENDERERS[name](whole(), Display())
    files = {path.stem for path in (PACKAGE / "render" / "explanation").glob("*.py")}
    assert files >= {*EXPLANATION_FORMATS} - {"html"}  # a page is a page: page/chain_rule.py


def test_a_new_format_is_a_file_and_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "only_names.py").write_text(
        "def render_only_names(report, display):\n"
        "    return ''.join(f'{problem.name}\\n' for problem in report.problems)\n"
    )
    monkeypatch.setattr(render, "__path__", [*render.__path__, str(tmp_path)])
    try:
        text = render.of_reports(["only-names"])["only-names"](whole(), Display())
    finally:
        sys.modules.pop("gradcheck_cli.render.only_names", None)
    assert text.splitlines() == [problem.name for problem in whole().problems]


def test_no_other_place_lists_the_formats() -> None:
    """In the package; docs/reports.md says what each is for."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
                items = node.keys if isinstance(node, ast.Dict) else node.elts
                named = {item.value for item in items if isinstance(item, ast.Constant)} & {*FORMATS, "latex"}
                assert len(named) < 2 or path.name == "formats.py", path
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| format | for |\n| --- | --- |\n")
    told = [line.split("`")[1] for line in table.partition("\n\n")[0].splitlines()]
    assert tuple(told) == FORMATS


def wide() -> Report:
    """Long names, long numbers, long formulas, several derivatives and modes."""
    names = ("learning_rate", "momentum_buffer", "weight_decay")
    point = dict(zip(names, (0.1, 1 / 3, -12345.678), strict=True))
    rows = [
        a_check(point, -1 / 3 * 1e-9, 1 / 7, Verdict.MISMATCH, wrt=(name,), mode=mode, rel_error=1.0, note="off")
        for mode in ("reverse", "forward")
        for name in names
    ]
    formula = "relu(learning_rate*momentum_buffer + weight_decay)/(1 + exp(-learning_rate*momentum_buffer))"
    several = a_problem(formula, rows, derivatives=dict.fromkeys(names, formula))
    one = a_problem("x", [a_check({"x": -x / 7}, 1 / x, 1 / x) for x in range(1, 9)])
    return Report((named(several, "forgotten-inner-derivative", 1), named(one, "x" * 60, 2)), VERSIONS)


@pytest.mark.parametrize("report", [whole(), wide()], ids=["whole", "wide"])
def test_no_line_of_a_table_is_wider_than_the_terminal_and_nothing_vanishes(report: Report) -> None:
    """At every width. Names, verdicts and numbers stand whole wherever there is room for one of them at all."""
    for width in (*range(40, 90, 3), *range(90, 201, 22)):
        text = RENDERERS["table"](report, Display(width=width, verbose=width % 2 == 0))
        assert max(map(cell_len, text.splitlines())) <= width
        assert "✗ mismatch" in text
        assert "…" not in text
    for word in ("∂f/∂momentum_buffer", "-3.33333e-10", "learning_rate*momentum_buffer"):
        assert report.problems[0].name == "quartic" or word in RENDERERS["table"](report, Display(width=40))


OVERVIEWS = [
    # (width, the head of the overview): what is least useful goes first, and names break last
    (100, ["problem", "checks", "failed", "worst relative error", "claims", "verdict"]),
    (84, ["problem", "checks", "failed", "error", "claims", "verdict"]),
    (76, ["problem", "checks", "failed", "claims", "verdict"]),
    (68, ["problem", "checks", "claims", "verdict"]),
    (60, ["problem", "checks", "verdict"]),
    (46, ["problem", "verdict"]),
    (40, ["problem", "verdict"]),
]  # fmt: skip


@pytest.mark.parametrize(("width", "head"), OVERVIEWS)
def test_what_is_least_useful_in_an_overview_goes_first(width: int, head: list[str]) -> None:
    rows = [a_check({"x": float(x)}, 1.0, 2.0, Verdict.UNSTABLE, rel_error=1.0) for x in range(2)]
    claims = (Claim(Derivative(("x",)), "2", ClaimStatus.REFUTED, True, 1),)
    problem = named(a_problem("x", rows, claims=claims), "forgotten-inner-derivative", 1)
    known = named(a_problem("x", [replace(rows[0], passed=True)]), "known", 2)
    lines = RENDERERS["table"](Report((problem, known), VERSIONS), Display(width=width)).splitlines()
    rule = next(index for index, line in enumerate(lines) if set(line) == {"─"})
    assert lines[rule - 1].split() == " ".join(head).split()
    assert lines[rule + 1].startswith("forgotten-inner-derivative" if width > 48 else "forgotten-inner-")


def test_the_table_of_a_batch() -> None:
    text = RENDERERS["table"](whole(), Display(width=80))
    overview, _, details = text.partition("\nleak (problems.yaml:12)\n")
    assert overview == (
        "problems.yaml\n"
        "problem   checks  worst relative error  claims  verdict\n"
        "─────────────────────────────────────────────────────────────────────\n"
        "quartic        1                     0  proven  ✓ match\n"
        "kink           1                     –  –       ∧ kink\n"
        "leak           1                   nan  –       ✗ mismatch\n"
        "known          1                   nan  –       ✗ mismatch (expected)\n"
        "unstable       1                   164  –       ~ unstable\n"
        "\n"
        "more.yaml\n"
        "problem  checks  worst relative error  claims   verdict\n"
        "───────────────────────────────────────────────────────────────\n"
        "claim         1                     0  refuted  ✗ refuted claim\n"
        "broken        0                     –  –        ! error\n"
    )
    assert details.startswith("a trap\nf(x) = where(x > 0, sqrt(x), 0)\n")
    assert "claim: f'(x) = 2\ntruth: f'(x) = 2*x\n✗ refuted at x=3: the claim is 2, the derivative 6\n" in details
    assert "• the sign is wrong\n" in details
    assert "! a value is missing\n    x +\n       ^\n" in details
    assert "known (problems.yaml:15)" not in details
    assert "known (problems.yaml:15)" in RENDERERS["table"](whole(), Display(verbose=True))
    quiet = RENDERERS["table"](whole(), Display(quiet=True))
    assert "quartic" not in quiet
    assert "unstable (problems.yaml:20)" in quiet


def test_a_quiet_batch_that_passes_says_nothing() -> None:
    report = Report((named(quartic(), "quartic", 3),), VERSIONS)
    assert RENDERERS["table"](report, Display(quiet=True)) == ""


def test_of_many_problems_those_that_match_are_counted() -> None:
    report = Report(tuple(named(quartic(), f"p{n}", n) for n in range(300)) + whole().problems[1:2], VERSIONS)
    text = RENDERERS["table"](report, Display(all_by="-v"))
    assert "and 300 more that match (-v shows all)\n" in text
    assert "p7" not in text
    assert "kink" in text


def test_the_summary_counts_every_verdict() -> None:
    assert summary_line(whole(), Display()) == (
        "7 problems in 2 files (4 failed), 6 checks (2 failed): 2 match, 1 kink, 1 unstable, 2 mismatch "
        "· 2 claims (1 failed): 1 proven, 1 refuted · 1 problem not checked · 1 file not read "
        "· float64 on cpu · torch 2.13.0\n"
    )
    partial = replace(whole(), not_run=12, interrupted=True)
    assert "interrupted, 12 not run" in summary_line(partial, Display())
    assert "stopped at the first failure, 12 not run" in summary_line(replace(partial, interrupted=False), Display())


def test_junit_reads_back_with_the_same_counts() -> None:
    text = RENDERERS["junit"](whole(), Display())
    found = junitparser.JUnitXml.fromstring(text.encode())
    assert (found.tests, found.failures, found.errors, found.skipped) == (8, 3, 2, 0)
    suites = {suite.name: suite for suite in found}
    assert list(suites) == ["problems.yaml", "more.yaml", "third.yaml"]
    assert (suites["problems.yaml"].tests, suites["problems.yaml"].failures) == (5, 2)
    cases = {case.name: case for suite in found for case in suite}
    assert list(cases) == ["quartic", "kink", "leak", "known", "unstable", "claim", "broken", "the file is read"]
    assert not cases["known"].result
    [failed] = cases["leak"].result
    assert isinstance(failed, junitparser.Failure)
    assert (failed.type, failed.message) == (
        "mismatch", "f'(x) at x=-1: analytical 0, autograd nan (mismatch): the branch | leaks"
    )  # fmt: skip
    [refuted] = cases["claim"].result
    assert refuted.text == ("the claim f'(x) = 2 is refuted: at x=3 it is 2, the derivative 6: the sign is wrong")
    assert isinstance(cases["broken"].result[0], junitparser.Error)
    assert isinstance(cases["the file is read"].result[0], junitparser.Error)
    leak = ET.fromstring(text).find(".//testcase[@name='leak']")
    assert leak is not None
    assert (leak.get("file"), leak.get("line"), leak.get("classname")) == ("problems.yaml", "12", "problems")


def test_a_run_that_did_not_come_to_its_end_is_not_green_in_junit() -> None:
    fine = Report((named(quartic(), "quartic", 3),), VERSIONS, not_run=12)
    interrupted, stopped = (
        junitparser.JUnitXml.fromstring(RENDERERS["junit"](report, Display()).encode())
        for report in (replace(fine, interrupted=True), fine)
    )
    assert (interrupted.tests, interrupted.errors, interrupted.skipped) == (2, 1, 0)
    assert (stopped.tests, stopped.errors, stopped.skipped) == (2, 0, 1)
    [case] = [case for suite in interrupted for case in suite if case.name == "the run"]
    assert case.result[0].message == "interrupted, 12 not run"
    assert not replace(fine, interrupted=True).passed
    assert RENDERERS["markdown"](replace(fine, interrupted=True), Display()).startswith("## ❌")


@given(st.text())
def test_any_text_is_well_formed_xml(text: str) -> None:
    report = Report((named(a_problem("x", [a_check({"x": 1.0}, passed=False, note=text)]), text, 1, text),), VERSIONS)
    ET.fromstring(RENDERERS["junit"](report, Display()))


def test_junit_shows_control_characters() -> None:
    report = Report((named(quartic(), "a\x1b[31m\x00", 1),), VERSIONS)
    assert 'name="a\\x1b[31m\\x00"' in RENDERERS["junit"](report, Display())


def test_github() -> None:
    lines = RENDERERS["github"](whole(), Display()).splitlines()
    assert lines[:2] == [
        "::error file=third.yaml,title=gradcheck::there is no file third.yaml",
        "::error file=problems.yaml,line=12,title=gradcheck%3A leak::"
        "f'(x) at x=-1: analytical 0, autograd nan (mismatch): the branch | leaks",
    ]
    assert len(lines) == 6
    assert lines[-1].startswith("::notice title=gradcheck::7 problems")
    report = Report((named(failure(Request("x"), "100%\nof it"), "a,b:c", 1, "d,e.yaml"),), VERSIONS)
    [first, _] = RENDERERS["github"](report, Display()).splitlines()
    assert first == "::error file=d%2Ce.yaml,line=1,title=gradcheck%3A a%2Cb%3Ac::100%25 of it"


def test_markdown() -> None:
    text = RENDERERS["markdown"](whole(), Display())
    assert text.startswith("## ❌ gradcheck\n")
    assert "- ❌ there is no file third.yaml\n" in text
    assert "| leak (problems.yaml:12) | x=-1 | f'(x) | 0 | nan | ✗ mismatch | the branch \\| leaks |\n" in text
    assert "- claim (more.yaml:2): the claim f'(x) = 2 is refuted: at x=3 it is 2, the derivative 6" in text
    assert "| leak (problems.yaml:12) | a trap | `where(x > 0, sqrt(x), 0)` | 1 | 1 |  | ✗ mismatch |\n" in text
    assert "| known (problems.yaml:15) |  | `where(x > 0, sqrt(x), 0)` | 1 | 0 |  | ✗ mismatch (expected) |\n" in text
    assert RENDERERS["markdown"](Report((named(quartic(), "q", 1),), VERSIONS), Display()).startswith("## ✅ gradcheck")


def test_markdown_has_no_table_without_rows_and_counts_claims() -> None:
    [claim] = whole().problems[5].claims
    proven = replace(claim, status=ClaimStatus.PROVEN, passed=True, counterexample=None)
    alone = replace(whole().problems[5], claims=(claim, proven, proven))
    text = RENDERERS["markdown"](Report((alone,), VERSIONS), Display())
    assert "### Failed\n\n- claim (more.yaml:2): the claim f'(x) = 2 is refuted" in text
    assert "| claim (more.yaml:2) | `x**2` | 1 | 0 | 1 refuted, 2 proven | ✗ refuted claim |\n" in text


TITLED = {
    "table": "\nWeek <3>\n", "json": '"title": "Week <3>"', "json-lines": '"title": "Week <3>"',
    "junit": '<testsuites name="Week &lt;3&gt;"', "markdown": "# {sign} Week &lt;3&gt;\n",
    "latex": "\n\\section*{Week $<$3$>$}\n", "html": "<h1>Week &lt;3&gt;</h1>",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("github", "sarif", "gitlab")])
@pytest.mark.parametrize("report", [whole(), Report((quartic(),), VERSIONS)], ids=["many", "one"])
def test_what_a_report_is_called(report: Report, name: str) -> None:
    """In all formats that have a place for it: those for code review have none."""
    text = RENDERERS[name](replace(report, title="Week <3>"), Display())
    assert TITLED[name].replace("{sign}", "✅" if report.passed else "❌") in f"\n{text}"
    assert "Week" not in RENDERERS[name](report, Display())


PARAGRAPHS = "The first,\n  in two lines.\n \n\nThe second. "


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("table", "The first, in two lines.\n\nThe second.\n\n"),
        ("markdown", "The first, in two lines.\n\nThe second.\n\n"),
        ("latex", "\n\nThe first, in two lines.\n\nThe second.\n\n"),
    ],
)
def test_paragraphs_of_descriptions_are_kept(name: str, said: str) -> None:
    report = replace(whole(), headings=(Heading("problems.yaml", description=PARAGRAPHS),))
    assert said in RENDERERS[name](report, Display())
    described = replace(whole(), problems=(replace(whole().problems[2], description=PARAGRAPHS),))
    assert (said in RENDERERS[name](described, Display())) == (name != "markdown")  # there it is in a cell


@given(st.text())
def test_user_text_stays_in_its_cell(text: str) -> None:
    """Every row of a table has as many bars as its head, whatever is in the note."""
    row = a_check({"x": 1.0}, 1.0, 2.0, Verdict.MISMATCH, passed=False, note=text)
    report = Report((named(a_problem("x", [row]), text or "n", 1),), VERSIONS)
    for line in RENDERERS["markdown"](report, Display()).splitlines():
        if line.startswith("| "):
            bars = line.replace("\\\\", "").replace("\\|", "").count("|")
            assert bars in (7, 8)


FIELDS = {
    "index": int, "name": (str, type(None)), "file": (str, type(None)), "line": (int, type(None)), "expression": str,
    "variables": list, "dtype": str, "device": str, "rtol": float, "atol": float, "verdict": str, "passed": bool,
    "error": (str, type(None)), "checks_total": int, "checks_omitted": int, "claims": list, "checks": list,
}  # fmt: skip
CHECK_FIELDS = {
    "point": dict, "wrt": list, "mode": str, "value": (float, type(None)), "value_autograd": (float, type(None)),
    "value_verdict": (str, type(None)), "analytical": (float, type(None)), "autograd": (float, str, type(None)),
    "left": (float, type(None)), "right": (float, type(None)), "abs_error": (float, str, type(None)),
    "rel_error": (float, str, type(None)), "ulps": (float, type(None)), "expected": (float, type(None)),
    "verdict": str, "passed": bool, "note": (str, type(None)),
}  # fmt: skip


@pytest.mark.parametrize("name", ["json", "json-lines"])
def test_json_has_every_field_with_its_type(name: str) -> None:
    text = RENDERERS[name](whole(), Display())
    if name == "json":
        document = json.loads(text)
        problems = document["problems"]
    else:
        first, *problems, last = map(json.loads, text.splitlines())
        document = {**first, **last}
    assert document["versions"] == VERSIONS
    counts = {"proven": 1, "agrees": 0, "refuted": 1, "unchecked": 0, "unreadable": 0}
    assert document["summary"]["claims"] == counts
    assert document["summary"]["passed"] is False
    for problem in problems:
        assert "expect" in problem
        assert all(isinstance(problem[field], kind) for field, kind in FIELDS.items())
        for check in problem["checks"]:
            assert all(isinstance(check[field], kind) for field, kind in CHECK_FIELDS.items())
    [claim] = problems[5]["claims"]
    assert claim == {
        "wrt": "x", "expression": "2", "analytical": "2*x", "status": "refuted", "passed": False, "points": 25,
        "counterexample": {"point": {"x": 3.0}, "claimed": 2.0, "analytical": 6.0, "exactly": {}, "entry": ""},
        "note": "the sign is wrong", "failure": "refuted",
    }  # fmt: skip
