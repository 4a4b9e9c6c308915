"""Going on where a run was cut off: `--resume FILE.jsonl` takes what the file already holds.

A result counts only for the same problem with the same options, checked by the same versions: both are in its key. What
a report shows of it is not: a run may ask for another format, or for less.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from enum import Enum
from pathlib import Path

from gradcheck_cli.batch.report_files import read_report
from gradcheck_cli.records.code import CodeResult
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.request import AnyRequest, CodeRequest, Expectation, ProblemSpec
from gradcheck_cli.records.results import worst_first
from gradcheck_cli.text_files import replace_file
from gradcheck_cli.user_code.sources import digest
from gradcheck_cli.versions import versions

MAKES_A_VERDICT = (
    "expression", "at", "wrt", "lets", "claims", "order", "mode", "dtype", "device", "rtol", "atol", "claim_rtol",
    "strict", "samples", "seed", "ranges", "shapes", "timeout", "expectation", "defaulted",
)  # fmt: skip
"""The fields of a Request on which the result rests. The others say how much of it is wanted; see `serves`."""

MAKES_A_VERDICT_OF_CODE = (
    "code", "inputs", "init", "wrt", "order", "mode", "dtype", "device", "rtol", "atol", "strict", "samples", "stress",
    "seed", "through_detach", "cotangents", "timeout", "expectation",
)  # fmt: skip


def problem_key(spec: ProblemSpec) -> str:
    """What a result is the result of: what was asked, and the versions, as 24 hexadecimal digits."""
    asked: list[object] = [spec.name, spec.error, sorted(versions().items())]
    if isinstance(spec.request, CodeRequest):
        asked += [_plain(getattr(spec.request, name)) for name in MAKES_A_VERDICT_OF_CODE]
        asked += _contents(spec.request)
    elif spec.request is not None:
        asked += [_plain(getattr(spec.request, name)) for name in MAKES_A_VERDICT]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]


def _contents(request: CodeRequest) -> list[str]:
    """What the files hold that a request names, as digests: code that was edited is checked anew."""
    found = []
    for file in files_of(request):
        try:
            found.append(hashlib.sha256(file.read_bytes()).hexdigest())
        except OSError:
            found.append("")
    return found


def files_of(request: CodeRequest) -> list[Path]:
    """The files that a request names: that of the code, and those of its inputs."""
    names = [request.code.rpartition("::")[0], *(name for _, text in request.inputs for name in _FILES.findall(text))]
    return [Path(request.folder) / name for name in names if name]


_FILES = re.compile(r"@[\"']?([^\s,\]\)\"']+)")


def _plain(value: object) -> object:
    """A field of a Request as JSON has it, whatever the classes are called."""
    match value:
        case Expectation():
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case Enum():
            return value.value
        case Mapping():
            return [[key, _plain(item)] for key, item in sorted(value.items())]
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def finished_problems(name: str, specs: Sequence[ProblemSpec]) -> dict[str, AnyResult]:
    """The results of these problems that a file of JSON Lines holds, by key; none where there is no such file yet.

    One that lacks something that is wanted does not count; of one that has more, what is wanted is taken. Raises
    UsageError for a file that is no report.
    """
    if not os.path.lexists(name):
        return {}
    held = {problem.key: problem for problem in read_report(name).problems if not problem.bug}
    keys = {problem_key(spec): spec.request for spec in specs}
    return {
        key: problem if request is None else _as_wanted(problem, request)
        for key, request in keys.items()
        if (problem := held.get(key)) is not None and (request is None or serves(problem, request))
    }


def serves(result: AnyResult, request: AnyRequest) -> bool:
    """Whether the result has all that is wanted of it."""
    if isinstance(request, CodeRequest):
        return _is_of_the_same_code(result)
    if result.error is not None or isinstance(result, CodeResult):
        return True
    return (
        (result.derivatives is not None or not request.derivatives)
        and (result.formula is not None or not request.formula)
        and len(result.checks) >= min(result.checks_total, request.keep)
    )


def _is_of_the_same_code(result: AnyResult) -> bool:
    """Whether all that it imported holds what it held. Of code that could not be run, it is not known."""
    if not isinstance(result, CodeResult) or result.error is not None or result.sources is None:
        return False
    return all(digest(file) == held for file, held in result.sources.items())


def _as_wanted(result: AnyResult, request: AnyRequest) -> AnyResult:
    """The result as it would be, had it been checked for this request."""
    if isinstance(result, CodeResult) or isinstance(request, CodeRequest):
        return result
    checks = result.checks
    if len(checks) > request.keep:
        checks = tuple(sorted(checks, key=worst_first)[: request.keep])
    readable = request.formula or not result.passed
    return replace(
        result,
        checks=checks,
        derivatives=result.derivatives if request.derivatives else None,
        formula=result.formula if readable else None,
        definitions=result.definitions if readable else None,
    )


def in_order(file: Path, specs: Sequence[ProblemSpec], done: Mapping[str, AnyResult]) -> None:
    """Put the lines of a report in the order of the problems, if results from before stand in between."""
    known = [problem_key(spec) in done for spec in specs]
    if known == sorted(known, reverse=True):
        return
    first, *rest = file.read_text(encoding="utf-8").splitlines(keepends=True)
    indexed = [(json.loads(line).get("index"), line) for line in rest]
    indexed.sort(key=lambda pair: (pair[0] is None, pair[0] or 0))  # the summary, which has no index, comes last
    replace_file(file, (first, *(line for _, line in indexed)))
