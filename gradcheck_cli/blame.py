"""Which step spoils a gradient: the first whose incoming derivative is right and whose outgoing one is not.

Going back from a wrong adjoint (in reverse mode) or tangent (in forward mode), only along the steps that pass the error
on, one comes to the steps where it begins. There it is torch's local derivative that is off, or an operand's value:
then the search goes on among the values, to the first step whose operands are right and whose value is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from gradcheck_cli.chain_rule import ChainRule, Step
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import Call, Expr, topological, variables
from gradcheck_cli.functions import FUNCTIONS
from gradcheck_cli.rounding import Enclosure
from gradcheck_cli.truth import Kind, Reference

if TYPE_CHECKING:
    from gradcheck_cli.step_truths import StepTruths
    from gradcheck_cli.torch_graph import TorchGraph, Trace

EXACT_UNITS = 64
"""A number within this many unit roundoffs of the truth is right: torch's own kernels lose a few."""
SHARE = 0.1
"""The part of an error that one summand must have made to be its cause."""


class Cause(Enum):
    """What went wrong at the step to blame."""

    LEAK = "leak"  # 0 times a local derivative that is not finite, in the branch of a where that was not taken
    CUT = "cut"  # torch does not differentiate the function
    OVERFLOW = "overflow"
    UNDERFLOW = "underflow"
    CANCELLATION = "cancellation"
    LOSS = "loss"  # the operation returns a wrong value from right operands
    INDEFINITE = "indefinite"  # 0 times infinity, outside of any branch
    TIE = "tie"  # a convention at a kink
    AMPLIFIED = "amplified"  # the local derivative depends too much on its operand's last digits
    KERNEL = "kernel"  # torch's own derivative of the function is off
    SUM = "sum"  # right contributions cancel where they are added
    UNDEFINED = "undefined"  # the function has no value


@dataclass(frozen=True)
class Blame:
    """step: the one to blame; by: the operand whose derivative is off, where it is the derivative.

    local: torch's local derivative there; exact: the certified one; incoming: the derivative that comes in, as torch
    has it; source: the step that an infinite incoming derivative comes from, or the `where` whose branch leaks. tied:
    the steps at a tie that the derivative goes through. parts: what is added, by step, where a sum is to blame.
    """

    step: Step
    cause: Cause
    by: str | None = None
    local: float | None = None
    exact: float | None = None
    incoming: float | None = None
    source: Step | None = None
    tied: tuple[Step, ...] = ()
    parts: tuple[tuple[Step, float], ...] = ()


@dataclass(frozen=True)
class _Edge:
    """A contribution: `step` and its operand `by`; source and target are the one and the other, or the other way round.

    torch: what torch adds to the target; truth: what it should be, None where that is not known.
    """

    step: Step
    by: str
    source: str
    target: str
    torch: float | None
    truth: float | None


class Search:
    """The search for the step to blame in one mode at one point.

    by: the variable of the forward trace; mode: "reverse" or "forward".
    """

    def __init__(
        self, chain: ChainRule, truths: StepTruths, graph: TorchGraph, trace: Trace, dtype: Dtype, mode: str, by: str
    ) -> None:
        self.chain, self.truths, self.graph, self.trace, self.dtype = chain, truths, graph, trace, dtype
        self.mode = mode
        self.derivatives = truths.adjoints if mode == "reverse" else truths.tangents(by)
        self.limit = EXACT_UNITS * dtype.unit_roundoff
        self.rank = {step.name: index for index, step in enumerate(chain.steps)}

    def derivative(self, name: str) -> Blame | None:
        """The step to blame for a wrong adjoint of `name`, or in forward mode for a wrong tangent of the result."""
        start = name if self.mode == "reverse" else self.chain.result
        candidates: list[tuple[_Edge, float]] = []
        seen, stack = {start}, [start]
        while stack:
            target = stack.pop()
            edges = list(self._edges(target))
            guilty = list(self._guilty(target, edges))
            if not guilty and edges:
                if target != start or self._error(target) > self.limit:
                    return self._sum(target, edges)
                continue
            for edge, error in guilty:
                passed_on = self._error(edge.source) >= 0.5 * error and not self._right(edge.source)
                if passed_on and not self._is_cut(edge.step):
                    if edge.source not in seen:
                        seen.add(edge.source)
                        stack.append(edge.source)
                else:
                    candidates.append((edge, error))
        if not candidates:
            return None
        nearest = max if self.mode == "reverse" else min  # to where the sweep begins
        edge, _ = nearest(candidates, key=lambda pair: (self.rank[pair[0].source], pair[1]))
        return self._at(edge)

    def value(self, name: str | None = None) -> Blame | None:
        """The step to blame for a wrong value of the result, or of another step."""
        step = self.chain.by_name[name or self.chain.result]
        return self._value(step) if self._value_error(step.name) > self.limit else None

    def undefined(self) -> Blame | None:
        """The step that has no value, though its operands have; else one at a tie, at the edge of its domain."""
        missing = {name for name, truth in self.truths.values.items() if truth.undefined}
        for step in self.chain.steps:
            if step.name in missing and not any(local.by in missing for local in step.locals):
                return Blame(step, Cause.UNDEFINED)
        if self.truths.tied:
            return Blame(self.chain.by_name[self.truths.tied[0]], Cause.UNDEFINED)
        edges = (
            step for step in self.chain.steps if any(self.truths.locals[step.name, x.by] is None for x in step.locals)
        )
        return next((Blame(step, Cause.UNDEFINED) for step in edges), None)

    def _edges(self, target: str) -> Iterator[_Edge]:
        """What is added up in a step's derivative."""
        if self.mode == "reverse":
            pairs = [(self.chain.by_name[user], target) for user in self.chain.users[target]]
        else:
            pairs = [(self.chain.by_name[target], local.by) for local in self.chain.by_name[target].locals]
        for step, by in pairs:
            source = step.name if self.mode == "reverse" else by
            incoming = self.trace.steps[source].derivative
            if self.trace.steps[step.name].value is None:
                continue  # a branch that was not run
            if incoming is None and not self._is_cut(step):
                continue
            local, reference = self.truths.locals[step.name, by], self.derivatives[source]
            truth = local * reference.value if local is not None and reference.value is not None else None
            if truth is not None and math.isnan(truth):
                truth = 0.0 if 0.0 in (local, reference.value) and self._exactly_zero(step, by, source) else None
            yield _Edge(step, by, source, target, self._contribution(step, by, incoming or 0.0), truth)

    def _exactly_zero(self, step: Step, by: str, source: str) -> bool:
        """Whether a factor 0 is what it is, and not a number too small for the dtype."""
        return not any(self.truths.values[name].vanishes for name in (step.name, by, source))

    def _contribution(self, step: Step, by: str, incoming: float) -> float | None:
        values = self._torch_values(step)
        return self.graph.local(step, by, values, incoming, self.mode) if values is not None else None

    def _torch_values(self, step: Step) -> dict[str, float] | None:
        """torch's values of all that the step is made of."""
        assert step.formula is not None
        values = {name: self.trace.steps[name].value for name in variables(step.formula)}
        known = {name: value for name, value in values.items() if value is not None}
        return known if len(known) == len(values) else None

    def _guilty(self, target: str, edges: list[_Edge]) -> Iterator[tuple[_Edge, float]]:
        """(contribution, its relative error) for those that make the target's error, or a good part of it."""
        reference, found = self.derivatives[target], self.trace.steps[target].derivative
        total = math.inf
        if reference.value is not None and found is not None and math.isfinite(found - reference.value):
            total = abs(found - reference.value)
        for edge in edges:
            error = _relative(edge.torch, edge.truth)
            if edge.truth is None:
                # What is right is not known: a number that is not one is guilty, a convention at a tie may be.
                no_local = self.truths.locals[edge.step.name, edge.by] is None
                if edge.torch is None or math.isnan(edge.torch) or (no_local and math.isfinite(edge.torch)):
                    yield edge, math.inf
                continue
            if error <= self.limit:
                continue
            part = abs(edge.torch - edge.truth) if edge.torch is not None else abs(edge.truth)
            if not math.isfinite(total) or part >= SHARE * total or not math.isfinite(part):
                yield edge, error

    def _error(self, name: str) -> float:
        return _relative(self.trace.steps[name].derivative, self.derivatives[name].value)

    def _right(self, name: str) -> bool:
        reference, found = self.derivatives[name], self.trace.steps[name].derivative
        return found is not None and is_right(reference, found, self.limit)

    def _at(self, edge: _Edge) -> Blame:
        """What is wrong at the step where the error begins."""
        step = edge.step
        incoming = self.trace.steps[edge.source].derivative
        if self._is_cut(step):
            return Blame(step, Cause.CUT, edge.by)
        values = self._torch_values(step)
        local = self.graph.local(step, edge.by, values, 1.0, self.mode) if values is not None else None
        exact = self.truths.locals[step.name, edge.by]
        found = Blame(step, Cause.KERNEL, edge.by, local, exact, incoming)
        indefinite = edge.torch is None or not math.isfinite(edge.torch)
        branch = self._branch_not_taken(step)
        if indefinite and branch is not None and edge.truth in (0.0, None):
            return _with(found, Cause.LEAK, branch)
        if self.truths.values[step.name].overflows or self.truths.values[step.name].vanishes:
            own = self._value(step)
            if own.step is step and own.cause in (Cause.OVERFLOW, Cause.UNDERFLOW):
                return own
        wrong = self._worst_operand(step)
        if wrong is not None and self._consistent(step, edge.by, local, values):
            return self._value(wrong)
        if indefinite and 0.0 in (local, incoming):
            infinite = next((s for s in self._sources(edge.source) if self._has_infinite_local(s)), None)
            return _with(found, Cause.INDEFINITE, infinite)
        if step.name in self.truths.tied:
            return self._tie(step, edge.by, local, incoming)
        if self._consistent(step, edge.by, local, values) and edge.truth is not None and math.isfinite(edge.truth):
            return _with(found, Cause.AMPLIFIED, None)
        return found

    def _tie(
        self, step: Step, by: str | None = None, local: float | None = None, incoming: float | None = None
    ) -> Blame:
        tied = tuple(self.chain.by_name[name] for name in self.truths.tied)
        return Blame(step, Cause.TIE, by, local, None, incoming, tied=tied)

    def _consistent(self, step: Step, by: str, local: float | None, values: Mapping[str, float] | None) -> bool:
        """Whether torch's local derivative is right for the values that torch has, which may be wrong."""
        if local is None or values is None:
            return False
        if not all(math.isfinite(value) for value in values.values()):
            return True
        exact = self.truths.at_values(step, by, values)
        return exact is None or _relative(local, exact) <= self.limit

    def _value(self, step: Step) -> Blame:
        """Down from a wrong value to the first step whose operands are right."""
        while True:
            wrong = self._worst_operand(step)
            if wrong is None or self._value_error(wrong.name) < SHARE * self._value_error(step.name):
                break
            step = wrong
        truth = self.truths.values[step.name]
        if truth.overflows or not math.isfinite(self.trace.steps[step.name].value or 0.0):
            return Blame(step, Cause.OVERFLOW)
        if truth.vanishes:
            return Blame(step, Cause.UNDERFLOW)
        return Blame(step, Cause.CANCELLATION if step.function in ("add", "sub") else Cause.LOSS)

    def _worst_operand(self, step: Step) -> Step | None:
        """The operand whose value is furthest from right; None where all are right to the last digit."""
        operands = [self.chain.by_name[local.by] for local in step.locals]
        worst = max(operands, key=lambda operand: self._value_error(operand.name), default=None)
        if worst is None or self._value_error(worst.name) <= self.dtype.unit_roundoff / 2:
            return None
        return worst

    def _value_error(self, name: str) -> float:
        """The relative error of torch's value; infinite for what is too large or too small for the dtype."""
        truth, found = self.truths.values[name], self.trace.steps[name].value
        if truth.vanishes and found == truth.value and not self.chain.by_name[name].locals:
            return 0.0  # a variable that is subnormal, and exact all the same
        if truth.overflows or truth.vanishes or truth.undefined:
            return math.inf
        if truth.value is None or found is None:
            return 0.0
        return _relative(found, truth.value)

    def _is_cut(self, step: Step) -> bool:
        return step.function in FUNCTIONS and not FUNCTIONS[step.function].differentiable

    def _branch_not_taken(self, step: Step) -> Step | None:
        """The `where` whose branch not taken the step is in, and in nothing else."""
        seen, stack = {step.name}, [step.name]
        found = None
        while stack:
            name = stack.pop()
            if name == self.chain.result:
                return None
            for user in self.chain.users[name]:
                above = self.chain.by_name[user]
                if above.function == "where" and self.truths.locals[user, name] == 0.0:
                    found = found or above
                elif user not in seen:
                    seen.add(user)
                    stack.append(user)
        return found

    def _sources(self, name: str) -> Iterator[Step]:
        """The steps that the derivative of `name` comes through, the nearest first."""
        seen, queue = {name}, [name]
        for at in queue:
            step = self.chain.by_name[at]
            yield from (self.chain.by_name[user] for user in self.chain.users[at]) if self.mode == "reverse" else [step]
            near = self.chain.users[at] if self.mode == "reverse" else [local.by for local in step.locals]
            for other in near:
                if other not in seen:
                    seen.add(other)
                    queue.append(other)

    def _has_infinite_local(self, step: Step) -> bool:
        values = self._torch_values(step) if step.formula is not None else None
        if values is None:
            return False
        locals_ = (self.graph.local(step, local.by, values, 1.0, self.mode) for local in step.locals)
        return any(local is not None and math.isinf(local) for local in locals_)

    def _out_of_range(self) -> Blame | None:
        """The first value that is off: where a factor is too large or too small for the dtype, no product tells."""
        off = (step for step in self.chain.steps if step.locals and self._value_error(step.name) > self.limit)
        first = next(off, None)
        return None if first is None else self._value(first)

    def _sum(self, target: str, edges: list[_Edge]) -> Blame | None:
        """Every contribution is right; their sum is not, or is none since the function jumps."""
        ends = [edge.step if self.mode == "reverse" else self.chain.by_name[edge.source] for edge in edges]
        parts = tuple((end, edge.torch) for end, edge in zip(ends, edges, strict=True) if edge.torch is not None)
        if self.truths.tied and len([value for _, value in parts if value]) < 2:
            return self._tie(self.chain.by_name[self.truths.tied[0]])
        if len([value for _, value in parts if value]) < 2:
            return self._out_of_range()
        if any(math.isinf(value) for _, value in parts) and (found := self._out_of_range()) is not None:
            return found
        return Blame(self.chain.by_name[target], Cause.SUM, parts=parts)


def from_enclosure(enclosure: Enclosure) -> Blame | None:
    """The sub-expression whose rounding shows in an enclosure: for what is not traced step by step."""
    found = [(enclosure.overflow, Cause.OVERFLOW), (enclosure.cancellation, Cause.CANCELLATION)]
    found.insert(1 if not enclosure.bounded else 2, (enclosure.underflow, Cause.UNDERFLOW))
    return next((Blame(Step("", node, None, ()), cause) for node, cause in found if node is not None), None)


def of_the_only_function(root: Expr) -> Blame | None:
    """The one function of torch in an expression, operators apart: where the gradient is wrong, it is its doing."""
    calls = [node for node in topological(root) if isinstance(node, Call) and node.function in FUNCTIONS]
    found = [node for node in calls if not callable(FUNCTIONS[node.function].torch)]
    return Blame(Step("", found[0], None, ()), Cause.KERNEL) if len(found) == 1 else None


def is_right(reference: Reference, found: float, limit: float) -> bool:
    """Whether a derivative is what it should be, or between its one-sided values."""
    if reference.kind is Kind.EXISTS and reference.value is not None:
        return _relative(found, reference.value) <= limit
    if reference.kind is Kind.KINK and reference.left is not None and reference.right is not None:
        between = min(reference.left, reference.right) <= found <= max(reference.left, reference.right)
        return between and math.isfinite(found)
    return not math.isnan(found)


def _relative(found: float | None, truth: float | None) -> float:
    """|found - truth| / |truth|; 0 where they are equal, infinite where that is no number."""
    if found is None or truth is None:
        return math.inf
    if found == truth:
        return 0.0
    error = abs(found - truth) / abs(truth) if truth and math.isfinite(truth) else math.inf
    return math.inf if math.isnan(error) else error


def _with(blame: Blame, cause: Cause, source: Step | None) -> Blame:
    return replace(blame, cause=cause, source=source)
