"""The tape: values and sweeps with bounds, in each arithmetic, against NumPy and each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gradcheck_cli.certified.ball import Balls, precision
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression.nodes import variables
from gradcheck_cli.expression.program import Program
from gradcheck_cli.tape import double_double as dd
from gradcheck_cli.tape.elements import Elements
from gradcheck_cli.tape.expressions import HELD, Expressions
from gradcheck_cli.tape.gradient import gradient
from gradcheck_cli.tape.precise import PreciseSweep, PreciseValues
from gradcheck_cli.tape.slopes import Slopes
from gradcheck_cli.tape.sweep import ReverseSweep
from gradcheck_cli.tape.tape import Tape
from gradcheck_cli.tape.values import Values

F64 = DTYPES["float64"]
X = np.array([[0.3, -1.2, 2.0], [1.1, 0.4, -0.7]])
W = np.array([[0.5, 1.5, -1.0], [2.0, 0.1, 0.3]])


def one_of_each(tape: Tape) -> Elements:
    """A tape with every kind of instruction."""
    x, w = tape.input("x", X, F64), tape.input("w", W, F64)
    products = tape.dot(x, w)
    curved = tape.call("mul", tape.call("sin", products), tape.call("exp", products))
    chosen = tape.call("where", tape.call("gt", curved, np.int64(tape.constant(0.0))), curved, products)
    parts = [tape.reduce(name, x) for name in ("sum", "prod", "max", "min")]
    return np.concatenate([chosen.reshape(-1), *parts])


def numeric_jacobian(tape: Tape, outputs: Elements) -> NDArray[np.float64]:
    """By central differences of the tape itself at moved inputs."""
    columns, step = [], 1e-6
    for name, base in (("x", X), ("w", W)):
        for k in range(base.size):
            ends = []
            for sign in (1, -1):
                moved = base.copy()
                moved.reshape(-1)[k] += sign * step
                ends.append(Values(tape, {name: moved}).value[outputs])
            columns.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(columns, axis=1)


def test_values_are_those_of_numpy() -> None:
    tape = Tape()
    outputs = one_of_each(tape)
    products = X @ W.T
    curved = np.sin(products) * np.exp(products)
    expected = np.concatenate(
        [np.where(curved > 0, curved, products).reshape(-1), X.sum(1), X.prod(1), X.max(1), X.min(1)]
    )
    values = Values(tape)
    assert np.all(np.abs(values.value[outputs] - expected) <= values.radius[outputs] + 4e-16 * np.abs(expected))


def test_three_tiers_agree_on_the_derivatives() -> None:
    """float64 within its bounds, pairs of doubles within theirs, and the gradient as more of the tape."""
    tape = Tape()
    outputs = one_of_each(tape)
    slopes = Slopes(Values(tape))
    value, radius = ReverseSweep(slopes, outputs).by_inputs()
    sharp, reach = PreciseSweep(PreciseValues(slopes.values, outputs), outputs).by_inputs()
    assert np.all(np.abs(value - sharp) <= radius + reach)
    assert np.all(reach <= 2.0**-52 * np.abs(sharp))
    assert np.allclose(value, numeric_jacobian(tape, outputs), atol=1e-8)
    for k, output in enumerate(outputs[:6]):
        again = Tape()
        root = one_of_each(again)[k]
        rows = gradient(again, np.array([root]), np.array([again.constant(1.0)]))
        assert np.allclose(Values(again).value[rows], value[k], rtol=1e-13, atol=1e-15), output


def test_expressions_have_the_derivative_of_the_sweep() -> None:
    tape = Tape()
    outputs = one_of_each(tape)
    values = Values(tape)
    expressions = Expressions(values)
    for output in outputs.tolist():
        root = expressions.of(output)
        program = Program(root)
        with precision(80):
            from flint import arb

            env = {name: arb(number) for name, number in expressions.point.items() if name in variables(root)}
            ball = program.run(Balls(env))[program.roots[0]]
        assert float(ball.mid()) == pytest.approx(values.value[output], rel=1e-14)


def test_what_is_held_has_the_number_and_no_derivative() -> None:
    tape = Tape()
    x = tape.input("x", np.array([3.0, 4.0]), F64)
    y = tape.call("mul", x, tape.held(tape.call("square", x)))
    values = Values(tape)
    assert values.value[y].tolist() == [27.0, 64.0]
    assert ReverseSweep(Slopes(values), y).by_inputs()[0].tolist() == [[9.0, 0.0], [0.0, 16.0]]
    assert set(variables(Expressions(values).of(int(y[0])))) == {"x[0]", "x[0]" + HELD}


def test_what_is_held_has_a_value_with_more_digits_too() -> None:
    tape = Tape()
    x = tape.input("x", np.array([3.0, 4.0]), F64)
    y = tape.call("mul", x, tape.held(tape.call("square", x)))
    values = PreciseValues(Values(tape), y)
    assert values.at(y).high.tolist() == [27.0, 64.0]
    assert PreciseSweep(values, y).by_inputs()[0].tolist() == [[9.0, 0.0], [0.0, 16.0]]


@pytest.mark.parametrize("function", ["max", "min", "maximum", "minimum"])
def test_what_is_not_taken_is_compared_with_more_digits_too(function: str) -> None:
    tape = Tape()
    x = (
        tape.input("x", np.array([3.0, 4.0, 5.0]), F64)
        if "x" in function
        else tape.input("x", -np.arange(3.0) - 3, F64)
    )
    wide = function in ("max", "min")
    y = np.atleast_1d(tape.reduce(function, x) if wide else tape.call(function, x[0], x[1]))
    values = Values(tape)
    precise = PreciseValues(values, y)
    assert precise.at(y).high.tolist() == values.value[y].tolist()
    found = PreciseSweep(precise, y).by_inputs()[0]
    assert found.tolist() == ReverseSweep(Slopes(values), y).by_inputs()[0].tolist()


def test_zeros_are_structural() -> None:
    """What does not rest on an input has the derivative 0, exactly, also beside an infinite slope."""
    tape = Tape()
    x = tape.input("x", np.array([0.0, 2.0]), F64)
    roots = tape.call("sqrt", x)
    value, radius = ReverseSweep(Slopes(Values(tape)), roots).by_inputs()
    assert value[1, 0] == radius[1, 0] == value[0, 1] == radius[0, 1] == 0
    assert not np.isfinite(radius[0, 0])


def test_a_tie_is_doubt_for_what_rests_on_it_alone() -> None:
    tape = Tape()
    x = tape.input("x", np.array([0.0, 2.0]), F64)
    kinked = tape.call("relu", x)
    value, radius = ReverseSweep(Slopes(Values(tape)), kinked).by_inputs()
    assert radius[0, 0] >= 1e100
    assert value[1].tolist() == [0.0, 1.0]
    assert radius[1, 0] == 0


def test_a_tie_of_flat_pieces_is_flat() -> None:
    """As in a pool over what relu made 0: which of them wins does not matter."""
    tape = Tape()
    x = tape.input("x", np.array([-1.0, -2.0, -0.5]), F64)
    pooled = tape.reduce("max", tape.call("relu", x)[None])
    value, radius = ReverseSweep(Slopes(Values(tape)), pooled).by_inputs()
    assert not value.any()
    assert not radius.any()


def test_an_infinite_mask_is_folded_away() -> None:
    """softmax with a masked entry: the mask is no number of the expression."""
    tape = Tape()
    x = tape.input("x", np.array([0.5, 1.0, 2.0]), F64)
    masked = x.copy()
    masked[1] = tape.constant(-math.inf)
    powers = tape.call("exp", tape.call("sub", masked, tape.reduce("max", masked)))
    assert powers[1] == tape.constant(0.0)
    shares = tape.call("div", powers, tape.reduce("sum", powers))
    assert Values(tape).value[shares] == pytest.approx(np.exp([0.5, -np.inf, 2.0]) / np.exp([0.5, 2.0]).sum())


def test_a_product_of_matrices_is_one_instruction() -> None:
    tape = Tape()
    a, b = (tape.input(name, np.ones((64, 64)), F64) for name in "ab")
    before = len(tape.instructions)
    tape.dot(a, b)
    assert len(tape.instructions) == before + 1
    assert tape.operations == 64 * 64 * 127


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e-10, 1e-10))
def test_pairs_of_doubles_are_within_their_bounds(a: float, b: float, small: float) -> None:
    from fractions import Fraction

    x, y = dd.add(dd.exact(a), dd.exact(small)), dd.exact(b)
    exact_x, exact_y = Fraction(a) + Fraction(small), Fraction(b)
    cases = [(dd.add(x, y), exact_x + exact_y), (dd.sub(x, y), exact_x - exact_y), (dd.mul(x, y), exact_x * exact_y)]
    if b:
        with np.errstate(all="ignore"):
            cases.append((dd.div(x, y), exact_x / exact_y))
    for found, truth in cases:
        if np.isfinite(found.radius):
            off = abs(Fraction(float(found.high)) + Fraction(float(found.low)) - truth)
            assert off <= Fraction(float(found.radius))
