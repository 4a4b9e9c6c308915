"""Renderers: a finished report in, text out. They read records, compute no error and decide no verdict."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradcheck_cli.records.results import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import EXPLANATION_FORMATS, FORMATS
from gradcheck_cli.runtime.stopwatch import phase

if TYPE_CHECKING:
    from gradcheck_cli.records.explanation import Explanation

Renderer = Callable[[Report, Display], str]


def _renderer(module: str, function: str) -> Callable[[Any, Display], str]:
    """`render_json_lines` of json_lines.py, loaded when it is first called."""

    def render(report: Any, display: Display) -> str:
        with phase("imports"):
            loaded = import_module(f"gradcheck_cli.render.{module}")
        with phase("rendering"):
            text: str = getattr(loaded, function)(report, display)
        return text

    return render


def _word(name: str) -> str:
    return name.replace("-", "_")


RENDERERS: dict[str, Renderer] = {name: _renderer(_word(name), f"render_{_word(name)}") for name in FORMATS}

EXPLANATIONS: dict[str, Callable[[Explanation, Display], str]] = {
    name: _renderer(f"explain_{name}", f"render_explanation_{name}") for name in EXPLANATION_FORMATS
}
