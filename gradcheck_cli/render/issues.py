"""What a report has to say against files, one by one, with places and rules: for formats for code review."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

from gradcheck_cli.records.code import Cause, CodeFinding, CodeResult
from gradcheck_cli.records.finding import Code
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check, Claim, ProblemResult, Verdict
from gradcheck_cli.render import rules, sentences
from gradcheck_cli.render.code import words
from gradcheck_cli.render.plain import counted, in_short, lines, one_line
from gradcheck_cli.render.rules import Rule, rule
from gradcheck_cli.render.summary import not_run
from gradcheck_cli.text_files import STANDARD_INPUT, in_repository, shown

_BLAME = frozenset({
    Cause.FUNCTION, Cause.DOUBLE_BACKWARD, Cause.STALE, Cause.COTANGENT_CHANGED, Cause.OPERATION, Cause.HOOK, Cause.CUT,
    Cause.NAN, Cause.SOUND,
})  # fmt: skip
"""The causes that say who is to blame; what follows one of them is what was done wrong there."""
_VERDICTS = {verdict.value for verdict in Verdict}
_UNNAMED = re.compile(r"problem \d+")
_PLACE = re.compile(r"(.+):(\d+)")


@dataclass(frozen=True)
class Place:
    """A file, from the root of the repository where it is in it, and a line of it. what: stands there."""

    file: str
    line: int | None = None
    what: str = "the file"


@dataclass(frozen=True)
class Issue:
    """title: of the problem. places: the first is where to look, the others belong to it. fingerprint: stays while the
    problem and its failure do, whatever lines move. of_run: it is about no file and no problem, but about the run."""

    rule: Rule
    title: str
    message: str
    places: tuple[Place, ...]
    fingerprint: str = ""
    of_run: bool = False

    @property
    def text(self) -> str:
        """The message, which says what it is about."""
        return self.message if self.message.startswith(self.title) else f"{self.title}: {self.message}"


def issues(report: Report) -> list[Issue]:
    """What could not be read, then what failed, in the order of the report."""
    found = [*_troubles(report)]
    for result in report.problems:
        if not result.passed:
            found += _of(result)
    seen: Counter[str] = Counter()
    numbered = []
    for issue, basis in found:
        seen[basis] += 1
        digest = hashlib.sha256(f"{basis}\0{seen[basis]}".encode()).hexdigest()[:32]
        numbered.append(replace(issue, fingerprint=digest))
    return numbered


Found = tuple[Issue, str]
"""An issue, and what its fingerprint is of."""


def _troubles(report: Report) -> Iterator[Found]:
    for trouble in report.troubles:
        places = () if trouble.file is None else (Place(in_repository(trouble.file), trouble.line),)
        title = "gradcheck" if trouble.file is None else trouble.file
        issue = Issue(rule(rules.UNREADABLE), title, lines(trouble.message), places, of_run=trouble.file is None)
        yield _found(issue, trouble.file or "", "")
    if report.interrupted:
        yield _found(Issue(rule(rules.INTERRUPTED), "gradcheck", not_run(report), (), of_run=True), "", "")


def _found(issue: Issue, file: str, subject: str) -> Found:
    return issue, "\0".join((PurePath(in_repository(file) if file else "").as_posix(), subject, issue.rule.id))


def _of(result: AnyResult) -> list[Found]:
    """Of a problem that did not pass, an issue for each cause, and each claim."""
    rows = _of_code(result) if isinstance(result, CodeResult) else _of_rows(result)
    if result.error is not None:
        kind = rules.BUG if result.bug else rules.UNREADABLE if result.bad_input else Verdict.ERROR.value
        rows = iter([(rule(kind), in_short(result.error), places_of(result))])
    parts = [*rows, *((_claim_rule(claim), sentences.claim(result, claim), places_of(result))
                      for claim in result.claims if not claim.passed)]  # fmt: skip
    if not parts:
        parts = [(rule(result.failure or Verdict.ERROR.value), sentences.headline(result), places_of(result))]
    title = sentences.title(result)
    subject = _subject(result)
    return [_found(Issue(one, title, message, places), result.file or "", subject) for one, message, places in parts]


def _subject(result: AnyResult) -> str:
    """What the problem is of; its place in the file, which it is called by without a name, is no part of that."""
    named = result.name is not None and _UNNAMED.fullmatch(result.name) is None
    return result.title if named else replace(result, name=None).title


Part = tuple[Rule, str, tuple[Place, ...]]


def _of_rows(result: ProblemResult) -> Iterator[Part]:
    """The rows that failed, those with one cause together."""
    failing = [check for check in result.checks if not check.passed]
    groups: dict[Rule, list[Check]] = {}
    for check in failing:
        groups.setdefault(_row_rule(check), []).append(check)
    listed = "" if len(failing) == result.checks_failed else "at least "
    for one, checks in groups.items():
        more = f" (and {listed}{counted(len(checks) - 1, 'more row')} like it)" if len(checks) > 1 else ""
        yield one, sentences.row(result, checks[0]) + more, places_of(result)


def _row_rule(check: Check) -> Rule:
    failure = check.failure or check.verdict.value
    finding = check.blame or next(iter(check.findings), None)
    known = finding is not None and failure in _VERDICTS and finding.code not in (Code.EXPECTED, Code.EXPECTED_NUMBER)
    return rule(failure, finding.code if finding is not None and known else None)


def _claim_rule(claim: Claim) -> Rule:
    return rule(claim.failure or claim.status.value)


def _of_code(result: CodeResult) -> Iterator[Part]:
    """Who is to blame, each with what was done wrong."""
    if not result.checks_failed:
        return
    groups: list[list[CodeFinding]] = []
    for finding in result.findings:
        if finding.cause in _BLAME or not groups:
            groups.append([])
        groups[-1].append(finding)
    failure = result.failure or Verdict.MISMATCH.value
    if not groups:
        yield rule(failure), "\n".join([sentences.headline(result), *words.brief(result)]), places_of(result)
    for group in groups:
        mistake = next((finding for finding in group if finding.cause not in _BLAME), group[0])
        told = [*(finding.text for finding in group), *words.brief(result)]
        message = "\n".join(dict.fromkeys(one_line(text) for text in told))
        yield rule(failure, mistake.cause), message, places_of(result, group[0].place)


def places_of(result: AnyResult, blamed: str | None = None) -> tuple[Place, ...]:
    """Of code the place that is blamed, where it is in a file that is known, or else the code; then the problem.

    blamed: the place of a finding, by default of the first.
    """
    if blamed is None:
        blamed = result.findings[0].place if isinstance(result, CodeResult) and result.findings else ""
    found = []
    if isinstance(result, CodeResult) and result.source:
        found += [place for text in (blamed, result.place) if (place := _in_source(text, result.source)) is not None]
    if result.file is not None and result.file != shown(STANDARD_INPUT):
        found.append(Place(in_repository(result.file), result.line, "the problem"))
    return tuple(dict.fromkeys(found[:1] + found[-1:]))


def _in_source(place: str, source: str) -> Place | None:
    """A place of a report, `losses.py:12`, where it is in that file."""
    split = _PLACE.fullmatch(place)
    if split is None or split[1] != PurePath(source).name:
        return None
    return Place(in_repository(source), int(split[2]), "the code")
