"""Which step spoils a gradient: the first whose incoming derivative is right and whose outgoing one is not.

Going back from a wrong adjoint (in reverse mode) or tangent (in forward mode), only along the steps that pass the error
on, one comes to the steps where it begins. There it is torch's local derivative that is off, or an operand's value:
then the search goes on among the values (wrong_values.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradcheck_cli.certified.step_truths import Truth
from gradcheck_cli.diagnosis.blame import EXACT_UNITS, PASSED_ON, SHARE, Blame, is_right, relative_error
from gradcheck_cli.diagnosis.torch_rules import Rule
from gradcheck_cli.diagnosis.wrong_values import Values
from gradcheck_cli.differentiation.steps import ChainRule, Step
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Call, Expr
from gradcheck_cli.records.finding import Code

if TYPE_CHECKING:
    from gradcheck_cli.certified.step_truths import StepTruths
    from gradcheck_cli.pytorch.graph import TorchGraph, Trace


@dataclass(frozen=True)
class _Edge:
    """A contribution: `step` and its operand `by`; source and target are the one and the other, or the other way round.

    torch: what torch adds to the target; truth: what it should be, None where that is not known; lost: it is out of the
    range of the dtype, so that torch cannot have it.
    """

    step: Step
    by: str
    source: str
    target: str
    torch: float | None
    truth: float | None
    lost: bool = False


class Search:
    """The search for the step to blame in one mode at one point.

    by: the variable of the forward trace; mode: "reverse" or "forward".
    """

    def __init__(
        self, chain: ChainRule, truths: StepTruths, graph: TorchGraph, trace: Trace, dtype: Dtype, mode: str, by: str
    ) -> None:
        self.chain, self.truths, self.graph, self.trace, self.dtype = chain, truths, graph, trace, dtype
        self.mode = mode
        self.values = Values(chain, truths, trace, dtype)
        self.derivatives = truths.adjoints if mode == "reverse" else truths.tangents(by)
        self.balls = truths.adjoint_balls if mode == "reverse" else truths.tangent_balls[by]
        self._not_taken: dict[str, Step | None] = {}
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
                passed_on = self._error(edge.source) >= PASSED_ON * error and not self._right(edge.source)
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
        return self.values.blame(step) if self.values.error(step.name) > self.limit else None

    def undefined(self) -> Blame | None:
        """The step that has no value, though its operands have; else one at a tie, at the edge of its domain."""
        missing = {name for name, truth in self.truths.values.items() if truth.undefined}
        for step in self.chain.steps:
            if step.name in missing and not any(local.by in missing for local in step.locals):
                return Blame(step, Code.UNDEFINED)
        if self.truths.tied:
            return Blame(self.chain.by_name[self.truths.tied[0]], Code.UNDEFINED)
        edges = (
            step for step in self.chain.steps if any(self.truths.locals[step.name, x.by] is None for x in step.locals)
        )
        return next((Blame(step, Code.UNDEFINED) for step in edges), None)

    def tie(self) -> Blame | None:
        """The steps at a tie, where there are any."""
        return self._tie(self.chain.by_name[self.truths.tied[0]]) if self.truths.tied else None

    def first_error(self, name: str) -> float:
        """The relative error of the first derivative of the result by `name`."""
        start = name if self.mode == "reverse" else self.chain.result
        reference, found = self.derivatives[start], self.trace.steps[start].derivative
        if found is not None and is_right(reference, found, self.limit):
            return 0.0
        return relative_error(found, reference.value)

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
            truth = self._product(step, by, source)
            lost = truth.overflows or (truth.vanishes and self._out_of_range(target))
            found = self._contribution(step, by, incoming or 0.0)
            yield _Edge(step, by, source, target, found, truth.value, lost)

    def _product(self, step: Step, by: str, source: str) -> Truth:
        """What a contribution should be: a local derivative times the incoming one, rounded once."""
        if self.mode == "reverse" and self.branch_not_taken(step) is not None:
            return Truth(0.0)
        local, incoming = self.truths.local_balls[step.name, by], self.balls.get(source)
        product = self.truths.product(local, incoming)
        if product is not None:
            return product
        rounded, reference = self.truths.locals[step.name, by], self.derivatives[source].value
        if rounded is None or reference is None:
            return Truth(None)
        if 0.0 in (rounded, reference) and not (math.isfinite(rounded) and math.isfinite(reference)):
            return Truth(0.0 if self._exactly_zero(step, by, source) else None)
        return Truth(rounded * reference)

    def _out_of_range(self, name: str) -> bool:
        """Whether a derivative is too large or too small for the dtype."""
        truth = self.truths.rounded(self.balls.get(name))
        return truth.overflows or truth.vanishes

    def _exactly_zero(self, step: Step, by: str, source: str) -> bool:
        """Whether a factor 0 is what it is, and not a number too small for the dtype."""
        return not any(self.truths.values[name].vanishes for name in (step.name, by, source))

    def _contribution(self, step: Step, by: str, incoming: float) -> float | None:
        values = self.values.of_torch(step)
        return self.graph.local(step, by, values, incoming, self.mode) if values is not None else None

    def _guilty(self, target: str, edges: list[_Edge]) -> Iterator[tuple[_Edge, float]]:
        """(contribution, its relative error) for those that make the target's error, or a good part of it."""
        reference, found = self.derivatives[target], self.trace.steps[target].derivative
        total = math.inf
        if reference.value is not None and found is not None and math.isfinite(found - reference.value):
            total = abs(found - reference.value)
        for edge in edges:
            error = relative_error(edge.torch, edge.truth)
            if edge.truth is None:
                # What is right is not known: a number that is not one is guilty, a convention at a tie may be.
                no_local = self.truths.locals[edge.step.name, edge.by] is None
                if edge.torch is None or math.isnan(edge.torch) or (no_local and math.isfinite(edge.torch)):
                    yield edge, math.inf
                continue
            if edge.lost:
                yield edge, math.inf
                continue
            if error <= self.limit:
                continue
            part = abs(edge.torch - edge.truth) if edge.torch is not None else abs(edge.truth)
            if not math.isfinite(total) or part >= SHARE * total or not math.isfinite(part):
                yield edge, error

    def _error(self, name: str) -> float:
        if self._out_of_range(name):
            return math.inf
        return relative_error(self.trace.steps[name].derivative, self.derivatives[name].value)

    def _right(self, name: str) -> bool:
        reference, found = self.derivatives[name], self.trace.steps[name].derivative
        return found is not None and not self._out_of_range(name) and is_right(reference, found, self.limit)

    def _at(self, edge: _Edge) -> Blame:
        """What is wrong at the step where the error begins."""
        step = edge.step
        incoming = self.trace.steps[edge.source].derivative
        if self._is_cut(step):
            return Blame(step, Code.CUT, edge.by)
        values = self.values.of_torch(step)
        local = self.graph.local(step, edge.by, values, 1.0, self.mode) if values is not None else None
        exact = self.truths.local_truths[step.name, edge.by]
        operand = self.chain.by_name[edge.by].node
        found = Blame(
            step, Code.KERNEL, edge.by, local, exact.value, incoming, beyond=exact.beyond, operands=(operand,)
        )
        indefinite = edge.torch is None or not math.isfinite(edge.torch)
        branch = self.branch_not_taken(step)
        if indefinite and branch is not None and edge.truth in (0.0, None):
            return replace(found, code=Code.LEAK, source=branch)
        own = self.truths.values[step.name]
        out_of_range = exact.overflows or exact.vanishes or exact.value is None
        if (own.overflows or own.vanishes) and out_of_range:
            blamed = self.values.blame(step)
            if blamed.step is step and blamed.code in (Code.OVERFLOW, Code.UNDERFLOW):
                return blamed
        formula = next(x.formula for x in step.locals if x.by == edge.by)
        wrong = self.values.culprit(step, formula, self.truths.local_balls[step.name, edge.by], local)
        if wrong is not None and self.values.consistent(formula, local, values):
            return self.values.blame(wrong)
        if exact.overflows or exact.vanishes:
            return replace(found, code=Code.OVERFLOW if exact.overflows else Code.UNDERFLOW)
        if indefinite and 0.0 in (local, incoming):
            infinite = next((s for s in self._sources(edge.source) if self._has_infinite_local(s)), None)
            return replace(found, code=Code.INDEFINITE, source=infinite)
        if step.name in self.truths.tied:
            return self._tie(step, edge.by, local, incoming)
        if self.values.consistent(formula, local, values) and edge.truth is not None and math.isfinite(edge.truth):
            return replace(found, code=Code.AMPLIFIED)
        if local is None or values is None:
            return found
        nodes = {name: self.chain.by_name[name].node for name in values}
        rule = Rule(step, edge.by, self.mode)
        loss = rule.explains(local, values, self.truths.numbers, self.dtype, nodes)
        return replace(found, loss=loss)

    def _tie(
        self, step: Step, by: str | None = None, local: float | None = None, incoming: float | None = None
    ) -> Blame:
        tied = tuple(self.chain.by_name[name] for name in self.truths.tied)
        return Blame(step, Code.TIE, by, local, None, incoming, tied=tied, constant=self._constant_branch(step))

    def _constant_branch(self, step: Step) -> Expr | None:
        """The branch that is taken, where that is a constant and the other one is not."""
        if not step.is_branch or not isinstance(step.node, Call):
            return None
        constants = [branch for branch in step.node.args[1:] if branch not in self.chain.names]
        taken = any(self._flows(step, local.by) for local in step.locals)
        return constants[0] if len(constants) == 1 and not taken else None

    def _flows(self, step: Step, by: str) -> bool:
        """Whether torch's derivative goes to this branch."""
        values = self.values.of_torch(step)  # None: Python's `if` did not run the branch
        return values is not None and self.graph.local(step, by, values, 1.0, self.mode) != 0.0

    def _is_cut(self, step: Step) -> bool:
        return step.function is not None and not step.function.differentiable

    def branch_not_taken(self, step: Step) -> Step | None:
        """The `where` whose branch not taken the step is in, and in nothing else."""
        if step.name not in self._not_taken:
            self._not_taken[step.name] = self._find_branch(step)
        return self._not_taken[step.name]

    def _find_branch(self, step: Step) -> Step | None:
        seen, stack = {step.name}, [step.name]
        found = None
        while stack:
            name = stack.pop()
            if name == self.chain.result:
                return None
            for user in self.chain.users[name]:
                above = self.chain.by_name[user]
                if above.function is op.WHERE and self.truths.locals[user, name] == 0.0:
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
        values = self.values.of_torch(step) if step.formula is not None else None
        if values is None:
            return False
        locals_ = (self.graph.local(step, local.by, values, 1.0, self.mode) for local in step.locals)
        return any(local is not None and math.isinf(local) for local in locals_)

    def _sum(self, target: str, edges: list[_Edge]) -> Blame | None:
        """Every contribution is right; their sum is not, or is none since the function jumps."""
        ends = [edge.step if self.mode == "reverse" else self.chain.by_name[edge.source] for edge in edges]
        parts = tuple((end, edge.torch) for end, edge in zip(ends, edges, strict=True) if edge.torch is not None)
        if self.truths.tied and len([value for _, value in parts if value]) < 2:
            return self._tie(self.chain.by_name[self.truths.tied[0]])
        if len([value for _, value in parts if value]) < 2:
            return self.values.first_wrong()
        if any(math.isinf(value) for _, value in parts) and (found := self.values.first_wrong()) is not None:
            return found
        return Blame(self.chain.by_name[target], Code.SUM, parts=parts)
