"""Records show themselves: in a notebook by media type, on Rich's console, in `str`."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from helpers.latex import require_well_formed
from helpers.records import a_check, a_problem, a_report, focal_loss, quartic
from rich.console import Console

from gradcheck_cli import check, explain
from gradcheck_cli.checking.failures import failure
from gradcheck_cli.records.explanation import Explained
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.shown import Shown
from gradcheck_cli.render import RENDERERS
from gradcheck_cli.render.display import Display

EXPLANATION = explain("x*sin(x)", 1)
RECORDS = {
    "a formula": quartic(),
    "code": focal_loss(),
    "arrays": check("x**2", arrays={"x": [0.6694, 0.6904, 0.69]}),
    "a claim": check("x*sin(x)", 1, claim="sin(x)"),
    "an error": failure(Request("x**"), "the formula ends too early"),
    "a batch": a_report(replace(quartic(), name="quartic", file="problems.yaml", line=3)),
    "an explanation": EXPLANATION,
    "explanations": Explained((EXPLANATION, EXPLANATION), EXPLANATION.result),
}
BLOCK = r"\\begin\{(align\*|equation\*)\}\n.*?\n\\end\{\1\}"


@pytest.fixture(params=RECORDS, name="record")
def _record(request: pytest.FixtureRequest) -> Shown:
    return RECORDS[request.param]


def bundle(record: Shown, **wanted: Any) -> dict[str, str]:
    return dict(record._repr_mimebundle_(**wanted))


def test_the_forms_of_a_record(record: Shown) -> None:
    texts = bundle(record)
    assert {"text/plain", "text/markdown", "text/html"} <= set(texts)
    assert texts["text/plain"].endswith(str(record))
    assert all(line == line.rstrip() for line in texts["text/plain"].split("\n"))


def test_the_latex_is_display_math_only(record: Shown) -> None:
    """MathJax leaves everything else as it stands, backslashes included."""
    latex = bundle(record).get("text/latex", "")
    assert re.sub(BLOCK, "", latex, flags=re.DOTALL).strip() == ""
    require_well_formed(latex)


def test_what_is_left_out() -> None:
    assert "text/latex" not in bundle(RECORDS["an error"])


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["text/plain"], None, {"text/plain"}),
        ({"text/plain", "image/png"}, None, {"text/plain"}),
        (None, {"text/html", "text/latex"}, {"text/plain", "text/markdown"}),
        ({"text/html"}, None, {"text/html"}),
        (["text/plain", "text/latex"], ["text/plain"], {"text/latex"}),
        ([], None, set()),
    ],
)
def test_include_and_exclude(include: Any, exclude: Any, expected: set[str]) -> None:
    assert set(bundle(quartic(), include=include, exclude=exclude)) == expected


@pytest.mark.parametrize("width", [80, 50, 30])
def test_rich_prints_the_report_as_wide_as_its_console(record: Shown, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="standard", _environ={})
    console.print(record)
    assert isinstance(console.file, io.StringIO)
    shown = re.sub(r"\x1b\[[\d;]*m", "", console.file.getvalue())
    assert max(map(len, shown.split("\n"))) <= max(width, 40)
    assert " ".join(shown.split()).endswith(" ".join(str(record).split()))


def test_rich_keeps_the_colours_where_the_console_has_some() -> None:
    wrong = a_problem("relu(x)", [a_check({"x": 0.0}, 1.0, 0.0)])
    for system, has_colour in (("standard", True), (None, False)):
        console = Console(file=io.StringIO(), force_terminal=bool(system), color_system=system, _environ={})  # type: ignore[arg-type]
        console.print(wrong)
        assert isinstance(console.file, io.StringIO)
        assert ("\x1b[" in console.file.getvalue()) is has_colour


def test_a_repr_is_a_few_words(record: Shown) -> None:
    assert len(repr(record)) < 200
    assert repr(record).startswith(f"<{type(record).__name__} of ")


def test_a_repr_says_what_came_out() -> None:
    assert repr(quartic()).endswith(": match, passed (1 match)>")


def test_no_hint_speaks_of_an_option_where_there_is_no_command_line() -> None:
    """In a notebook, from Python and on a page, which others read."""
    lets = {f"y{i}": f"x + {i}" for i in range(40)}
    records = [
        a_problem("x", [a_check({"x": float(x)}, 1.0, 1.0) for x in range(30)]),
        check("+".join(f"x{i}" for i in range(15)), samples=1),
        check("+".join(lets), let=lets, at=1),
        explain("+".join(lets), let=lets, at=1),
    ]
    for record in records:
        assert not [name for name, text in bundle(record).items() if "-v " in text]
    for one in records[:3]:
        report = a_report(one)
        assert "-v shows" in " ".join(RENDERERS["table"](report, Display(all_by="-v")).split())
        assert "-v shows" not in " ".join(RENDERERS["html"](report, Display(all_by="-v")).split())
