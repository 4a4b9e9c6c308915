"""JUnit XML, as Jenkins and GitLab read it: a suite a file, a case a problem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import PurePath
from xml.etree import ElementTree as ET

from gradcheck_cli.records.report import AnyResult, Report, Trouble
from gradcheck_cli.records.results import Verdict
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import in_short, lines
from gradcheck_cli.render.sentences import headline, reasons, title
from gradcheck_cli.render.summary import not_run

NO_FILE = "gradcheck"
# What XML 1.0 does not allow, not even as an entity.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")


def render_junit(report: Report, display: Display) -> str:
    """One XML document. A file that could not be read, and a run that did not come to its end, is a case of its own, so
    that nothing is silently green."""
    root = ET.Element("testsuites", name=_clean(report.title or "gradcheck"), time=_seconds(report.seconds))
    for file in dict.fromkeys(result.file for result in report.problems):
        _suite(root, file or NO_FILE, [result for result in report.problems if result.file == file], report)
    for trouble in report.troubles:
        _trouble(root, trouble)
    if report.not_run:
        _not_run(root, report)
    totals = [suite.attrib for suite in root]
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(total[name]) for total in totals)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, name: str, problems: Sequence[AnyResult], report: Report) -> None:
    errors = sum(_is_error(result) for result in problems)
    failures = sum(not result.passed for result in problems) - errors
    seconds = sum(result.seconds for result in problems)
    suite = ET.SubElement(root, "testsuite", _counts(name, len(problems), failures, errors, seconds=seconds))
    properties = ET.SubElement(suite, "properties")
    for key, version in report.versions.items():
        ET.SubElement(properties, "property", name=key, value=_clean(version))
    for heading in report.headings:
        for key, text in (("title", heading.title), ("description", heading.description)):
            if heading.file == name and text:
                ET.SubElement(properties, "property", name=key, value=_clean(text))
    for result in problems:
        _case(suite, name, result)


def _trouble(root: ET.Element, trouble: Trouble) -> None:
    """A suite of one case, which is an error."""
    name, what = (NO_FILE, "the run") if trouble.file is None else (trouble.file, "the file is read")
    suite = ET.SubElement(root, "testsuite", _counts(name, 1, errors=1))
    case = ET.SubElement(suite, "testcase", classname=_classname(name), name=what, time=_seconds(0.0))
    _place(case, trouble.file, trouble.line)
    error = ET.SubElement(case, "error", type="unreadable", message=_clean(in_short(trouble.message)))
    error.text = _clean(lines(trouble.message))


def _not_run(root: ET.Element, report: Report) -> None:
    """A suite of one case for what was not run: an error where the run was interrupted, else skipped."""
    errors, skipped = (1, 0) if report.interrupted else (0, 1)
    suite = ET.SubElement(root, "testsuite", _counts(NO_FILE, 1, errors=errors, skipped=skipped))
    case = ET.SubElement(suite, "testcase", classname=NO_FILE, name="the run", time=_seconds(0.0))
    kind = {"type": "interrupted"} if report.interrupted else {}
    ET.SubElement(case, "error" if report.interrupted else "skipped", {**kind, "message": not_run(report)})


def _counts(
    name: str, tests: int, failures: int = 0, errors: int = 0, skipped: int = 0, seconds: float = 0.0
) -> dict[str, str]:
    return {
        "name": _clean(name),
        "tests": str(tests),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(skipped),
        "time": _seconds(seconds),
    }


def _case(suite: ET.Element, name: str, result: AnyResult) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_classname(name),
        name=_clean(title(result)),
        time=_seconds(result.seconds),
    )
    _place(case, result.file, result.line)
    properties = ET.SubElement(case, "properties")
    listed = sum(not check.passed for check in result.checks)
    counts = {"rows": result.checks_total, "rows_failed": result.checks_failed, "rows_shown": listed}
    for key, count in counts.items():
        ET.SubElement(properties, "property", name=key, value=str(count))
    if not result.passed:
        kind = "error" if _is_error(result) else "failure"
        element = ET.SubElement(case, kind, type=result.failure or "", message=_clean(headline(result)))
        told = [] if result.error is None else [lines(result.error)]
        element.text = _clean("\n".join([*told, *islice(reasons(result), len(told), None)]))


def _classname(file: str) -> str:
    """The path in dots, `folder.problems`: files of one name in several folders are told apart."""
    path = PurePath(file).with_suffix("") if PurePath(file).name else PurePath(file)
    return _clean(".".join(part for part in path.parts if part not in (path.anchor, "..")) or file)


def _place(case: ET.Element, file: str | None, line: int | None) -> None:
    if file is not None:
        case.set("file", _clean(file))
    if line is not None:
        case.set("line", str(line))


def _is_error(result: AnyResult) -> bool:
    """Whether there is no verdict, for which JUnit has a word of its own."""
    return not result.passed and (result.error is not None or result.verdict is Verdict.ERROR)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub(lambda match: f"#x{ord(match[0]):02X}", text)
