"""Explanations as pages: of numbers, of arrays, of several points."""

from __future__ import annotations

from dataclasses import replace

from gradcheck_cli.records.array_explanation import ArrayExplanation
from gradcheck_cli.records.explanation import Explained, Explanation
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.page.fragment import blocks_of
from gradcheck_cli.render.page.page import render_explanations_page


def render_html(explanation: Explanation | Explained | ArrayExplanation, display: Display) -> str:
    """One page."""
    display = replace(display, all_by="")
    return render_explanations_page(blocks_of(explanation, display), explanation.result, display)
