"""The table of functions: every row, at interior points, in balls against torch and against SymPy."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import sympy
import torch
from flint import arb

from gradcheck_cli.certified.ball import EXACT, Balls, Numbers, ball_function, precision, seam_value
from gradcheck_cli.certified.seams import Seams
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Constant, Expr, call, constant, variable
from gradcheck_cli.expression.program import Program
from gradcheck_cli.pytorch.function import TorchArithmetic, TorchFunction
from gradcheck_cli.pytorch.gradients import gradients_of
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.symbolic.to_sympy import row_form, symbol

FLOAT64 = DTYPES["float64"]
CPU = torch.device("cpu")
DEFAULT_POINTS = ((-1.3,), (0.4,), (2.1,))

# Rows of which SymPy has no form, or none that it can evaluate.
NO_SYMPY_FORM = {"mvpolygamma"}
# torch's own float64 kernels are this far off (relative): the checker exists to see such things, not this test.
# hardsigmoid's backward multiplies by a sixth that was rounded to float32, also in float64.
TORCH_LOSES = {"tanhshrink": 1e-8, "digamma": 1e-9, "polygamma": 1e-8, "trigamma": 1e-8, "mvlgamma": 1e-9,
               "harmonic": 1e-9, "lbeta": 1e-9, "beta": 1e-9, "hardsigmoid": 1e-7, "bessel_y0": 1e-7,
               "bessel_y1": 1e-8}  # fmt: skip

# By which argument torch refuses to differentiate a row that it differentiates by the others.
TORCH_REFUSES = {
    "binary_cross_entropy_weighted": {"weight"},
    "binary_cross_entropy_with_logits_weighted": {"weight"},
    "binary_cross_entropy_with_logits_by_class": {"pos_weight"},
    "binary_cross_entropy_with_logits_both": {"weight", "pos_weight"},
    "soft_margin_loss": {"target"},
}


def points(row: Function) -> tuple[tuple[float, ...], ...]:
    if row.points:
        return row.points
    defaults = [float(a.default) for a in row.arguments if a.default is not None]
    return tuple((*point, *defaults) for point in DEFAULT_POINTS)


def cases(*, internal: bool) -> list[Any]:
    return [
        pytest.param(row, point, id=f"{row.name}{point}")
        for row in FUNCTIONS.values()
        if internal or not row.internal
        for point in (internal_points(row) if row.internal else points(row))
    ]


def internal_points(row: Function) -> tuple[tuple[float, ...], ...]:
    values = {"n": (1.0, 3.0), "a": (1.0, 0.5), "p": (1.0, 2.0), "x": (2.3, 0.4)}
    return tuple(
        tuple(values[argument.name][i] for argument in row.arguments)
        for i in (0, 1)
        if row.name != "mvpolygamma" or i == 0
    )


def applied(row: Function, point: tuple[float, ...]) -> tuple[Expr, dict[str, float]]:
    """The row called with a variable for each real argument and constants for the rest."""
    args: list[Expr] = []
    env: dict[str, float] = {}
    for argument, value in zip(row.arguments, point, strict=True):
        if argument.kind == "real":
            env[argument.name] = value
            args.append(variable(argument.name))
        else:
            args.append(constant(Fraction(value)))
    return call(row, *args), env


def ball_value(expression: Expr, env: dict[str, float]) -> arb:
    program = Program(expression)
    with precision(200):
        value = program.run(Balls({name: arb(x) for name, x in env.items()}, Numbers(FLOAT64)))[program.roots[0]]
    assert isinstance(value, arb)
    assert value.is_finite(), value
    return value


@pytest.mark.parametrize(("row", "point"), cases(internal=False))
def test_value_and_derivative_are_those_of_torch(row: Function, point: tuple[float, ...]) -> None:
    """At an interior point torch's value lies at the certified one, and so does its derivative, where it has one."""
    expression, env = applied(row, point)
    tolerance = TORCH_LOSES.get(row.name, 1e-11)
    leaves = {name: torch.tensor(x, dtype=torch.float64) for name, x in env.items()}
    value = float(TorchFunction(expression, TorchArithmetic(FLOAT64, CPU))(leaves)[0])
    assert value == pytest.approx(float(ball_value(expression, env).mid()), rel=tolerance, abs=1e-15)
    for name in env:
        if "" in row.partials and not row.partials[list(env).index(name)]:
            continue
        result = gradients_of(expression, [Derivative((name,))], "reverse", FLOAT64, CPU).at(env)
        if name in TORCH_REFUSES.get(row.name, ()):
            assert "not differentiable with respect to" in result.errors[Derivative((name,))]
        elif row.differentiable:
            certified = float(ball_value(gradient(expression, [name])[name], env).mid())
            assert result.derivatives[Derivative((name,))] == pytest.approx(certified, rel=tolerance, abs=1e-15)
        else:
            assert result.errors or result.derivatives[Derivative((name,))] == 0.0


@pytest.mark.parametrize(("row", "point"), cases(internal=True))
def test_rule_is_the_derivative_that_sympy_finds(row: Function, point: tuple[float, ...]) -> None:
    """The row's own rule, in balls, and SymPy's derivative of the row's form, to 30 digits, agree."""
    if row.name in NO_SYMPY_FORM:
        pytest.skip("SymPy has no form of it")
    expression, env = applied(row, point)
    numbers = {a.name: _exact(v) for a, v in zip(row.arguments, point, strict=True)}
    for argument in row.arguments:
        real = [a.name for a in row.arguments if a.kind == "real"]
        if argument.kind != "real" or not row.partials[real.index(argument.name)]:
            continue
        fixed = {a.name: numbers[a.name] for a in row.arguments if a.kind != "real"}
        form = row_form(row, [fixed.get(a.name, symbol(a.name)) for a in row.arguments])
        theirs = sympy.diff(form, symbol(argument.name))
        at = {symbol(name): numbers[name] for name in env}
        if theirs.has(sympy.Derivative, sympy.Subs):
            # What SymPy leaves unevaluated (floor, Mod): a central difference of the form, to 30 digits.
            number = _difference(form, argument.name, {name: numbers[name] for name in env})
        else:
            number = theirs.subs(at).doit().evalf(30)
        ours = ball_value(gradient(expression, [argument.name])[argument.name], env)
        with precision(200):
            difference = abs(ours - arb(str(sympy.re(number))))
            assert difference <= abs(ours) * 1e-20 + 1e-25, (ours, number)


def _exact(value: float) -> sympy.Rational:
    return sympy.Rational(*value.as_integer_ratio())


def _difference(form: sympy.Expr, name: str, at: dict[str, sympy.Rational]) -> sympy.Expr:
    step = sympy.Rational(1, 10**25)
    sides = [
        form.subs({symbol(n): v + (sign * step if n == name else 0) for n, v in at.items()}).evalf(80)
        for sign in (1, -1)
    ]
    return ((sides[0] - sides[1]) / (2 * step)).evalf(30)


@pytest.mark.parametrize(("row", "point"), cases(internal=True))
def test_bounds_hold_the_value(row: Function, point: tuple[float, ...]) -> None:
    """The bounds a row states enclose its values."""
    if row.bounds is not None:
        expression, env = applied(row, point)
        assert row.bounds[0] <= float(ball_value(expression, env).mid()) <= row.bounds[1]


@pytest.mark.parametrize("row", [row for row in FUNCTIONS.values() if row.seams], ids=lambda row: row.name)
def test_seams_are_away_from_the_interior_points(row: Function) -> None:
    """No seam of a row is zero at its interior points: there the row is smooth."""
    for point in points(row) if not row.internal else internal_points(row):
        for seam in row.seams:
            gap = seam_value(row, seam, [arb(value) for value in point])
            assert isinstance(gap, arb)
            assert not gap.contains(0), (point, gap)


SEVERAL = [row for row in FUNCTIONS.values() if row.seams and len(row.partials) > 1]


@pytest.mark.parametrize("row", SEVERAL, ids=lambda row: row.name)
def test_a_seam_that_does_not_move_with_a_variable_leaves_its_derivative(row: Function) -> None:
    """Along a variable that no seam depends on which is zero, the rule is the derivative: so it is not probed there."""
    real = [argument.name for argument in row.arguments if argument.kind == "real"]
    others = {a.name: a.default or 1 for a in row.arguments if a.kind != "real"}
    expression = call(row, *(variable(a.name) if a.name in real else constant(others[a.name]) for a in row.arguments))
    partials = [name for name, text in zip(real, row.partials, strict=True) if text]
    program = Program(expression, *(gradient(expression, [name])[name] for name in partials))
    seams, (root, *roots) = Seams(program, program.roots[0]), program.roots
    step = arb(2) ** -300
    for point in product((-1, 0, 1, 2), repeat=len(real)):
        env = dict(zip(real, map(arb, point), strict=True))
        with precision(1000):
            values = program.run(Balls(env))
            for name, by in zip(partials, roots, strict=True):
                start, rule = values[root], values[by]
                beside = [program.run(Balls(env, shift={name: side * step}))[root] for side in (-1, 1)]
                if seams.ties(values, name) is False and isinstance(start, arb) and isinstance(rule, arb):
                    for side, moved in zip((-1, 1), beside, strict=True):
                        assert isinstance(moved, arb), (point, name)
                        slope = (moved - start) / (side * step)
                        assert abs(slope - rule) < 1e-50, (point, name)


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
def test_row_is_complete(row: Function) -> None:
    """A row says what it is, has a rule for each real argument, and can be evaluated."""
    real = [argument for argument in row.arguments if argument.kind == "real"]
    assert row.doc
    assert len(row.partials) == len(real)
    assert row.ball or row.definition
    assert row.torch is not None or row.composed or row.internal


def at(row: Function, *point: float) -> Any:
    """The row's value in balls: not finite where there is none."""
    with precision(200):
        value = ball_function(row)(*map(arb, point))
        return value if isinstance(value, arb) else arb("nan")


@pytest.mark.parametrize("row", [row for row in FUNCTIONS.values() if row.odd], ids=lambda row: row.name)
def test_odd_functions_are_odd(row: Function) -> None:
    assert at(row, 0).contains(0)
    for (x,) in points(row):
        assert at(row, -x).overlaps(-at(row, x))


@pytest.mark.parametrize("row", [row for row in FUNCTIONS.values() if row.zeros], ids=lambda row: row.name)
def test_functions_are_zero_where_the_table_says(row: Function) -> None:
    at_zero = at(row, 0)
    assert not at_zero.is_finite() or at_zero.contains(0) is (row.zeros == "argument")
    assert not any(at(row, x).contains(0) for (x,) in (*points(row), (1e-6,)))


JUMPS_AT = {
    "binary_cross_entropy": ((0.25, 0.5), (0, 0.5, 1)),
    "binary_cross_entropy_weighted": ((0.25, 0.5), (0, 0.5, 1), (2,)),
    "float_power": ((0.5, 1, 2), (-1, 0, 0.5, 2)),
    "pow": ((0.5, 1, 2), (-1, 0, 0.5, 2)),
    "round_decimals": ((0.125, 0.375), (2,)),
    "threshold": ((0.1, 1), (0.1,), (20,)),
}
"""Places to look at, of rows where the usual ones mislead: 0**0 is 1 for itself alone, a logarithm is steep near 0."""


@pytest.mark.parametrize(
    "row", [row for row in FUNCTIONS.values() if len(points(row)[0]) == len(row.arguments)], ids=lambda row: row.name
)
def test_functions_jump_where_the_table_says(row: Function) -> None:
    """Beside a place where it is defined, it is elsewhere: at one of some simple places, or at none."""
    real = [i for i, argument in enumerate(row.arguments) if argument.kind == "real"]
    usual = [(-2, -1, -0.5, 0, 0.5, 1, 2) if i in real else (points(row)[0][i],) for i in range(len(row.arguments))]
    jumps = False
    for place in product(*JUMPS_AT.get(row.name, usual)):
        here = at(row, *place)
        for i, step in product(real, (1e-12, -1e-12)):
            there = at(row, *(x + step * (i == j) for j, x in enumerate(place)))
            jumps |= bool(here.is_finite() and there.is_finite() and abs(here - there) > 1e-3)
    assert jumps is row.jumps


def test_names_that_are_named_are_names() -> None:
    for row in FUNCTIONS.values():
        assert set(row.variables) <= {row.name, *row.spellings}


def test_names_and_aliases_are_unique() -> None:
    """No name means two rows."""
    names = [name for row in FUNCTIONS.values() for name in (row.name, *row.spellings)]
    assert len(names) == len(set(names))


def test_constants_mean_what_is_written_where_nothing_is_rounded() -> None:
    """In exact mode 0.1 is a tenth and pi is pi; in the verdict of a row both are rounded to the working dtype."""
    tenth, pi = Constant(Fraction(1, 10), exact=False), constant("pi")
    with precision(100):
        assert EXACT(tenth).overlaps(arb(1) / 10)
        assert EXACT(pi).overlaps(arb.pi())
        assert Numbers(FLOAT64)(tenth) == arb(0.1)
        assert Numbers(FLOAT64)(pi) == arb(math.pi)
        assert Numbers(DTYPES["float16"])(pi) == arb(3.140625)
