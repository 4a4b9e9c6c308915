"""The HTML of one record: whole, well formed, harmless, and without a reach beyond itself."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from helpers.records import a_check, a_problem, a_report, focal_loss, quartic

from gradcheck_cli import check, explain
from gradcheck_cli.checking.failures import failure
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.explanation import Explained
from gradcheck_cli.records.report import Report, Trouble
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Claim, ClaimStatus, Verdict
from gradcheck_cli.records.shown import Shown

TAGS = {"div", "style", "p", "small", "b", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "br"}
EVIL = "<script>alert(1)</script>"
WRONG = replace(
    a_problem(EVIL, [a_check({"x": -1.0}, 0.0, 1.0, Verdict.MISMATCH, note=f"{EVIL} & \"'")], notices=(EVIL,)),
    name=EVIL,
    description=EVIL,
    file=EVIL,
    claims=(Claim(Derivative(("x",)), EVIL, ClaimStatus.UNREADABLE, False, 0, note=f"no formula:\n  {EVIL}\n  ^"),),
)
SIGMOID = explain("1/(1 + exp(-x))", 2, mode="both")
RECORDS = {
    "a formula": quartic(),
    "rows, notes and claims": check("where(x > 0, sqrt(x), 0)", [-1, 2], claim="0"),
    "code": focal_loss(),
    "code at several inputs": focal_loss(),
    "arrays": check("x**2", arrays={"x": [0.6694, 0.6904, 0.69]}, claim="diag(x)"),
    "a broken formula": failure(Request("x**"), "Something is missing.\n  x**\n     ^"),
    "what is evil": replace(WRONG, name=None),
    "a batch": a_report(WRONG, replace(quartic(), name="quartic", file="problems.yaml", line=3)),
    "a batch that was not read": Report((), {}, troubles=(Trouble(f"there is no file {EVIL}"),)),
    "an explanation": SIGMOID,
    "an explanation of arrays": explain("sum((W @ x)**2)", arrays={"W": [[1, 2], [3, 4]], "x": [1, 2]}),
    "explanations": Explained((SIGMOID, SIGMOID), SIGMOID.result),
}


class Text(HTMLParser):
    """The text of HTML, whose tags must be balanced; without the style sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.parts: list[str] = []
        self.style = ""

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.parts.append(data)


def parsed(record: Shown) -> Text:
    text = Text()
    text.feed(record._repr_mimebundle_()["text/html"])
    text.close()
    assert not text.open
    return text


@pytest.fixture(params=RECORDS, name="record")
def _record(request: pytest.FixtureRequest) -> Shown:
    return RECORDS[request.param]


def test_all_that_the_table_says_is_there(record: Shown) -> None:
    """Each word of it; a batch also has what the rows of its failed problems say."""
    html = " ".join(parsed(record).parts)
    table = record._repr_mimebundle_(include=["text/plain"])["text/plain"]
    words = set(re.sub(r"[─•–]|\.\.\.|\(and (?=\d+ more\))", " ", table).split())
    assert {word for word in words if word.strip("():,") not in html} == set()


def test_no_text_is_markup(record: Shown) -> None:
    assert parsed(record).tags <= TAGS


def test_it_stands_alone(record: Shown) -> None:
    """Nothing is fetched, and no rule is for anything else of the notebook."""
    text = parsed(record)
    assert not re.search(r"https?:|url\(|@import|src=\"(?!data:)|href=", record._repr_mimebundle_()["text/html"])
    for rule in re.findall(r"([^{}]+)\{", text.style):
        assert all(".gradcheck" in selector for selector in rule.split(",")), rule
