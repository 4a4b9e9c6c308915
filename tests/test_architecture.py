"""ARCHITECTURE.md says what is so: its table is that of the packages, and what it names is there.

`python tests/test_architecture.py` writes the table anew.
"""

from __future__ import annotations

import ast
import re
import tomllib

import pytest
from helpers.paths import PACKAGE, ROOT

ARCHITECTURE = ROOT / "ARCHITECTURE.md"
TABLE = re.compile(r"(?<=<!-- layers -->\n)(?:\|.*\n)*")
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md")


def charter(name: str) -> str:
    """The first paragraph of the docstring of a package or a module, on one line."""
    folder = PACKAGE / name
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    assert docstring, f"{file} says nothing"
    return " ".join(docstring.split("\n\n")[0].split())


def layers() -> list[list[str]]:
    """The names of each layer of the contract, from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    contract = next(contract for contract in contracts if contract["type"] == "layers")
    return [re.split(r" [|:] ", layer) for layer in contract["layers"]]


def table() -> str:
    """A row a name, the highest layer first."""
    rows = ["| layer | name | what it is |\n", "| ---: | --- | --- |\n"]
    for number, names in zip(range(len(layers()), 0, -1), layers(), strict=True):
        for name in names:
            shown = f"{name}/" if (PACKAGE / name).is_dir() else f"{name}.py"
            rows.append(f"| {number} | `{shown}` | {charter(name)} |\n")
    return "".join(rows)


def test_the_table_is_that_of_the_packages() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert TABLE.findall(text) == [table()], "run: python tests/test_architecture.py"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_named_is_there(page: str) -> None:
    """Files and folders between backticks, in the repository or in the package; and what a link leads to."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in re.findall(r"`([\w./-]+(?:/|\.py|\.yaml|\.toml|\.txt|\.md))`", text):
        assert any((place / name).exists() for place in (ROOT, PACKAGE, PACKAGE.parent)), name
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link


def regenerate() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    ARCHITECTURE.write_text(TABLE.sub(lambda _: table(), text), encoding="utf-8")


if __name__ == "__main__":
    regenerate()
