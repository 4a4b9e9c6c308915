"""`python -m gradcheck_cli`, and the console script."""

from gradcheck_cli.runtime.current_folder import leave_out_the_current_folder

leave_out_the_current_folder()

import os  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402

from gradcheck_cli.cli.process import leave  # noqa: E402
from gradcheck_cli.runtime import interruption, stopwatch  # noqa: E402
from gradcheck_cli.runtime.collector import resting_collector  # noqa: E402
from gradcheck_cli.warm.client import hand_over  # noqa: E402


def main() -> int:
    """Runs the command line of this process. Returns its exit code."""
    # A process does not know when it began; the processor time so far comes close, for nothing was waited for.
    stopwatch.process_started = time.perf_counter() - time.process_time()
    try:
        with resting_collector():
            from gradcheck_cli.cli.app import run_command
            from gradcheck_cli.cli.installing import VARIABLE
        if os.environ.get(VARIABLE):  # the Tab key was pressed
            from gradcheck_cli.cli.completion.answer import answer

            return answer(os.environ)
        return run_command(sys.argv[1:])
    except ModuleNotFoundError as missing:
        advice = "install gradcheck with what it needs, as README.md says"
        print(f"gradcheck: the Python package {missing.name} is missing: {advice}", file=sys.stderr)
        return 2


def process() -> None:
    """Runs the command line, and ends the process with its exit code."""
    interruption.handle(interruption.end_at_once)
    code = hand_over(sys.argv[1:])
    leave(main() if code is None else code)


if __name__ == "__main__":
    process()
