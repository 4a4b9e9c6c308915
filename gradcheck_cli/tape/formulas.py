"""Rows of the table and their formulas at arrays of numbers with radii: in float64, or by balls where it has no kernel.

A radius that is infinite says that nothing is known. Where a choice is not certain within the radii, the result covers
both branches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from gradcheck_cli.certified.ball import Balls, ball_function, precision
from gradcheck_cli.certified.float_filter.kernels import EPS, SMALLEST, WIDER, Approx
from gradcheck_cli.differentiation import rules
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.functions import FUNCTIONS
from gradcheck_cli.expression.nodes import Call, Constant, Variable
from gradcheck_cli.tape.choices import COMPARE
from gradcheck_cli.tape.rows import BRANCHES, COMPARISONS, CONDITIONS, KERNELS

INF = np.inf
BALL_BITS = 80
MOST_BALLS = 2_000
"""Elements for which balls are asked where float64 has lost all bounds."""
NAMED = {"pi": np.pi, "e": np.e, "tau": 2 * np.pi}

# Functions that grow (or fall) all along their domain: over a wide ball the ends tell more than a slope.
MONOTONE: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "exp": (np.exp, -INF, INF), "exp2": (np.exp2, -INF, INF), "expm1": (np.expm1, -INF, INF), "log": (np.log, 0, INF),
    "log2": (np.log2, 0, INF), "log10": (np.log10, 0, INF), "log1p": (np.log1p, -1, INF), "sqrt": (np.sqrt, 0, INF),
    "atan": (np.arctan, -INF, INF), "tanh": (np.tanh, -INF, INF), "sinh": (np.sinh, -INF, INF),
    "asinh": (np.arcsinh, -INF, INF), "asin": (np.arcsin, -1, 1), "acos": (np.arccos, -1, 1),
    "acosh": (np.arccosh, 1, INF), "atanh": (np.arctanh, -1, 1), "erf": (KERNELS["erf"], -INF, INF),
    "erfc": (KERNELS["erfc"], -INF, INF),
}  # fmt: skip


def at_row(name: str, args: Sequence[Approx]) -> Approx:
    """A row of the table."""
    row, kernel = FUNCTIONS[name], KERNELS.get(name)
    if kernel is not None:
        value = _power(args[0], args[1]) if name == "pow" else kernel(*args)
        return _by_ends(name, args[0], value) if name in MONOTONE else value
    if _has_kernel(row):
        assert row.definition is not None
        value = at_formula(row, row.definition, args)
        return _within_bounds(row, value)
    return by_balls(ball_function(row), args)


def at_formula(row: Function, text: str, args: Sequence[Approx]) -> Approx:
    """A formula of the row: its definition, a partial derivative, a seam."""
    program = rules.formula_program(text)
    if not _all_kernels(text):
        return by_balls(_ball_formula(row, text), args)
    given = dict(zip((argument.name for argument in row.arguments), args, strict=True))
    values: list[Any] = []
    for node, places in zip(program.nodes, program.args, strict=True):
        match node:
            case Constant(value=str(named)):
                values.append(Approx(NAMED[named], NAMED[named] * EPS))
            case Constant(value=number):
                value = float(number)
                values.append(Approx(value, None if number == value else abs(value) * EPS))
            case Variable(name=name):
                values.append(given[name])
            case Call(function=function):
                values.append(_call(function.name, [values[i] for i in places]))
    result = values[program.roots[0]]
    assert isinstance(result, Approx)
    return _saved(result, _ball_formula(row, text), args)


def _saved(result: Approx, function: Callable[..., Any], args: Sequence[Approx]) -> Approx:
    """Where float64 has lost all bounds over wide radii, balls may have some."""
    if result.radius is None or np.isfinite(result.radius).all():
        return result
    lost: NDArray[np.bool_] = ~np.isfinite(result.radius) & np.isfinite(result.value)
    for arg in args:
        lost = lost & np.isfinite(arg.value) & np.isfinite(0.0 if arg.radius is None else arg.radius)
    places = np.flatnonzero(lost)
    if not 0 < len(places) <= MOST_BALLS:
        return result
    shape = np.shape(lost)
    chosen = [
        Approx(*(None if x is None else np.broadcast_to(x, shape).reshape(-1)[places] for x in (arg.value, arg.radius)))
        for arg in args
    ]
    found = by_balls(function, chosen)
    value, radius = (np.array(np.broadcast_to(x, shape), np.float64) for x in (result.value, result.radius))
    assert found.radius is not None
    better = np.isfinite(found.radius)
    value.reshape(-1)[places[better]] = found.value[better]
    radius.reshape(-1)[places[better]] = found.radius[better]
    return Approx(value, radius)


def _call(function: str, args: Sequence[Any]) -> Any:
    if function in BRANCHES:
        return select(*args)
    if function in CONDITIONS:
        return condition(function, args)
    return at_row(function, args)


Condition = tuple[Any, Any]
"""(truth at each point, whether it holds for all values within the radii)."""


def condition(function: str, args: Sequence[Any]) -> Condition:
    if function in COMPARISONS:
        a, b = args
        reach = (0.0 if a.radius is None else a.radius) + (0.0 if b.radius is None else b.radius)
        known = (np.abs(a.value - b.value) > WIDER * reach) | (reach == 0)
        return COMPARE[function](a.value, b.value), known
    match function, args:
        case "and", ((a, a_known), (b, b_known)):
            return a & b, (a_known & b_known) | (a_known & ~_as_bool(a)) | (b_known & ~_as_bool(b))
        case "or", ((a, a_known), (b, b_known)):
            return a | b, (a_known & b_known) | (a_known & a) | (b_known & b)
        case "not", ((a, a_known),):
            return ~_as_bool(a), a_known
    return np.bool_(function == "true"), np.True_


def _as_bool(value: Any) -> NDArray[np.bool_]:
    return np.asarray(value, bool)


def select(chosen: Condition, a: Approx, b: Approx) -> Approx:
    truth, known = chosen
    value = np.where(truth, a.value, b.value)
    if a.radius is None and b.radius is None and np.all(known):
        return Approx(value, None)
    first, second = (0.0 if x.radius is None else x.radius for x in (a, b))
    radius = np.where(truth, first, second)
    if np.all(known):
        return Approx(value, radius)
    return Approx(value, np.where(known, radius, np.abs(a.value - b.value) + np.maximum(first, second)))


def _power(x: Approx, y: Approx) -> Approx:
    """KERNELS' pow, which wants an exponent that is one number as a float."""
    if y.radius is None and np.ndim(y.value):
        exponents = np.unique(y.value)
        if len(exponents) == 1:
            y = Approx(float(exponents[0]), None)
        elif len(exponents) <= 16 and not np.isnan(exponents).any():
            count = np.broadcast_shapes(np.shape(x.value), np.shape(y.value))
            value, radius = np.empty(count), np.empty(count)
            base, slack = np.broadcast_to(x.value, count), None
            if x.radius is not None:
                slack = np.broadcast_to(x.radius, count)
            for exponent in exponents.tolist():
                there = np.broadcast_to(y.value == exponent, count)
                one = KERNELS["pow"](
                    Approx(base[there], None if slack is None else slack[there]), Approx(exponent, None)
                )
                value[there] = one.value
                radius[there] = 0.0 if one.radius is None else one.radius
            return Approx(value, radius)
    if y.radius is None and isinstance(y.value, np.floating):
        y = Approx(float(y.value), None)
    result = KERNELS["pow"](x, y)
    if result.radius is not None and x.radius is not None and y.radius is None:
        return _wide_power(x, y, result)
    return result


def _wide_power(x: Approx, y: Approx, result: Approx) -> Approx:
    """The range of x**y over a wide ball: between its ends where it does not reach 0, and of whole powers by the
    largest slope."""
    assert result.radius is not None
    assert x.radius is not None
    whole = ~np.isfinite(result.radius) & np.isfinite(x.radius) & (y.value >= 1) & (y.value == np.floor(y.value))
    if np.any(whole):
        far = np.abs(x.value) + x.radius
        steepest = y.value * np.power(far, y.value - 1) * x.radius + 8 * EPS * np.power(far, y.value) + SMALLEST
        result = Approx(result.value, np.where(whole & np.isfinite(steepest), steepest, result.radius))
    assert result.radius is not None
    lost = ~np.isfinite(result.radius) & np.isfinite(x.radius) & (np.abs(x.value) > x.radius)
    if not np.any(lost):
        return result
    low, high = np.power(x.value - x.radius, y.value), np.power(x.value + x.radius, y.value)
    reach = np.maximum(np.abs(low - result.value), np.abs(high - result.value))
    reach = reach + 8 * EPS * np.maximum(np.abs(low), np.abs(high))
    return Approx(result.value, np.where(lost & np.isfinite(reach), reach, result.radius))


def _by_ends(name: str, x: Approx, result: Approx) -> Approx:
    if x.radius is None or result.radius is None:
        return result
    lost = np.asarray(result.radius > np.abs(result.value) * 2.0**-20) & np.isfinite(x.radius)
    if not np.any(lost):
        return result
    function, least, most = MONOTONE[name]
    low, high = x.value - x.radius * WIDER, x.value + x.radius * WIDER
    inside = lost & (low >= least) & (high <= most)
    if name in ("erf", "erfc"):
        low, high = (function(Approx(end, None)).value for end in (low, high))
    else:
        low, high = function(low), function(high)
    reach = np.maximum(np.abs(low - result.value), np.abs(high - result.value))
    reach = reach + 8 * EPS * np.maximum(np.abs(low), np.abs(high)) + 1e-300
    return Approx(result.value, np.where(inside & (reach < result.radius), reach, result.radius))


def _within_bounds(row: Function, value: Approx) -> Approx:
    """Where nothing is known of a bounded function, it is within its bounds."""
    if value.radius is None or not row.bounds or not np.isfinite(row.bounds).all():
        return value
    low, high = row.bounds
    lost = value.radius > high - low
    if not np.any(lost):
        return value
    return Approx(np.where(lost, (low + high) / 2, value.value), np.where(lost, (high - low) / 2, value.radius))


def by_balls(function: Callable[..., Any], args: Sequence[Approx]) -> Approx:
    """A function of balls at each element."""
    shape = np.broadcast_shapes(*(np.shape(arg.value) for arg in args))
    columns = []
    for arg in args:
        mids = np.broadcast_to(arg.value, shape).reshape(-1).tolist()
        if arg.radius is None:
            columns.append([arb(mid) for mid in mids])
        else:
            radii = np.broadcast_to(arg.radius, shape).reshape(-1).tolist()
            columns.append([arb(mid, radius) for mid, radius in zip(mids, radii, strict=True)])
    value, radius = np.full(len(columns[0]), np.nan), np.full(len(columns[0]), INF)
    with precision(BALL_BITS):
        for i, row in enumerate(zip(*columns, strict=True)):
            ball = function(*row)
            if isinstance(ball, arb) and ball.is_finite():
                value[i] = float(ball.mid())
                radius[i] = float(ball.rad()) * (1 + 2.0**-20) + abs(value[i]) * 2.0**-52 + 5e-324
                if ball.is_exact() and arb(value[i]) == ball:
                    radius[i] = 0.0
    return Approx(value.reshape(shape), radius.reshape(shape))


@cache
def _ball_formula(row: Function, text: str) -> Callable[..., Any]:
    program, names = rules.formula_program(text), [argument.name for argument in row.arguments]
    return lambda *balls: program.run(Balls(dict(zip(names, balls, strict=True))))[program.roots[0]]


@cache
def _has_kernel(row: Function) -> bool:
    """Whether float64 has a kernel for the row, or for all that its definition is made of."""
    return row.name in KERNELS or bool(row.definition and _all_kernels(row.definition))


@cache
def _all_kernels(text: str) -> bool:
    rows = [node.function for node in rules.formula_program(text).nodes if isinstance(node, Call)]
    return all(_has_kernel(row) for row in rows if row.role == "function")


def constant_partial(name: str, index: int) -> float | None:
    """The partial derivative of a row where it is the same everywhere: of sums, 1 or -1."""
    return _CONSTANT_PARTIALS.get((name, index))


_CONSTANT_PARTIALS = {
    ("add", 0): 1.0, ("add", 1): 1.0, ("sub", 0): 1.0, ("sub", 1): -1.0, ("neg", 0): -1.0, ("positive", 0): 1.0,
    ("rsub", 0): -1.0, ("rsub", 1): 1.0,
}  # fmt: skip


def partial_of(name: str, index: int, args: Sequence[Approx], result: Approx) -> Approx | None:
    """The partial derivative of a row by its index-th argument; None: there is none to be had.

    result: the row's own value there, which some partial derivatives are made of.
    """
    match name, index:
        case "mul", _:
            return args[1 - index]
        case "div", 0:
            return KERNELS["div"](Approx(1.0, None), args[1])
        case "div", 1:
            return KERNELS["neg"](KERNELS["div"](result, args[1]))
        case "exp", 0:
            return result
        case "sqrt", 0:
            return KERNELS["div"](Approx(0.5, None), result)
        case "pow", 0 if args[1].radius is None:
            exponent = args[1].value
            lower = np.where(exponent == 0, 1.0, exponent - 1)
            return KERNELS["mul"](args[1], _power(args[0], Approx(lower, None)))
    row = FUNCTIONS[name]
    text = rules.partial_text(row, index)
    return at_formula(row, text, args) if text else None


def real_arguments(name: str) -> tuple[int, ...]:
    """The arguments of a row by which it has derivatives."""
    return _real_arguments(FUNCTIONS[name])


@cache
def _real_arguments(row: Function) -> tuple[int, ...]:
    return tuple(i for i, argument in enumerate(row.arguments) if argument.kind == "real")


def seam_gaps(name: str, args: Sequence[Approx]) -> list[Approx]:
    """The row's seams: where one is zero, the row is not smooth there."""
    row = FUNCTIONS[name]
    return [at_formula(row, text, args) for text in row.seams]
