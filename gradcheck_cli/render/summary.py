"""The last line: how many checks, with which verdicts, where they ran."""

from __future__ import annotations

from gradcheck_cli.records.results import ClaimStatus, Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import one_line


def summary_line(report: Report, display: Display) -> str:
    """`1 check: 1 match · float64 on cpu · torch 2.13.0`, with a newline."""
    parts = [_counts(report)]
    if claims := [f"{count:,} {status.value}" for status, count in report.claims.items() if count]:
        total = sum(report.claims.values())
        parts.append(f"{total:,} {'claim' if total == 1 else 'claims'}: {', '.join(claims)}")
    if report.is_batch and not report.passed:
        parts.append(f"{sum(not problem.passed for problem in report.problems):,} failed")
    elif not report.passed and not report.claims[ClaimStatus.REFUTED] and _all_pass(report):
        parts.append("not passed")
    if report.not_run:
        why = "interrupted" if report.interrupted else "stopped at the first failure"
        parts.append(f"{why}, {report.not_run:,} not run")
    if report.troubles:
        parts.append(f"{len(report.troubles):,} {'file' if len(report.troubles) == 1 else 'files'} not read")
    parts += _where(report)
    if torch := report.versions.get("torch"):
        parts.append(f"torch {torch}")
    if display.verbose:
        parts += [f"{name} {version}" for name, version in report.versions.items() if name != "torch"]
        parts.append(f"{report.seconds:.2f} s")
    return one_line(" · ".join(parts)) + "\n"


def _all_pass(report: Report) -> bool:
    return all(verdict.passes for verdict, count in report.counts.items() if count)


def _counts(report: Report) -> str:
    total = f"{report.checks:,} {'check' if report.checks == 1 else 'checks'}"
    many = len(report.problems) != 1
    problems = f"{len(report.problems):,} {'problems' if many else 'problem'}, " if many or report.is_batch else ""
    verdicts = ", ".join(f"{count:,} {verdict.value}" for verdict, count in report.counts.items() if count)
    return f"{problems}{total}: {verdicts}" if verdicts else f"{problems}{total}"


def _where(report: Report) -> list[str]:
    """Dtype, device and mode, as far as all problems share them; the tolerances are told by JSON."""
    places = {f"{result.dtype} on {result.device}" for result in report.problems}
    modes = {check.mode for result in report.problems for check in result.checks}
    where = sorted(places) if len(places) == 1 else []
    if modes == {"forward"}:
        where.append("forward mode")
    return where
