"""Reports of the same run agree with one another in every count: generated batches, read back from every format."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

import pytest
from helpers.records import VERSIONS, a_check, a_problem, focal_loss
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.batch.report_files import problem_record
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.report import AnyResult, Report, Trouble
from gradcheck_cli.records.results import Claim, ClaimStatus, ProblemResult, Verdict, worst_first
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import FORMATS
from gradcheck_cli.render.summary import summary_line


@st.composite
def problems(draw: st.DrawFn) -> ProblemResult:
    """A formula with rows of every kind, of which the worst are listed, and with claims; or one that has no row."""
    if draw(st.integers(0, 5)) == 0:
        return a_problem("x +", [], error="something is missing\n  x +\n     ^", bad_input=True)
    kinds = st.tuples(st.sampled_from(Verdict), st.booleans(), st.sampled_from([Code.EXPECTED, Code.EXPECTED_NUMBER]))
    counts = draw(st.lists(st.tuples(kinds, st.integers(1, 40)), min_size=1, max_size=4))
    kept = draw(st.integers(1, 60))
    rows = [
        a_check({"x": float(place * 1000 + number)}, 1.0, 2.0, verdict, passed=passed, rel_error=float(number),
                findings=() if passed else (Finding(code),), note=draw(st.sampled_from([None, "n", "m 1"])))
        for place, ((verdict, passed, code), count) in enumerate(counts) for number in range(count)
    ]  # fmt: skip
    claims = tuple(
        Claim(Derivative(("x",)), "2*x", status, passed, 3)
        for status, passed in draw(st.lists(st.tuples(st.sampled_from(ClaimStatus), st.booleans()), max_size=3))
    )
    whole = a_problem("x**2", rows, claims=claims)
    passed = whole.passed and all(claim.passed for claim in claims)
    listed = tuple(rows if len(rows) <= kept else sorted(rows, key=worst_first)[:kept])
    return replace(whole, checks=listed, passed=passed)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """A batch, or a single formula."""
    if draw(st.booleans()):
        return Report((draw(problems()),), VERSIONS)
    found: list[AnyResult] = draw(st.lists(problems(), max_size=4))
    if draw(st.booleans()):
        found.append(focal_loss())
    named = [
        replace(result, name=f"p{index}", file=draw(st.sampled_from(["a.yaml", "b.yaml"])), line=index, index=index)
        for index, result in enumerate(found)
    ]
    troubles = tuple(Trouble(f"t{n}.yaml:3: no", f"t{n}.yaml", 3) for n in range(draw(st.integers(0, 2))))
    left = draw(st.integers(0, 3))
    return Report(tuple(named), VERSIONS, not_run=left, interrupted=left > 1, troubles=troubles)


@dataclass(frozen=True)
class Counts:
    """What a report says of how many: of problems, rows and claims, all and failed, and by verdict and status."""

    problems: tuple[int, int, int]
    rows: tuple[int, int]
    verdicts: dict[str, int]
    claims: tuple[int, int]
    statuses: dict[str, int]


def truth(report: Report) -> Counts:
    """Counted here, from the problems."""
    verdicts, statuses = Counter[str](), Counter[str]()
    for result in report.problems:
        verdicts.update({verdict.value: count for verdict, count in result.counts.items() if count})
        statuses.update(claim.status.value for claim in result.claims)
    failed = [result for result in report.problems if not result.passed]
    without = sum(not result.checks_total for result in report.problems)
    claims_failed = sum(not claim.passed for result in report.problems for claim in result.claims)
    rows = sum(verdicts.values()), sum(result.checks_failed for result in report.problems)
    return Counts((len(report.problems), len(failed), without), rows, dict(verdicts),
                  (sum(statuses.values()), claims_failed), dict(statuses))  # fmt: skip


def number(text: str | None) -> int:
    return int((text or "0").replace(",", ""))


SUMMARY = re.compile(
    r"(?:(\d[\d,]*) (?:problem|function)s?(?: \((\d[\d,]*) failed\))?, )?"
    r"(\d[\d,]*) (?:checks?|entr(?:y|ies))(?: \((\d[\d,]*) failed\))?(?:: ([^·\n]*))?"
)


def from_summary(line: str, expected: Counts) -> Counts:
    """Of a single check or claim that failed as its verdict says, the number is not repeated."""
    part = SUMMARY.search(line)
    assert part is not None, line
    verdicts = {name: number(count) for count, name in re.findall(r"(\d[\d,]*) (\w+)", part[5] or "")}
    claims = re.search(r"· (\d[\d,]*) claims?(?: \((\d[\d,]*) failed\))?: ([^·]*)", line)
    statuses = {name: number(count) for count, name in re.findall(r"(\d[\d,]*) (\w+)", claims[3] if claims else "")}
    without = re.search(r"(\d[\d,]*) (?:problem|function)s? not checked", line)

    def failed(total: int, told: str | None, kinds: dict[str, int], passes: set[str]) -> int:
        return sum(kinds[kind] for kind in kinds if kind not in passes) if total == 1 and not told else number(told)

    rows = number(part[3])
    rows_failed = failed(rows, part[4], verdicts, {v.value for v in Verdict if v.passes})
    claimed = number(claims[1]) if claims else 0
    claims_failed = failed(claimed, claims and claims[2], statuses, {s.value for s in ClaimStatus if s.passes})
    told = (number(part[1]), number(part[2])) if part[1] else expected.problems[:2]  # one formula has no name to count
    return Counts((*told, number(without and without[1])), (rows, rows_failed), verdicts,
                  (claimed, claims_failed), statuses)  # fmt: skip


def from_json(summary: dict[str, object]) -> Counts:
    def some(names: list[str], fields: dict[str, int]) -> dict[str, int]:
        return {name: fields[name] for name in names if fields[name]}

    fields: dict[str, int] = summary  # type: ignore[assignment]
    claims: dict[str, int] = summary["claims"]  # type: ignore[assignment]
    return Counts(
        (fields["problems"], fields["problems_failed"], fields["problems_without_check"]),
        (fields["checks"], fields["checks_failed"]),
        some([verdict.value for verdict in Verdict], fields),
        (sum(claims.values()), fields["claims_failed"]),
        some([status.value for status in ClaimStatus], claims),
    )


def shown_of(text: str) -> list[tuple[int, int, int]]:
    """(shown, of all, failed) of each list of rows that says that it is not whole."""
    found = re.findall(
        r"(?:the )?(\d[\d,]*)(?: worst)? of (\d[\d,]*) rows?(?: \((\d[\d,]*) failed\))?, in the order", text
    )
    return [(number(shown), number(total), number(failed)) for shown, total, failed in found]


def require_whole_or_told(result: ProblemResult, rows: int, text: str) -> None:
    """A list of rows has all of them, or says how many there are and how many failed."""
    if rows == result.checks_total:
        assert shown_of(text) == []
    else:
        assert shown_of(text) == [(rows, result.checks_total, result.checks_failed)]


def per_problem(report: Report) -> list[tuple[str, int, int]]:
    return [(str(result.name), result.checks_total, result.checks_failed) for result in report.problems]


@settings(max_examples=40, deadline=None)
@given(reports(), st.booleans())
def test_every_format_has_the_same_counts(report: Report, verbose: bool) -> None:
    expected = truth(report)
    assert expected.rows[0] == sum(expected.verdicts.values()) == report.checks
    display = Display(width=100, verbose=verbose)
    texts = {name: RENDERERS[name](report, display) for name in FORMATS}

    document = json.loads(texts["json"])
    lines = [json.loads(line) for line in texts["json-lines"].splitlines()]
    assert from_json(document["summary"]) == from_json(lines[-1]["summary"]) == expected
    assert document["problems"] == lines[1:-1]
    for item, result in zip(document["problems"], report.problems, strict=True):
        assert (item["checks_total"], item["checks_failed"]) == (result.checks_total, result.checks_failed)
        assert sum(item["counts"].values()) == item["checks_total"] == len(item["checks"]) + item["checks_omitted"]

    # The summary goes to standard error with the table.
    assert from_summary(summary_line(report, display), expected) == expected
    heads = texts["markdown"].startswith(("## ✅ gradcheck", "## ❌ gradcheck"))
    for name, place in (("github", -1), ("latex", -1), ("markdown", 2 if heads else -1)):
        line = texts[name].rstrip().splitlines()[place]
        assert from_summary(line.replace("$\\cdot$", "·"), expected) == expected, name

    root = ET.fromstring(texts["junit"])
    unread = len(report.troubles) + report.interrupted
    stopped = bool(report.not_run) and not report.interrupted
    assert number(root.get("tests")) == expected.problems[0] + unread + stopped
    assert number(root.get("skipped")) == stopped
    assert number(root.get("failures")) + number(root.get("errors")) == expected.problems[1] + unread
    cases = [case for case in root.iter("testcase") if case.find("properties") is not None]
    told = [{item.attrib["name"]: number(item.get("value")) for item in case.iter("property")} for case in cases]
    assert (sum(one["rows"] for one in told), sum(one["rows_failed"] for one in told)) == expected.rows
    for case, one in zip(cases, told, strict=True):
        body = "".join(element.text or "" for element in case if element.tag in ("failure", "error"))
        more = re.search(r"and (\d[\d,]*) more (?:rows?|entr(?:y|ies)) that failed", body)
        assert one["rows_shown"] + number(more and more[1]) >= one["rows_failed"]

    commands = texts["github"].splitlines()
    assert sum(line.startswith("::error") for line in commands) == expected.problems[1] + len(report.troubles)
    for failed, rows in re.findall(r"::(\d[\d,]*) of (\d[\d,]*) rows? ", texts["github"]):
        assert (number(rows), number(failed)) in [(total, wrong) for _, total, wrong in per_problem(report)]

    if report.is_batch:
        table = re.findall(r"^(p\d) +(\d[\d,]*)(?: +(\d[\d,]*))?  +\S", texts["table"], re.MULTILINE)
        overview = {name: number(rows) for name, rows, _ in table}
        assert overview == {name: rows for name, rows, _ in per_problem(report)}
        folded = re.findall(r"^\| (p\d) [^|]*\| [^|]*\| (\d[\d,]*) \| (\d[\d,]*) \|", texts["markdown"], re.MULTILINE)
        assert sorted((name, number(rows), number(failed)) for name, rows, failed in folded) == per_problem(report)
        arrays = re.findall(r"\\text\{(p\d)\} & ([\d{},]+) & ([\d{},]+) &", texts["latex"])
        plain = [(name, *(number(n.replace("{", "").replace("}", "")) for n in counts)) for name, *counts in arrays]
        assert sorted(plain) == per_problem(report)  # file by file
        return
    for result in report.problems:
        if not isinstance(result, ProblemResult) or result.error is not None:
            continue
        table = " ".join(texts["table"].split())
        latex = texts["latex"], r"\n  \$?\d+\$? & "
        for text, row in ((table, r" [✓≈∧~✗∅!] \w"), (texts["markdown"], r"\n\| \d"), latex):
            claims = len(result.claims) if text is table else 0
            require_whole_or_told(result, len(re.findall(row, text)) - claims, text)


@settings(max_examples=10, deadline=None)
@given(reports())
def test_what_is_read_back_and_merged_has_the_same_counts(report: Report) -> None:
    document = json.loads(RENDERERS["json"](report, Display()))
    again = replace(report, problems=tuple(map(problem_record, document["problems"])))
    assert truth(again) == truth(report)
    for name in FORMATS:
        assert RENDERERS[name](again, Display()) == RENDERERS[name](report, Display())


@pytest.mark.parametrize("quiet", [False, True])
def test_what_is_left_out_is_told(quiet: bool) -> None:
    """Also with -q, and where more failed than a record holds."""
    rows = [a_check({"x": float(x)}, 1.0, 2.0, Verdict.MISMATCH, rel_error=1.0) for x in range(100)]
    counts = {Verdict.MISMATCH: 300, Verdict.MATCH: 5}
    result = a_problem("x", rows, checks_total=305, checks_failed=300, counts=counts)
    text = RENDERERS["table"](Report((result,), VERSIONS), Display(width=200, quiet=quiet, all_by="-v"))
    left_out = "the 20 worst of 305 rows (300 failed), in the order of the points; left out: 5 match, 280 mismatch"
    failed = "the 20 worst of the 300 rows that failed, of 305"
    assert text.splitlines()[-1] == f"{failed if quiet else left_out} (-v shows all)"
