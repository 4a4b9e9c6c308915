"""How wide the reports of failing tests are."""

from __future__ import annotations

from shutil import get_terminal_size

import pytest

COLUMNS = "gradcheck_columns"
"""What a worker of pytest-xdist, which has no terminal, is told under this name."""


def columns(config: pytest.Config) -> int:
    given = getattr(config, "workerinput", {}).get(COLUMNS)
    return int(given or max(get_terminal_size((80, 24)).columns, 40))
