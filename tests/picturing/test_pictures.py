"""What a picture shows of formulas and Jacobians: its range, what is special there, curves, dots and marks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck_cli.batch.run import check_request
from gradcheck_cli.cli.options import rows_kept
from gradcheck_cli.records.picture import Axis, LinePicture, MapPicture, MatrixPicture, Picture, PlaceKind, Scale
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.verdicts import Verdict

KINK, JUMP, POLE, EDGE, HOLE = PlaceKind.KINK, PlaceKind.JUMP, PlaceKind.POLE, PlaceKind.EDGE, PlaceKind.HOLE


def checked(expression: str, *at: str, **options: object) -> AnyResult:
    return check_request(Request(expression, at=at, picture=True, derivatives=False, **options))  # type: ignore[arg-type]


def line(expression: str, *at: str, **options: object) -> LinePicture:
    picture = checked(expression, *at, **options).picture
    assert isinstance(picture, LinePicture)
    return picture


PLACES = [
    # formula, points, what is special, runs of the function and of the derivative
    ("8*x**4 + 3*x**3", ["2"], [], [1, 1]),
    ("abs(x)", ["x=-1:1:5"], [(0, KINK)], [1, 2]),
    ("abs(x - pi)", ["3"], [(math.pi, KINK)], [1, 2]),
    ("abs(x - 0.3)", ["0.2"], [(0.3, KINK)], [1, 2]),
    ("relu(x)**2", ["1"], [], [1, 1]),
    ("1/x", ["1"], [(0, POLE)], [2, 2]),
    ("tan(x)", ["x=-3:3:7"], [(-math.pi / 2, POLE), (math.pi / 2, POLE)], [3, 3]),
    ("log(abs(x - 0.3))", ["1"], [(0.3, POLE)], [2, 2]),
    ("sqrt(x)", ["2"], [(0, EDGE)], [1, 1]),
    ("where(x > 0, sqrt(x), 0)", ["-1"], [(0, KINK)], [1, 2]),
    ("where(x < 2, x, x + 1)", ["1"], [(2, JUMP)], [2, 2]),
    ("floor(x)", ["0.5"], [(0, JUMP), (1, JUMP)], [3, 3]),
    ("sin(x)/x", ["1"], [(0, HOLE)], [1, 2]),
    ("maximum(x, x)", ["1"], [], [1, 1]),
]


@pytest.mark.parametrize(("expression", "at", "places", "runs"), PLACES, ids=[row[0] for row in PLACES])
def test_what_is_special_is_found_and_curves_end_there(
    expression: str, at: list[str], places: list[tuple[float, PlaceKind]], runs: list[int]
) -> None:
    picture = line(expression, *at)
    assert [place.kind for place in picture.places] == [kind for _, kind in places]
    assert [place.x for place in picture.places] == pytest.approx([x for x, _ in places], abs=1e-6)
    assert [len(panel.curves[0].runs) for panel in picture.panels] == runs


def test_curves_are_the_derivative() -> None:
    value, derivative = line("x**3", "2").panels
    assert all(y == pytest.approx(x**3) for x, y in value.curves[0].runs[0])
    assert all(y == pytest.approx(3 * x**2) for x, y in derivative.curves[0].runs[0])
    assert [dot.x for dot in derivative.dots if dot.asked] == [2.0]
    assert all(dot.y == pytest.approx(3 * dot.x**2) and dot.ulps is not None for dot in derivative.dots)


RANGES = [
    # formula, points, the ends of the axis, its scale
    ("x**2", ["2"], (-1, 5), Scale.LINEAR),
    ("x**2", ["0"], (-2, 2), Scale.LINEAR),
    ("x**2", ["1e-8"], (-5e-9, 2.5e-8), Scale.LINEAR),
    ("x**2", ["x=0:1:11"], (-0.08, 1.08), Scale.LINEAR),
    ("x**2", ["1e-8", "1", "1e8"], (1e-8 / 10**1.28, 1e8 * 10**1.28), Scale.LOG),
    ("x**2", ["-1e-3", "1", "1e4"], None, Scale.SYMLOG),
    ("log(x)", ["2"], (-0.4, 5), Scale.LINEAR),  # not more of what is undefined than one sees it by
    ("log(x)", ["-1"], (-2.5, 0.5), Scale.LINEAR),
]


@pytest.mark.parametrize(("expression", "at", "ends", "scale"), RANGES, ids=str)
def test_the_range_suits_the_points(
    expression: str, at: list[str], ends: tuple[float, float] | None, scale: Scale
) -> None:
    axis = line(expression, *at).x
    assert axis.scale is scale
    if ends is not None:
        assert (axis.low, axis.high) == pytest.approx(ends, rel=1e-6)


HEIGHTS = [
    # formula, points, panel, the largest number that its axis may and must reach
    ("1/x", ["1"], 0, (2, 12)),
    ("tan(x)", ["x=-3:3:7"], 0, (2.2, 30)),
    ("tan(100*x)", ["1"], 0, (2, 40)),
    ("exp(x)", ["5"], 0, (150, 2000)),
    ("8*x**4 + 3*x**3", ["2"], 1, (326, 4000)),
    ("log(1 + exp(x))", ["x=-200:200:9"], 0, (200, 300)),
]


@pytest.mark.parametrize(("expression", "at", "panel", "reach"), HEIGHTS, ids=str)
def test_poles_and_growth_do_not_flatten_the_curve(
    expression: str, at: list[str], panel: int, reach: tuple[float, float]
) -> None:
    y = line(expression, *at).panels[panel].y
    assert y.scale is Scale.LINEAR
    assert reach[0] <= y.high <= reach[1]


LINEAR, LOG, SYMLOG = Scale.LINEAR, Scale.LOG, Scale.SYMLOG
SCALES = [
    # formula, points, the scale of the function
    ("relu(x)", ["0"], LINEAR),
    ("relu(x)", ["x=-3:3:7"], LINEAR),
    ("relu(2*x - 2)", ["1"], LINEAR),
    ("relu(x - 1)", ["x=0:2:3"], LINEAR),
    ("relu(w*x + b)", ["w=2,x=1,b=-2"], LINEAR),
    ("relu6(x)", ["0"], LINEAR),
    ("where(x > 0, x, 1e-9*x)", ["1"], LINEAR),
    ("gelu(x)", ["x=-20:2:9"], LINEAR),
    ("exp(x)", ["x=0:20:5"], LOG),
    ("sigmoid(x)", ["x=-40:-10:5"], LOG),
    ("sinh(x)", ["x=-40:40:7"], SYMLOG),
    ("where(x > 0, exp(20*x), 0)", ["1"], SYMLOG),
]


@pytest.mark.parametrize(("expression", "at", "scale"), SCALES, ids=str)
def test_a_scale_is_by_decades_where_the_numbers_go_through_them(expression: str, at: list[str], scale: Scale) -> None:
    assert line(expression, *at).panels[0].y.scale is scale


def test_a_map_of_what_is_0_or_not_is_even() -> None:
    picture = checked("relu(w*x)", "w=2,x=1").picture
    assert isinstance(picture, MapPicture)
    assert {field.z.scale for field in picture.fields} == {LINEAR}


def test_what_is_undefined_is_a_stretch_without_a_curve() -> None:
    picture = line("sqrt(x)", "2")
    (stretch,) = picture.undefined
    assert (stretch.low, stretch.high) == (picture.x.low, pytest.approx(0, abs=1e-6))
    assert all(x > 0 for panel in picture.panels for run in panel.curves[0].runs for x, _ in run)


def test_dots_that_fail_say_so() -> None:
    """exp(x) overflows in float32 beyond 88, and the derivative is inf/inf."""
    (_, derivative) = line("log(1 + exp(x))", "x=-200:200:41", dtype="float32").panels
    failing = [dot for dot in derivative.dots if not dot.passed]
    assert min(dot.x for dot in failing) == pytest.approx(90, abs=5)
    assert all(dot.x > 88 and dot.y is None and dot.ulps == math.inf for dot in failing)
    assert all(dot.passed for dot in derivative.dots if dot.x < 85)


@pytest.mark.parametrize(("expression", "at"), [("relu(x) - relu(-x)", "0"), ("relu(3*x) - relu(-3*x) + x", "0")])
def test_what_fails_is_within_the_axis(expression: str, at: str) -> None:
    """And not at its rim, unless it is so far off that the curve would be flat."""
    panel = line(expression, at).panels[1]
    (wrong,) = (dot for dot in panel.dots if dot.asked)
    assert not wrong.passed
    assert wrong.y is not None
    assert 0.05 < panel.y.place(wrong.y) < 0.95


def test_the_tolerance_is_in_ulps() -> None:
    (_, derivative) = line("x**2", "2", rtol=1e-6).panels
    numbers = [y for run in derivative.tolerance for _, y in run]
    assert min(numbers) >= 1e-6 * 2**52
    assert max(numbers) <= 1e-6 * 2**53


def test_a_wrong_claim_is_a_curve_of_its_own() -> None:
    (_, derivative) = line("x**3", "2", claims=("3*x",)).panels
    true, claimed = derivative.curves
    assert (true.claim, claimed.claim) == ("", "3*x")
    assert all(y == pytest.approx(3 * x) for run in claimed.runs for x, y in run)
    assert [(spot.x, spot.y) for spot in derivative.refuted] == [(2.0, 6.0)]
    (_, derivative) = line("x**3", "2", claims=("3*x**2",)).panels
    assert len(derivative.curves) == 1  # proven, it is the same one


@pytest.mark.parametrize(
    ("claim", "is_whole"), [("sigmoid(x)", True), ("1000*x", False), ("1e300", False), ("x/(x - 1.5)", False)]
)
def test_a_claim_is_within_the_axis_unless_it_would_flatten_the_curve(claim: str, is_whole: bool) -> None:
    _, derivative = line("x*sigmoid(x)", "1", "2", claims=(claim,)).panels
    true, claimed = derivative.curves
    axis = derivative.y
    assert all(axis.low <= y <= axis.high for run in claimed.runs for _, y in run) == is_whole
    ys = [y for run in true.runs for _, y in run]
    assert max(ys) - min(ys) >= 0.15 * (axis.high - axis.low)


def test_the_second_order_has_its_own_curve() -> None:
    value, second = line("relu(x)**2", "1", order=2).panels
    assert (value.derivative.wrt, second.derivative.wrt) == ((), ("x", "x"))
    assert [run[0].y for run in second.curves[0].runs] == [0.0, 2.0]


def test_one_variable_of_several_is_followed_where_it_alone_changes() -> None:
    picture = line("w*x", "x=-1:1:3,w=2")
    assert (picture.variable, dict(picture.fixed)) == ("x", {"w": 2.0})
    assert [panel.derivative.wrt for panel in picture.panels] == [(), ("w",), ("x",)]


def test_of_points_that_are_not_on_the_line_it_is_told() -> None:
    picture = line("x*y*z", "x=1,y=2,z=3", "x=2,y=3,z=4")
    assert picture.notes == ("1 other point is not on this line",)


def test_two_variables_make_a_map() -> None:
    picture = checked("x*y", "x=1,y=2").picture
    assert isinstance(picture, MapPicture)
    value, by_x, by_y = picture.fields
    for j, y in enumerate(picture.ys):
        for i, x in enumerate(picture.xs):
            assert (value.numbers[j][i], by_x.numbers[j][i], by_y.numbers[j][i]) == pytest.approx((x * y, y, x))
    assert [(dot.x, dot.y, dot.passed) for dot in by_x.dots] == [(1.0, 2.0, True)]


def test_a_map_has_all_points_or_says_that_it_has_not() -> None:
    """As the command line asks for a picture."""
    for count, told in ((9, False), (30, True)):
        keep = rows_kept((), verbose=False, pictured=True)
        picture = checked("x*y", f"x=-1:1:{count},y=-1:1:{count}", keep=keep).picture
        assert isinstance(picture, MapPicture)
        assert [len(one.dots) == count**2 for one in picture.fields] == [not told] * 3
        assert ("of the points asked for, some are drawn, the worst first" in picture.notes) == told


def test_a_map_has_the_failing_places() -> None:
    """The branch that is not taken leaks NaN where x < 0, by x alone."""
    picture = checked("where(x > 0, sqrt(x), y)", "x=-1,y=1").picture
    assert isinstance(picture, MapPicture)
    _, by_x, by_y = picture.fields
    assert ([dot.passed for dot in by_x.dots], [dot.passed for dot in by_y.dots]) == ([False], [True])
    assert {picture.xs[column] < 0 for column, _ in by_x.failing} == {True}
    assert len(by_x.failing) == sum(x < 0 for x in picture.xs) * len(picture.ys)


def test_a_jacobian_is_a_matrix() -> None:
    result = checked("W @ x", shapes=("W: 2x3", "x: 3"))
    assert isinstance(result.picture, MatrixPicture)
    by_w, by_x = result.picture.matrices
    assert (by_w.input, by_w.shape, by_w.cells) == ("W", (2, 6), ())
    assert [[size == 0 for size in row] for row in by_w.sizes] == [[False] * 3 + [True] * 3, [True] * 3 + [False] * 3]
    assert (by_x.input, by_x.shape) == ("x", (2, 3))


REFUTED: list[tuple[str, dict[str, object], list[tuple[str, tuple[int, int], bool, tuple[tuple[int, int], ...]]]]] = [
    # formula, how it is checked; of each matrix: input, shape, whether it is laid out as that, where a claim is wrong
    ("sum((W @ x)**2)", {"at": ("W=[[1,2],[3,4]], x=[1,-1]",), "claims": ("W: 2*W",)},
     [("W", (2, 2), True, ((1, 0),)), ("x", (1, 2), False, ())]),
    ("x @ A @ x", {"at": ("x=[1,2], A=[[1,2],[3,4]]",), "claims": ("x: 2*A @ x",)},
     [("x", (1, 2), False, ((0, 0),)), ("A", (2, 2), True, ())]),
    ("softmax(z)", {"at": ("z=[1,2,3]",), "claims": ("diag(f*(1 - f))",)}, [("z", (3, 3), False, ((1, 2),))]),
    ("sum(x**3)", {"at": ("x=[1,2]",), "order": 2, "claims": ("diag(5*x)",)}, [("x", (2, 2), False, ((1, 1),))]),
    ("sum(T**2)", {"shapes": ("T: 2x3x4",)}, [("T", (6, 4), True, ())]),
    ("x**2", {"at": ("x=[1,2]",), "claims": ("diag(2*x)",)}, [("x", (2, 2), False, ())]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "options", "matrices"), REFUTED, ids=[row[0] for row in REFUTED])
def test_a_gradient_has_the_shape_of_its_input_and_a_wrong_claim_its_entry(
    expression: str, options: dict[str, object], matrices: list[tuple[object, ...]]
) -> None:
    picture = check_request(Request(expression, picture=True, **options)).picture  # type: ignore[arg-type]
    assert isinstance(picture, MatrixPicture)
    assert [(one.input, one.shape, one.is_gradient, one.refuted) for one in picture.matrices] == matrices


def test_nothing_is_drawn_that_nobody_asked_for() -> None:
    assert check_request(Request("x**2", at=("2",), derivatives=False)).picture is None


@pytest.mark.parametrize("expression", ["3", "log(x", "x**2 + y"])
def test_what_cannot_be_checked_has_no_picture(expression: str) -> None:
    assert checked(expression, "x=1").picture is None


def test_a_picture_that_takes_too_long_is_left_out_and_the_verdict_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcheck_cli.checking import pictured
    from gradcheck_cli.runtime.time_limit import OutOfTime

    def slow(_: object) -> Picture:
        raise OutOfTime

    monkeypatch.setattr(pictured, "picture_of", slow)
    result = checked("x**2", "2")
    assert (result.verdict, result.picture) == (Verdict.MATCH, None)
    assert result.notices == ("no picture: it takes more than 3 s",)


axes = st.one_of(
    st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(lambda pair: Axis(pair[0], sum(pair))),
    st.tuples(st.floats(1e-9, 1e6), st.floats(2, 1e9)).map(lambda p: Axis(p[0], p[0] * p[1], Scale.LOG)),
    st.tuples(st.floats(-1e6, -1), st.floats(1, 1e6)).map(lambda p: Axis(*p, Scale.SYMLOG, 1e-3)),
)


@settings(max_examples=50)
@given(axes, st.floats(0, 1))
def test_a_place_on_an_axis_is_a_number_and_back(axis: Axis, place: float) -> None:
    assert axis.place(axis.at(place)) == pytest.approx(place, abs=1e-6)
    assert (axis.place(axis.low), axis.place(axis.high)) == pytest.approx((0, 1))
    assert axis.place(axis.at(place)) <= axis.place(axis.at(min(1.0, place + 0.01))) + 1e-6


def test_axes_stay_finite() -> None:
    axis = Axis(1e-300, 1e300, Scale.LOG)
    assert math.isfinite(axis.at(1.5))
