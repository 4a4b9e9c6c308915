"""docs/pytest.md shows what its commands print. `PYTHONPATH=tests python tests/pytest_plugin/test_page.py` writes it
anew."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.plugin_runs import run

pytest_plugins = ["pytester"]

PAGE = ROOT / "docs" / "pytest.md"
FILE = re.compile(r"<!-- file ([^\n]+) -->\n```\w*\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n\$ pytest (?P<arguments>.*)\n(?P<output>(?:.*\n)*?)```\n")
VARYING = re.compile(r"(?<=torch )[\d.]+\S*|(?<=in )\d+\.\d+s|[ \t]+$", re.MULTILINE)
"""The build of torch, seconds, and blanks at the ends of lines."""


def write_files(folder: Path) -> None:
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_every_command_prints_what_the_page_shows(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "BUILD_NUMBER"):  # with which pytest cuts no line of its summary
        monkeypatch.delenv(name, raising=False)
    write_files(pytester.path)
    shown = list(CONSOLE.finditer(PAGE.read_text(encoding="utf-8")))
    assert len(shown) >= 4
    for one in shown:
        done = run(pytester, *shlex.split(one["arguments"]))
        assert VARYING.sub("", f"{done.stdout.str()}\n") == VARYING.sub("", one["output"]), one["arguments"]


def regenerate(folder: Path) -> None:
    def renewed(one: re.Match[str]) -> str:
        started = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *shlex.split(one["arguments"])]
        done = subprocess.run(started, cwd=folder, capture_output=True, text=True, check=False)
        printed = re.sub(r"(torch [\d.]+)\S*|[ \t]+$", r"\1", done.stdout, flags=re.MULTILINE)
        return f"```console\n$ pytest {one['arguments']}\n{printed}```\n"

    write_files(folder)
    PAGE.write_text(CONSOLE.sub(renewed, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    os.environ["COLUMNS"] = "80"
    with tempfile.TemporaryDirectory() as folder:
        regenerate(Path(folder))
