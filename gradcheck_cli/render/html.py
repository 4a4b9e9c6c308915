"""HTML: a page that stands alone."""

from __future__ import annotations

from gradcheck_cli.records.report import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.page.page import render_page


def render_html(report: Report, display: Display) -> str:
    """One file, with its style, pictures and script in it."""
    return render_page(report, display)
