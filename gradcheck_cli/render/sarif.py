"""SARIF 2.1.0, as GitHub's code scanning and others read it: a rule a verdict and cause, a result an issue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from urllib.parse import quote

from gradcheck_cli.records.report import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.issues import Issue, Place, issues
from gradcheck_cli.render.json import Json, dump
from gradcheck_cli.render.rules import Rule
from gradcheck_cli.render.summary import not_run

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(report: Report, display: Display) -> str:
    """A log of one run. What passes is not in it; what is about the run itself is no result, which needs a place."""
    everything = issues(report)
    found = [issue for issue in everything if not issue.of_run]
    rules = list(dict.fromkeys(issue.rule for issue in found))
    driver: Json = {"name": "gradcheck", "rules": [_rule(one) for one in rules]}
    if "gradcheck" in report.versions:
        driver["version"] = report.versions["gradcheck"]
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, [issue for issue in everything if issue.of_run])],
        "results": [_result(issue, rules.index(issue.rule)) for issue in found],
    }
    if report.shard is not None:  # a log for each part, of which none takes another's place
        run["automationDetails"] = {"id": f"gradcheck/{report.shard.replace('/', '-of-')}/"}
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "name": "".join(word.title() for word in rule.id.replace("/", "-").split("-")),
        "shortDescription": {"text": f"{rule.title[:1].upper()}{rule.title[1:]}"},
        "fullDescription": {"text": rule.help},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": _level(rule)},
    }


def _level(rule: Rule) -> str:
    return "error" if rule.severe else "warning"


def _invocation(report: Report, of_run: Sequence[Issue]) -> Json:
    whole = not (report.interrupted or report.troubles or report.bug)
    told = [{"level": "error", "message": {"text": issue.message}} for issue in of_run]
    if report.not_run and not report.interrupted:
        told.append({"level": "note", "message": {"text": not_run(report)}})
    return {"executionSuccessful": whole, **({"toolExecutionNotifications": told} if told else {})}


def _result(issue: Issue, index: int) -> Json:
    result: Json = {
        "ruleId": issue.rule.id,
        "ruleIndex": index,
        "level": _level(issue.rule),
        "message": {"text": issue.text},
        "partialFingerprints": {"gradcheck/v1": issue.fingerprint},
    }
    first, *others = issue.places or (None,)
    about = {"logicalLocations": [{"name": issue.title}]}
    result["locations"] = [about if first is None else {"physicalLocation": _physical(first), **about}]
    if others:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(place), "message": {"text": place.what}}
            for number, place in enumerate(others, 1)
            if place is not None
        ]
    return result


def _physical(place: Place) -> Json:
    path = PurePath(place.file)
    if path.is_absolute():
        artifact: Json = {"uri": path.as_uri()}
    else:
        artifact = {"uri": quote(path.as_posix()), "uriBaseId": "%SRCROOT%"}
    region: Json = {} if place.line is None else {"region": {"startLine": place.line}}
    return {"artifactLocation": artifact, **region}
