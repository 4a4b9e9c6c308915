"""What is true at every step of the chain rule: values, local derivatives, adjoints and tangents, certified."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from flint import arb

from gradcheck_cli.certified.ball import Balls, Numbers, Undefined, Value, good, precision, precisions, round_ball
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.references import references_at
from gradcheck_cli.certified.seams import Seams
from gradcheck_cli.differentiation.folding import ZERO
from gradcheck_cli.differentiation.gradient import tangents
from gradcheck_cli.differentiation.steps import ChainRule, Step
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.nodes import Call, Expr, topological, variables
from gradcheck_cli.expression.program import Program
from gradcheck_cli.records.derivative import VALUE
from gradcheck_cli.records.reference import Kind, Reference

PROBED = 60
"""Steps of one expression that are probed."""
DAMAGE_BITS = 256
"""Precision of a step with one operand as torch has it: the others are known to 60 bits."""


@dataclass(frozen=True)
class Truth:
    """A certified number, rounded to the working dtype; None where there is none.

    undefined: the function provably has no value there. vanishes: the number is not 0, and rounds to 0 or loses digits
    below the smallest normal number; overflows: it is finite, and too large for the dtype. beyond: six digits of it
    then.
    """

    value: float | None
    undefined: bool = False
    vanishes: bool = False
    overflows: bool = False
    beyond: str | None = None


class StepPrograms:
    """A chain rule laid out for certified evaluation, once for all points. numbers: what constants mean."""

    def __init__(self, chain: ChainRule, numbers: Numbers, dtype: Dtype) -> None:
        self.chain, self.numbers, self.dtype = chain, numbers, dtype
        self.edges = [(step.name, local) for step in chain.steps for local in step.locals]
        self._adjoints: dict[tuple[str, ...], Derivatives] = {}

    @cached_property
    def values(self) -> Program:
        return Program(self.chain.root, *(step.node for step in self.chain.steps))

    @cached_property
    def seams(self) -> Seams:
        return Seams(self.values, self.values.roots[0])

    @cached_property
    def locals(self) -> Program:
        return Program(*(local.exact if local.exact is not None else ZERO for _, local in self.edges))

    def adjoints(self, names: tuple[str, ...]) -> Derivatives:
        if names not in self._adjoints:
            self._adjoints = {
                names: Derivatives(self.chain.marked, [VALUE.by(name) for name in names], self.numbers, self.dtype)
            }
        return self._adjoints[names]

    def at(self, point: Mapping[str, float]) -> StepTruths:
        """What is true at a point, whose coordinates are numbers of the working dtype."""
        return StepTruths(self, point)


class StepTruths:
    """The certified numbers of a chain rule at one point."""

    def __init__(self, programs: StepPrograms, point: Mapping[str, float]) -> None:
        self.programs, self.point = programs, point
        self.chain, self.numbers, self.dtype = programs.chain, programs.numbers, programs.dtype
        self._tangents: dict[str, dict[str, Reference]] = {}
        self.tangent_balls: dict[str, dict[str, Value]] = {}

    @cached_property
    def values(self) -> dict[str, Truth]:
        """The value of each step."""
        found, _, _ = self._values
        return dict(zip(self.chain.by_name, found, strict=True))

    @cached_property
    def tied(self) -> tuple[str, ...]:
        """The live steps that are decided at a tie, in order of evaluation; a branch by its condition."""
        _, _, nodes = self._values
        return tuple(step.name for step in self.chain.steps if step.node in nodes or _decided_by(step.node, nodes))

    @cached_property
    def value_balls(self) -> dict[str, Value]:
        """The same before they are rounded."""
        _, balls, _ = self._values
        return dict(zip(self.chain.by_name, balls, strict=True))

    @cached_property
    def _values(self) -> tuple[list[Truth], list[Value], set[Expr]]:
        env = {name: arb(value) for name, value in self.point.items()}
        values, last = _certify(self.programs.values, env, self.numbers)
        truths = [_truth(value, self.dtype) for value in values[1:]]
        return truths, values[1:], set(self.programs.seams.tied(last))

    @cached_property
    def locals(self) -> dict[tuple[str, str], float | None]:
        """The local derivatives, by (step, operand); None where they do not exist as numbers."""
        return {edge: truth.value for edge, truth in self.local_truths.items()}

    @cached_property
    def local_truths(self) -> dict[tuple[str, str], Truth]:
        return {edge: _truth(ball, self.dtype) for edge, ball in self.local_balls.items()}

    @cached_property
    def local_balls(self) -> dict[tuple[str, str], Value]:
        """The local derivatives before they are rounded; None at a kink, and where there is none."""
        env = {name: arb(value) for name, value in self.point.items()}
        values, _ = _certify(self.programs.locals, env, self.numbers)
        kinks = {name for name in self.tied if not self.chain.by_name[name].is_branch}
        return {
            (name, local.by): None if local.exact is None or name in kinks else value
            for (name, local), value in zip(self.programs.edges, values, strict=True)
        }

    @cached_property
    def adjoints(self) -> dict[str, Reference]:
        """The derivative of the result by each step. Each one that is doubtful has to be probed by itself, which takes
        its time: of more than PROBED such, none is."""
        found = references_at(self._adjoint_derivatives, self.point).rows
        unknown = Reference(Kind.NO_REFERENCE, reason="decided at a tie, as too many other steps are")
        return {name: found.get(VALUE.by(name), unknown) for name in self.chain.by_name}

    @cached_property
    def _adjoint_derivatives(self) -> Derivatives:
        doubtful = self._doubtful
        return self.programs.adjoints(
            tuple(name for name in self.chain.by_name if len(doubtful) <= PROBED or name not in doubtful)
        )

    @cached_property
    def adjoint_balls(self) -> dict[str, Value]:
        """The same before they are rounded; only those that no tie makes doubtful."""
        found = self._adjoint_derivatives.expressions
        names = [name for name in self.chain.by_name if VALUE.by(name) in found and name not in self._doubtful]
        env = {name: arb(value) for name, value in self.point.items()}
        values, _ = _certify(Program(*(found[VALUE.by(name)] for name in names)), env, self.numbers)
        return dict(zip(names, values, strict=True))

    @cached_property
    def _doubtful(self) -> set[str]:
        """The steps whose derivative goes through a tie or through a local derivative that does not exist."""
        singular = {name for (name, _), value in self.locals.items() if value is None}
        return self.chain.below({*self.tied, *singular})

    def tangents(self, by: str) -> dict[str, Reference]:
        """The derivative of each step by a variable; of the kind NO_REFERENCE where a branch is decided at a tie."""
        if by not in self._tangents:
            nodes = [step.node for step in self.chain.steps]
            exact = tangents(self.chain.root, by)
            program = Program(*(exact.get(node, ZERO) for node in nodes), *nodes)
            env = {name: arb(value) for name, value in self.point.items()}
            values, _ = _certify(program, env, self.numbers)
            half = len(nodes)
            self.tangent_balls[by] = {
                step.name: value
                for step, value in zip(self.chain.steps, values[:half], strict=True)
                if step.name not in self._unsettled
            }
            self._tangents[by] = {
                step.name: self._tangent(step, value, own)
                for step, value, own in zip(self.chain.steps, values[:half], values[half:], strict=True)
            }
        return self._tangents[by]

    def _tangent(self, step: Step, value: Value, own: Value) -> Reference:
        if not isinstance(own, arb) or step.name in self._unsettled:
            return Reference(Kind.NO_REFERENCE, reason="it is decided at a tie, or has no value")
        truth = _truth(value, self.dtype)
        if truth.value is None:
            return Reference(Kind.NO_REFERENCE, reason="it could not be certified")
        return Reference(Kind.EXISTS, truth.value)

    @cached_property
    def _unsettled(self) -> set[str]:
        """The steps that rest on one that is tied."""
        reached = set(self.tied)
        for step in self.chain.steps:
            if any(local.by in reached for local in step.locals):
                reached.add(step.name)
        return reached

    def at_values(self, formula: Expr | None, values: Mapping[str, float]) -> float | None:
        """A step, or a local derivative of one, at other values of its operands, exactly, rounded at the end."""
        if formula is None or not all(math.isfinite(value) for value in values.values()):
            return None
        env = {name: arb(value) for name, value in values.items()}
        (value,), _ = _certify(Program(formula), env, self.numbers)
        return _truth(value, self.dtype).value

    def damage(self, formula: Expr, operand: str, found: float, truth: Value) -> float:
        """How far off a step, or a local derivative of one, is (`truth` is right) when only this operand is: when it is
        `found`, and all others are what they should be. Relative; infinite where that is not known."""
        env = {name: ball for name in variables(formula) if isinstance(ball := self.value_balls[name], arb)}
        if not math.isfinite(found) or len(env) < len(variables(formula)):
            return math.inf
        with precision(DAMAGE_BITS):
            program = Program(formula)
            value = program.run(Balls({**env, operand: arb(found)}, self.numbers, settle=True))[program.roots[0]]
        return self.off(value, truth)

    def off(self, value: Value, truth: Value) -> float:
        """|value - truth| / |truth|, the difference itself where the truth is 0; infinite where that is not known."""
        if not (isinstance(value, arb) and isinstance(truth, arb) and value.is_finite() and truth.is_finite()):
            return math.inf
        with precision(DAMAGE_BITS):
            difference = abs(value - truth).mid()
            return float(difference if truth.contains(0) else (difference / abs(truth)).mid())

    def off_by(self, found: float, truth: Value) -> float:
        """The same for a number as torch has it."""
        return self.off(arb(found), truth)

    def product(self, local: Value, incoming: Value) -> Truth | None:
        """Two certified numbers multiplied, and rounded at the end; None where the product is not certain."""
        if not (isinstance(local, arb) and isinstance(incoming, arb)):
            return None
        with precision(DAMAGE_BITS):
            product = local * incoming
        if not product.is_finite() or not (good(product) or _near_enough(product)):
            return None
        return _truth(product, self.dtype, certain=True)

    def rounded(self, ball: Value) -> Truth:
        return _truth(ball, self.dtype)


def _near_enough(product: arb) -> bool:
    """Whether a product of two numbers of 60 good bits has the digits of a double and more."""
    return bool(product.rad() <= abs(product) * arb(2) ** -56)


def _decided_by(node: Expr, nodes: set[Expr]) -> bool:
    """Whether the node is a branch whose condition has one of `nodes` in it."""
    match node:
        case Call(function=function, args=(condition, _, _)) if function.is_branch:
            return bool(nodes) and not nodes.isdisjoint(topological(condition))
    return False


def _certify(program: Program, env: Mapping[str, arb], numbers: Numbers) -> tuple[list[Value], Sequence[Value]]:
    """(the value of each root at the lowest precision that settles it, all values at the last precision)."""
    found: dict[int, Value] = {}
    values: list[Value] = []
    for bits, last in precisions():
        with precision(bits):
            values = program.run(Balls(env, numbers, settle=last))
            found.update({root: values[root] for root in program.roots if root not in found and good(values[root])})
            if len(found) == len(set(program.roots)) or (bits >= 320 and _all_beyond(values, program, found)):
                break
    return [found.get(root) for root in program.roots], values


def _all_beyond(values: Sequence[Value], program: Program, found: Mapping[int, Value]) -> bool:
    """Whether what is not settled is beyond what exponents can hold: no precision will help."""
    rest = [values[root] for root in program.roots if root not in found]
    return all(isinstance(value, arb) and not value.is_finite() and not value.is_nan() for value in rest)


def _truth(value: Value, dtype: Dtype, *, certain: bool = False) -> Truth:
    if isinstance(value, Undefined):
        return Truth(None, undefined=True)
    if not isinstance(value, arb) or not (certain or good(value)):
        return Truth(None)
    rounded = round_ball(value, dtype)
    smallest_normal = 2.0 ** (dtype.min_exponent + dtype.precision - 1)
    vanishes = abs(rounded) < smallest_normal and not value.contains(0)
    overflows = abs(rounded) == float("inf")
    beyond = value.str(6, radius=False).replace("e+", "e") if vanishes or overflows else None
    return Truth(rounded, vanishes=vanishes, overflows=overflows, beyond=beyond)
