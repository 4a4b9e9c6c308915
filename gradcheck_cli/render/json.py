"""JSON: a contract with programs. Fields may be added, never renamed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum

from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.finding import Finding
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check, Claim, ProblemResult, Verdict
from gradcheck_cli.render.code import json as code
from gradcheck_cli.render.display import Display

Json = dict[str, object]


def render_json(report: Report, display: Display) -> str:
    """One JSON document, indented, with a newline at its end."""
    document: Json = {
        "versions": dict(report.versions),
        "summary": summary(report),
        "problems": [problem(result) for result in report.problems],
    }
    return dump(document, indent=2) + "\n"


def dump(value: object, indent: int | None = None) -> str:
    """Valid JSON in ASCII: numbers that JSON lacks become strings. Raises TypeError for what is not plain data."""
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def summary(report: Report) -> Json:
    return {
        "problems": len(report.problems),
        "problems_failed": report.problems_failed,
        "problems_without_check": report.problems_without_check,
        "checks": report.checks,
        "checks_failed": report.checks_failed,
        **{verdict.value: count for verdict, count in report.counts.items()},
        "claims": {status.value: count for status, count in report.claims.items()},
        "claims_failed": report.claims_failed,
        "passed": report.passed,
        "seconds": round(report.seconds, 6),
        "not_run": report.not_run,
        "interrupted": report.interrupted,
        "troubles": [trouble.message for trouble in report.troubles],
        "trouble_places": [{"file": trouble.file, "line": trouble.line} for trouble in report.troubles],
        "shard": report.shard,
        "title": report.title,
        "headings": [asdict(heading) for heading in report.headings],
    }


def problem(result: AnyResult) -> Json:
    """One problem, of either kind."""
    if isinstance(result, CodeResult):
        kind = "code" if result.expression is None else "arrays"
        own = code.fields(result) | {"claims": [_claim(claim) for claim in result.claims]}
    else:
        kind, own = "formula", _formula(result)
    return {
        "index": result.index,
        "kind": kind,
        "name": result.name,
        "file": result.file,
        "line": result.line,
        "order": result.order,
        "dtype": result.dtype,
        "device": result.device,
        "rtol": result.rtol,
        "atol": result.atol,
        "expect": result.expect,
        "description": result.description,
        "tags": list(result.tags),
        "verdict": result.verdict.value,
        "passed": result.passed,
        "failure": result.failure,
        "error": result.error,
        "bad_input": result.bad_input,
        "bug": result.bug,
        "key": result.key,
        "checks_total": result.checks_total,
        "checks_failed": result.checks_failed,
        "checks_omitted": result.checks_omitted,
        "counts": {verdict.value: result.counts.get(verdict, 0) for verdict in Verdict},
        "notices": list(result.notices),
        "seconds": round(result.seconds, 6),
        **own,
    }


def _formula(result: ProblemResult) -> Json:
    """What a formula has and code has not. `derivatives` is left out where they were not asked for."""
    fields: Json = {
        "expression": result.expression,
        "formula": result.formula,
        "function_name": result.function_name,
        "definitions": result.definitions,
        "variables": list(result.variables),
        "lets": dict(result.lets),
        "derivatives": result.derivatives,
        "expect_claim": result.expect_claim,
        "claims": [_claim(claim) for claim in result.claims],
        "checks": [row(check) for check in result.checks],
    }
    if result.derivatives is None:
        del fields["derivatives"]
    return fields


def row(check: Check) -> Json:
    """One row."""
    return {
        "point": dict(check.point),
        "wrt": list(check.wrt),
        "mode": check.mode,
        "value": check.value,
        "value_autograd": check.value_autograd,
        "value_verdict": check.value_verdict.value if check.value_verdict else None,
        "analytical": check.analytical,
        "autograd": check.autograd,
        "left": check.left,
        "right": check.right,
        "abs_error": check.abs_error,
        "rel_error": check.rel_error,
        "ulps": check.ulps,
        "expected": check.expected,
        "verdict": check.verdict.value,
        "passed": check.passed,
        "failure": check.failure,
        "note": check.note,
        "blame": None if check.blame is None else _blame(check.blame),
        "remedy": None if check.remedy is None else asdict(check.remedy),
        "findings": [_finding(finding) for finding in check.findings],
    }


def _blame(finding: Finding) -> Json:
    return {"step": finding.step, "name": finding.name, "cause": finding.cause}


def _finding(finding: Finding) -> Json:
    """A finding without what it does not have."""
    fields = {name: getattr(finding, name) for name in ("step", "name", "order", "operands", "numbers", "texts")}
    parts = [_finding(part) for part in finding.parts]
    return {"code": finding.code.value, **{k: v for k, v in (*fields.items(), ("parts", parts)) if v}}


def _claim(claim: Claim) -> Json:
    return {
        "wrt": claim.derivative.label,
        "expression": claim.expression,
        "analytical": claim.analytical,
        "status": claim.status.value,
        "passed": claim.passed,
        "failure": claim.failure,
        "points": claim.points,
        "counterexample": None
        if claim.counterexample is None
        else {
            "point": dict(claim.counterexample.point),
            "claimed": claim.counterexample.claimed,
            "analytical": claim.counterexample.analytical,
            "exactly": dict(claim.counterexample.exactly),
            "entry": claim.counterexample.entry,
        },
        "note": claim.note,
    }


def _plain(value: object) -> object:
    """The value in terms of what JSON has."""
    match value:
        case float():
            return value if math.isfinite(value) else str(value)
        case Enum():
            return value.value
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
        case None | bool() | int() | str():
            return value
        case _:
            raise TypeError(f"JSON has no {type(value).__name__}")
