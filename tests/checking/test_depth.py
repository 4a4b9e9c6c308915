"""A long chain is no problem: nothing recurses, and the time grows with its length."""

from __future__ import annotations

from functools import partial

import pytest
from helpers.counting import calls
from helpers.slow import slow

from gradcheck_cli.checking.reading import read
from gradcheck_cli.errors import ExpressionError
from gradcheck_cli.language.cursor import MAX_NODES
from gradcheck_cli.language.parser import parse
from gradcheck_cli.language.script import parse_lets
from gradcheck_cli.records.request import Request
from gradcheck_cli.records.results import Verdict


def chain(step: str, length: int) -> Request:
    """`length` intermediate results, each made from the one before (which `step` calls s)."""
    lets = ["s0 = x", *(f"s{i} = {step.replace('s', f's{i - 1}')}" for i in range(1, length))]
    lets = [text.replace(f"s{i - 1}in", "sin") for i, text in enumerate(lets)]
    return Request(f"s{length - 1}", at=("0.9",), lets=tuple(lets), wrt=("x",), derivatives=False)


@pytest.mark.parametrize(
    ("step", "length"),
    [("sin(s)*s", 10), ("sin(s) + 1", 10), ("sin(s)*s", 2_000), slow("sin(s)*s", 10_000), slow("sin(s) + 1", 10_000)],
)
def test_long_chains(step: str, length: int) -> None:
    from gradcheck_cli.checking.checker import check_expression

    assert check_expression(chain(step, length)).verdict is Verdict.MATCH


def test_reading_a_chain_takes_work_in_proportion() -> None:
    """Four times as long takes four times as many calls; it took sixteen times as many."""
    read(chain("sin(s) + 1", 100))
    short, long = (calls(partial(read, chain("sin(s) + 1", length))) for length in (500, 2_000))
    assert long < 5 * short


@pytest.mark.slow
def test_all_that_lets_define_is_bounded() -> None:
    with pytest.raises(ExpressionError, match="more than 100,000 nodes"):
        parse_lets([f"y{i} = " + "+".join(f"{i}{j:04}*x" for j in range(1500)) for i in range(MAX_NODES // 1500)])


def test_what_is_named_twice_is_read_once() -> None:
    """The magnitude of a constant is known through names, however they are combined."""
    lets = parse_lets(["a = 9**9", "b = a + 1", "c = 2"])
    with pytest.raises(ExpressionError, match="does not fit in a double"):
        parse("x + c + 9**b", lets=lets)
    with pytest.raises(ExpressionError, match="b is used before its --let"):
        parse_lets(["a = b", "b = 2"])
    with pytest.raises(ExpressionError, match="a is defined by itself"):
        parse_lets(["a = a + 1"])
    with pytest.raises(ExpressionError, match="a is defined twice"):
        parse_lets(["a = 1", "b = a", "a = b"])
