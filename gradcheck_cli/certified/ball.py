"""What is it? Certified evaluation of expressions in ball arithmetic (python-flint's `arb`).

A program run in `Balls` has a value for each node: a ball that encloses the true value, `Undefined` where the function
provably has no real value, a truth value for a condition. A ball that is not finite says that nothing is known at this
precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from flint import arb, ctx, fmpq

from gradcheck_cli.certified import ball_functions
from gradcheck_cli.certified.ball_functions import NAN
from gradcheck_cli.differentiation import rules
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import Call, Constant, Expr, Named, Variable
from gradcheck_cli.expression.program import Program

FIRST_PRECISION = 80
LAST_PRECISION = 5120
GOOD_BITS = 60
NEGLIGIBLE, ENORMOUS = arb(2) ** -1200, arb(2) ** 1200  # beyond all doubles
TIE = arb(2) ** -4000


@dataclass(frozen=True)
class Undefined:
    """The function provably has no real finite value: `node` is the call to blame, `args` its arguments as text."""

    node: Call
    args: tuple[str, ...]


precision = ctx.workprec
"""precision(bits): a context in which ball arithmetic has so many bits."""
Truth = bool | None  # None: not decided at this precision
Value = arb | Undefined | Truth


class Numbers:
    """What a constant means: rounded to a double and then to the working dtype (dtype given), or exactly as written."""

    def __init__(self, dtype: Dtype | None) -> None:
        self.dtype = dtype

    def __call__(self, node: Constant) -> arb:
        if self.dtype is None or node.exact:
            if isinstance(node.value, str):
                return arb.const_e() if node.value == "e" else arb.pi() * (2 if node.value == "tau" else 1)
            return arb(fmpq(node.value.numerator, node.value.denominator))
        return arb(rounded_constant(node, self.dtype))


EXACT = Numbers(None)


class Balls:
    """The arithmetic of balls, at the precision in force.

    env: a ball for each variable. settle: a comparison that is undecided counts as a tie (for the last precision).
    shift: amounts by which variables or named results are moved.
    """

    def __init__(
        self,
        env: Mapping[str, arb],
        numbers: Numbers = EXACT,
        *,
        settle: bool = False,
        shift: Mapping[str, arb] | None = None,
    ) -> None:
        self.env, self.constant, self.settle, self.shift = env, numbers, settle, shift or {}

    def variable(self, node: Variable) -> Value:
        return self.named(node, self.env[node.name])

    def named(self, node: Variable | Named, value: Value) -> Value:
        return value + self.shift[node.name] if node.name in self.shift and isinstance(value, arb) else value

    def apply(self, node: Call, args: Sequence[Value]) -> Value:
        for arg in args:
            if not isinstance(arg, arb):
                return arg
        row, settle = node.function, self.settle
        if settle and (row.seams or row.domain):
            args = [_snap(arg) if isinstance(arg, arb) else arg for arg in args]
        compute = ball_function(row)
        value: Value = compute(*args, settle=settle) if row.ball is None else compute(*args)
        if isinstance(value, arb) and not value.is_finite() and row.domain and is_inside(row, args, settle) is False:
            value = Undefined(node, tuple(_show(arg) for arg in args if isinstance(arg, arb)))
        if isinstance(value, Undefined) and value.node is not node:
            value = Undefined(node, tuple(_show(arg) for arg in args if isinstance(arg, arb)))
        return value

    def select(self, node: Call, condition: Value, a: Value, b: Value) -> Value:
        if condition is True:
            return a
        if condition is False:
            return b
        return condition if isinstance(condition, Undefined) else NAN

    def compare(self, node: Call, a: Value, b: Value) -> Value:
        ties = node.function in (op.LE, op.GE, op.EQ)
        if node.args[0] is node.args[1] and isinstance(a, arb):
            return ties
        for operand in (a, b):
            if isinstance(operand, Undefined):
                return operand
        assert isinstance(a, arb)
        assert isinstance(b, arb)
        if not (a.is_finite() and b.is_finite()):
            return None
        truth = _COMPARE[node.function](a, b)
        return ties if truth is None and self.settle else truth

    def join(self, node: Call, args: Sequence[Value]) -> Value:
        """As Kleene has it: one decisive side decides, whatever the other is."""
        match node.function, args:
            case op.TRUE, _:
                return True
            case op.FALSE, _:
                return False
            case op.NOT, (a,):
                return not a if isinstance(a, bool) else a
        decisive = node.function is op.OR
        if any(arg is decisive for arg in args):
            return decisive
        return next((arg for arg in args if isinstance(arg, Undefined) or arg is None), not decisive)


_COMPARE: dict[Function, Callable[[arb, arb], Truth]] = {
    op.LT: lambda a, b: True if a < b else False if a >= b else None,
    op.LE: lambda a, b: True if a <= b else False if a > b else None,
    op.GT: lambda a, b: True if a > b else False if a <= b else None,
    op.GE: lambda a, b: True if a >= b else False if a < b else None,
    op.EQ: lambda a, b: True if a == b else None if a.overlaps(b) else False,
    op.NE: lambda a, b: False if a == b else None if a.overlaps(b) else True,
}


def _snap(value: arb) -> arb:
    """An undecided tie at the last precision is a tie: a ball that can hardly be told from a half-integer is one."""
    if value.is_exact() or not value.is_finite() or value.rad() > TIE:
        return value
    half = (2 * value.mid() + arb(0.5)).floor() / 2
    return half if value.contains(half) else value


@cache
def ball_function(row: Function) -> Callable[..., Any]:
    """The row as a function of balls: arb's, ours, or its definition."""
    if row.ball:
        function: Callable[..., Any] = getattr(ball_functions, row.ball, None) or getattr(arb, row.ball)
        return function
    assert row.definition is not None, row.name
    return _formula_function(row, row.definition)


def _formula_function(row: Function, text: str) -> Callable[..., Value]:
    names = [argument.name for argument in row.arguments]
    program = rules.formula_program(text)

    def compute(*args: arb, settle: bool = False) -> Value:
        return program.run(Balls(dict(zip(names, args, strict=True)), settle=settle))[program.roots[0]]

    return compute


def is_inside(row: Function, args: Sequence[Value], settle: bool = False) -> Value:
    """Whether the row has a value at these arguments, as far as its domain tells."""
    if not row.domain:
        return True
    env = {a.name: v for a, v in zip(row.arguments, args, strict=True) if isinstance(v, arb)}
    program = rules.formula_program(row.domain)
    return program.run(Balls(env, settle=settle))[program.roots[0]]


def seam_value(row: Function, seam: str, args: Sequence[arb]) -> Value:
    """One of the row's seams at these arguments: where it is zero, the row is not smooth there."""
    program = rules.formula_program(seam)
    env = {argument.name: value for argument, value in zip(row.arguments, args, strict=True)}
    return program.run(Balls(env))[program.roots[0]]


def _show(value: arb) -> str:
    return f"{float(value.mid()):.6g}"


def good(value: Value) -> bool:
    """Whether a result needs no more precision: enough bits, smaller or larger than any double, undefined, or a settled
    condition."""
    if not isinstance(value, arb):
        return value is not None
    if not value.is_finite():
        return False
    return value.rel_accuracy_bits() >= GOOD_BITS or bool(abs(value) < NEGLIGIBLE) or bool(abs(value) > ENORMOUS)


def precisions(first: int = FIRST_PRECISION, last: int = LAST_PRECISION) -> Iterator[tuple[int, bool]]:
    """(bits, whether they are the last): 80, doubling up to 5120."""
    bits = first
    while bits < last:
        yield bits, False
        bits *= 2
    yield bits, True


def to_fraction(value: arb) -> Fraction:
    """The midpoint of a ball, exactly."""
    mantissa, exponent = map(int, value.mid().man_exp())
    return Fraction(mantissa << exponent) if exponent >= 0 else Fraction(mantissa, 1 << -exponent)


def round_ball(value: arb, dtype: Dtype) -> float:
    """A certified value rounded to the working dtype. A truth too large for it is inf, one too small is 0."""
    magnitude = abs(value)
    large, small = _bounds(dtype)
    if magnitude > large:
        return float("inf") if value > 0 else float("-inf")
    if magnitude < small:
        return 0.0
    return dtype.round(to_fraction(value))


def round_known(value: arb, bits: int, dtype: Dtype) -> float:
    """A value that is known to so many bits, rounded: what is halfway between two numbers as far as these tell, is."""
    mantissa, exponent = map(int, value.mid().man_exp())
    if (excess := mantissa.bit_length() - bits) > 0:
        mantissa, exponent = (mantissa + (1 << (excess - 1))) >> excess, exponent + excess
    return round_ball(arb((mantissa, exponent)), dtype)


def rounds_surely(value: arb, dtype: Dtype) -> bool:
    """Whether all of a ball rounds to one number: it does not hold the midpoint of two."""
    if value.is_exact():
        return True
    mantissa, exponent = map(int, value.mid().man_exp())
    size = mantissa.bit_length() + exponent
    if not mantissa or size > dtype.max_exponent + 1 or size < dtype.min_exponent - 2:
        return True
    shift = max(size - dtype.precision, dtype.min_exponent) - 1 - exponent  # to the bit that is 1 in a midpoint
    if shift < 0:
        mantissa, exponent, shift = mantissa << -shift, exponent + shift, 0
    from_midpoint = (abs(mantissa) & ((2 << shift) - 1)) - (1 << shift)
    return bool(arb((abs(from_midpoint), exponent)) > value.rad())


@cache
def _bounds(dtype: Dtype) -> tuple[arb, arb]:
    """What certainly overflows, and what certainly rounds to 0."""
    return arb(2) ** (dtype.max_exponent + 1), arb(2) ** (dtype.min_exponent - 2)


def certified_constant(node: Expr, dtype: Dtype) -> float:
    """The value of an expression without variables, as the nearest number of `dtype`.

    Raises NoReference where it has no real value or none can be certified.
    """
    program = Program(node)
    for bits, last in precisions():
        with precision(bits):
            value = program.run(Balls({}, settle=last))[program.roots[0]]
            if isinstance(value, arb) and good(value):
                return round_ball(value, dtype)
            if isinstance(value, Undefined):
                raise NoReference("it has no real finite value")
    raise NoReference("its value could not be certified")
