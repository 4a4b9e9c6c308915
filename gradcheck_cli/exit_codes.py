"""What the exit code of the command says."""

from enum import IntEnum


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
    """Stopped by Ctrl-C, as shells count it."""
