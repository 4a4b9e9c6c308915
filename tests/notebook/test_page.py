"""docs/notebooks.md shows what its cells show. `python tests/notebook/test_page.py` writes it anew."""

from __future__ import annotations

import os
import re

import pytest
from helpers.notebooks import shell_of_this_process, shown_by
from helpers.paths import ROOT

from gradcheck_cli.render.shown import TYPES

PAGE = ROOT / "docs" / "notebooks.md"
CELL = re.compile(r"```ipython\n(?P<cell>.*?)```\n\n```text\n(?P<shown>.*?)```\n", re.DOTALL)


def written(text: str) -> str:
    """The page, with what its cells show one after the other."""
    with shell_of_this_process() as shell:
        shell.run_cell("%load_ext gradcheck_cli", store_history=True)

        def run(block: re.Match[str]) -> str:
            shown = shown_by(shell, block["cell"])
            return f"```ipython\n{block['cell']}```\n\n```text\n{shown}\n```\n"

        return CELL.sub(run, text)


def test_the_page_shows_what_its_cells_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = PAGE.read_text(encoding="utf-8")
    assert CELL.search(text)
    assert written(text) == text, "run: python tests/notebook/test_page.py"


def test_the_media_types_of_a_record_are_in_the_page() -> None:
    types = re.findall(r"^\| `(text/\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(types) == set(TYPES)


def regenerate() -> None:
    os.environ["COLUMNS"] = "80"
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    regenerate()
