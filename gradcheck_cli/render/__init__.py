"""Renderers: a finished report in, text out. They read records, compute no error and decide no verdict."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from gradcheck_cli.records import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.names import FORMATS
from gradcheck_cli.stopwatch import phase

Renderer = Callable[[Report, Display], str]


def _renderer(name: str) -> Renderer:
    """`render_json_lines` of json_lines.py for `json-lines`, loaded when it is first called."""
    word = name.replace("-", "_")

    def render(report: Report, display: Display) -> str:
        with phase("imports"):
            module = import_module(f"gradcheck_cli.render.{word}")
        with phase("rendering"):
            text: str = getattr(module, f"render_{word}")(report, display)
        return text

    return render


RENDERERS: dict[str, Renderer] = {name: _renderer(name) for name in FORMATS}
