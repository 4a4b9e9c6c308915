"""The notebooks in examples/ run from top to bottom, and hold what they print. `python tests/notebook/test_examples.py`
runs them anew."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from helpers.notebooks import shell_of_this_process, shown_by
from helpers.paths import ROOT
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from traitlets import default

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
FORMS = {"text/plain", "text/markdown", "text/latex", "text/html"}


class OfThisInterpreter(AsyncKernelManager):
    """Whatever kernels are installed."""

    @default("kernel_spec_manager")
    def _specs(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


@pytest.fixture(name="shell")
def _shell() -> Iterator[Any]:
    with shell_of_this_process() as shell:
        yield shell


def read(file: Path) -> Any:
    return nbformat.read(file, as_version=4)


def executed(file: Path, folder: Path) -> Any:
    """The notebook, run in a kernel of this interpreter. folder: the current one meanwhile."""
    notebook = read(file)
    client = NotebookClient(
        notebook,
        kernel_manager_class=OfThisInterpreter,
        timeout=300,
        record_timing=False,
        resources={"metadata": {"path": folder}},
    )
    client.execute(env={**os.environ, "COLUMNS": "80", "IPYTHONDIR": str(folder), "PYTHONWARNINGS": "ignore"})
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def test_there_are_notebooks() -> None:
    assert [file.name for file in NOTEBOOKS] == ["course-notebook.ipynb", "custom-backward.ipynb"]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_the_stored_outputs_are_what_the_cells_show(file: Path, shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As text, in an IPython of this process: a kernel takes seconds to start."""
    monkeypatch.setenv("COLUMNS", "80")
    for cell in read(file).cells:
        if cell.cell_type != "code":
            continue
        assert shown_by(shell, cell.source) == "\n".join(output.data["text/plain"] for output in cell.outputs)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_what_is_stored_is_small_and_of_no_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert not re.search(r"/home|/tmp|/root|/Users|[A-Z]:\\\\|site-packages|0x[0-9a-f]{6}|torch \d", text)
    assert text == nbformat.writes(read(file)) + "\n"
    code = [cell for cell in read(file).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


@pytest.mark.slow
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_kernel_gives_what_is_stored(file: Path, tmp_path: Path) -> None:
    assert executed(file, tmp_path) == read(file), "run: python tests/notebook/test_examples.py"


def regenerate() -> None:
    for file in NOTEBOOKS:
        with tempfile.TemporaryDirectory() as folder:
            text = nbformat.writes(executed(file, Path(folder))) + "\n"
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    regenerate()
