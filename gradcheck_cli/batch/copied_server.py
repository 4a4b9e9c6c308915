"""For a process that has loaded what checks need, and nothing more: the server that workers fork from is a copy of it.

multiprocessing would start a new one, which loads all of it anew.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import util
from typing import Any

SERVER = "from multiprocessing.forkserver import main"
"""What the code begins with that multiprocessing starts its server by."""
MOST_FILES = 1024


def copy_this_process() -> None:
    """From now on, and for as long as this process lives."""
    spawn = util.spawnv_passfds

    def copied(path: bytes, args: Sequence[Any], passfds: Sequence[int]) -> int:
        code = args[-1]
        if not str(code).startswith(SERVER):
            return spawn(path, args, passfds)
        process = os.fork()
        if process == 0:
            _serve(code, passfds)
        return process

    util.spawnv_passfds = copied


def _serve(code: str, kept: Sequence[int]) -> None:
    """Never returns. kept: all that is open in the new server, but for the standard streams."""
    try:
        for asked_to_end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked_to_end, signal.SIG_DFL)
        for file in set(range(3, MOST_FILES)) - set(kept):
            with suppress(OSError):
                os.close(file)
        exec(code, {})  # noqa: S102  multiprocessing's own
    finally:
        os._exit(1)
