"""Renderers: a finished report in, text out. They read records, compute no error and decide no verdict."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck_cli.records import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.github import render_github
from gradcheck_cli.render.json import render_json
from gradcheck_cli.render.json_lines import render_json_lines
from gradcheck_cli.render.junit import render_junit
from gradcheck_cli.render.markdown import render_markdown
from gradcheck_cli.render.table import render_table

Renderer = Callable[[Report, Display], str]

RENDERERS: dict[str, Renderer] = {
    "table": render_table,
    "json": render_json,
    "json-lines": render_json_lines,
    "junit": render_junit,
    "github": render_github,
    "markdown": render_markdown,
}
