"""What the exit code of the command says."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcheck_cli.records.report import Report


class ExitCode(IntEnum):
    PASSED = 0
    """Every check passed."""
    FAILED = 1
    """At least one check did not pass."""
    BAD_INPUT = 2
    """Something asked for could not be read or done, or there was nothing to check."""
    BUG = 3
    """An error of gradcheck itself."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C, as shells count it; by SIGTERM it is 143."""


def exit_code(report: Report) -> ExitCode:
    """What a finished report ends the command with; the worst that happened decides."""
    if report.bug:
        return ExitCode.BUG
    if report.interrupted:
        return ExitCode.INTERRUPTED
    if report.bad_input:
        return ExitCode.BAD_INPUT
    return ExitCode.PASSED if report.passed else ExitCode.FAILED
