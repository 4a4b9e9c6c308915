"""README.md shows what the program prints. `python tests/test_readme.py` writes it anew."""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import tempfile
from pathlib import Path

import pytest
from helpers.paths import ROOT

from gradcheck_cli import GradientMismatch
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.expression.functions import FUNCTIONS

README = ROOT / "README.md"
BLOCK = re.compile(r"```console\n\$ gradcheck (?P<arguments>.*)\n(?P<output>(?:.*\n)*?)```\n")


def output_of(arguments: str) -> str:
    """What a command prints on an 80-column terminal without colour: the report, then the summary."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        run_command(shlex.split(arguments))
    # The build of torch is the machine's affair.
    return re.sub(r"(torch [\d.]+)\S*", r"\1", stream.getvalue())


@pytest.mark.parametrize("block", [pytest.param(m, id=m["arguments"]) for m in BLOCK.finditer(README.read_text())])
def test_every_example_prints_what_the_readme_shows(block: re.Match[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    version = re.compile(r"torch [\d.]+")
    assert version.sub("torch", output_of(block["arguments"])) == version.sub("torch", block["output"])


def test_the_readme_has_examples() -> None:
    assert len(BLOCK.findall(README.read_text())) >= 5


@pytest.mark.parametrize("name", re.findall(r"^gradcheck (.*?)(?:\s+#.*)?$", README.read_text(), re.MULTILINE))
def test_every_command_of_the_readme_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No example of the README is bad input or a bug."""
    monkeypatch.setenv("COLUMNS", "80")
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        code = run_command(shlex.split(name, comments=True))
    assert code in (0, 1), stream.getvalue()


RUN = re.compile(r"(?P<code><!-- run -->\n```python\n(.*?)```\n.*?```text\n)(?P<report>.*?)```", re.DOTALL)


def exception_of(code: str, folder: Path) -> str:
    """What the code raises, run as a file of its own."""
    file = folder / "swish.py"
    file.write_text(code)
    with pytest.raises(GradientMismatch) as wrong:
        runpy.run_path(str(file))
    return re.sub(r"(torch [\d.]+)\S*", r"\1", str(wrong.value))


def test_the_backward_of_the_readme_is_reported_as_it_shows(tmp_path: Path) -> None:
    """The report is the text of the exception."""
    found = RUN.search(README.read_text())
    assert found
    version = re.compile(r"torch [\d.]+")
    assert version.sub("", exception_of(found[2], tmp_path)) == version.sub("", found["report"].rstrip("\n"))


def test_the_functions_that_the_readme_names_exist() -> None:
    section = README.read_text().split("## Functions")[1].split("##")[0]
    for name in re.findall(r"`([a-z_0-9 ]+?)(?: \.\.\.)?`", section):
        for word in name.split():
            assert word in FUNCTIONS or word in ("gradcheck", "functions", "mismatch", "json"), word


def regenerate() -> None:
    os.environ["COLUMNS"] = "80"
    text = README.read_text()
    text = BLOCK.sub(lambda m: f"```console\n$ gradcheck {m['arguments']}\n{output_of(m['arguments'])}```\n", text)
    with tempfile.TemporaryDirectory() as folder:
        text = RUN.sub(lambda m: f"{m['code']}{exception_of(m[2], Path(folder))}\n```", text)
    README.write_text(text)


if __name__ == "__main__":
    regenerate()
