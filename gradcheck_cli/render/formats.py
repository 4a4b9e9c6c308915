"""The output formats: known without loading what writes them."""

from __future__ import annotations

from collections.abc import Iterable

FORMATS = ("table", "json", "json-lines", "junit", "github", "sarif", "gitlab", "markdown", "latex", "html")
EXPLANATION_FORMATS = ("table", "markdown", "latex", "json", "html")
LIST_FORMATS = ("table", "json")
"""Of `gradcheck functions`."""

SUFFIXES = {
    "": "table",
    ".txt": "table",
    ".log": "table",
    ".json": "json",
    ".jsonl": "json-lines",
    ".xml": "junit",
    ".sarif": "sarif",
    ".md": "markdown",
    ".tex": "latex",
    ".html": "html",
}
"""The format of a file, where none is named."""
ARE_JSON = frozenset({"json", "sarif", "gitlab"})
"""Formats whose files may have the suffix .json."""

FIGURES = (".svg", ".png", ".pdf")
"""The suffixes of figures."""


def has_closed_forms(name: str) -> bool:
    """Whether closed forms are shown of a batch too."""
    return is_whole(name) or name in ("latex", "html")


def is_whole(name: str) -> bool:
    """Whether programs read it, and get all that is known: all rows, and closed forms also of a batch."""
    return name.startswith("json")


def has_pictures(name: str) -> bool:
    """Whether it shows pictures."""
    return name == "html"


def suffixes_of(names: Iterable[str]) -> list[str]:
    """The suffixes of files that may have one of these formats."""
    known = set(names)
    return [suffix for suffix, name in SUFFIXES.items() if suffix and name in known]
