"""The last line: how many checks, with which verdicts, how many of them failed, where they ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gradcheck_cli.records.code import Block, CodeResult
from gradcheck_cli.records.report import AnyResult, Report
from gradcheck_cli.records.results import Check, ClaimStatus, Verdict
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import counted, of_which_failed, one_line


def summary_line(report: Report, display: Display) -> str:
    """`7 problems in 2 files (4 failed), 6 checks (3 failed): 3 match, 3 mismatch · float64 on cpu · torch 2.13.0`.

    A newline is at its end. Of a single check or claim, its verdict says whether it failed; where that is not so, the
    number is there too.
    """
    row = "check" if _kind(report) == "problem" else "entry"
    parts = [_problems(report) + _counts(row, report.counts, report.checks_failed)]
    if any(report.claims.values()):
        parts.append(_counts("claim", report.claims, report.claims_failed))
    if report.problems_without_check:
        parts.append(f"{counted(report.problems_without_check, _kind(report))} not checked")
    if report.not_run:
        parts.append(not_run(report))
    if unread := sum(trouble.file is not None for trouble in report.troubles):
        parts.append(f"{counted(unread, 'file')} not read")
    parts += _where(report)
    if torch := report.versions.get("torch"):
        parts.append(f"torch {torch}")
    if display.verbose:
        parts += [f"{name} {version}" for name, version in report.versions.items() if name != "torch"]
        parts.append(f"{report.seconds:.2f} s")
    return one_line(" · ".join(parts)) + "\n"


def not_run(report: Report) -> str:
    """`interrupted, 12 not run`."""
    return f"{'interrupted' if report.interrupted else 'stopped at the first failure'}, {report.not_run:,} not run"


def summary_text(report: Report) -> str:
    """The same, as `str()` of a record has it."""
    return summary_line(report, Display()).rstrip("\n")


def _kind(report: Report) -> str:
    """What the problems are called: functions, where all of them are code; formulas, where they are of arrays."""
    kinds = {_kind_of(problem) for problem in report.problems}
    return kinds.pop() if len(kinds) == 1 else "problem"


def _kind_of(problem: AnyResult) -> str:
    if isinstance(problem, CodeResult):
        return "function" if problem.expression is None else "formula"
    return "problem"


def _problems(report: Report) -> str:
    kind = _kind(report)
    if len(report.problems) == 1 and not report.is_batch:
        return "" if kind == "problem" else f"{counted(1, kind)}, "
    files = len({result.file for result in report.problems})
    of_files = f" in {counted(files, 'file')}" if files > 1 else ""
    return f"{counted(len(report.problems), kind)}{of_files}{of_which_failed(report.problems_failed)}, "


def _counts(what: str, counts: Mapping[Verdict, int] | Mapping[ClaimStatus, int], failed: int) -> str:
    found = [(kind, count) for kind, count in counts.items() if count]
    total = sum(count for _, count in found)
    of_which = of_which_failed(failed)
    if total == 1:
        told = failed == sum(not kind.passes for kind, _ in found)
        of_which = "" if told else f" ({failed} failed)"
    listed = ", ".join(f"{count:,} {kind.value}" for kind, count in found)
    return f"{counted(total, what)}{of_which}{': ' if listed else ''}{listed}"


def _where(report: Report) -> list[str]:
    """Dtype, device and mode, as far as all problems share them; the tolerances are told by JSON."""
    places = {f"{result.dtype} on {result.device}" for result in report.problems}
    rows = (row for result in report.problems for row in _with_modes(result))
    modes = {row.mode for row in rows}
    where = sorted(places) if len(places) == 1 else []
    if modes == {"forward"}:
        where.append("forward mode")
    return where


def _with_modes(result: AnyResult) -> Sequence[Check | Block]:
    return result.blocks if isinstance(result, CodeResult) else result.checks
