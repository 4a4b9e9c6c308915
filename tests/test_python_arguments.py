"""What `check`, `explain` and `run` take from Python: numbers of any library, and errors in Python's terms."""

import contextlib
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradcheck_cli import GradcheckError, check, explain, gradcheck, gradgradcheck, python_arguments, run

ONE = [{"x": 1.0}]
TWO = [{"x": 1.0}, {"x": 2.0}]
ACCEPTED = [
    # (expression, at, the points of the rows)
    ("x**2", 1, ONE),
    ("x**2", Fraction(1), ONE),
    ("x**2", Decimal("1"), ONE),
    ("x**2", np.float64(1), ONE),
    ("x**2", np.float16(1), ONE),
    ("x**2", np.longdouble(1), ONE),
    ("x**2", np.int8(1), ONE),
    ("x**2", np.array(1.0), ONE),
    ("x**2", torch.tensor(1.0), ONE),
    ("x**2", torch.tensor(1, dtype=torch.int16), ONE),
    ("x**2", torch.tensor(1.0, dtype=torch.bfloat16, requires_grad=True), ONE),
    ("x**2", [1, 2], TWO),
    ("x**2", (1, 2.0), TWO),
    ("x**2", range(1, 3), TWO),
    ("x**2", (n for n in (1, 2)), TWO),
    ("x**2", ["1", "x=2"], TWO),
    ("x**2", np.array([1.0, 2.0]), TWO),
    ("x**2", np.array([1, 2]), TWO),
    ("x**2", torch.tensor([1.0, 2.0]), TWO),
    ("x**2", [np.float32(1), torch.tensor(2)], TWO),
    ("x**2", {"x": [1, 2]}, TWO),
    ("x**2", {"x": np.array([1.0, 2.0])}, TWO),
    ("x**2", {"x": torch.tensor([1.0, 2.0])}, TWO),
    ("x**2", {"x": np.int64(1)}, ONE),
    ("x**2", [{"x": 1}, {"x": np.float64(2)}], TWO),
    ("x**2", {"x": "1:2:2"}, TWO),
    ("x**2", {"x": "pi/pi"}, ONE),
    ("x*y", {"x": [1, 2], "y": 3}, [{"x": 1.0, "y": 3.0}, {"x": 2.0, "y": 3.0}]),
    ("x*y", {"x": [1, 2], "y": [3, 4]}, [{"x": x, "y": y} for x in (1.0, 2.0) for y in (3.0, 4.0)]),
    ("x**2", np.float32(0.1), [{"x": 0.10000000149011612}]),
]


@pytest.mark.parametrize(("expression", "at", "points"), ACCEPTED, ids=range(len(ACCEPTED)))
def test_points(expression: str, at: object, points: list[dict[str, float]]) -> None:
    result = check(expression, at=at, wrt="x", derivatives=False)
    assert [row.point for row in result.checks] == points
    assert result.passed


def test_numbers_stay_numbers_on_their_way() -> None:
    assert python_arguments.points(np.array([0.1, 2])) == [(((None, 0.1),), 0.1), (((None, 2.0),), 2.0)]
    both = {"x": 1, "y": np.float32(0.5)}
    assert python_arguments.points(both) == [((("x", 1.0), ("y", 0.5)), both)]
    assert python_arguments.points({"x": [1, "pi/4"]}) == [((("x", 1.0),), "x=1.0"), ("x=pi/4", "x=pi/4")]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=3))
def test_an_array_is_the_list_of_its_numbers(numbers: list[float]) -> None:
    for array in (np.array(numbers), torch.tensor(numbers, dtype=torch.float64), np.array(numbers, dtype=np.float32)):
        rows = check("x + 1", at=array, derivatives=False).checks
        assert [row.point["x"] for row in rows] == numbers


def test_other_arguments_of_any_library() -> None:
    result = check(
        "w*x**2", at={"w": 1, "x": 2}, wrt=("x",), claim={"x": "2*w*x"}, dtype=torch.float32,
        device=torch.device("cpu"), rtol=np.float32(1e-3), order=np.int64(1), strict=np.bool_(False),
        samples=np.int32(2), range={"w": (0, 1)}, derivatives=False,
    )  # fmt: skip
    assert (result.dtype, len(result.checks), result.passed) == ("float32", 3, True)
    assert check("3*x", at=1, claim=3, derivatives=False).claims[0].passed
    assert check("x", range=(1, 2), derivatives=False).passed


REFUSED = [
    # (a call, what its error says)
    (lambda: check(lambda x: x**2, 2), "there is nothing to differentiate by: no input is a floating-point tensor"),
    (lambda: explain(lambda x: x**2, 2), "is a function of Python: an expression is a text"),
    (lambda: check(5, at=2), "expression=5 is int: an expression is a text"),
    (lambda: check("x", at=True), "at=True is a truth value, and no number"),
    (lambda: check("x", at=np.bool_(True)), "at=True is a truth value, and no number"),
    (lambda: check("x", at=torch.tensor([True])), "at=True is a truth value, and no number"),
    (lambda: check("x", at=math.nan), "at=nan is not finite"),
    (lambda: check("x", at=np.array([1, np.inf])), "at=inf is not finite"),
    (lambda: check("x", at=10**400), "is larger than any double"),
    (lambda: check("x", at=1j), "at=1j is no point: at takes 2, [1, 2]"),
    (lambda: check("x", at=None), "at=None is no point"),
    (lambda: check("x", at=b"1"), "at=b'1' is no point"),
    (lambda: check("x", at=[[1, 2]]), "at has a list inside of a list, [1, 2]: points of several variables"),
    (lambda: check("x", at=np.ones((2, 2))), "at has a list inside of a list"),
    (lambda: check("x", at=[]), "at=[] is empty: at takes 2"),
    (lambda: check("x", at=np.array([])), "is empty"),
    (lambda: check("x", at={}), "at={} has no value for any variable"),
    (lambda: check("x", at={"x": []}), "at['x']=[] is empty"),
    (lambda: check("x", at={"x": None}), "at['x']=None is no number"),
    (lambda: check("x", at={1: 2}), "at: 1 is no name of a variable"),
    (lambda: check("x", at={"y": 1}), "at={'y': 1}: y is not a variable of the expression; its variables are x"),
    (lambda: check("x*y", at={"x": 1}), "at={'x': 1} gives no value to y: write, for example, at=\"x=1.0,y=1\""),
    (lambda: check("x*y", at=2), "at=2: there are several variables (x, y), so say which is which: at=\"x=1,y=2\""),
    (lambda: check("x", at="y=1"), "at='y=1': y is not a variable"),
    (lambda: check("x", at={"x": 1e300}, dtype="float32"), "at=\"x=1e300\" overflows float32"),
    (lambda: check("x*y", at={"x": range(10**4), "y": range(10**4)}), "at asks for more than 10,000,000 points"),
    (lambda: check("x", at=torch.ones(2, device="meta")), "cannot be read"),
    (lambda: check("x", at=2, wrt=1), "wrt=1 is no name of a variable"),
    (lambda: check("x", at=2, wrt="z"), "wrt='z': the expression has no z; it has x"),
    (lambda: check("x", at=2, let=["y = x"]), "let=['y = x'] is no mapping"),
    (lambda: check("x", at=2, claim=object()), "is no text: write, for example, claim=\"2*x\""),
    (lambda: check("x", at=2, order="two"), "order='two' is no whole number"),
    (lambda: check("x", at=2, order=1.5), "order=1.5 is no whole number"),
    (lambda: check("x", at=2, order=0), "order is a whole number from 1 to 10, not 0"),
    (lambda: check("x", at=2, dtype=8), "dtype=8 is no text"),
    (lambda: check("x", at=2, dtype="float8"), "dtype=\"float8\": did you mean float64"),
    (lambda: check("x", at=2, mode=None, rtol="1"), "rtol='1' is no number"),
    (lambda: check("x", at=2, atol=-1), "atol is a number from 0, not -1.0"),
    (lambda: check("x", at=2, claim_rtol=math.nan), "claim_rtol=nan is not finite"),
    (lambda: check("x", at=2, timeout=-1), "timeout is a number of seconds above 0, not -1.0"),
    (lambda: check("x", at=2, strict="yes"), "strict is True or False, not 'yes'"),
    (lambda: check("x", samples=0), "samples is a whole number from 1"),
    (lambda: check("x", at=2, range="0:1"), "range is where to sample: give samples=N as well, or leave out at"),
    (lambda: check("x", range=(1, 0)), "range=(1, 0): low must be less than high"),
    (lambda: check("x", range=5), "range=5 is no range"),
    (lambda: check("x", range={"z": (0, 1)}), "range: z is not a variable"),
    (lambda: check("log(-1-x*x)"), "give points by at, or where to sample by range"),
    (lambda: check("y", at=1, let={"y": "y*2"}), "y"),
    (lambda: explain("x", at=[1, 2]), "at one point, and there are several: give one by at, for example at=\"2\""),
    (lambda: explain(len, at=1), "an expression is a text"),
    (lambda: explain("x", at={"y": 1}), "at={'y': 1}: y is not a variable"),
    (lambda: run(5), "run() takes the names of files"),
    (lambda: run("nothing.yaml"), "there is no file nothing.yaml"),
    (lambda: run(Path("nothing.yaml"), rtol=object()), "rtol"),
    (lambda: run("nothing.yaml", speed=1), "speed"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message[:50] for _, message in REFUSED])
def test_an_error_is_a_sentence_in_the_terms_of_python(call: Callable[[], object], message: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        call()
    assert message in str(caught.value)
    assert "--" not in str(caught.value)


WORDS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3),
    st.complex_numbers(),
    st.sampled_from([object(), int, len, np.float64(1), np.array([]), torch.ones(1, 1), np.datetime64("2020-01-01")]),
)  # fmt: skip
KEYS = st.none() | st.integers() | st.text(max_size=5)
ANYTHING = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2), max_leaves=4
)
NAMES = [
    "at", "wrt", "let", "claim", "order", "mode", "dtype", "device", "rtol", "atol", "claim_rtol", "strict", "seed",
    "range", "timeout",
]  # fmt: skip


@given(st.sampled_from(NAMES), ANYTHING)
def test_whatever_is_given_is_judged_or_refused(name: str, value: object) -> None:
    with contextlib.suppress(GradcheckError):
        check("x", derivatives=False, **{"at": 1, name: value})  # type: ignore[arg-type]


def _product(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x * y


X = torch.tensor(1.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check(_product, X, X), "check() takes 2 arguments without a name, and 3 were given: the inputs of a "
         "function are given together, as in check(function, (a, b))"),
        (lambda: check(_product, X, y=X), "check() has no argument y: inputs are given together, as in "
         "check(function, (a, b))"),
        (lambda: gradcheck(_product), "gradcheck() needs the inputs of the function: gradcheck(function, (a, b))"),
        (lambda: check("x**2", claims="2*x"), "check() has no argument claims: did you mean claim?"),
        (lambda: check("x*y", x=1, y=2), 'check() has no argument x: values are given by at, as in check("x*y", '
         'at={"x": 1, "y": 2})'),
        (lambda: check("x**2", plot=True), "check() has no argument plot: help(gradcheck_cli.check) says which there"),
        (lambda: check(), 'check() needs what is to be checked: check("x*y", at={"x": 1, "y": 2}), or a function with'),
        (lambda: check("x**2", 1, 2), "check() takes 2 arguments without a name, and 3 were given: what follows the "
         "points has a name"),
        (lambda: explain("x**2", att=1), "explain() has no argument att: did you mean at?"),
        (lambda: gradcheck(_product, X, X), "gradcheck() takes 2 arguments without a name, and 3 were given: the"),
        (lambda: gradgradcheck(_product, (X,), X, X), "gradgradcheck() takes 3 arguments without a name, and 4 were"),
        (lambda: check("x*y", 2, arrays={"x": [1, 2]}), "beside arrays, numbers are given by arrays as well: arrays="),
    ],
)  # fmt: skip
def test_arguments_that_a_function_has_not(call: Callable[[], object], said: str) -> None:
    with pytest.raises(GradcheckError) as caught:
        call()
    assert str(caught.value).startswith(said)
    assert isinstance(caught.value, TypeError) == ("arrays" not in said)
