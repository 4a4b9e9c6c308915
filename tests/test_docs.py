"""docs/code.md shows what its examples report. `python tests/test_docs.py` writes it anew."""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import tempfile
from pathlib import Path

import pytest
from helpers.paths import ROOT

from gradcheck_cli import GradientMismatch

PAGE = ROOT / "docs" / "code.md"
BLOCK = re.compile(
    r"<!-- run (?P<file>\S+) -->\n```python\n(?P<code>.*?)```\n\n```text\n(?P<report>.*?)```\n", re.DOTALL
)
DAILY = ("losses.py", "roots.py", "cached.py")
BLOCKS = [
    pytest.param(found, id=found["file"], marks=() if found["file"] in DAILY else pytest.mark.slow)
    for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
]


def report_of(file: str, code: str, folder: Path) -> str:
    """What an example raises, on an 80-column terminal."""
    path = folder / file
    path.write_text(code, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(GradientMismatch) as wrong:
        runpy.run_path(str(path))
    return re.sub(r"(torch [\d.]+)\S*", r"\1", str(wrong.value)) + "\n"


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_reports_what_the_page_shows(
    block: re.Match[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    version = re.compile(r"torch [\d.]+")
    found = report_of(block["file"], block["code"], tmp_path)
    assert version.sub("torch", found) == version.sub("torch", block["report"])


def regenerate() -> None:
    os.environ["COLUMNS"] = "80"
    with tempfile.TemporaryDirectory() as folder:

        def run(block: re.Match[str]) -> str:
            report = report_of(block["file"], block["code"], Path(folder))
            return f"<!-- run {block['file']} -->\n```python\n{block['code']}```\n\n```text\n{report}```\n"

        PAGE.write_text(BLOCK.sub(run, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    regenerate()
