"""As a page that stands alone."""

from __future__ import annotations

from gradcheck_cli.records.array_explanation import ArrayExplanation
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.page.fragment import blocks_of
from gradcheck_cli.render.page.page import render_explanations_page


def render_arrays_html(explanation: ArrayExplanation, display: Display) -> str:
    return render_explanations_page(blocks_of(explanation, display), explanation.result, display)
