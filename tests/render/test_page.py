"""The page: one file, with everything in it and nothing from elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gradcheck_cli.batch.run import check_request
from gradcheck_cli.cli import problem_run
from gradcheck_cli.cli.app import run_command
from gradcheck_cli.records.report import Report
from gradcheck_cli.records.request import Request
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.html import render_html
from gradcheck_cli.render.page.drawing import drawing

EVIL = "<script>alert(1)</script>"
PROBLEMS = f"""
title: Week 3 & more
description: Derive <b>each</b> by hand.
problems:
  - {{name: product, expression: x**2*sin(3*x), at: 1, claim: 2*x*sin(3*x) + x**2*cos(3*x), tags: rules}}
  - {{name: {EVIL}, description: "{EVIL}", expression: 1/x, at: [1, 2], gradient: [-1, 3], tags: [rules, "{EVIL}"]}}
  - {{name: map, expression: x*y**2, at: {{x: 1, y: 2}}, tags: several}}
  - {{name: arrays, expression: "softmax(x)", at: "x=[1, 2, 3]", claim: "diag(softmax(x))"}}
  - {{name: unreadable, expression: "sigmod({EVIL})", at: 1}}
  - {{name: trap, expression: "where(x > 0, sqrt(x), 0)", at: -1}}
"""
VOID = {"meta", "input", "br", "link", "hr", "img"}


class Tags(HTMLParser):
    """That all that opens closes, and what refers to something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "p.yaml").write_text(PROBLEMS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_command(["run", "p.yaml", "--output-file", "page.html", "--quiet"]) == 2
    return folder / "page.html"


def test_it_stands_alone_and_nothing_of_a_user_is_markup(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    tags = Tags(text)
    assert [tag for tag, _ in tags.seen].count("script") == 1
    for _, attributes in tags.seen:
        for name in ("src", "href"):
            assert re.match(r"#|data:image/png|$", attributes.get(name) or "")
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<h1>Week 3 &amp; more</h1>" in text
    assert "Derive &lt;b&gt;each&lt;/b&gt; by hand." in text


def test_it_has_formulas_rows_claims_pictures_and_causes(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    kinds = [tag for tag, _ in Tags(text).seen]
    assert kinds.count("article") == 6
    assert kinds.count("math") >= 8
    assert kinds.count("figure") == 5
    assert kinds.count("image") == 4  # three fields of a map, and a matrix
    assert "the inner derivative of sin(3*x) is missing (chain rule)" in text
    assert "write where(x &gt; 0, sqrt(where(x &gt; 0, x, 1)), 0)" in text
    assert "the term - outer(f, f) is missing" in text
    assert "There is no function sigmod. Did you mean sigmoid or logsigmoid?" in text


def test_claims_are_formulas_where_they_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for claim, is_formula in (("2*x", True), ("x^3/2", True), ("sigmod(x)", False), (EVIL, False)):
        assert run_command(["x**2", "--at", "1", "--claim", claim, "--claim", "3*x", "--output-file", "c.html"]) > 0
        text = Path("c.html").read_text(encoding="utf-8")
        Tags(text)
        first, second = re.findall(r'<p class="claim">(.*?)</p>', text, re.DOTALL)
        assert first.startswith("claim: <math>" if is_formula else f"claim: <code>f&#39;(x) = {escape(claim)}</code>")
        assert second.startswith("claim: <math>")
        assert "truth: <math>" in second
        assert EVIL not in text


def test_the_title_of_the_command_line_prevails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text("title: A\nproblems:\n  - {expression: x, at: 1}\n", encoding="utf-8")
    assert run_command(["run", "p.yaml", "--output-file", "p.html", "--title", "Handed out"]) == 0
    assert "<h1>Handed out</h1>" in Path("p.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["x**2", "--at", "1"],
        ["explain", "x**2", "--at", "1"],
        ["explain", "x**2", "--at", "1", "--at", "2"],
        ["explain", "sum(x**2)", "--at", "x=[1, 2]"],
        ["code", "f.py::f", "randn(3)"],
        ["merge", "part.json"],
    ],
)
def test_every_page_has_the_title_that_is_asked_for(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.py").write_text("def f(x):\n    return x**2\n", encoding="utf-8")
    assert run_command(["x", "--at", "1", "-o", "part.json"]) == 0
    assert run_command([*arguments, "--title", "Handed <out>", "-o", "p.html"]) == 0
    assert "<h1>Handed &lt;out&gt;</h1>" in Path("p.html").read_text(encoding="utf-8")


def test_a_title_is_for_what_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["explain", "x**2", "--at", "1", "--title", "T"]) == 2
    assert "--title is what a page is called: write one by --output-file FILE.html" in capsys.readouterr().err


def test_parts_of_a_run_keep_their_title(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text("problems:\n  - {expression: x, at: 1}\n  - {expression: x, at: 2}\n", encoding="utf-8")
    for part in "12":
        assert run_command(["run", "p.yaml", "--shard", f"{part}/2", "-o", f"{part}.json", "--title", "Parts"]) == 0
    assert run_command(["merge", "1.json", "2.json", "-o", "all.html"]) == 0
    assert "<h1>Parts</h1>" in Path("all.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["x**2", "--at", "1"],
        ["explain", "1/(1 + exp(-x))", "--at", "2"],
        ["explain", "x**2*sin(x)", "--at", "1", "--at", "2", "--order", "2"],
        ["explain", "sum((W @ x)**2)", "--at", "W=[[1,2],[3,4]], x=[1,-1]"],
    ],
)
def test_single_checks_and_chain_rules_are_pages(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([*arguments, "--output-format", "html"]) == 0
    text = capsys.readouterr().out
    assert [tag for tag, _ in Tags(text).seen].count("html") == 1
    assert text.startswith("<!doctype html>")


def test_what_is_said_of_a_problem_is_above_its_formulas(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    article = text[text.index('<article id="p2"') : text.index('<article id="p3"')]
    heading, description, formula = (article.index(part) for part in ("p.yaml:6", f"<p>{escape(EVIL)}</p>", "<math"))
    assert heading < description < formula
    assert "(p.yaml:" not in text
    assert 'class="title"' not in article


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two files."""
    folder = tmp_path_factory.mktemp("weeks")
    for number, count in ((1, 11), (2, 2)):
        problems = "".join(
            f"  - {{name: {number}.{k} of a week, expression: x**{k + number}/3, at: {k}, tags: [tag{k}, long-tag]}}\n"
            for k in range(1, count + 1)
        )
        text = f"title: Week {number}\ndescription: By hand {number}.\nproblems:\n{problems}"
        (folder / f"w{number}.yaml").write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_command(["run", "w1.yaml", "w2.yaml", "-o", "page.html", "--quiet"]) == 0
    return folder / "page.html"


def test_the_problems_of_a_file_stand_below_what_it_says(weeks: Path) -> None:
    text = weeks.read_text(encoding="utf-8")
    Tags(text)
    table, articles = text[: text.index("<article")], text[text.index("</table>") :]
    parts = [
        table.index(part) for part in ("Week 1</a>", "1.1 of a", "1.11 of a", "Week 2</a>", "2.1 of a", "2.2 of a")
    ]
    assert parts == sorted(parts)
    names = "Week 1 <", "By hand 1.", "1.1 of a", "1.11 of a", "Week 2 <", "By hand 2.", "2.1 of a", "2.2 of a"
    parts = [articles.index(part) for part in names]
    assert parts == sorted(parts)
    assert re.findall("<h2", text) == ["<h2"] * 2
    assert len(re.findall("<h3", text)) == 13


def test_only_a_long_page_is_laid_out_while_it_is_read(weeks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its lower part is missing in a screenshot of the whole."""
    some = tuple(replace(checked("x**2", "1"), name=f"p{k}", index=k) for k in range(3))
    assert "<main>" in weeks.read_text(encoding="utf-8")
    monkeypatch.setattr("gradcheck_cli.render.page.page.LONG", 2)
    assert '<main class="long">' in render_html(Report(some, {}), Display())


HEADINGS = [
    (["x**2*sin(x)", "--at", "1", "--at", "2"], ["x**2*sin(x)", "at x=1", "at x=2"]),
    (["x**2", "--at", "1", "--claim", "2*x"], ["x**2", "at x=1", "as a whole"]),
    (["x**2", "--at", "1"], ["x**2 at x=1"]),
    (["sum(x**2)", "--at", "x=[1,2]"], ["sum(x**2)"]),
]


@pytest.mark.parametrize(("arguments", "headings"), HEADINGS, ids=str)
def test_the_headings_of_an_explanation_differ(
    arguments: list[str], headings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["explain", *arguments, "-f", "html"]) == 0
    text = capsys.readouterr().out
    found = re.findall(r"<h[12]>(?:<b[^>]*>[^<]*</b> )?([^<]*)</h[12]>", text)
    assert found == headings
    assert text.count('class="title"') == 0


CHAIN = r"<details( open)?>\n<summary>(the chain rule[^<]*)</summary>"


def test_the_chain_rule_is_below(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = page.read_text(encoding="utf-8")
    chains = ["the chain rule at x=1", "the chain rule at x=2", "the chain rule at x=1, y=2", "the chain rule",
              "the chain rule at x=-1"]  # fmt: skip
    assert re.findall(CHAIN, text) == [("", one) for one in chains]
    assert run_command(["x*sigmoid(x)", "--at", "1", "--at", "2", "--output-format", "html"]) == 0
    text = capsys.readouterr().out
    assert re.findall(CHAIN, text) == [(" open", "the chain rule at x=1")]
    assert "df/dx = ∂f/∂a · da/dx + a" in text


def test_of_many_problems_those_that_failed_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_this_process: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(problem_run, "CHAINS", 2)
    for wrong, count in ((0, 0), (2, 2)):
        problems = [f"  - {{expression: x**2, at: {n}, gradient: {2 * n + (n < wrong)}}}\n" for n in range(3)]
        Path("p.yaml").write_text("problems:\n" + "".join(problems), encoding="utf-8")
        assert run_command(["run", "p.yaml", "--output-file", "p.html"]) == bool(wrong)
        assert len(re.findall(CHAIN, Path("p.html").read_text(encoding="utf-8"))) == count


def checked(expression: str, *at: str, **options: Any) -> Any:
    return check_request(Request(expression, at=at, picture=True, **options))


@pytest.mark.slow
def test_a_thousand_problems_would_stay_below_five_megabytes() -> None:
    formulas = ["x**2*sin(3*x)", "relu(x) + 1/x", "log(1 + exp(-x))", "tanh(x)/(1 + x**2)", "x*exp(-x**2/2)"]
    some = [checked(formula, "1") for formula in formulas]
    many = [replace(some[k % len(some)], name=f"problem {k}", file="p.yaml", line=k, index=k) for k in range(250)]
    assert len(render_html(Report(tuple(many), {}), Display()).encode()) < 5_000_000 / 4


def test_what_is_drawn_is_where_it_belongs() -> None:
    found = drawing(checked("abs(x)", "x=-1", "x=1"))
    assert found is not None
    (place,) = [path for path in found.paths if path.kind == "place"]
    left, right = sorted({mark.x for mark in found.marks if mark.kind == "ok"})
    assert place.d.startswith(f"M{(left + right) // 2} ")
    curves = [path.d for path in found.paths if path.kind == "curve"]
    assert [d.count("M") for d in curves] == [1, 2]  # the function is whole, its slope jumps
    assert all(len(d) < 60 for d in curves)  # straight lines need no more than their ends
    assert "kink at 0" in found.title


def test_arrays_are_drawn_where_that_says_more_than_their_numbers() -> None:
    found = drawing(checked("sum((W @ x)**2)", "W=[[1,2],[3,4]], x=[1,-1]", claims=("W: 2*W",)))
    assert found is not None
    assert [label.text for label in found.labels] == ["∂f/∂W, 2x2, up to 2 in size"]  # and nothing of 1x2
    assert [(mark.kind, mark.x > found.boxes[0].x) for mark in found.marks] == [("claim", True)]
    assert ("claim", "where a claim is wrong") in found.key
    assert drawing(checked("x @ x", "x=[1, 2, 3]")) is None


@pytest.fixture
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(page: Path, browser: Any, scheme: str) -> None:
    """Sorting, filtering, with and without a script; nothing is said on the console, and axe finds nothing serious."""
    from axe_playwright_python.sync_playwright import Axe

    shown = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.on("dialog", lambda dialog: said.append("dialog"))
    shown.goto(page.as_uri())
    names = "#problems tr.problem:visible th"
    assert shown.locator(names).count() == 6
    shown.get_by_label("name").fill("script")
    assert shown.locator(names).all_inner_texts() == [EVIL]
    assert shown.locator("article:visible").count() == 1
    shown.get_by_label("name").fill("")
    shown.locator("#by-tag").select_option("rules")
    assert shown.locator(names).count() == 2
    shown.locator("#by-tag").select_option("")
    shown.get_by_role("button", name="verdict").click()
    assert shown.locator(names).all_inner_texts()[-1] in ("map", "arrays")
    shown.get_by_role("button", name="problem").click()
    assert shown.locator(names).all_inner_texts() == sorted(shown.locator(names).all_inner_texts(), key=str.lower)
    shown.get_by_label("what passed").check()
    assert shown.locator(names).all_inner_texts() == ["map"]
    shown.get_by_label("all", exact=True).check()
    found = Axe().run(shown)
    assert [one["id"] for one in found.response["violations"] if one["impact"] in ("serious", "critical")] == []
    assert said == []


@pytest.mark.slow
def test_several_files_in_a_browser(weeks: Path, browser: Any) -> None:
    shown = browser.new_page(viewport={"width": 1280, "height": 900})
    shown.goto(weeks.as_uri())
    names = shown.locator("#problems tr.problem:visible th")
    shown.get_by_role("button", name="problem").click()
    order = [f"1.{k} of a week" for k in range(1, 12)] + ["2.1 of a week", "2.2 of a week"]
    assert names.all_inner_texts() == order  # 1.2 before 1.10, each below its file
    shown.get_by_label("name").fill("2.1 of")
    assert names.all_inner_texts() == ["2.1 of a week"]
    assert shown.locator(".of-file:visible").all_inner_texts() == ["Week 2"]
    assert shown.locator("section.file:visible").count() == 1
    sizes = "e => [e, e.querySelector('mfrac').firstElementChild].map(one => getComputedStyle(one).fontSize)"
    whole, above = shown.locator("article:visible math:has(mfrac)").first.evaluate(sizes)
    assert whole == above


@pytest.mark.slow
def test_on_a_phone_all_of_the_table_is_seen(weeks: Path, browser: Any) -> None:
    shown = browser.new_page(viewport={"width": 390, "height": 800})
    shown.goto(weeks.as_uri())
    cells = shown.locator("#problems tr.problem:nth-of-type(2) td, #problems tr.problem th, #problems thead th")
    boxes = [cell.bounding_box() for cell in cells.all() if cell.is_visible()]
    assert len(boxes) == 7 + 13 + 2 * 6
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_in_print(weeks: Path, browser: Any) -> None:
    """Several problems share a page, and the names of columns are text, which stands on each page of the table."""
    shown = browser.new_page()
    shown.goto(weeks.as_uri())
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", shown.pdf(format="A4"))
    assert 2 <= len(pages) <= 1 + 13 // 2 + 1
    shown.emulate_media(media="print")
    assert shown.locator("th button").first.evaluate("e => getComputedStyle(e).display") == "contents"


@pytest.mark.slow
def test_without_a_script_and_on_a_phone(page: Path, browser: Any) -> None:
    shown = browser.new_page(java_script_enabled=False, viewport={"width": 390, "height": 800})
    shown.goto(page.as_uri())
    shown.get_by_label("what failed").check()
    assert shown.locator("#problems tbody tr:visible").count() == 5
    assert shown.get_by_label("name").is_hidden()
    wide = shown.locator("main").bounding_box()
    assert wide is not None
    assert wide["width"] <= 390


def test_what_cannot_be_read_is_a_page_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["run", "none.yaml", "--output-file", "p.html"]) == 2
    assert "there is no file none.yaml" in Path("p.html").read_text(encoding="utf-8")
