"""A check as Markdown and as LaTeX: what one pastes into a pull request, a notebook or a paper."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from helpers.latex import FRAGMENT, require_well_formed
from helpers.records import a_check, a_problem, a_report, focal_loss, quartic
from hypothesis import given
from hypothesis import strategies as st

from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.report import AnyResult, Heading
from gradcheck_cli.records.results import Claim, ClaimStatus, Counterexample, ProblemResult, Verdict
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display


def rendered(form: str, result: AnyResult, **display: Any) -> str:
    return RENDERERS[form](a_report(result), Display(**display))


def refuted() -> ProblemResult:
    """A check with all that one has: a row that failed, a kink, notes, a notice, a claim."""
    rows = [
        a_check({"x": 1e-9}, 0.5, -81.7404, Verdict.UNSTABLE, rel_error=164.4, note="it cancels: write x < 1_0"),
        a_check({"x": 0.0}, None, 0.0, Verdict.KINK, left=0.0, right=1.0, note="[0, 1] is between"),
        a_check({"x": 2.0}, 4.0, 4.0),
    ]
    claim = Claim(Derivative(("x",)), "2*x^3", ClaimStatus.REFUTED, False, 25, Counterexample({"x": 2.0}, 16.0, 4.0),
                  "the power is off", "2*x")  # fmt: skip
    return a_problem("x^2", rows, formula="x**2", derivatives={"x": "2*x"}, claims=(claim,), passed=False,
                     notices=("5 points were sampled",))  # fmt: skip


def test_markdown_of_one_point() -> None:
    assert rendered("markdown", quartic()) == (
        "## ✅ `8*x**4 + 3*x**3`\n\n"
        "```text\n"
        "f(x)  = 8*x**4 + 3*x**3\n"
        "f'(x) = 32*x**3 + 9*x**2\n\n"
        "f(2) = 152\n"
        "```\n\n"
        "| x | analytical | autograd | relative error | verdict |\n"
        "| ---: | ---: | ---: | ---: | --- |\n"
        "| 2 | 292 | 292 | 0 | ✓ match |\n\n"
        "<sub>1 check: 1 match · float64 on cpu · torch 2.13.0</sub>\n"
    )


def test_markdown_of_all_that_a_check_has() -> None:
    text = rendered("markdown", refuted())
    assert text.startswith("## ❌ `x**2`\n")
    assert "| 1e-9 | 0.5 | -81.7404 | 164 | \\~ unstable ¹ |\n" in text
    assert "| 0 | \\[0, 1\\] | 0 | – | ∧ kink ² |\n" in text
    assert "- ¹ it cancels: write x &lt; 1\\_0\n- ² \\[0, 1\\] is between\n- 5 points were sampled\n" in text
    assert "The claim `f'(x) = 2*x^3` is ✗ refuted at x=2: the claim is 16, the derivative 4.\n" in text
    assert "The derivative is `2*x`.\n\n- the power is off\n" in text
    assert "<sub>3 checks (1 failed): 1 match, 1 kink, 1 unstable · 1 claim: 1 refuted · float64 on cpu" in text


def test_latex_of_one_point() -> None:
    assert rendered("latex", quartic()) == (
        "% for the body of a document that has \\usepackage{amsmath,amssymb,longtable}\n"
        "\\begin{align*}\n"
        "  f\\left(x\\right) &= 8 \\cdot x^{4} + 3 \\cdot x^{3} \\\\\n"
        "  f'\\left(x\\right) &= 32 \\cdot x^{3} + 9 \\cdot x^{2} \\\\\n"
        "  f\\left(2\\right) &= 152\n"
        "\\end{align*}\n\n"
        "\\begin{equation*}\n"
        "\\begin{array}{rrrrl}\n"
        "  x & \\text{analytical} & \\text{autograd} & \\text{relative error} & \\text{verdict} \\\\ \\hline\n"
        "  2 & 292 & 292 & 0 & \\text{match} \\\\\n"
        "\\end{array}\n"
        "\\end{equation*}\n\n"
        "1 check: 1 match $\\cdot$ float64 on cpu $\\cdot$ torch 2.13.0\n"
    )


def test_latex_of_all_that_a_check_has() -> None:
    text = rendered("latex", refuted())
    require_well_formed(text)
    assert "  10^{-9} & 0.5 & -81.7404 & 164 & \\text{unstable}^{1} \\\\\n" in text
    assert "  0 & [0, 1] & 0 & \\text{--} & \\text{kink}^{2} \\\\\n" in text
    assert "  \\item[${}^{1}$] it cancels: write x $<$ 1\\_0\n  \\item[${}^{2}$] {}[0, 1] is between\n" in text
    assert (
        "The claim $f'\\left(x\\right) = 2 \\cdot x^{3}$ is refuted at x=2: the claim is 16, the derivative 4.\n"
        in text
    )
    assert "The derivative is $2 \\cdot x$.\n\\begin{itemize}\n  \\item the power is off\n\\end{itemize}\n" in text


@pytest.mark.parametrize(
    ("note", "latex"),
    [
        ("the product rule for x**2*exp(x) is there", r"for $x^{2} \cdot \exp\left(x\right)$ is there"),
        ("it is off (2*x, not 3*x).", r"it is off ($2 \cdot x$, not $3 \cdot x$)."),
        ("cancellation in 2*x - 1; write where(x > 0, 2*x, 1) instead: 2*x",
         r"in $2 \cdot x$ - 1; write where(x $>$ 0, 2*x, 1) instead: 2*x"),
        ("5 * 3 and x*) and *x and a*b*.py", "5 * 3 and x*) and *x and a*b*.py"),
    ],
)  # fmt: skip
def test_formulas_in_notes_of_latex(note: str, latex: str) -> None:
    row = a_check({"x": 1.0}, 1.0, 2.0, Verdict.MISMATCH, note=note)
    claim = Claim(Derivative(("x",)), "2", ClaimStatus.REFUTED, False, 1, note=note)
    text = rendered("latex", a_problem("x", [row], claims=(claim,), notices=(note,)))
    require_well_formed(text)
    assert text.count(latex) == 3


def several(wrt: tuple[str, ...], variables: tuple[str, ...] = ("w_1", "x"), **fields: Any) -> ProblemResult:
    point = dict.fromkeys(variables, 2.0)
    return a_problem("sin(w_1)*x", [a_check(point, wrt=wrt)], variables=variables, **fields)


@pytest.mark.parametrize(
    ("result", "latex"),
    [
        (several(("x",)), r"\frac{\partial f}{\partial x}"),
        (several(("w_1", "w_1", "x")), r"\frac{\partial^{3} f}{\partial w_{1}^{2} \, \partial x}"),
        (several(("y",), ("x",), lets={"y": "2*x"}), r"\frac{df}{dy}"),
        (several(("x",), lets={"f": "2*x"}), r"\frac{\partial g}{\partial x}"),
        (several(("x",), function_name="loss"), r"\frac{\partial \mathit{loss}}{\partial x}"),
        (several(("x",)), r"w_{1} = 2,\; x = 2 & "),
        (several(("x",), lets={"a(t)": "t**2"}), r"a\left(t\right) &= t^{2} \\"),
        (several(("x",), formula="sin(w_1)*x"), r"f\left(w_{1}, x\right) &= \sin\left(w_{1}\right) \cdot x"),
        (a_problem("x +", [], error="a value is missing\n  x +\n     ^"), r"f &= \texttt{x +}"),
    ],
)
def test_latex_of_names_and_derivatives(result: ProblemResult, latex: str) -> None:
    text = rendered("latex", result)
    require_well_formed(text)
    assert latex in text


def test_latex_of_many_problems() -> None:
    """What became of each, and all of those that failed; with -v of all."""
    named = [
        replace(refuted(), name="the_first", file="a_b.yaml", line=3, description="100% wrong"),
        replace(focal_loss(), name="focal", file="a.yaml", line=9),
        replace(quartic(), name="quartic", file="a.yaml", line=12),
    ]
    text = RENDERERS["latex"](a_report(*named), Display())
    require_well_formed(text)
    assert "  \\text{the\\_first} & 3 & 1 & \\text{unstable} \\\\\n" in text
    assert "  \\text{focal} & 12 & 4 & \\text{mismatch} \\\\\n" in text
    assert "\\paragraph{the\\_first} (a\\_b.yaml:3)\n\n100\\% wrong\n\n" in text
    assert "\\paragraph{quartic}" not in text
    assert "\\paragraph{quartic}" in RENDERERS["latex"](a_report(*named), Display(verbose=True))


def test_latex_goes_file_by_file() -> None:
    """With a section each, below the title of the report where it has one."""
    problems = [replace(refuted(), name=f"p{n}", file=f"{'ab'[n % 2]}.yaml", line=n) for n in range(4)]
    headings = Heading("b.yaml", "Week 2", "By hand."), Heading("a.yaml", None, "At first.")
    parts = [r"section*{a.yaml}", "At first.", r"\text{p0}", r"\paragraph{p0}", r"\paragraph{p2}",
             r"section*{Week 2}", "By hand.", r"\text{p1}", r"\paragraph{p1}", r"\paragraph{p3}"]  # fmt: skip
    for title in (None, "Calculus"):
        text = RENDERERS["latex"](replace(a_report(*problems), headings=headings, title=title), Display())
        require_well_formed(text)
        places = [text.index(part) for part in parts]
        assert places == sorted(places)
        assert text.count(r"\subsection*") == (0 if title is None else 2)
        assert (r"\section*{Calculus}" in text) == (title is not None)


def test_a_long_table_of_latex_goes_over_pages() -> None:
    few, many = (
        RENDERERS["latex"](a_report(*(replace(quartic(), name=f"p{n}", file="a.yaml", line=n) for n in range(count))),
                           Display())
        for count in (30, 31)
    )  # fmt: skip
    require_well_formed(many)
    assert "longtable}{" not in few
    assert "\\begin{longtable}{lrrl}\n  $\\text{problem}$ & $\\text{checks}$ & " in many
    assert "\n  $\\text{p30}$ & $1$ & $0$ & $\\text{match}$ \\\\\n\\end{longtable}" in many
    rows = [a_check({"x": float(n)}, None, None, Verdict.MATCH) for n in range(40)]
    single = rendered("latex", a_problem("x", rows), verbose=True)
    require_well_formed(single)
    assert "\\begin{longtable}" in single


def test_the_description_is_a_paragraph_of_its_own_in_latex() -> None:
    for result in (focal_loss(), focal_loss(expression="sum(x)"), quartic()):
        named = replace(result, name="p", file="a.yaml", line=3, description="Differentiate.", passed=False)
        assert "\n\\paragraph{p} (a.yaml:3)\n\nDifferentiate.\n\n\\" in RENDERERS["latex"](a_report(named), Display())


def test_a_function_as_markdown() -> None:
    text = rendered("markdown", focal_loss(checks_failed=7))
    assert text == (
        "## ❌ `focal_loss(logits, target)`\n\n"
        "losses.py:25 · logits float64 (4, 3) · target int64 (4,)\n\n"
        "| derivative | entries | match | kink | mismatch | worst relative error | verdict |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |\n"
        "| ∂out/∂logits | 12 | 7 | 1 | 4 | 3 | ✗ mismatch |\n\n"
        "| entry | analytical | autograd | verdict |\n"
        "| --- | --- | --- | --- |\n"
        "| ∂out/∂logits\\[0,1\\] | -0.0597916 | -0.239167 | ✗ mismatch |\n"
        "| ∂out/∂logits\\[1,1\\] | -0.0597916 | -1.23917 | ✗ mismatch |\n"
        "| ∂out/∂logits\\[2,1\\] | -0.0597916 | -2.23917 | ✗ mismatch |\n"
        "| ∂out/∂logits\\[3,1\\] | -0.0597916 | -3.23917 | ✗ mismatch |\n\n"
        "and 3 more entries that failed.\n\n"
        "- FocalLoss.backward (losses.py:18) is wrong by logits\n"
        "- a branch is decided at a tie\n"
        "- 2 values are held constant (detach): losses.py:12\n"
        "- ∂out/∂logits\\[0,0\\]: a convention\n\n"
        "<sub>1 function, 12 entries (7 failed): 7 match, 1 kink, 4 mismatch · float64 on cpu · torch 2.13.0</sub>\n"
    )


def test_a_function_as_latex() -> None:
    text = rendered("latex", focal_loss())
    require_well_formed(text)
    assert text.removeprefix(FRAGMENT).startswith(
        "\\texttt{focal\\_loss(logits, target)} losses.py:25 $\\cdot$ logits float64 (4, 3) "
    )
    assert "  \\text{$\\partial$out/$\\partial$logits} & 12 & 7 & 1 & 4 & 3 & \\text{mismatch} \\\\\n" in text
    assert "-0.0597916 & -3.23917 & \\text{mismatch} & \\text{} \\\\\n" in text
    assert "\\item FocalLoss.backward (losses.py:18) is wrong by logits\n" in text


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_text_is_well_formed_latex(text: str) -> None:
    row = a_check({"x": 1.0}, 1.0, math.inf, Verdict.MISMATCH, note=text)
    claim = Claim(Derivative(("x",)), text, ClaimStatus.UNREADABLE, False, 0, note=text)
    problem = a_problem("x", [row], formula=text or "x", claims=(claim,), name=text, file=text, notices=(text,))
    for report in (a_report(problem), a_report(replace(problem, name=None, file=None))):
        found = RENDERERS["latex"](report, Display())
        assert len(re.findall(r"\\begin\{", found)) == len(re.findall(r"\\end\{", found))
        depth = 0
        for brace in re.findall(r"(?<!\\)[{}]", found):
            depth += 1 if brace == "{" else -1
            assert depth >= 0
        assert depth == 0
