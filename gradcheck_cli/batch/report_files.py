"""Reports that were written before, read again: JSON and JSON Lines to records."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.code import Block, Cause, CodeFinding, CodeResult, Entry, Held, TensorInput, ValueBlock
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code, Finding
from gradcheck_cli.records.report import AnyResult, Heading, Report, Trouble
from gradcheck_cli.records.request import options_of
from gradcheck_cli.records.results import (
    Check,
    Claim,
    ClaimStatus,
    Counterexample,
    ProblemResult,
    Remedy,
    Verdict,
)
from gradcheck_cli.text_files import STANDARD_INPUT, read_source

Json = Mapping[str, Any]
MOST_PARTS = 5
"""Parts that are named where they are missing."""
T = TypeVar("T")


@dataclass(frozen=True)
class Written:
    """What a file holds. finished: whether its run came to an end; summary: of that run.

    options: of the first line of JSON Lines.
    """

    problems: tuple[AnyResult, ...]
    versions: Mapping[str, str]
    summary: Json = field(default_factory=dict)
    finished: bool = True
    options: Json = field(default_factory=dict)


def read_report(name: str) -> Written:
    """The report in a file. Raises UsageError for what is no report; a line that was cut off at the end is left out."""
    text = _text(name)
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    try:
        if isinstance(document, dict) and "problems" in document:
            problems = tuple(problem_record(item) for item in document["problems"])
            return Written(problems, document["versions"], document["summary"])
        return _from_lines(text)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{name} is no report of gradcheck: write one by --output-format json or json-lines"
        ) from error


def _text(name: str) -> str:
    """Reports may be larger than problem files."""
    if name == STANDARD_INPUT:
        return read_source(name)
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise UsageError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error


def _from_lines(text: str) -> Written:
    versions: Mapping[str, str] | None = None
    options: Json = {}
    problems: list[AnyResult] = []
    summary: Json | None = None
    for document in _documents(text):
        if "summary" in document:
            summary = document["summary"]
        elif "versions" in document:
            versions, options = document["versions"], document.get("options") or {}
        elif "check" not in document:  # --all-rows: the problem's own line comes below
            problems.append(problem_record(document))
    if versions is None:
        raise ValueError("there is no first line")
    return Written(tuple(problems), versions, summary or {}, summary is not None, options)


def _documents(text: str) -> Iterator[Json]:
    *lines, last = text.split("\n")
    for line in lines:
        yield json.loads(line)
    if last:
        try:
            document = json.loads(last)
        except ValueError:
            return  # the run was killed while it wrote this line
        yield document


def merged(reports: Mapping[str, Written]) -> Report:
    """One report of several, by the name of their file: all problems in the order of their index.

    Raises UsageError where two hold the same problem, or where they come from different versions.
    """
    if not reports:
        raise UsageError("there is no report to merge")
    (first_name, first), *others = reports.items()
    for name, report in others:
        if report.versions != first.versions:
            differing = [
                key
                for key in {**first.versions, **report.versions}
                if first.versions.get(key) != report.versions.get(key)
            ]
            raise UsageError(f"{first_name} and {name} come from different versions of {', '.join(differing)}")
    where: dict[tuple[object, ...], str] = {}
    for name, report in reports.items():
        for problem in report.problems:
            key = (problem.file, problem.name, problem.index)
            if key in where:
                raise UsageError(f"{where[key]} and {name} both hold the problem {problem.title}")
            where[key] = name
    summaries = [report.summary for report in reports.values()]
    titles = {summary.get("title") for summary in summaries}
    problems = sorted((p for report in reports.values() for p in report.problems), key=lambda problem: problem.index)
    return Report(
        tuple(problems),
        first.versions,
        seconds=sum(float(report.summary.get("seconds", 0.0)) for report in reports.values()),
        not_run=sum(int(report.summary.get("not_run", 0)) for report in reports.values()),
        interrupted=any(not r.finished or bool(r.summary.get("interrupted")) for r in reports.values()),
        troubles=tuple(dict.fromkeys([*chain.from_iterable(map(_troubles, summaries)), *_missing(summaries)])),
        headings=tuple(dict.fromkeys(heading for report in reports.values() for heading in _headings(report.summary))),
        title=titles.pop() if len(titles) == 1 else None,
    )


def _missing(summaries: Iterable[Json]) -> Iterator[Trouble]:
    """What is wrong where parts of a run, by --shard, are not all there."""
    seen: dict[int, set[int]] = {}
    for summary in summaries:
        if shard := summary.get("shard"):
            part, _, of = str(shard).partition("/")
            seen.setdefault(int(of), set()).add(int(part))
    for parts, found in sorted(seen.items()):
        absent = [f"{part}/{parts}" for part in range(1, parts + 1) if part not in found]
        more = f" and {len(absent) - MOST_PARTS} more" if len(absent) > MOST_PARTS else ""
        if len(absent) == 1:
            yield Trouble(f"the part {absent[0]} of the run is missing")
        elif absent:
            yield Trouble(f"the parts {', '.join(absent[:MOST_PARTS])}{more} of the run are missing")


def _headings(summary: Json) -> Iterator[Heading]:
    for one in summary.get("headings", ()):
        yield Heading(one["file"], one.get("title"), one.get("description"))


def _troubles(summary: Json) -> Iterator[Trouble]:
    sentences = summary.get("troubles", ())
    nowhere: list[Json] = [{} for _ in sentences]
    for sentence, place in zip(sentences, summary.get("trouble_places", nowhere), strict=True):
        yield Trouble(sentence, place.get("file"), place.get("line"))


def shared_options(reports: Iterable[Written]) -> dict[str, object]:
    """The options that all reports have alike; None for the others."""
    first, *others = (options_of(report.options) for report in reports)
    return {name: value if all(value == other[name] for other in others) else None for name, value in first.items()}


def problem_record(item: Json) -> AnyResult:
    """A problem of a report. Raises KeyError, TypeError or ValueError for what is none."""
    common: dict[str, Any] = {name: item[name] for name in _AS_WRITTEN}
    common |= {
        "verdict": Verdict(item["verdict"]),
        "passed": bool(item["passed"]),
        "order": int(item["order"]),
        "index": int(item["index"]),
        "tags": tuple(item["tags"]),
        "bad_input": bool(item["bad_input"]),
        "bug": bool(item["bug"]),
        "notices": tuple(item["notices"]),
        "seconds": float(item["seconds"]),
        "key": item.get("key"),
        **{name: _maybe(float, item[name]) for name in ("rtol", "atol")},
    }
    return _code(item, common) if item.get("kind") in ("code", "arrays") else _formula(item, common)


_AS_WRITTEN = ("dtype", "device", "name", "file", "line", "description", "expect", "error")


def _formula(item: Json, common: Json) -> ProblemResult:
    return ProblemResult(
        expression=item["expression"],
        variables=tuple(item["variables"]),
        derivatives=item.get("derivatives"),
        lets=item["lets"],
        expect_claim=item["expect_claim"],
        checks=tuple(_check(check) for check in item["checks"]),
        checks_total=int(item["checks_total"]),
        checks_failed=int(item.get("checks_failed", sum(not check["passed"] for check in item["checks"]))),
        counts=_counts(item["counts"]),
        claims=tuple(_claim(claim) for claim in item["claims"]),
        formula=item.get("formula"),
        function_name=item.get("function_name"),
        definitions=item.get("definitions"),
        **common,
    )


def _code(item: Json, common: Json) -> CodeResult:
    return CodeResult(
        subject=item["subject"],
        place=item["place"],
        inputs=tuple(TensorInput(**{**given, "shape": tuple(given["shape"])}) for given in item["inputs"]),
        blocks=tuple(_block(block) for block in item["blocks"]),
        values=tuple(_value(value) for value in item["values"]),
        checks=tuple(_entry(entry) for entry in item["checks"]),
        checks_failed=int(item["checks_failed"]),
        findings=tuple(_code_finding(finding) for finding in item["findings"]),
        held=tuple(Held(**held) for held in item["held"]),
        operations=int(item["operations"]),
        source=item.get("source", ""),
        sources=item.get("sources"),
        wrong_numbers=int(item.get("wrong_numbers", 0)),
        unexpected=_maybe(Verdict, item.get("unexpected")),
        expression=item.get("expression"),
        lets=item.get("lets", {}),
        claims=tuple(_claim(claim) for claim in item.get("claims", ())),
        **common,
    )


def _code_finding(item: Json) -> CodeFinding:
    numbers = {name: _number(value) for name, value in item["numbers"].items()}
    return CodeFinding(**{**item, "cause": Cause(item["cause"]), "numbers": numbers})


def _block(item: Json) -> Block:
    return Block(
        output=item["output"],
        input=item["input"],
        mode=item["mode"],
        shape=(tuple(item["shape"]["output"]), tuple(item["shape"]["input"])),
        verdict=Verdict(item["verdict"]),
        passed=bool(item["passed"]),
        counts=_counts(item["counts"]),
        worst=_maybe(_number, item["worst"]),
        cotangents=item["cotangents"],
        analytical=_flat(item.get("analytical")),
        autograd=_flat(item.get("autograd")),
    )


def _flat(numbers: object) -> tuple[float | None, ...] | None:
    """The entries of nested lists, row by row."""
    if numbers is None:
        return None
    if not isinstance(numbers, list):
        return (_number(numbers),)
    parts = [(None,) if one is None else _flat(one) or () for one in numbers]
    return tuple(one for part in parts for one in part)


def _value(item: Json) -> ValueBlock:
    return ValueBlock(**{
        **item, "shape": tuple(item["shape"]), "verdict": Verdict(item["verdict"]),
        "worst": _maybe(_number, item["worst"]), "unexplained": _number(item["unexplained"]),
        "numbers": None if item.get("numbers") is None else tuple(map(_number, item["numbers"])),
    })  # fmt: skip


def _entry(item: Json) -> Entry:
    numbers = {name: _maybe(_number, item[name]) for name in _ENTRY_NUMBERS}
    return Entry(**{**item, **numbers, "wrt": tuple(item["wrt"]), "verdict": Verdict(item["verdict"])})


_ENTRY_NUMBERS = ("analytical", "autograd", "left", "right", "abs_error", "rel_error", "ulps", "scale")


def _counts(item: Json) -> dict[Verdict, int]:
    return {Verdict(name): int(count) for name, count in item.items() if count}


def _check(item: Json) -> Check:
    return Check(
        point={name: _number(value) for name, value in item["point"].items()},
        derivative=Derivative(tuple(item["wrt"])),
        mode=item["mode"],
        verdict=Verdict(item["verdict"]),
        passed=bool(item["passed"]),
        value_verdict=_maybe(Verdict, item["value_verdict"]),
        note=item["note"],
        blame=_maybe(lambda found: Finding(Code(found["cause"]), found["step"], found["name"]), item.get("blame")),
        remedy=_maybe(_remedy, item.get("remedy")),
        findings=tuple(map(_finding, item.get("findings", ()))),
        **{name: _maybe(_number, item[name]) for name in _NUMBERS},
    )


_NUMBERS = (
    "value", "value_autograd", "analytical", "autograd", "left", "right", "abs_error", "rel_error", "ulps", "expected",
)  # fmt: skip


def _finding(item: Json) -> Finding:
    return Finding(
        Code(item["code"]),
        item.get("step", ""),
        item.get("name", ""),
        int(item.get("order", 0)),
        tuple(item.get("operands", ())),
        {name: _number(value) for name, value in item.get("numbers", {}).items()},
        dict(item.get("texts", {})),
        tuple(map(_finding, item.get("parts", ()))),
    )


def _claim(item: Json) -> Claim:
    return Claim(
        derivative=Derivative(tuple(filter(None, item["wrt"].split(",")))),
        expression=item["expression"],
        status=ClaimStatus(item["status"]),
        passed=bool(item["passed"]),
        points=int(item["points"]),
        counterexample=_maybe(_counterexample, item["counterexample"]),
        note=item["note"],
        analytical=item["analytical"],
    )


def _counterexample(item: Json) -> Counterexample:
    point = {name: _number(value) for name, value in item["point"].items()}
    exactly = dict(item.get("exactly", {}))
    return Counterexample(point, _number(item["claimed"]), _number(item["analytical"]), exactly, item.get("entry", ""))


def _remedy(item: Json) -> Remedy:
    numbers = {name: _maybe(_number, item[name]) for name in ("autograd", "before")}
    return Remedy(**{**item, **numbers})


def _maybe(make: Callable[[Any], T], item: Any) -> T | None:
    return None if item is None else make(item)


def _number(item: Any) -> float:
    """A number of our JSON, where what is not finite is a string."""
    if isinstance(item, str) and item not in ("nan", "inf", "-inf"):
        raise ValueError(item)
    return math.nan if item == "nan" else float(item)
