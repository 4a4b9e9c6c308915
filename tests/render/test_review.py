"""SARIF and GitLab's code quality, from records made by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import attr
import pytest
import sarif_om
from helpers.records import VERSIONS, a_check, a_problem, focal_loss, quartic

from gradcheck_cli.checking.failures import failure
from gradcheck_cli.records.code import Cause, CodeFinding
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.report import AnyResult, Report, Trouble
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import (
    UNEXPECTED,
    UNEXPECTED_CLAIM,
    WRONG_NUMBER,
    Claim,
    ClaimStatus,
    Counterexample,
    Verdict,
)
from gradcheck_cli.render import RENDERERS, rules
from gradcheck_cli.render.display import Display

KINDS = {
    "runs": sarif_om.Run, "tool": sarif_om.Tool, "driver": sarif_om.ToolComponent,
    "rules": sarif_om.ReportingDescriptor, "shortDescription": sarif_om.MultiformatMessageString,
    "fullDescription": sarif_om.MultiformatMessageString, "help": sarif_om.MultiformatMessageString,
    "defaultConfiguration": sarif_om.ReportingConfiguration, "invocations": sarif_om.Invocation,
    "toolExecutionNotifications": sarif_om.Notification, "results": sarif_om.Result, "message": sarif_om.Message,
    "locations": sarif_om.Location, "relatedLocations": sarif_om.Location,
    "physicalLocation": sarif_om.PhysicalLocation, "logicalLocations": sarif_om.LogicalLocation,
    "artifactLocation": sarif_om.ArtifactLocation, "region": sarif_om.Region,
    "automationDetails": sarif_om.RunAutomationDetails,
}  # fmt: skip
"""What an object is, by the property that holds it."""


def require_sarif(value: dict[str, Any], kind: type[Any]) -> None:
    """Each object has the properties that its class has in the standard, and those that it needs."""
    known = {one.metadata["schema_property_name"]: one for one in attr.fields(kind)}
    assert set(value) <= set(known), (kind, set(value) - set(known))
    needed = {name for name, one in known.items() if one.default is attr.NOTHING}
    assert needed <= set(value), (kind, needed - set(value))
    for name, inside in value.items():
        for one in inside if isinstance(inside, list) else [inside]:
            if isinstance(one, dict) and name != "partialFingerprints":
                require_sarif(one, KINDS[name])
    if "level" in value:
        assert value["level"] in ("none", "note", "warning", "error")
    assert value.get("startLine", 1) >= 1


def placed(result: Any, name: str, line: int, file: str = "problems.yaml") -> Any:
    return replace(result, name=name, file=file, line=line)


LEAK = Finding(Code.LEAK, "sqrt(x)")


def leaks(count: int, **fields: Any) -> AnyResult:
    rows = [a_check({"x": -1.0 - k}, 0.0, 1.0, Verdict.MISMATCH, findings=(LEAK,), note="leaks") for k in range(count)]
    return a_problem("where(x > 0, sqrt(x), 0)", rows, **fields)


def refuted() -> Claim:
    return Claim(Derivative(("x",)), "2", ClaimStatus.REFUTED, False, 25, Counterexample({"x": 3.0}, 2.0, 6.0))


def whole(first_line: int = 3) -> Report:
    code = focal_loss(source="src/losses.py")
    slip = CodeFinding(Cause.FACTOR, argument="logits", text="every wrong entry is 4 times the truth")
    off = a_check({"x": 1e-9}, 0.5, -81.7, Verdict.UNSTABLE, passed=False, note="cancellation")
    wrong = replace(a_problem("x**2", [a_check({"x": 3.0}, 6.0, 6.0)], passed=False), claims=(refuted(),))
    broken = failure(Request("x +"), "a value is missing\n  x +\n     ^", bad_input=True)
    return Report(
        (
            placed(quartic(), "right", first_line),
            placed(leaks(3), "leak", first_line + 5),
            placed(leaks(1, checks_failed=500), "problem 3", first_line + 9),
            placed(a_problem("(exp(x)-1)/x", [off]), "lost", first_line + 14),
            placed(wrong, "claim", 2, "/abs/more problems.yaml"),
            placed(broken, "broken", 7, "standard input"),
            placed(replace(code, findings=(*code.findings, slip)), "focal", 30),
        ),
        VERSIONS,
        troubles=(Trouble("problems/a.yaml:2:1: a colon is missing", "problems/a.yaml", 2),),
    )


def rendered(report: Report, name: str) -> Any:
    return json.loads(RENDERERS[name](report, Display()))


def results(report: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rendered(report, "sarif")["runs"][0]["results"]
    return found


@pytest.mark.parametrize(
    "report",
    [
        whole(),
        Report((), VERSIONS, troubles=(Trouble("there is no file"),)),
        Report((quartic(),), {}),
        replace(whole(), shard="2/5", not_run=4, interrupted=True),
        Report((quartic(),), VERSIONS, not_run=4),
        Report((replace(leaks(1), error="it broke", bug=True), focal_loss(passed=False, checks_failed=0)), VERSIONS),
    ],
)
def test_sarif_is_what_the_standard_says(report: Report) -> None:
    log = rendered(report, "sarif")
    require_sarif(log, sarif_om.SarifLog)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert rules[result["ruleIndex"]]["help"]["text"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert run["invocations"][0]["executionSuccessful"] is not bool(report.troubles or report.interrupted or report.bug)
    assert ("automationDetails" in run) == (report.shard is not None)


def test_what_is_about_the_run_is_no_result() -> None:
    report = Report(
        (placed(leaks(1), "leak", 3),), VERSIONS, not_run=4, interrupted=True, troubles=(Trouble("-k: no"),)
    )
    (run,) = rendered(report, "sarif")["runs"]
    assert [one["ruleId"] for one in run["results"]] == ["mismatch/leak"]
    told = [(one["level"], one["message"]["text"]) for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert told == [("error", "-k: no"), ("error", "interrupted, 4 not run")]
    assert [one["location"]["path"] for one in rendered(report, "gitlab")] == [".", ".", "problems.yaml"]


def physical(location: dict[str, Any]) -> tuple[str, int | None] | None:
    place = location.get("physicalLocation")
    return place and (place["artifactLocation"]["uri"], place.get("region", {}).get("startLine"))


def test_what_fails_has_a_rule_and_a_place() -> None:
    found = results(whole())
    assert [(one["ruleId"], one["level"], physical(one["locations"][0])) for one in found] == [
        ("unreadable", "error", ("problems/a.yaml", 2)),
        ("mismatch/leak", "error", ("problems.yaml", 8)),
        ("mismatch/leak", "error", ("problems.yaml", 12)),
        ("unstable", "warning", ("problems.yaml", 17)),
        ("refuted", "error", ("file:///abs/more%20problems.yaml", 2)),
        ("unreadable", "error", None),
        ("mismatch/factor", "error", ("src/losses.py", 18)),
    ]
    assert [physical(one) for one in found[-1]["relatedLocations"]] == [("problems.yaml", 30)]
    messages = [one["message"]["text"] for one in found]
    assert messages[0] == "problems/a.yaml:2:1: a colon is missing"
    assert messages[1] == "leak: f'(x) at x=-1: analytical 0, autograd 1 (mismatch): leaks (and 2 more rows like it)"
    assert messages[4] == "claim: the claim f'(x) = 2 is refuted: at x=3 it is 2, the derivative 6"
    assert messages[5] == "broken: a value is missing"
    assert messages[6].splitlines()[:2] == [
        "focal: FocalLoss.backward (losses.py:18) is wrong by logits", "every wrong entry is 4 times the truth",
    ]  # fmt: skip


def test_code_that_is_of_no_problem_file() -> None:
    (found,) = results(Report((focal_loss(source="losses.py"),), VERSIONS))
    assert physical(found["locations"][0]) == ("losses.py", 18)
    assert [physical(one) for one in found["relatedLocations"]] == [("losses.py", 25)]
    shown = RENDERERS["github"](Report((focal_loss(source="losses.py"),), VERSIONS), Display())
    assert shown.startswith("::error file=losses.py,line=18,title=gradcheck%3A focal_loss(logits%2C target)::4 of 12 ")


@pytest.mark.parametrize("name", ["sarif", "gitlab", "github", "markdown", "junit", "table"])
@pytest.mark.parametrize("in_file", [False, True])
def test_code_has_its_cause_its_place_its_blocks_and_its_worst_entries_everywhere(name: str, in_file: bool) -> None:
    result = focal_loss(source="src/losses.py")
    slip = CodeFinding(Cause.FACTOR, argument="logits", text="every wrong entry is 4 times the truth")
    result = replace(result, findings=(*result.findings, slip))
    report = Report((placed(result, "focal", 30) if in_file else result,), VERSIONS)
    shown = RENDERERS[name](report, Display()).replace("\\u2202", "∂").replace("\\[", "[").replace("\\]", "]")
    for said in ("(losses.py:18) is wrong by logits", "every wrong entry is 4 times the truth", "∂out/∂logits[0,1]",
                 "-0.0597916", "mismatch"):  # fmt: skip
        assert said in shown, said


def test_of_many_derivatives_and_entries_some_are_said() -> None:
    result = focal_loss(source="src/losses.py", checks_failed=900)
    many = replace(result, blocks=tuple(replace(result.blocks[0], input=f"w{k}") for k in range(6)))
    (one,) = results(Report((many,), VERSIONS))
    lines = one["message"]["text"].splitlines()
    assert lines[5] == "and 2 more derivatives that failed"
    assert lines[-1] == "and 897 more entries that failed"
    assert len(lines) == 10


def test_places_are_from_the_root_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "course" / "week").mkdir(parents=True)
    report = Report((placed(leaks(1), "leak", 3), focal_loss(source=str(tmp_path / "src" / "losses.py"))), VERSIONS)
    marks = set()
    for folder, named in (("course/week", "a.yaml"), ("course", "week/a.yaml"), (".", "./course/week/a.yaml")):
        monkeypatch.chdir(tmp_path / folder)
        here = replace(report, problems=(placed(leaks(1), "leak", 3, named), report.problems[1]))
        marks |= fingerprints(here)
        assert [physical(one["locations"][0]) for one in results(here)] == [
            ("course/week/a.yaml", 3), ("src/losses.py", 18)]  # fmt: skip
        assert [one["location"]["path"] for one in rendered(here, "gitlab")] == ["course/week/a.yaml", "src/losses.py"]
        of_github = RENDERERS["github"](here, Display())
        assert "::error file=course/week/a.yaml,line=3," in of_github
        assert "::error file=src/losses.py,line=18," in of_github
    assert len(marks) == 2


def test_gitlab() -> None:
    found = rendered(whole(), "gitlab")
    assert all(set(one) == {"description", "check_name", "fingerprint", "severity", "location"} for one in found)
    assert [(one["check_name"], one["severity"], one["location"]) for one in found] == [
        (f"gradcheck/{rule}", severity, {"path": path, "lines": {"begin": line}})
        for rule, severity, path, line in [
            ("unreadable", "major", "problems/a.yaml", 2),
            ("mismatch/leak", "major", "problems.yaml", 8),
            ("mismatch/leak", "major", "problems.yaml", 12),
            ("unstable", "minor", "problems.yaml", 17),
            ("refuted", "major", "/abs/more problems.yaml", 2),
            ("unreadable", "major", ".", 1),
            ("mismatch/factor", "major", "src/losses.py", 18),
        ]
    ]
    assert rendered(Report((quartic(),), VERSIONS), "gitlab") == []
    (one,) = rendered(Report((placed(leaks(1), "leak", 1, "./a/../b.yaml"),), VERSIONS), "gitlab")
    assert one["location"]["path"] == "b.yaml"


def fingerprints(report: Report) -> set[str]:
    of_gitlab = [one["fingerprint"] for one in rendered(report, "gitlab")]
    assert of_gitlab == [one["partialFingerprints"]["gradcheck/v1"] for one in results(report)]
    assert len(set(of_gitlab)) == len(of_gitlab)
    return set(of_gitlab)


def test_a_fingerprint_stays_while_lines_and_problems_move() -> None:
    before = fingerprints(whole())
    assert fingerprints(whole(first_line=40)) == before
    problems = list(whole().problems)
    random.Random(0).shuffle(problems)
    assert fingerprints(replace(whole(), problems=tuple(problems))) == before
    renumbered = [replace(one, name="problem 9") if one.name == "problem 3" else one for one in problems]
    assert fingerprints(replace(whole(), problems=tuple(renumbered))) == before
    renamed = [replace(one, name="another") if one.name == "leak" else one for one in problems]
    assert len(fingerprints(replace(whole(), problems=tuple(renamed))) - before) == 1


def every_failure() -> Iterator[str]:
    yield from (verdict.value for verdict in Verdict)
    yield from (status.value for status in ClaimStatus if not status.passes)
    yield from (WRONG_NUMBER, UNEXPECTED, UNEXPECTED_CLAIM, rules.BUG, rules.UNREADABLE, rules.INTERRUPTED)


def test_every_failure_and_cause_has_a_rule_with_help() -> None:
    found = [rules.rule(name) for name in every_failure()]
    found += [rules.rule("mismatch", cause) for cause in (*Code, *Cause)]
    assert len({one.id for one in found}) == len({one.value for one in (*Code, *Cause)}) + len(set(every_failure()))
    for one in found:
        assert one.id.isascii()
        assert " " not in one.id
        assert one.help.endswith(".")
