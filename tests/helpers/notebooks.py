"""An IPython in the test's process, which leaves it as it was."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config


@contextmanager
def shell_of_this_process() -> Iterator[Any]:
    """Without history and colours. Its namespace is the module __main__ meanwhile."""
    before = sys.modules["__main__"]
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    try:
        yield InteractiveShell.instance(config=config)
    finally:
        InteractiveShell.clear_instance()
        sys.modules["__main__"] = before


def shown_by(shell: Any, cell: str) -> str:
    """What a cell that runs without an error prints, and its value as text."""
    with capture_output() as shown:
        result = shell.run_cell(cell, store_history=True)
    assert result.success, shown.stdout
    return re.sub(r"^Out\[\d+\]: \n?", "", shown.stdout.strip("\n")) + shown.stderr
