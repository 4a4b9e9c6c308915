"""Texts of --at and --range in, points out."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck_cli.checking.points.texts import names_in, read_points, read_ranges, sample_points, text_of
from gradcheck_cli.errors import ExpressionError, GradcheckError, NoReference, UsageError
from gradcheck_cli.records.request import PointNumbers


def points(*texts: str, free: tuple[str, ...] = ("x",)) -> list[dict[str, float]]:
    return [{name: float(value) for name, value in point.items()} for point in read_points(texts, free)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2.0),
        ("-2", -2.0),
        ("+2", 2.0),
        ("\N{MINUS SIGN}2.5e-3", -0.0025),
        ("x=2", 2.0),
        (" x = 2 ", 2.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("0.1", 0.1),
        ("1e308", 1e308),
        ("1e-400", 0.0),
        ("0." + "0" * 1000 + "1e1001", 1.0),
    ],
)
def test_one_value(text: str, value: float) -> None:
    assert points(text) == [{"x": value}]


def test_values_are_those_of_doubles() -> None:
    """0.1 is the double nearest to it, exactly."""
    [point] = read_points(["0.1"], ["x"])
    assert point["x"] == Fraction(0.1) != Fraction(1, 10)


def test_several_variables_in_any_order() -> None:
    assert points("y=-2, x=1", free=("x", "y")) == [{"y": -2.0, "x": 1.0}]


def test_several_points() -> None:
    read = read_points(["1", "x=2", "3"], ["x"])
    assert read.count == 3
    assert [float(point["x"]) for point in read] == [1, 2, 3]
    assert len(list(read)) == 3, "points can be read again"


def test_a_range_has_both_ends_and_exact_steps() -> None:
    """A tenth of 0.3 is 0.1, whatever 0.3/3 is in doubles."""
    assert points("x=0:0.3:4") == [{"x": 0.0}, {"x": 0.1}, {"x": 0.2}, {"x": 0.3}]
    assert points("3:-3:3") == [{"x": 3.0}, {"x": 0.0}, {"x": -3.0}]
    assert points("x=5:7:1") == [{"x": 5.0}]


def test_a_product_of_ranges() -> None:
    read = read_points(["x=0:1:2,z=7,y=0:2:3"], ["x", "y", "z"])
    assert read.count == 6
    assert [tuple(map(int, point.values())) for point in read] == [(x, 7, y) for x in (0, 1) for y in (0, 1, 2)]
    assert list(next(iter(read))) == ["x", "z", "y"]
    assert read.names == ("x", "z", "y")


def test_ten_million_points_are_not_stored() -> None:
    read = read_points(["x=0:1:10000000"], ["x"])
    assert read.count == 10_000_000
    assert len(list(islice(read, 3))) == 3


def test_constant_expressions_are_evaluated_by_the_caller() -> None:
    pytest.importorskip("gradcheck_cli.language.parser")
    read = read_points(["x=max(1,2),y=pi/4", "x=0:2*pi:3,y=1"], ["x", "y"], evaluate=lambda _: Fraction(7, 2))
    assert [(float(p["x"]), float(p["y"])) for p in read] == [(3.5, 3.5), (0, 1), (1.75, 1), (3.5, 1)]


def test_an_underflowing_value_is_noted() -> None:
    assert read_points(["1e-400"], ["x"]).notices == ("1e-400 is smaller than any double: 0 is taken for it",)
    assert read_points(["0e5"], ["x"]).notices == ()


def test_names_in() -> None:
    assert names_in(["x=1,\N{GREEK SMALL LETTER ALPHA} = max(1,2)", "pi=0:1:3", "5"]) == {"x", "α", "pi"}
    assert names_in(["x=1;y=2 e=softplus(0, beta=1)", "{tau: 1}", "pi:2*pi:5"]) == {"x", "y", "e", "tau"}


@pytest.mark.parametrize(
    ("texts", "free", "message"),
    [
        (["x=1", "y=2"], "xy", "each --at is a whole point, and --at x=1 gives no value to y: write --at x=1,y=2"),
        (["x=1"], "xyz", "--at x=1 gives no value to y and z: write, for example, --at x=1,y=1,z=1"),
        (["2"], "xy", "--at 2: there are several variables (x, y), so say which is which: --at x=1,y=2"),
        (["1,5"], "x", "--at 1,5 can be read in two ways: write --at 1.5 for the decimal number, and for two points "
                       "put brackets around them, or repeat --at"),
        (["x = -1,5"], "x", "--at x = -1,5 can be read in two ways: write --at -1.5 for the decimal number, and for "
                            "two points put brackets around them, or repeat --at"),
        (["1,2,3"], "xy", "--at 1,2,3: there are 3 values for 2 variables (x, y): write --at x=1,y=2"),
        (["1,5,2,5"], "xy", "--at 1,5,2,5: there are 4 values for 2 variables (x, y): write --at x=1,y=2"),
        (["x=1,2"], "xy", "--at x=1,2: 2 belongs to no variable: write --at x=1,y=2"),
        (["x=1,z:2"], "xy", "--at x=1,z:2: z:2 belongs to no variable: write --at x=1,y=2"),
        (["[1,2],[3,4]"], "xy", "--at [1,2],[3,4] can be read in two ways: write [[1,2],[3,4]] if each bracket is a "
                                "point, else repeat --at"),
        (["x=[1,y=2]"], "x", "--at x=[1,y=2]: 1,y=2 is no list of numbers"),
        (["z=2"], "x", "--at z=2: z is not a variable of the expression; its variables are x"),
        (["lamda=2"], ["lambda_"], "--at lamda=2: lamda is not a variable of the expression; did you mean lambda_?"),
        (["x=2"], "", "--at x=2: x is not a variable of the expression, which has none"),
        (["2"], "", "--at 2: the expression has no variable"),
        (["x=1,x=2"], "x", "--at x=1,x=2 gives x two values; for two points repeat --at"),
        (["nan"], "x", "--at nan: points are finite numbers, and nan is not"),
        (["x=-inf"], "x", "--at x=-inf: points are finite numbers, and -inf is not"),
        (["1e400"], "x", "--at 1e400: 1e400 is larger than any double; points are finite numbers"),
        (["x="], "x", "--at x=: a value is missing; a point is written 2, or x=1,y=-2, or x=-3:3:101"),
        ([""], "x", "--at is empty: a point is written 2, or x=1,y=-2, or x=-3:3:101"),
        (["x=1,y=2,"], "xy", "--at x=1,y=2,: there is nothing beside a comma: delete the comma, or write what is "
                             "missing"),
        (["1:2:3:4"], "x", "--at 1:2:3:4: a range is start:stop:count, for example x=-3:3:101"),
        (["linspace(1, 2)"], "x", "--at \"linspace(1, 2)\": a range is linspace(start, stop, count), for example "
                                  "x=-3:3:101"),
        (["x=1:2:0"], "x", "--at x=1:2:0: the count of a range is a whole number from 1, not 0"),
        (["x=1:2:2.5"], "x", "--at x=1:2:2.5: the count of a range is a whole number from 1, not 2.5"),
        (["x=0:1:4000,y=0:1:4000"], "xy", "--at asks for more than 10,000,000 points, which is all that are checked "
                                          "at once"),
    ],
)  # fmt: skip
def test_errors_say_what_to_do(texts: list[str], free: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_points(texts, list(free))
    assert str(error.value) == message


def test_spaces_and_equals_signs_inside_a_value() -> None:
    assert points("x=where(1 == 2, 3, 4), y=softplus(0, beta=1)", free=("x", "y"))[0]["x"] == 4


def p(text: str) -> list[dict[str, float]]:
    """`x=1,y=2; x=3,y=4` -> the points."""
    return [dict(zip("xyz", map(float, one.split()), strict=False)) for one in text.split(";")]


@pytest.mark.parametrize(
    ("free", "texts", "expected"),
    [
        ("x", ["[1, 2, 3]", "1,2,3", "1, 2, 3", "(1, 2, 3)", "[1,2,3,]", "1;2;3", "x=1;x=2;x=3", "x=1,2,3", "1\n2\n3",
               "x=[1, 2, 3]", "x: [1, 2, 3]", "{x: [1,2,3]}", "np.array([1., 2., 3.])", "[1. 2. 3.]", "[[1], [2], [3]]",
               "torch.tensor([1.0, 2.0, 3.0], requires_grad=True)", "x=linspace(1, 3, 3)", "1..3:3", "[1, 2:3:2]",
               "np.linspace(1,3,3)", "torch.linspace(1, 3, 3)", "1:3", "1..3", "x=1..3", "x: 1:3", "linspace(1,3,3)"],
         "1;2;3"),
        ("x", ["2", "x: 2", "x : 2", "(2)", "[2]", "{x: 2}", "{'x': 2}", '{"x": 2.0}', "(x=2)", "torch.tensor(2.)",
               "x = torch.tensor(2.0, requires_grad=True)", "x=2;", "max(1,2)", "(1+1)", "x=(2)"], "2"),
        ("xy", ["x=1,y=2", "x=1 y=2", "x=1;y=2", "x:1, y:2", "x: 1, y: 2", "x=1, y: 2", "1,2", "(1, 2)", "[1, 2]",
                "[[1, 2]]", "1;2", "{x: 1, y: 2}", "{'y': 2, 'x': 1}", "(x=1, y=2)", "x=1\ny=2", "y=2 x=1",
                "torch.tensor([1., 2.])", "x=1  y = 2", "x=[1],y=(2)"], "1 2"),
        ("xy", ["x=1,y=2;x=3,y=4", "1,2;3,4", "(1,2),(3,4)", "[(1, 2), (3, 4)]", "[[1, 2], [3, 4]]", "x=1 y=2; x=3 y=4",
                "np.array([[1, 2], [3, 4]])", "[{x: 1, y: 2}, {x: 3, y: 4}]", "(x=1,y=2),(x=3,y=4)"], "1 2;3 4"),
        ("xy", ["x=[1, 2],y=[3, 4]", "{x: [1, 2], y: [3, 4]}", "x=1:2:2,y=[3,4]", "x=[1,2] y=3:4:2"],
         "1 3;1 4;2 3;2 4"),
    ],
)  # fmt: skip
def test_points_as_people_write_them(free: str, texts: list[str], expected: str) -> None:
    for text in texts:
        read = read_points([text], list(free), count=3)
        found = [{name: float(value) for name, value in point.items()} for point in read]
        assert found == p(expected), text


def test_what_was_assumed_is_said() -> None:
    assert read_points(["(3, 4)"], ["b", "a"]).notices == ("(3, 4) is read in the order of the variables: b=3, a=4",)
    counted = read_points(["-1:1"], ["x"])
    assert counted.counted
    assert counted.count == 5
    assert counted.notices == ("-1:1 is read as -1:1:5: 5 points, evenly spaced",)
    assert not read_points(["-1:1:5", "x=1,2,3"], ["x"]).notices


def test_values_of_names_that_only_a_claim_has() -> None:
    """They are no part of the points, and make none twice."""
    read = read_points(["x=1,c=0:1:3", "x=2,c=7", "x=3"], ["x"], optional=["c", "d"])
    assert [float(point["x"]) for point in read] == [1, 2, 3]
    assert read.others == {"c": (0, Fraction(1, 2), 1, 7)}


@pytest.mark.parametrize(
    "text",
    ["[" * 5_000, "(" * 5_000 + ")" * 5_000, "x=1 " * 5_000, "1;" * 5_000 + "x", "[[" * 2_000 + "1" + "]]" * 2_000,
     "x=" * 5_000, "x=[" + "1," * 5_000 + "],y=[" + "1," * 5_000 + "]", "{x: " * 1_000, "1" * 1_000_001 + ";",
     "np.array(" * 500 + ")" * 500],
)  # fmt: skip
def test_hostile_points_end_in_a_sentence(text: str) -> None:
    with pytest.raises(GradcheckError):
        read_points([text], ["x", "y"])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("1/0", NoReference("no"), "--at 1/0: this has no real finite value"),
        ("x=1/0", NoReference("no"), "--at x=1/0: 1/0 has no real finite value"),
        ("exp(1000)", OverflowError(), '--at "exp(1000)": this is larger than any double; points are finite numbers'),
    ],
)
def test_constant_expressions_without_a_value(text: str, error: Exception, message: str) -> None:
    def evaluate(_: object) -> Fraction:
        raise error

    with pytest.raises(UsageError) as raised:
        read_points([text], ["x"], evaluate)
    assert str(raised.value) == message


def test_a_value_that_cannot_be_read_names_its_option() -> None:
    with pytest.raises(ExpressionError) as raised:
        read_points(["x=q"], ["x"])
    assert str(raised.value).startswith("--at x=q: q is not a number")


def test_samples_are_the_same_every_time() -> None:
    ranges = read_ranges(["0:1"])
    first = [float(point["x"]) for point in islice(sample_points(["x"], 3, 0, ranges), 3)]
    again = [float(point["x"]) for point in islice(sample_points(["x"], 9, 0, ranges), 3)]
    assert first == again == [0.8444218515250481, 0.7579544029403025, 0.420571580830845]
    assert first != [float(point["x"]) for point in islice(sample_points(["x"], 3, 1, ranges), 3)]


def test_each_variable_has_its_range() -> None:
    ranges = read_ranges(["-1:0", "y=5:6,z=1e300:1.5e308"])
    for point in islice(sample_points(["x", "y", "z"], 50, 3, ranges), 50):
        assert -1 <= point["x"] <= 0
        assert 5 <= point["y"] <= 6
        assert math.isfinite(float(point["z"]))


@pytest.mark.parametrize("text", ["3", "1:2:3", "2:1", "1:1", "a:b", "x=0:inf", "0:1e999", "", "x=", "x=0:1,x=1:2"])
def test_bad_ranges(text: str) -> None:
    with pytest.raises(GradcheckError, match="--range"):
        read_ranges([text])


def test_ranges_of_constant_expressions() -> None:
    assert read_ranges(["0:pi", "x=-sqrt(4):max(1,2)"]) == {None: (0, math.pi), "x": (-2, 2)}
    assert read_ranges(["0:pi"], lambda _: Fraction(3)) == {None: (0, 3)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nan:1", "--range nan:1: points are finite numbers, and nan is not"),
        ("0:1/0", "--range 0:1/0: 1/0 has no real finite value"),
        ("2:1", "--range 2:1: low must be less than high"),
        ("", "--range is empty: a range is low:high, for example -3:3 or x=0:1"),
        ("0:", "--range 0:: a value is missing; a range is low:high, for example -3:3 or x=0:1"),
        ("3", "--range 3: a range is low:high, for example -3:3 or x=0:1"),
    ],
)
def test_ranges_say_what_to_do(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        read_ranges([text])
    assert str(error.value) == message


def test_a_range_of_an_unknown_variable() -> None:
    with pytest.raises(UsageError, match="t is not a variable"):
        sample_points(["x"], 5, 0, read_ranges(["t=0:1"]))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_point_given_as_numbers_is_that_of_its_text(number: float) -> None:
    for point, free in ((((None, number),), ["x"]), ((("x", number), ("y", 1.0)), ["x", "y"])):
        assert list(read_points([point], free)) == list(read_points([text_of(point)], free))
        assert names_in([point]) == names_in([text_of(point)])


@pytest.mark.parametrize("point", [((None, 1.0),), (("x", 1.0),), (("z", 1.0),), (("x", 1.0), ("x", 2.0))])
def test_a_point_of_numbers_is_refused_as_its_text_is(point: PointNumbers) -> None:
    said = []
    for asked in (point, text_of(point)):
        with pytest.raises(GradcheckError) as refused:
            read_points([asked], ["x", "y"])
        said.append(str(refused.value))
    assert said[0] == said[1]
