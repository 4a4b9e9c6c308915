"""Going on where a run was cut off: `--resume FILE.jsonl` takes what the file already holds.

A result counts only for the same problem with the same options, checked by the same versions: both are in its key.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gradcheck_cli.growing_file import replace_file
from gradcheck_cli.records import ProblemResult
from gradcheck_cli.reports import read_report
from gradcheck_cli.request import ProblemSpec
from gradcheck_cli.versions import versions


def problem_key(spec: ProblemSpec) -> str:
    """What a result is the result of: the problem with all its options, and the versions, as 24 hexadecimal digits."""
    said = (spec.name, spec.request, spec.error, spec.expect, spec.expect_claim, spec.description, spec.tags)
    return hashlib.sha256(repr((said, sorted(versions().items()))).encode()).hexdigest()[:24]


def finished_problems(name: str) -> dict[str, ProblemResult]:
    """The results that a file of JSON Lines holds, by key; none where there is no such file yet.

    Raises UsageError for a file that is no report.
    """
    if not os.path.lexists(name):
        return {}
    return {
        problem.key: problem for problem in read_report(name).problems if problem.key is not None and not problem.bug
    }


def in_order(file: Path, specs: Sequence[ProblemSpec], done: Mapping[str, ProblemResult]) -> None:
    """Put the lines of a report in the order of the problems, if results from before stand in between."""
    known = [problem_key(spec) in done for spec in specs]
    if known == sorted(known, reverse=True):
        return
    first, *rest = file.read_text(encoding="utf-8").splitlines(keepends=True)
    indexed = [(json.loads(line).get("index"), line) for line in rest]
    indexed.sort(key=lambda pair: (pair[0] is None, pair[0] or 0))  # the summary, which has no index, comes last
    replace_file(file, (first, *(line for _, line in indexed)))
