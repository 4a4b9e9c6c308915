"""The last line: how many checks, with which verdicts, where they ran."""

from __future__ import annotations

from gradcheck_cli.records import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import one_line


def summary_line(report: Report, display: Display) -> str:
    """`1 check: 1 match · float64 on cpu · torch 2.13.0`, with a newline."""
    parts = [_counts(report), *_where(report)]
    if not report.passed and all(verdict.passes for verdict, count in report.counts.items() if count):
        parts.append("not passed")
    if torch := report.versions.get("torch"):
        parts.append(f"torch {torch}")
    if display.verbose:
        parts += [f"{name} {version}" for name, version in report.versions.items() if name != "torch"]
        parts.append(f"{report.seconds:.2f} s")
    return one_line(" · ".join(parts)) + "\n"


def _counts(report: Report) -> str:
    total = f"{report.checks:,} {'check' if report.checks == 1 else 'checks'}"
    problems = f"{len(report.problems):,} problems, " if len(report.problems) > 1 else ""
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
