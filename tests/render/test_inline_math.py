"""Formulas in what people write of their problems: what passes into LaTeX, and onto a page, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.records import a_report, quartic
from hypothesis import given
from hypothesis import strategies as st
from latex2mathml.converter import convert

from gradcheck_cli.records.report import Heading
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.inline_math import LONGEST, is_formula, pieces
from gradcheck_cli.render.latex_text import prose

FORMULAS = [
    "x", "x^2", "f(x) = x_1^2 + 3", r"\frac{1}{1 + e^{-x}}", r"\sigma(w^\top x + b)", "f''(x)", r"\sqrt[3]{x}",
    r"\frac12", r"\left\{\left(\frac{x}{2}\right)^2\right\}", r"w \in \mathbb{R}^n", r"\mathbb R",
    r"\sum_i x_i^2 \cdot y", r"\hat{y}", r"|x| \le 1", r"x^{y^{z}}", r"\left.x\right|_{0}", "{x}", r"x\,dx", "f'^2",
]  # fmt: skip
NO_FORMULAS = [
    r"\input{/etc/passwd}", r"\input", r"\write18{ls}", r"\def\x{y}", r"\csname end\endcsname", "^^5cinput", "x^^41",
    "x^", "x_", "^2", "x^2^3", "x_1_2", "x^{2}'", r"\frac", r"\frac{1}", r"\frac{1}{", r"\hat", r"\hat^2", r"\sqrt",
    "{", "}", "}{", r"\left(x", r"x\right)", r"\left(x}\right)", r"{\left(x}\right)", "a&b", "a%b", "a#1", "a~b", "π",
    r"a \\ b", r"\text{x}", r"\begin{x}", r"x^\frac{1}{2}", r"x^\left(y\right)", '"', "{" * 200, "{" * 60 + "}" * 60,
    "x\n\ny", r"\left(" * 40, r"\(", r"\mathrm\input", r"\sqrt[\input]{x}", r"\sqrt[_]{x}",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas(text: str) -> None:
    assert list(pieces(f"Derive ${text}$.")) == [("Derive ", False), (text, True), (".", False)]
    convert(text)


@pytest.mark.parametrize("text", NO_FORMULAS)
def test_what_is_no_formula_is_text(text: str) -> None:
    assert not is_formula(text)
    assert "".join(part for part, is_one in pieces(f"Derive ${text}$.") if not is_one) == f"Derive ${text}$."


@pytest.mark.parametrize("text", ["costs $5 and $6", "$ x$", "$x $", r"\$x$", "$$x$$", "$x$2", "a $ b", "$", "$$",
                                  f"${'x' * (LONGEST + 1)}$"])  # fmt: skip
def test_signs_that_are_no_formula(text: str) -> None:
    assert [is_one for _, is_one in pieces(text)] == [False]


PART = st.sampled_from(["x", "2", "^", "_", "{", "}", " ", "'", "\\", "frac", "\\frac", "\\sqrt", "\\left", "\\right",
                        "(", ")", "\\alpha", "\\hat", "\\input", "[", "]", "\\{", "|", "\\,", "%", "&"])  # fmt: skip


@given(st.lists(PART, max_size=12).map("".join))
def test_whatever_passes_is_whole(text: str) -> None:
    """By the judgement of another reader of LaTeX, and each script and group for itself."""
    if not is_formula(text):
        return
    convert(text)
    assert not set("%&#~$") & set(text)
    assert "\\input" not in text
    plain = text.replace("\\{", "").replace("\\}", "")
    assert plain.count("{") == plain.count("}")
    assert text.count("\\left") == text.count("\\right")


def test_where_formulas_are_shown() -> None:
    """In LaTeX, in Markdown and on the page, of problems and of files; what is no formula is text in each."""
    written = r"Derive $x_1^2$ by $\input{x}$."
    problem = replace(quartic(), name="p", file="p.yaml", line=1, description=written)
    report = replace(a_report(problem), headings=(Heading("p.yaml", None, written),))
    texts = {name: RENDERERS[name](report, Display(verbose=True)) for name in ("latex", "markdown", "html", "table")}
    assert texts["latex"].count("Derive $x_1^2$ by " + prose(r"$\input{x}$") + ".\n") == 2
    assert texts["markdown"].count(r"Derive $x_1^2$ by $\\input\{x\}$.") == 2
    assert texts["html"].count(r"<p>Derive <math><mrow><msubsup>") == texts["html"].count(r" by $\input{x}$.</p>") == 2
    assert texts["table"].count(written) == 2


def test_paragraphs_of_the_page() -> None:
    problem = replace(quartic(), name="p", file="p.yaml", line=1, description="One <b>.\n\nTwo\nlines.")
    page = RENDERERS["html"](a_report(problem), Display())
    assert "<p>One &lt;b&gt;.</p>" in page
    assert "<p>Two lines.</p>" in page
