"""What is it? Certified evaluation of expressions in ball arithmetic (python-flint's `arb`).

A `Program` is an expression, or several that share nodes, laid out for evaluation. `Program.run` gives a value for each
node: a ball that encloses the true value, `Undefined` where the function provably has no real value, a truth value for
a condition. A ball that is not finite says that nothing is known at this precision.

`certified` runs a program at growing precision until its results have enough good bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from flint import arb, ctx, fmpq

from gradcheck_cli.certified import ball_functions
from gradcheck_cli.certified.ball_functions import NAN
from gradcheck_cli.differentiation import rules
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.function import Function
from gradcheck_cli.expression.literals import rounded_constant
from gradcheck_cli.expression.nodes import (
    Call,
    Constant,
    Expr,
    Named,
    Variable,
    children,
    topological,
)

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


class Program:
    """Expressions laid out for evaluation: nodes in topological order, each with the indices of its arguments."""

    def __init__(self, *roots: Expr) -> None:
        self.nodes = topological(*roots)
        self.index = {node: i for i, node in enumerate(self.nodes)}
        self.args = [tuple([self.index[child] for child in children(node)]) for node in self.nodes]
        self.roots = [self.index[root] for root in roots]
        self.steps = [_step(node.function) if isinstance(node, Call) else None for node in self.nodes]

    def run(
        self,
        env: Mapping[str, arb],
        numbers: Numbers = EXACT,
        *,
        settle: bool = False,
        shift: Mapping[str, arb] | None = None,
    ) -> list[Value]:
        """A value for every node, at the precision in force.

        env: a ball for each variable. settle: a comparison that is undecided counts as a tie (for the last precision).
        shift: amounts by which variables or named results are moved.
        """
        values: list[Value] = []
        for node, step, args in zip(self.nodes, self.steps, self.args, strict=True):
            if step is not None:
                values.append(step(node, settle, *[values[i] for i in args]))
                continue
            match node:
                case Constant():
                    value: Value = numbers(node)
                case Variable(name=name):
                    value = env[name]
                case _:
                    value = values[args[0]]
            if shift and isinstance(node, Variable | Named) and node.name in shift and isinstance(value, arb):
                value = value + shift[node.name]
            values.append(value)
        return values

    def live(self, values: Sequence[Value], root: int) -> set[int]:
        """The nodes that the value of `root` rests on: the branches not taken are left out."""
        reached, stack = {root}, [root]
        while stack:
            i = stack.pop()
            for j in self.taken(values, i):
                if j not in reached:
                    reached.add(j)
                    stack.append(j)
        return reached

    def taken(self, values: Sequence[Value], i: int) -> tuple[int, ...]:
        """The arguments of node i that were used."""
        node, args = self.nodes[i], self.args[i]
        if isinstance(node, Call) and node.function.is_branch:
            condition = values[args[0]]
            if condition is True:
                return args[:2]
            if condition is False:
                return (args[0], args[2])
        return args


Step = Callable[..., Value]


@cache
def _step(function: Function) -> Step:
    if function.is_branch:
        return _branch
    if function.is_condition:
        return CONDITION_STEPS[function]
    return _function_step(function)


def _branch(_: Call, settle: bool, condition: Value, a: Value, b: Value) -> Value:
    if condition is True:
        return a
    if condition is False:
        return b
    return condition if isinstance(condition, Undefined) else NAN


def _comparison(function: Function) -> Step:
    ties = function in (op.LE, op.GE, op.EQ)
    decide: dict[Function, Callable[[arb, arb], Truth]] = {
        op.LT: lambda a, b: True if a < b else False if a >= b else None,
        op.LE: lambda a, b: True if a <= b else False if a > b else None,
        op.GT: lambda a, b: True if a > b else False if a <= b else None,
        op.GE: lambda a, b: True if a >= b else False if a < b else None,
        op.EQ: lambda a, b: True if a == b else None if a.overlaps(b) else False,
        op.NE: lambda a, b: False if a == b else None if a.overlaps(b) else True,
    }
    test = decide[function]

    def step(node: Call, settle: bool, a: Value, b: Value) -> Value:
        if node.args[0] is node.args[1] and isinstance(a, arb):
            return ties
        for operand in (a, b):
            if isinstance(operand, Undefined):
                return operand
        assert isinstance(a, arb)
        assert isinstance(b, arb)
        if not (a.is_finite() and b.is_finite()):
            return None
        truth = test(a, b)
        return ties if truth is None and settle else truth

    return step


def _junction(decisive: bool) -> Step:
    """`or` (decisive: True) and `and` (False) as Kleene has them: one decisive side decides, whatever the other is."""

    def step(_: Call, settle: bool, a: Value, b: Value) -> Value:
        if a is decisive or b is decisive:
            return decisive
        for operand in (a, b):
            if isinstance(operand, Undefined) or operand is None:
                return operand
        return not decisive

    return step


def _not(_: Call, settle: bool, a: Value) -> Value:
    return not a if isinstance(a, bool) else a


CONDITION_STEPS: dict[Function, Step] = {
    **{row: _comparison(row) for row in op.COMPARISONS},
    op.AND: _junction(decisive=False),
    op.OR: _junction(decisive=True),
    op.NOT: _not,
    op.TRUE: lambda *_: True,
    op.FALSE: lambda *_: False,
}


@cache
def _function_step(row: Function) -> Step:
    compute = ball_function(row)

    def step(node: Call, settle: bool, *args: Value) -> Value:
        for arg in args:
            if not isinstance(arg, arb):
                return arg
        if settle and (row.seams or row.domain):
            args = tuple(_snap(arg) if isinstance(arg, arb) else arg for arg in args)
        value: Value = compute(*args, settle=settle) if row.ball is None else compute(*args)
        if isinstance(value, arb) and not value.is_finite() and row.domain and is_inside(row, args, settle) is False:
            value = Undefined(node, tuple(_show(arg) for arg in args if isinstance(arg, arb)))
        if isinstance(value, Undefined) and value.node is not node:
            value = Undefined(node, tuple(_show(arg) for arg in args if isinstance(arg, arb)))
        return value

    return step


def _snap(value: arb) -> arb:
    """An undecided tie at the last precision is a tie: a ball that can hardly be told from a half-integer is one."""
    if value.is_exact() or not value.is_finite() or value.rad() > TIE:
        return value
    half = (2 * value.mid() + arb(0.5)).floor() / 2
    return half if value.contains(half) else value


def ball_function(row: Function) -> Callable[..., Any]:
    """The row as a function of balls: arb's, ours, or its definition."""
    if row.ball:
        function: Callable[..., Any] = getattr(ball_functions, row.ball, None) or getattr(arb, row.ball)
        return function
    assert row.definition is not None, row.name
    return _formula_function(row, row.definition)


def _formula_function(row: Function, text: str) -> Callable[..., Value]:
    names = [argument.name for argument in row.arguments]
    program = formula_program(text)

    def compute(*args: arb, settle: bool = False) -> Value:
        return program.run(dict(zip(names, args, strict=True)), settle=settle)[program.roots[0]]

    return compute


@cache
def formula_program(text: str) -> Program:
    """A formula of the table (a definition, a seam, a domain), laid out."""
    return Program(rules.formula(text))


def is_inside(row: Function, args: Sequence[Value], settle: bool = False) -> Value:
    """Whether the row has a value at these arguments, as far as its domain tells."""
    if not row.domain:
        return True
    env = {a.name: v for a, v in zip(row.arguments, args, strict=True) if isinstance(v, arb)}
    program = formula_program(row.domain)
    return program.run(env, settle=settle)[program.roots[0]]


def seam_value(row: Function, seam: str, args: Sequence[arb]) -> Value:
    """One of the row's seams at these arguments: where it is zero, the row is not smooth there."""
    program = formula_program(seam)
    env = {argument.name: value for argument, value in zip(row.arguments, args, strict=True)}
    return program.run(env)[program.roots[0]]


def _show(value: arb) -> str:
    return f"{float(value.mid()):.6g}"


class Gap(NamedTuple):
    """What is zero where node i is tied: a seam of its row, or the difference of the sides of a comparison ("")."""

    node: int
    seam: str


class Seams:
    """The places of a program where a derivative of `root` may fail to exist: comparisons and rows with seams.

    What is decided whatever the values, as x >= x and max(x, x) are, is none.
    """

    def __init__(self, program: Program, root: int) -> None:
        self.program, self.root = program, root
        self.gaps = [
            Gap(i, seam) for i, node in enumerate(program.nodes) if isinstance(node, Call) for seam in _seams(node)
        ]
        if self.gaps:
            reached = program.live([None] * len(program.nodes), root)
            self.gaps = [gap for gap in self.gaps if gap.node in reached]
        self._names: dict[Gap, frozenset[str]] = {}
        self._found: tuple[Sequence[Value], dict[Gap, Truth]] | None = None

    def ties(self, values: Sequence[Value], name: str) -> Truth:
        """True: a live branch that depends on `name` is decided at a tie; False: none is; None: undecided at this
        precision."""
        if not self.gaps:
            return False
        found = [truth for gap, truth in self._at(values).items() if name in self._names_below(gap)]
        return True if True in found else None if found else False

    def tied_by(self, values: Sequence[Value], name: str) -> frozenset[str]:
        """All that the live branches depend on that depend on `name` and are decided at a tie, or undecided."""
        below = [names for gap in self._at(values) if name in (names := self._names_below(gap))] if self.gaps else []
        return frozenset().union(*below)

    def candidates_by(self, name: str) -> list[int]:
        """The nodes that may be tied and depend on a variable or named result."""
        return list(dict.fromkeys(gap.node for gap in self.gaps if name in self._names_below(gap)))

    def tied(self, values: Sequence[Value]) -> list[Call]:
        """The nodes that are decided at a tie."""
        tied = dict.fromkeys(gap.node for gap, truth in self._at(values).items() if truth)
        return [node for i in tied if isinstance(node := self.program.nodes[i], Call)]

    def _at(self, values: Sequence[Value]) -> dict[Gap, Truth]:
        """The live gaps that are zero (True) or undecided (None). The last answer is kept: rows share it."""
        if self._found is None or self._found[0] is not values:
            live = self.program.live(values, self.root)
            states = {gap: self._state(values, gap) for gap in self.gaps if gap.node in live}
            self._found = values, {gap: state for gap, state in states.items() if state is not False}
        return self._found[1]

    def _state(self, values: Sequence[Value], gap: Gap) -> Truth:
        node = self.program.nodes[gap.node]
        assert isinstance(node, Call)
        args = [values[j] for j in self.program.args[gap.node]]
        balls = [arg for arg in args if isinstance(arg, arb)]
        if len(balls) < len(args):
            return False
        width = seam_value(node.function, gap.seam, balls) if gap.seam else balls[0] - balls[1]
        if not isinstance(width, arb):
            return None
        if width.is_zero():
            return True
        return None if width.contains(0) or not width.is_finite() else False

    def _names_below(self, gap: Gap) -> frozenset[str]:
        """The variables and named results that a gap depends on."""
        if gap not in self._names:
            node = self.program.nodes[gap.node]
            assert isinstance(node, Call)
            args = [node.args[i] for i in _used(node.function, gap.seam)] if gap.seam else node.args
            self._names[gap] = frozenset(n.name for n in topological(*args) if isinstance(n, Variable | Named))
        return self._names[gap]


def _seams(node: Call) -> Sequence[str]:
    """The seams of a call, without those that are zero whatever the values."""
    if node.function.is_comparison:
        return () if node.args[0] is node.args[1] else ("",)
    row = node.function
    if not row.seams or len(set(node.args)) == len(node.args):
        return row.seams
    pattern = tuple(map(node.args.index, node.args))
    return [seam for seam in row.seams if not _always_zero(row, seam, pattern)]


@cache
def _always_zero(row: Function, seam: str, pattern: tuple[int, ...]) -> bool:
    """Whether a seam is zero wherever the i-th argument equals the one at pattern[i], as x - y is for x = y."""
    for sign in (1, -1):
        args = [arb(sign * (i + 1) + 0.3) for i in pattern]
        value = seam_value(row, seam, args)
        if not (isinstance(value, arb) and value.contains(0)):
            return False
    return True


@cache
def _used(row: Function, seam: str) -> tuple[int, ...]:
    """The places of the arguments that occur in a seam."""
    names = {node.name for node in formula_program(seam).nodes if isinstance(node, Variable)}
    return tuple(i for i, argument in enumerate(row.arguments) if argument.name in names)


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
            value = program.run({}, settle=last)[program.roots[0]]
            if isinstance(value, arb) and good(value):
                return round_ball(value, dtype)
            if isinstance(value, Undefined):
                raise NoReference("it has no real finite value")
    raise NoReference("its value could not be certified")
