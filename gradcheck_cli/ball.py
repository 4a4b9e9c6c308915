"""What is it? Certified evaluation of expressions in ball arithmetic (python-flint's `arb`).

A `Program` is an expression, or several that share nodes, laid out for evaluation. `Program.run` gives a value for each
node: a ball that encloses the true value, `Undefined` where the function provably has no real value, a truth value for
a condition. A ball that is not finite says that nothing is known at this precision.

`certified` runs a program at growing precision until its results have enough good bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from flint import arb, ctx, fmpq

from gradcheck_cli import ball_functions, rules
from gradcheck_cli.ball_functions import NAN
from gradcheck_cli.dtypes import Dtype, rounded_constant
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression import (
    BRANCHES,
    COMPARISONS,
    CONDITIONS,
    Call,
    Constant,
    Expr,
    Named,
    Variable,
    children,
    topological,
)
from gradcheck_cli.functions import FUNCTIONS, Function

FIRST_PRECISION = 80
LAST_PRECISION = 5120
GOOD_BITS = 60
NEGLIGIBLE = arb(2) ** -1200
TIE = arb(2) ** -4000


@dataclass(frozen=True)
class Undefined:
    """The function provably has no real finite value: `node` is the call to blame, `args` its arguments as text."""

    node: Call
    args: tuple[str, ...]


Truth = bool | None  # None: not decided at this precision
Value = arb | Undefined | Truth


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Run ball arithmetic at this many bits."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


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
        if isinstance(node, Call) and node.function in BRANCHES:
            condition = values[args[0]]
            if condition is True:
                return args[:2]
            if condition is False:
                return (args[0], args[2])
        return args


Step = Callable[..., Value]


@cache
def _step(function: str) -> Step:
    if function in BRANCHES:
        return _branch
    if function in CONDITIONS:
        return CONDITION_STEPS[function]
    return _function_step(FUNCTIONS[function])


def _branch(_: Call, settle: bool, condition: Value, a: Value, b: Value) -> Value:
    if condition is True:
        return a
    if condition is False:
        return b
    return condition if isinstance(condition, Undefined) else NAN


def _comparison(function: str) -> Step:
    ties = function in ("le", "ge", "eq")
    decide: dict[str, Callable[[arb, arb], Truth]] = {
        "lt": lambda a, b: True if a < b else False if a >= b else None,
        "le": lambda a, b: True if a <= b else False if a > b else None,
        "gt": lambda a, b: True if a > b else False if a <= b else None,
        "ge": lambda a, b: True if a >= b else False if a < b else None,
        "eq": lambda a, b: True if a == b else None if a.overlaps(b) else False,
        "ne": lambda a, b: False if a == b else None if a.overlaps(b) else True,
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


CONDITION_STEPS: dict[str, Step] = {
    **{name: _comparison(name) for name in COMPARISONS},
    "and": _junction(decisive=False),
    "or": _junction(decisive=True),
    "not": _not,
    "true": lambda *_: True,
    "false": lambda *_: False,
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
        value: Value = compute(*args)
        if isinstance(value, arb) and not value.is_finite() and row.domain and _inside(row, args, settle) is False:
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

    def compute(*args: arb) -> Value:
        return program.run(dict(zip(names, args, strict=True)))[program.roots[0]]

    return compute


@cache
def formula_program(text: str) -> Program:
    """A formula of the table (a definition, a seam, a domain), laid out."""
    return Program(rules.formula(text))


def _inside(row: Function, args: Sequence[Value], settle: bool) -> Value:
    env = {a.name: v for a, v in zip(row.arguments, args, strict=True) if isinstance(v, arb)}
    program = formula_program(row.domain)
    return program.run(env, settle=settle)[program.roots[0]]


def seam_values(row: Function, args: Sequence[arb]) -> Iterator[Value]:
    """The row's seams at these arguments: where one is zero, the row is not smooth there."""
    env = {argument.name: value for argument, value in zip(row.arguments, args, strict=True)}
    for text in row.seams:
        program = formula_program(text)
        yield program.run(env)[program.roots[0]]


def _show(value: arb) -> str:
    return f"{float(value.mid()):.6g}"


class Seams:
    """The places of a program where a derivative of `root` may fail to exist: comparisons and rows with seams."""

    def __init__(self, program: Program, root: int) -> None:
        self.program, self.root = program, root
        self.candidates = [
            i for i, node in enumerate(program.nodes) if isinstance(node, Call) and _may_tie(node.function)
        ]
        if self.candidates:
            reached = program.live([None] * len(program.nodes), root)
            self.candidates = [i for i in self.candidates if i in reached]
        self._names: dict[int, frozenset[str]] = {}
        self._found: tuple[Sequence[Value], dict[int, Truth]] | None = None

    def ties(self, values: Sequence[Value], name: str) -> Truth:
        """True: a live branch that depends on `name` is decided at a tie; False: none is; None: undecided at this
        precision."""
        if not self.candidates:
            return False
        found = [truth for i, truth in self._at(values).items() if name in self._names_below(i)]
        return True if True in found else None if found else False

    def candidates_by(self, name: str) -> list[int]:
        """The candidates that depend on a variable or named result."""
        return [i for i in self.candidates if name in self._names_below(i)]

    def tied(self, values: Sequence[Value]) -> list[Call]:
        """The nodes that are decided at a tie."""
        return [
            node for i, truth in self._at(values).items() if truth and isinstance(node := self.program.nodes[i], Call)
        ]

    def _at(self, values: Sequence[Value]) -> dict[int, Truth]:
        """The live candidates that are tied (True) or undecided (None). The last answer is kept: rows share it."""
        if self._found is None or self._found[0] is not values:
            live = self.program.live(values, self.root)
            states = {i: self._state(values, i) for i in self.candidates if i in live}
            self._found = values, {i: state for i, state in states.items() if state is not False}
        return self._found[1]

    def _state(self, values: Sequence[Value], i: int) -> Truth:
        state: Truth = False
        for gap in self._gaps(values, i):
            if not isinstance(gap, arb):
                state = None
            elif gap.is_zero():
                return True
            elif gap.contains(0) or not gap.is_finite():
                state = None
        return state

    def _names_below(self, i: int) -> frozenset[str]:
        """The variables and named results that node i depends on."""
        if i not in self._names:
            below = topological(self.program.nodes[i])
            self._names[i] = frozenset(node.name for node in below if isinstance(node, Variable | Named))
        return self._names[i]

    def _gaps(self, values: Sequence[Value], i: int) -> Iterator[Value]:
        """Balls that are zero at a tie of node i."""
        node = self.program.nodes[i]
        assert isinstance(node, Call)
        args = [values[j] for j in self.program.args[i]]
        balls = [arg for arg in args if isinstance(arg, arb)]
        if len(balls) < len(args):
            return
        if node.function in COMPARISONS:
            yield balls[0] - balls[1]
        else:
            yield from seam_values(FUNCTIONS[node.function], balls)


def _may_tie(function: str) -> bool:
    return function in COMPARISONS or (function in FUNCTIONS and bool(FUNCTIONS[function].seams))


def good(value: Value) -> bool:
    """Whether a result needs no more precision: enough bits, negligibly small, undefined, or a settled condition."""
    if not isinstance(value, arb):
        return value is not None
    if not value.is_finite():
        return False
    return value.rel_accuracy_bits() >= GOOD_BITS or bool(abs(value) < NEGLIGIBLE)


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
