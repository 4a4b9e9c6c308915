"""Renderers: a finished report in, text out. They read records, compute no error and decide no verdict."""

from __future__ import annotations

from collections.abc import Callable

from gradcheck_cli.records import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.explain import render_explanation
from gradcheck_cli.render.explain_json import render_explanation_json
from gradcheck_cli.render.explain_latex import render_explanation_latex
from gradcheck_cli.render.explain_markdown import render_explanation_markdown
from gradcheck_cli.render.github import render_github
from gradcheck_cli.render.json import render_json
from gradcheck_cli.render.json_lines import render_json_lines
from gradcheck_cli.render.junit import render_junit
from gradcheck_cli.render.markdown import render_markdown
from gradcheck_cli.render.table import render_table
from gradcheck_cli.step_records import Explanation

Renderer = Callable[[Report, Display], str]

RENDERERS: dict[str, Renderer] = {
    "table": render_table,
    "json": render_json,
    "json-lines": render_json_lines,
    "junit": render_junit,
    "github": render_github,
    "markdown": render_markdown,
}

EXPLANATIONS: dict[str, Callable[[Explanation, Display], str]] = {
    "table": render_explanation,
    "markdown": render_explanation_markdown,
    "latex": render_explanation_latex,
    "json": render_explanation_json,
}
