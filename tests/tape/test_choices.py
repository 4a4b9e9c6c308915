"""What selections took: the same number all around the point, or a choice that may be another beside it."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Expr, variables
from gradcheck_cli.tape.doubt import CLEAR, TIED, doubts
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.expressions import Expressions
from gradcheck_cli.tape.slopes import Slopes
from gradcheck_cli.tape.sweep import ReverseSweep
from gradcheck_cli.tape.tape import Tape
from gradcheck_cli.tape.values import Values


def tape_with(*numbers: float) -> tuple[Tape, list[np.int64]]:
    tape = Tape()
    return tape, list(tape.input("x", np.array(numbers), DTYPES["float64"]))


def constant(tape: Tape, value: float) -> np.int64:
    return np.int64(tape.constant(value))


def expression(tape: Tape, element: Elements) -> Expr:
    return Expressions(Values(tape, rounding=True)).of(int(element))


@pytest.mark.parametrize(
    ("function", "took"),
    [("maximum", 1), ("minimum", 0), ("fmax", 1), ("fmin", 0), ("clamp_min", 1), ("clamp_max", 0)],
)
def test_the_operand_that_is_taken_is_the_result(function: str, took: int) -> None:
    tape, x = tape_with(0.3, 0.7)
    y = tape.call(function, x[0], x[1])
    assert Values(tape).choices.same[y] == x[took]
    assert set(variables(expression(tape, y))) == {f"x[{took}]"}


@pytest.mark.parametrize(
    ("function", "bounds", "number", "same"),
    [("relu", (), 2.0, "x"), ("relu", (), -2.0, 0.0), ("abs", (), 2.0, "x"), ("clamp", (-1, 1), 0.5, "x"),
     ("clamp", (-1, 1), 1.5, 1.0), ("clamp", (-1, 1), -1.5, -1.0), ("relu", (), 0.0, None),
     ("clamp", (-1, 1), 1.0, None)],
)  # fmt: skip
def test_a_clamp_gives_back_its_argument_or_a_bound(
    function: str, bounds: tuple[float, ...], number: float, same: str | float | None
) -> None:
    tape, (x,) = tape_with(number)
    y = tape.call(function, x, *(constant(tape, bound) for bound in bounds))
    expected = x if same == "x" else y if same is None else constant(tape, float(same))
    assert Values(tape).choices.same[y] == expected


def test_the_largest_compared_with_its_winner_is_no_tie() -> None:
    """As in `x == x.max()`, after which x is chosen: the comparison holds all around."""
    tape, x = tape_with(0.3, 0.7, 0.5)
    scaled = tape.call("exp", np.array(x))
    largest = tape.reduce("max", scaled)
    y = tape.call("where", tape.call("eq", scaled, largest), tape.call("square", scaled), scaled)
    values = Values(tape)
    assert (doubts(Slopes(values))[y] == CLEAR).all()
    value, radius = ReverseSweep(Slopes(values), y).by_inputs()
    assert np.isfinite(radius).all()
    assert np.allclose(np.diag(value), [np.exp(0.3), 2 * np.exp(1.4), np.exp(0.5)])


def test_so_is_what_is_compared_with_itself_held_constant() -> None:
    tape, x = tape_with(0.3, 0.7)
    largest = tape.held(np.atleast_1d(tape.reduce("max", np.array(x))))
    y = tape.call("where", tape.call("eq", np.array(x), largest), tape.call("square", np.array(x)), np.array(x))
    assert (doubts(Slopes(Values(tape)))[y] == CLEAR).all()


def test_a_comparison_of_equal_numbers_may_change_beside_the_point() -> None:
    tape, x = tape_with(0.0, 1.0)
    zero = constant(tape, 0.0)
    positive = tape.call("gt", np.array(x), zero)
    y = tape.call("where", tape.call("not", tape.call("not", positive)), tape.call("square", np.array(x)), np.array(x))
    mask = tape.call("where", positive, constant(tape, 1.0), zero)
    masked = tape.call("mul", np.array(x), mask)
    again = tape.call("where", tape.call("ne", mask, zero), np.array(x), zero)
    values = Values(tape)
    found = doubts(Slopes(values)) == TIED
    for made in (y, masked, again):
        assert found[made].tolist() == [True, False]
        assert np.isfinite(ReverseSweep(Slopes(values), made).by_inputs()[1]).all(axis=1).tolist() == [False, True]


def test_only_what_rests_on_a_seam_is_doubts() -> None:
    tape, x = tape_with(0.0, 2.0, -3.0)
    kinked = tape.call("abs", np.array(x))
    products = tape.dot(kinked[:, None], np.array(x)[:, None])
    row = tape.reduce("max", np.array([[x[1], kinked[0]], [kinked[0], x[2]], [x[1], x[1]]]))
    totals = tape.reduce("sum", np.stack([kinked, kinked, kinked], axis=1))
    found = doubts(Slopes(Values(tape))) == TIED
    assert found[kinked].tolist() == [True, False, False]
    assert found[products].tolist() == [[True] * 3, [False] * 3, [False] * 3]
    assert found[row].tolist() == [False, True, False]
    assert found[totals].tolist() == [True, False, False]


def test_what_is_decided_has_no_part_in_an_expression() -> None:
    """An infinity in a branch that is not taken, and an operand far below a maximum."""
    tape, x = tape_with(0.3, 0.7, 0.7)
    infinite = constant(tape, -np.inf)
    chosen = tape.call("where", tape.call("lt", x[0], x[1]), x[0], infinite)
    assert set(variables(expression(tape, chosen))) == {"x[0]"}
    largest = tape.reduce("max", tape.call("exp", np.array([x])))
    assert set(variables(expression(tape, largest[0]))) == {"x[1]", "x[2]"}
    undecided = tape.call("where", tape.call("lt", x[1], x[2]), x[0], infinite)
    with pytest.raises(NoReference):
        expression(tape, undecided)


def test_what_is_made_of_whole_numbers_is_steady() -> None:
    """As of a sextant: floor(6 h) % 6, whose parts are compared with whole numbers."""
    tape, x = tape_with(2.3, -1.4, 3.0)
    six = constant(tape, 6.0)
    sextant = tape.call("trunc", tape.call("remainder", tape.call("floor", np.array(x)), six))
    y = tape.call("where", tape.call("eq", sextant, constant(tape, 2.0)), np.array(x), np.int64(0))
    values = Values(tape)
    assert values.choices.steady(sextant).tolist() == [True, True, False]
    assert (doubts(Slopes(values))[y] == CLEAR).tolist() == [True, True, False]
