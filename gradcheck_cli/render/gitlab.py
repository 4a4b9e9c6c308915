"""GitLab's code quality: a list of issues, which a merge request shows beside the lines that they are about."""

from __future__ import annotations

import posixpath
from pathlib import PurePath

from gradcheck_cli.records.report import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.issues import Issue, issues
from gradcheck_cli.render.json import Json, dump


def render_gitlab(report: Report, display: Display) -> str:
    """A JSON document; of a report without failures an empty list."""
    return dump([_issue(one) for one in issues(report)], indent=2) + "\n"


def _issue(issue: Issue) -> Json:
    """GitLab needs a path and a line of each; what is about no file has the folder."""
    place = next(iter(issue.places), None)
    path = "." if place is None else posixpath.normpath(PurePath(place.file).as_posix())
    return {
        "description": issue.text,
        "check_name": f"gradcheck/{issue.rule.id}",
        "fingerprint": issue.fingerprint,
        "severity": "major" if issue.rule.severe else "minor",
        "location": {"path": path, "lines": {"begin": 1 if place is None or place.line is None else place.line}},
    }
