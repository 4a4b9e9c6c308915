"""`python -m gradcheck_cli`, and the console script."""

from __future__ import annotations

import sys
import time

from gradcheck_cli import stopwatch
from gradcheck_cli.startup import leave, resting_collector


def main() -> int:
    """Runs the command line of this process. Returns its exit code."""
    # A process does not know when it began; the processor time so far comes close, for nothing was waited for.
    stopwatch.process_started = time.perf_counter() - time.process_time()
    try:
        with resting_collector():
            from gradcheck_cli.cli import run_command

        return run_command(sys.argv[1:])
    except KeyboardInterrupt:  # while the import runs
        return 130
    except ModuleNotFoundError as missing:
        advice = "install gradcheck with what it needs, as README.md says"
        print(f"gradcheck: the Python package {missing.name} is missing: {advice}", file=sys.stderr)
        return 2


def process() -> None:
    """Runs the command line, and ends the process with its exit code."""
    leave(main())


if __name__ == "__main__":
    process()
