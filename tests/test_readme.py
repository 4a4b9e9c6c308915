"""README.md and docs/arrays.md show what the program prints. `python tests/test_readme.py` writes them anew."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.paths import ROOT

from gradcheck_cli.batch.run import check_request
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.cli.commands import code
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.tensors.functions import TENSOR_FUNCTIONS

README = ROOT / "README.md"
ARRAYS = ROOT / "docs" / "arrays.md"
BLOCK = re.compile(r"```console\n\$ gradcheck (?P<arguments>.*)\n(?P<output>(?:.*\n)*?)```\n")


FILE = re.compile(r"<!-- file (.+) -->\n```python\n(.*?)```", re.DOTALL)


@contextlib.contextmanager
def files_of_the_readme(arguments: str) -> Iterator[None]:
    """The current folder has the files that the page shows, for a command that checks code."""
    if not arguments.startswith("code "):
        yield
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, text in FILE.findall(README.read_text()):
            Path(name).write_text(text)
        yield


def output_of(arguments: str) -> str:
    """What a command prints on an 80-column terminal without colour: the report, then the summary."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), files_of_the_readme(arguments):
        run_command(shlex.split(arguments, comments=True))
    # The build of torch is the machine's affair.
    return re.sub(r"(torch [\d.]+)\S*", r"\1", stream.getvalue())


EXAMPLES = [m for page in (README, ARRAYS) for m in BLOCK.finditer(page.read_text())]


@pytest.mark.parametrize("block", [pytest.param(m, id=m["arguments"]) for m in EXAMPLES])
def test_every_example_prints_what_the_readme_shows(block: re.Match[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(code, "isolated", lambda request, profile: check_request(request))  # which is faster
    version = re.compile(r"torch [\d.]+")
    assert version.sub("torch", output_of(block["arguments"])) == version.sub("torch", block["output"])


def test_the_readme_has_examples() -> None:
    assert len(BLOCK.findall(README.read_text())) >= 5


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("name", re.findall(r"^gradcheck (.*?)(?:\s+#.*)?$", README.read_text(), re.MULTILINE))
def test_every_command_of_the_readme_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No example of the README is bad input or a bug."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(code, "isolated", lambda request, profile: check_request(request))
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), files_of_the_readme(name):
        status = run_command(shlex.split(name, comments=True))
    assert status in (0, 1), stream.getvalue()


def test_the_page_of_arrays_has_their_functions() -> None:
    for row in TENSOR_FUNCTIONS.values():
        assert f"`{row.name}`" in ARRAYS.read_text(), row.name


def test_the_functions_that_the_readme_names_exist() -> None:
    section = README.read_text().split("## Functions")[1].split("##")[0]
    for name in re.findall(r"`([a-z_0-9 ]+?)(?: \.\.\.)?`", section):
        for word in name.split():
            assert word in FUNCTIONS or word in ("gradcheck", "functions", "mismatch", "json"), word


def regenerate() -> None:
    os.environ["COLUMNS"] = "80"
    for page in (README, ARRAYS):
        text = BLOCK.sub(lambda m: f"```console\n$ gradcheck {m['arguments']}\n{output_of(m['arguments'])}```\n",
                         page.read_text())  # fmt: skip
        page.write_text(text)


if __name__ == "__main__":
    regenerate()
