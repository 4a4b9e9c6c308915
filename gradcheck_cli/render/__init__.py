"""Renderers: a finished report in, text out. They read records, compute no error and decide no verdict.

A format is a name in formats.py and a file of that name, here or in explanation/, with the function that writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.report import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import EXPLANATION_FORMATS, FORMATS
from gradcheck_cli.runtime.stopwatch import phase

if TYPE_CHECKING:
    from gradcheck_cli.records.array_explanation import ArrayExplanation
    from gradcheck_cli.records.explanation import Explained, Explanation


def _renderer(module: str, function: str) -> Callable[[Any, Display], str]:
    """`render_json_lines` of json_lines.py, loaded when it is first called."""

    def render(record: Any, display: Display) -> str:
        with phase("imports"):
            loaded = import_module(f"{__name__}.{module}")
        with phase("rendering"):
            text: str = getattr(loaded, function)(record, display)
        return text

    return render


_PAGE = {"html": _renderer("page.chain_rule", "render_html")}
"""A page is one, whatever is on it."""


def of_reports(names: Iterable[str]) -> dict[str, Callable[[Report, Display], str]]:
    """The renderers of reports: `json-lines` is render_json_lines of json_lines.py."""
    words = {name: name.replace("-", "_") for name in names}
    return {name: _renderer(word, f"render_{word}") for name, word in words.items()}


def of_explanations(names: Iterable[str]) -> dict[str, Callable[[Explanation, Display], str]]:
    """The renderers of explanations: `latex` is render_explanation_latex of explanation/latex.py."""
    own = {name: _renderer(f"explanation.{name}", f"render_explanation_{name}") for name in names}
    return own | _PAGE


def of_explained(names: Iterable[str]) -> dict[str, Callable[[Explained, Display], str]]:
    """The renderers of several explanations."""

    def renderer(name: str) -> Callable[[Explained, Display], str]:
        def render(explained: Explained, display: Display) -> str:
            module = import_module(f"{__name__}.explanation.explained")
            text: str = module.render_explained(name, explained, display)
            return text

        return render

    return {name: renderer(name) for name in names} | _PAGE


def of_array_explanations(names: Iterable[str]) -> dict[str, Callable[[ArrayExplanation, Display], str]]:
    """The renderers of explanations of arrays: `latex` is render_arrays_latex of explanation/arrays/latex.py."""
    own = {name: _renderer(f"explanation.arrays.{name}", f"render_arrays_{name}") for name in names}
    return own | _PAGE


RENDERERS = of_reports(FORMATS)
EXPLANATIONS = of_explanations(EXPLANATION_FORMATS)
EXPLAINED = of_explained(EXPLANATION_FORMATS)
"""The same of several points and orders."""
ARRAY_EXPLANATIONS = of_array_explanations(EXPLANATION_FORMATS)
