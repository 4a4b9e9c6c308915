"""docs/pytest.md shows what its commands print. `PYTHONPATH=tests python tests/pytest_plugin/test_page.py` writes it
anew."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers import pages
from helpers.paths import ROOT
from helpers.plugin_runs import run

pytest_plugins = ["pytester"]

PAGE = ROOT / "docs" / "pytest.md"


def test_every_command_prints_what_the_page_shows(pytester: pytest.Pytester) -> None:
    shown = list(pages.commands(PAGE, pytester.path))
    assert len(shown) >= 4
    for one in shown:
        _, *arguments = shlex.split(one.command)
        done = run(pytester, *arguments)
        assert pages.same(done.stdout.str()) == pages.same(one.output), one.command


if __name__ == "__main__":
    os.environ["COLUMNS"] = "80"
    with tempfile.TemporaryDirectory() as folder:

        def output(command: str) -> str:
            _, *arguments = shlex.split(command)
            started = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
            return subprocess.run(started, cwd=folder, capture_output=True, text=True, check=False).stdout

        pages.regenerate(PAGE, Path(folder), output)
