"""README.md and docs/ show what the program prints; `PYTHONPATH=tests python tests/test_docs.py [PAGE]` writes it anew.

A console block holds a command and what it prints; `<!-- file NAME -->` before a block makes it a file in the folder of
the page's commands; `<!-- run NAME -->` before an example of Python puts its report into the block that follows.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import re
import runpy
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from helpers.paths import ROOT

from gradcheck_cli import GradientMismatch
from gradcheck_cli.batch.run import check_request
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.cli.commands import code
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.tensors.functions import TENSOR_FUNCTIONS

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")]
CONSOLE = re.compile(r"```console\n\$ gradcheck (?P<arguments>.*)\n(?P<output>(?:.*\n)*?)```\n")
FILE = re.compile(r"<!-- file ([^\n]+) -->\n```\w*\n(.*?)```", re.DOTALL)
RUN = re.compile(r"<!-- run (?P<file>\S+) -->\n```python\n(?P<code>.*?)```\n\n```text\n(?P<report>.*?)```\n", re.DOTALL)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^gradcheck (.*?)(?:\s+#.*)?$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
DAILY = ("losses.py", "roots.py", "cached.py")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@contextlib.contextmanager
def files_of(page: Path) -> Iterator[None]:
    """The current folder is a new one, with the files that the page shows, and problems.yaml."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("problems.yaml").write_text(text_of(ROOT / "problems.yaml"), encoding="utf-8")
        for name, text in FILE.findall(text_of(page)):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8")
        yield


def printed(page: Path, arguments: str) -> tuple[int, str]:
    """The exit code, and what a command prints on an 80-column terminal without colour: report, then summary."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream), files_of(page):
        status = run_command(shlex.split(arguments, comments=True))
    return status, without_build(stream.getvalue())


def without_build(text: str) -> str:
    """The build of torch is the machine's affair."""
    return re.sub(r"(torch [\d.]+)\S*", r"\1", text)


def without_version(text: str) -> str:
    return re.sub(r"torch [\d.]+", "torch", text)


@pytest.fixture(autouse=True)
def _as_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(code, "isolated", lambda request, where, profile: check_request(request))  # which is faster


EXAMPLES = [
    pytest.param(page, found, id=f"{name_of(page)}: {found['arguments']}")
    for page in PAGES
    for found in CONSOLE.finditer(text_of(page))
]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_every_example_prints_what_the_page_shows(page: Path, block: re.Match[str]) -> None:
    assert without_version(printed(page, block["arguments"])[1]) == without_version(block["output"])


COMMANDS = [
    pytest.param(page, found, id=f"{name_of(page)}: {found}")
    for page in PAGES
    for block in SHELL.findall(text_of(page))
    for found in COMMAND.findall(block)
]


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(("page", "arguments"), COMMANDS)
def test_every_command_runs(page: Path, arguments: str) -> None:
    """No example is bad input or a bug."""
    status, text = printed(page, arguments)
    assert status in (0, 1), text


def report_of(file: str, text: str, folder: Path) -> str:
    """What an example of Python raises."""
    path = folder / file
    path.write_text(text, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(GradientMismatch) as wrong:
        runpy.run_path(str(path))
    return without_build(str(wrong.value)) + "\n"


RUNS = [
    pytest.param(found, id=found["file"], marks=() if found["file"] in DAILY else pytest.mark.slow)
    for page in PAGES
    for found in RUN.finditer(text_of(page))
]


@pytest.mark.parametrize("block", RUNS)
def test_every_example_of_python_reports_what_the_page_shows(block: re.Match[str], tmp_path: Path) -> None:
    found = report_of(block["file"], block["code"], tmp_path)
    assert without_version(found) == without_version(block["report"])


def anchor(heading: str) -> str:
    """As GitHub and the site make it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", text_of(page), flags=re.DOTALL)):
        assert not link.startswith("/"), link
        if link.startswith(("http", "mailto")):
            continue
        file, _, place = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if place:
            assert place in map(anchor, re.findall(r"^#+ (.*)$", text_of(target), re.MULTILINE)), link


def test_readme_has_real_outputs_and_leads_to_every_page() -> None:
    assert len(CONSOLE.findall(text_of(README))) >= 4
    links = {link.partition("#")[0] for link in LINK.findall(text_of(README))}
    assert {name_of(page) for page in PAGES[1:]} <= links


def test_the_site_has_every_page() -> None:
    settings = (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8")
    navigation = yaml.safe_load(settings.partition("\nnav:\n")[2])
    shown = {page for part in navigation for entry in _leaves(part) for page in [entry]}
    assert {name_of(page) for page in PAGES} <= shown


def _leaves(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _leaves(one)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the libraries that build it
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("site_of_the_docs", ROOT / "docs" / "site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build(tmp_path / "site")
    start = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "Says whether a gradient is right" in start
    assert not re.search(r"(src|href)=\"https?://(?!github.com/mkdocs|squidfunk)", start)


def test_the_page_of_arrays_has_their_functions() -> None:
    for row in TENSOR_FUNCTIONS.values():
        assert f"`{row.name}`" in text_of(ROOT / "docs" / "arrays.md"), row.name


def test_the_functions_that_the_page_of_formulas_names_exist() -> None:
    section = text_of(ROOT / "docs" / "formulas.md").split("\n## Functions")[1].split("\n## ")[0]
    for name in re.findall(r"`([a-z_0-9 ]+?)(?: \.\.\.)?`", section):
        for word in name.split():
            assert word in FUNCTIONS or word in ("gradcheck", "functions", "mismatch", "json"), word


def regenerate(page: Path) -> None:
    def console(found: re.Match[str]) -> str:
        return f"```console\n$ gradcheck {found['arguments']}\n{printed(page, found['arguments'])[1]}```\n"

    with tempfile.TemporaryDirectory() as folder:

        def run(found: re.Match[str]) -> str:
            report = report_of(found["file"], found["code"], Path(folder))
            return f"<!-- run {found['file']} -->\n```python\n{found['code']}```\n\n```text\n{report}```\n"

        page.write_text(RUN.sub(run, CONSOLE.sub(console, text_of(page))), encoding="utf-8")


if __name__ == "__main__":
    os.environ["COLUMNS"] = "80"
    for chosen in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
        regenerate(chosen)
