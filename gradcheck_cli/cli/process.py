"""The end of the process of a command line, which has written everything and frees nothing."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process with an exit code, without taking the interpreter apart: that only frees what dies anyway.

    What others want to do at the end (atexit) is done, and what was written is out. Where it cannot be written, the
    interpreter ends as usual, and says so.
    """
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code)
