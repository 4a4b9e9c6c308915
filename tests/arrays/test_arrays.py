"""Texts of arrays: what they mean, and what is said of those that cannot be read."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gradcheck_cli.arrays.nodes import leaves
from gradcheck_cli.arrays.reader import read_arguments, read_array
from gradcheck_cli.arrays.values import array_value, plain_value
from gradcheck_cli.errors import ExpressionError, GradcheckError


def value(text: str, name: str = "x", seed: int = 0) -> Any:
    return array_value(read_array(text), name, seed)


MEANINGS = {
    "3": np.array(3),
    "-2.5e1": np.array(-25.0),
    " [[1, 2],\n [3, 4]] ": np.array([[1, 2], [3, 4]]),
    "[1, 2.5, -inf]": np.array([1, 2.5, -math.inf]),
    "(2, 3)": np.array([2, 3]),
    "[true, False]": np.array([True, False]),
    "[[], []]": [[], []],
    "none": None,
    "float(3)": 3.0,
    "-float(1e-6)": -1e-6,
    "float(inf)": math.inf,
    "int( -3 )": -3,
    "[float(1), int(2)]": [1.0, 2],
    "True": True,
    "'mean'": "mean",
    '"it\'s"': "it's",
    "zeros(2, 3)": np.zeros((2, 3)),
    "3*ones((2,))": np.full(2, 3.0),
    "-ones(2)": np.full(2, -1.0),
    "full((2, 2), 0.5)": np.full((2, 2), 0.5),
    "full(2, 7)": np.array([7, 7]),
    "eye(2)": np.eye(2),
    "eye(2, 3)": np.eye(2, 3),
    "arange(3)": np.array([0, 1, 2]),
    "arange(1, 7, 2)": np.array([1, 3, 5]),
    "2*arange(3, 0, -1)": np.array([6, 4, 2]),
    "arange(0, 1, 0.25)": np.array([0, 0.25, 0.5, 0.75]),
    "linspace(-5, 5, 11)": np.linspace(-5, 5, 11),
    "zeros(0)": np.zeros(0),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_text_means(text: str) -> None:
    found, expected = value(text), MEANINGS[text]
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "shape", "low", "high", "kind"),
    [
        ("randn(40, 3)", (40, 3), -6, 6, "f"),
        ("randn()", (), -6, 6, "f"),
        ("rand((40,))", (40,), 0, 1, "f"),
        ("uniform(-3, -2, 4, 10)", (4, 10), -3, -2, "f"),
        ("randint(3, (40,))", (40,), 0, 2, "i"),
        ("randint(-3, 3, 40)", (40,), -3, 2, "i"),
        ("1e-3*randn(40)", (40,), -6e-3, 6e-3, "f"),
    ],
)
def test_what_is_drawn_depends_on_the_name_and_the_seed_only(
    text: str, shape: tuple[int, ...], low: float, high: float, kind: str
) -> None:
    found = value(text)
    assert (found.shape, found.dtype.kind) == (shape, kind)
    assert ((found >= low) & (found <= high)).all()
    np.testing.assert_array_equal(found, value(text))
    for other in (value(text, name="y"), value(text, seed=1)):
        assert (other != found).any()


def test_a_list_of_arrays_stays_a_list_and_each_is_drawn_anew() -> None:
    first, second, third = value("[randn(2), randn(2), 'a']")
    assert third == "a"
    assert (first != second).any()
    assert [leaf.is_drawn for leaf in leaves(read_array("[randn(2), zeros(2)]").node)] == [True, False]


def test_plain_values_are_those_of_python() -> None:
    arguments = read_arguments("8, (1, 2), eps=1e-5, name='a', axes=[0, 1],")
    assert [(name, plain_value(text, "init")) for name, text in arguments] == [
        (None, 8), (None, (1, 2)), ("eps", 1e-5), ("name", "a"), ("axes", [0, 1]),
    ]  # fmt: skip
    assert read_arguments(" ") == []


@given(arrays.arrays(st.sampled_from([np.float64, np.int64]), arrays.array_shapes(min_side=1, max_side=4)))
@settings(max_examples=40, deadline=None)
def test_what_numpy_writes_is_read_back(array: np.ndarray[Any, Any]) -> None:
    np.testing.assert_array_equal(value(str(array.tolist())), array)


@given(st.text(alphabet="0123456789.,-+*()[]@\"' randetuflsxe_", max_size=30))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(GradcheckError):
        value(text)


def test_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3.0).astype(">f8"))
    torch.save(torch.arange(3), tmp_path / "b.pt")
    np.testing.assert_array_equal(value(f"2*@{tmp_path}/a.npy"), [0, 2, 4])
    assert torch.from_numpy(value(f"@{tmp_path}/a.npy")).dtype == torch.float64
    assert torch.equal(value(f'@"{tmp_path}/b.pt"'), torch.arange(3))


class Evil:
    def __reduce__(self) -> Any:
        return print, ("executed",)


@pytest.mark.parametrize("name", ["a.npy", "a.pt"])
@pytest.mark.parametrize("content", ["pickle", "nothing", "other", "missing"])
def test_nothing_in_a_file_is_executed(
    name: str, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    if content == "pickle":
        save: Any = (lambda x: np.save(file, np.array([x]))) if name == "a.npy" else (lambda x: torch.save(x, file))
        save(Evil())
    elif content != "missing":
        file.write_bytes(b"" if content == "nothing" else b"hello, this is some text")
    with pytest.raises(GradcheckError, match="cannot be read: "):
        value(f"@{file}")
    assert "executed" not in capsys.readouterr().out


MISTAKES = [
    ("", 0, "a value is missing"),
    ("[1, 2", 0, "this [ is not closed"),
    ("[1 2]", 3, "a comma or ] is missing"),
    ("[1, ", 0, "this [ is not closed"),
    ("rndn(2)", 0, "rndn makes no array: did you mean randn(4, 3)?"),
    ("torch(2)", 0, "torch makes no array: there are randn, rand, "),
    ("randn(2.5)", 6, "randn: a shape is made of whole numbers from 0, not 2.5; for example randn(4, 3)"),
    ("randn(2", 5, "this ( is not closed"),
    ("randn(100000, 100000)", 0, "randn: an array has at most 10,000,000 elements"),
    ("arange(0, 1e300, 1e-300)", 0, "arange: an array has at most 10,000,000 elements"),
    ("arange(0, 3, 0)", 13, "arange: from 0 it does not come to 3 by steps of 0"),
    ("uniform(2, 3)", 0, "uniform: it takes the lowest and the highest number, and a shape"),
    ("randint(3, 3, (2,))", 8, "randint: there is no whole number"),
    ("full((2,), (3,))", 11, "full: the number comes last"),
    ("eye(1, 2, 3)", 0, "eye: it takes the number of rows"),
    ("linspace(0, 1, (2, 2))", 0, "linspace: it takes the first number, the last one, and how many"),
    ("randn(true)", 6, "this is neither a number nor a shape"),
    ("randn(2)*3", 8, "a factor goes in front"),
    ("3*[1, 2]", 0, "a factor is for makers and files"),
    ("-none", 1, "none is no number"),
    ("flase", 0, "flase is not known here: did you mean false?"),
    ("mean", 0, "mean is not known here: "),
    ("[[1, 2], [3]]", 9, "this has the shape (1,), and the first one the shape (2,)"),
    ("[[1, 2], 3]", 9, "this has one number, and the first one the shape (2,)"),
    ("1.2.3", 0, "this is no number"),
    ("99999999999999999999", 0, "a whole number here does not fit into 64 bits"),
    ("99999999999999999999*randn(2)", 0, "this whole number does not fit into 64 bits"),
    ("9000000000000000000*arange(3)", 0, "its numbers do not fit into 64 bits"),
    ("((1))", 1, "a tuple of one has a comma"),
    ("'a", 0, "the quotes are not closed"),
    ("@data.csv", 0, "files of arrays end with .npy"),
    ("@", 0, "the name of a file is missing"),
    ("[" * 99, 32, "lists are nested at most 32 deep"),
    ("9" * 500, 0, "a number has at most 400 digits"),
    ("{1: 2}", 0, "this cannot be read"),
    ("int(2.5)", 0, "int() makes a whole number of Python: int(3)"),
    ("float(randn(2))", 0, "float() makes a number of Python: float(1e-6)"),
    ("2*float(1)", 0, "float() makes a number of Python"),
    (f"float({10**300})", 0, "this whole number does not fit into 64 bits"),
    ("float(true)", 0, "float() makes a number of Python"),
    ("lambda: 1", 0, "lambda is not known here"),
]


@pytest.mark.parametrize(("text", "place", "message"), MISTAKES, ids=[text[:20] for text, _, _ in MISTAKES])
def test_a_mistake_shows_its_place(text: str, place: int, message: str) -> None:
    with pytest.raises(ExpressionError) as wrong:
        value(text)
    assert wrong.value.message.startswith(message)
    assert wrong.value.start == place
