"""Pictures as they are drawn: characters at the right places, figures with the right labels."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.batch.run import check_request
from gradcheck_cli.records.picture import Axis, Cell, MatrixPicture, Scale
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.verdicts import Verdict
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plain import encodable
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.canvas import BLANK, Canvas
from gradcheck_cli.render.plot.terminal import render_plot
from gradcheck_cli.render.plot.ticks import ticks

HOSTILE = "$\\frac{x$ <script>alert(1)</script> \x1b[31m & \u202e"


@functools.cache
def checked(expression: str, *at: str, claims: tuple[str, ...] = (), shapes: tuple[str, ...] = ()) -> AnyResult:
    return check_request(Request(expression, at=at, claims=claims, shapes=shapes, picture=True, derivatives=False))


def drawn(result: AnyResult, width: int = 80) -> str:
    return render_plot(result, Display(width=width))


def panels(text: str) -> dict[str, list[str]]:
    """The rows of each panel, by its title, without the numbers beside them."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in text.splitlines():
        if len(line) > 9 and line[9] in "│┤":
            found[title].append(line[10:])
        else:
            title = line
            found[title] = []
    return {title: rows for title, rows in found.items() if rows}


def places(rows: list[str], sign: str) -> list[tuple[int, int]]:
    return [(row, column) for row, line in enumerate(rows) for column, c in enumerate(line) if c == sign]


def test_a_line_goes_from_corner_to_corner() -> None:
    canvas = Canvas(4, 2)
    canvas.line((0, 0), (1, 1))
    above, below = canvas.rows()
    assert (above[:2], below[2:]) == ("  ", "  ")
    assert BLANK < ord(below[0]) <= BLANK + 255
    assert BLANK < ord(above[3]) <= BLANK + 255


@pytest.mark.parametrize(("start", "end"), [((0, 2), (1, 3)), ((-1, 0.5), (-0.1, 0.5)), ((0, -1e300), (1, -1e300))])
def test_what_is_beyond_the_canvas_is_not_drawn(start: tuple[float, float], end: tuple[float, float]) -> None:
    canvas = Canvas(4, 2)
    canvas.line(start, end)
    assert canvas.rows() == ["    ", "    "]


def test_a_steep_line_through_the_canvas_is_clipped_at_its_rim() -> None:
    canvas = Canvas(5, 2)
    canvas.line((0.5, -1e17), (0.5, 1e17))
    assert [row.strip() != "" for row in canvas.rows()] == [True, True]
    assert all(len(row.strip()) == 1 and row[2] != " " for row in canvas.rows())


def test_the_points_stand_where_they_are() -> None:
    """x**3 from -1 to 5: the point 2 in the middle, autograd's 12 a little above the foot."""
    rows = panels(drawn(checked("x**3", "2")))
    ((row, column),) = places(rows["f'(x)"], "o")
    assert column in (34, 35)
    assert row in (7, 8)
    assert places(rows["error in ulps (log scale)"], "o") == [(5, column)]


def test_what_fails_is_marked_at_the_rim_and_a_kink_by_a_line() -> None:
    text = drawn(checked("where(x > 0, sqrt(x), 0)", "-1"))
    rows = panels(text)
    assert {row for row, _ in places(rows["f'(x)"], "✗")} == {0}
    ((_, column),) = places(rows["f(x)"], "o")
    assert (0, column) in places(rows["f'(x)"], "✗")
    kink = {column for _, column in places(rows["f'(x)"], "┊")}
    assert kink == {round(2.5 / 3 * 139) // 2}
    assert "✗ fails, at the top: not finite" in text
    assert "┊ kink at 0" in text


def test_what_is_undefined_is_shaded() -> None:
    text = drawn(checked("sqrt(x)", "2"))
    assert {column for _, column in places(panels(text)["f(x)"], "░")} == set(range(6))
    assert "░ undefined from -0.4 to 0" in text


def test_a_claim_is_dotted_and_named() -> None:
    text = drawn(checked("x**3", "2", claims=("3*x",)))
    assert "dotted: claim 3*x" in text
    assert "◆ where a claim is wrong" in text
    assert len(places(panels(text)["f'(x)"], "◆")) == 1


def test_a_map_is_shaded_with_its_scale() -> None:
    text = drawn(checked("sin(x)*y", "x=1,y=2"))
    rows = panels(text)
    assert [len(rows[title]) for title in rows] == [16, 16]
    assert text.count("o") >= 2
    assert "█ 0.78 to 1.1" in text


def test_a_scale_by_decades_is_named() -> None:
    assert list(panels(drawn(checked("exp(x)", "x=0:20:5"))))[:2] == ["f(x) (log scale)", "f'(x) (log scale)"]
    text = drawn(checked("x**2", "1e-8", "1", "1e8"))
    assert "x (log scale)" in text.splitlines()[-3]
    assert "y (log scale)" in drawn(checked("x + log(y)", "x=1,y=1", "x=2,y=1e8"))
    assert "(log scale)" not in drawn(checked("x**2", "1")).replace("error in ulps (log scale)", "")


def test_wrong_entries_of_a_matrix_are_marked() -> None:
    result = checked("W @ x", shapes=("W: 2x2", "x: 2"))
    assert isinstance(result.picture, MatrixPicture)
    matrix = result.picture.matrices[1]
    wrong = replace(matrix, cells=(Cell(1, 0, Verdict.MISMATCH, False, "f[1] by x[0]"),))
    (rows,) = panels(drawn(replace(result, picture=MatrixPicture((wrong,))))).values()
    assert [line[:4].count("✗") for line in rows] == [0, 2]
    assert rows[1].startswith("✗✗")


def test_an_entry_of_a_wrong_claim_is_marked_and_a_matrix_is_named() -> None:
    text = drawn(checked("sum((W @ x)**2)", "W=[[1,2],[3,4]], x=[1,-1]", claims=("W: 2*W",)))
    assert "∂f/∂W: 2 x 2, laid out as W" in text
    assert [row[:4] for row in panels(text)["∂f/∂W: 2 x 2, laid out as W"]] == ["████", "◆◆██"]
    assert "◆ where a claim is wrong" in text
    picture = checked("sum(x**3)", "x=[1,2]").picture
    assert isinstance(picture, MatrixPicture)
    (matrix,) = picture.matrices
    assert words.matrix(replace(matrix, output="∂f/∂y")) == "∂²f/∂y∂x"


@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize(
    "asked", [("x**3", "2"), ("tan(x)", "x=-3:3:7"), ("sin(x)*y", "x=1,y=2"), ("x*y*z", "x=1,y=2,z=3")], ids=str
)
def test_no_line_is_wider_than_the_terminal(asked: tuple[str, ...], width: int) -> None:
    """But for what is said, which is not broken within a part."""
    for line in drawn(checked(*asked), width).splitlines():
        assert len(line) <= max(width, 60), line


def test_a_terminal_without_braille_gets_ascii() -> None:
    text = encodable(drawn(checked("x**3", "2")), "ascii")
    assert text.isascii()
    assert "\\u" not in text


def test_a_name_cannot_steer_the_terminal() -> None:
    result = replace(checked("x**3", "2", claims=("3*x",)), function_name="f\x1b[2J")
    assert "\x1b" not in drawn(result)


TICKS = [
    (Axis(-1, 5), 4, ["0", "2", "4"]),
    (Axis(-0.1, 1.1), 3, ["0", "0.5", "1.0"]),
    (Axis(0.1, 1e8, Scale.LOG), 4, ["1", "1000", "1e6"]),
    (Axis(1e8 - 1, 1e8 + 1), 3, ["9.9999999e7", "1.00000000e8", "1.00000001e8"]),
    (Axis(-5e-9, 2.5e-8), 4, ["0", "1e-8", "2e-8"]),
    (Axis(-1e4, 1e4, Scale.SYMLOG, 1e-2), 5, ["-1000", "-1", "0", "1", "1000"]),
]


@pytest.mark.parametrize(("axis", "most", "labels"), TICKS, ids=str)
def test_the_numbers_beside_an_axis_are_round(axis: Axis, most: int, labels: list[str]) -> None:
    assert [tick.label for tick in ticks(axis, most)] == labels


@settings(max_examples=50)
@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 12))
def test_ticks_are_on_the_axis_and_few(low: float, width: float, most: int) -> None:
    if low + width > low:
        axis = Axis(low, low + width)
        found = ticks(axis, most)
        assert len(found) <= most
        assert all(-1e-6 <= axis.place(tick.number) <= 1 + 1e-6 for tick in found)
        assert all(math.isclose(float(tick.label), tick.number, rel_tol=1e-12, abs_tol=1e-300) for tick in found)


# Figures.


def figure(result: AnyResult, format: str) -> bytes:
    pytest.importorskip("matplotlib")
    from gradcheck_cli.render.plot.figure import render_figure

    return render_figure(result, format)


def texts(svg: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


SIGNATURES = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


FORMATS = ["svg", pytest.param("png", marks=pytest.mark.slow), pytest.param("pdf", marks=pytest.mark.slow)]


@pytest.mark.parametrize("format", FORMATS)
def test_a_figure_is_of_its_format_and_always_the_same(format: str) -> None:
    made = figure(checked("x**3", "2"), format)
    assert made.startswith(SIGNATURES[format])
    assert made == figure(checked("x**3", "2"), format)


LABELS = [
    (("x**3", "2"), (), ["f(x)", "f'(x)", "error in ulps", "x", "certified", "tolerance", "x**3 · float64"]),
    (("x**3", "2"), ("3*x",), ["claim 3*x", "where a claim is wrong"]),
    (("where(x > 0, sqrt(x), 0)", "-1"), (), ["kink", "fails; at the rim: not finite"]),
    (("exp(x)", "x=0:20:5"), (), ["f(x)", "f'(x)", "(log scale)"]),
    pytest.param(("sqrt(x)", "2"), (), ["edge", "undefined"], marks=pytest.mark.slow),
    pytest.param(("tan(x)", "x=-3:3:7"), (), ["pole"], marks=pytest.mark.slow),
    (("sin(x)*y", "x=1,y=2"), (), ["f(x, y)", "∂f/∂x", "error of ∂f/∂y", "ulps", "points asked for"]),
    pytest.param(("x*y*z", "x=1,y=2,z=3"), (), ["∂f/∂z", "x   (y=2, z=3)", "error of ∂f/∂y"], marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("asked", "claims", "labels"), LABELS, ids=str)
def test_a_figure_says_what_it_shows(asked: tuple[str, ...], claims: tuple[str, ...], labels: list[str]) -> None:
    found = texts(figure(checked(*asked, claims=claims), "svg"))
    assert [label for label in labels if label not in found] == []


LONG = "a_rather_long_name_of_a_variable"
WHOLE: list[tuple[tuple[str, ...], tuple[str, ...], int]] = [
    # what is asked, claims, columns of the legend
    (("x**3", "2"), (), 3),
    (("x*sigmoid(x)", "x=-4:4:9"), ("sigmoid(x) + sigmoid(x)*(1-sigmoid(x))",), 2),
    (("x*sigmoid(x)", "x=-4:4:9"), (f"{'sigmoid(x) + ' * 9}0",), 1),
    (("x*y", f"x={1 + 1e-9},y={1 - 1e-9}"), (), 1),
    ((f"{LONG}*{LONG}_2*{LONG}_3*x", f"x=1,{LONG}=1.2345678,{LONG}_2=2,{LONG}_3=1e-300"), (), 2),
]


@pytest.mark.slow
@pytest.mark.parametrize(("asked", "claims", "columns"), WHOLE, ids=str)
def test_nothing_of_a_figure_is_cut_off(asked: tuple[str, ...], claims: tuple[str, ...], columns: int) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    from gradcheck_cli.render.plot.figure import figure_of, settled

    with settled():
        made = figure_of(checked(*asked, claims=claims))
        canvas = FigureCanvasAgg(made)
        canvas.draw()
        shown = [text for text in made.findobj(Text) if text.get_visible() and text.get_text().strip()]  # type: ignore[attr-defined]
        boxes = {text.get_text(): text.get_window_extent(canvas.get_renderer()) for text in shown}  # type: ignore[attr-defined]
    width, height = canvas.get_width_height()
    assert [text for text, b in boxes.items() if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height] == []
    assert [legend._ncols for legend in made.legends] == [columns]


def test_a_figure_of_a_gradient() -> None:
    found = texts(figure(checked("sum((W @ x)**2)", "W=[[1,2],[3,4]], x=[1,-1]", claims=("W: 2*W",)), "svg"))
    assert {"∂f/∂W", "row of W", "column of W", "where a claim is wrong"} <= set(found)


def test_a_figure_of_a_jacobian() -> None:
    found = texts(figure(checked("W @ x", shapes=("W: 2x2", "x: 2")), "svg"))
    assert {"∂f/∂W", "∂f/∂x", "element of f", "element of W"} <= set(found)


@pytest.mark.parametrize("format", FORMATS)
def test_a_name_is_shown_as_it_is(format: str) -> None:
    """Neither a formula of matplotlib's, nor markup, nor a letter that the font lacks does anything."""
    result = replace(checked("x**3", "2"), name=f"{HOSTILE} 漢字 🙂")
    made = figure(result, format)
    if format == "svg":
        assert any("$\\frac{x$ <script>alert(1)</script>" in text for text in texts(made))
        assert b"<script" not in made
        assert re.search(rb"[\x00-\x08\x0b\x1b]", made) is None


def test_the_settings_of_the_user_stay_as_they_are() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    before = dict(matplotlib.rcParams)
    from gradcheck_cli.render.plot.figure import settled

    with settled():
        assert dict(matplotlib.rcParams) != before
    assert dict(matplotlib.rcParams) == before
