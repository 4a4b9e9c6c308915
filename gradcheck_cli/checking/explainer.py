"""The chain rule of one expression at one point, node by node: joins the check, the certified steps and torch's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gradcheck_cli.certified.widened.rows import PointRounding, RowRounding
from gradcheck_cli.checking.sides import Sides
from gradcheck_cli.diagnosis import wording
from gradcheck_cli.differentiation.rules import expand_composed
from gradcheck_cli.differentiation.steps import ChainRule, Step
from gradcheck_cli.dtypes import DTYPES
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.language.printer import text_within
from gradcheck_cli.number_text import exact
from gradcheck_cli.pytorch.graph import TorchGraph, Trace
from gradcheck_cli.records.explanation import Chain, Explanation, Flow, LocalDerivative, Parting, Path, StepRecord
from gradcheck_cli.records.reference import Kind, Reference
from gradcheck_cli.records.results import Check, ProblemResult, Verdict
from gradcheck_cli.verdict import judge

PATHS = 64
"""Paths from the result to a variable that are written out one by one."""
LONGEST = 120
"""Characters of a step, and of a local derivative."""


class Explainer:
    """result: of the check at that point."""

    def __init__(self, sides: Sides, point: Mapping[str, float], result: ProblemResult) -> None:
        self.plan, self.point, self.result, self.functions = sides.plan, point, result, sides.functions
        self.chain: ChainRule = sides.diagnosis.chain
        self.dtype = self.plan.dtype
        self.truths = sides.diagnosis.programs.at(point)
        self.graph = TorchGraph(self.chain, self.plan.dtype, self.plan.device)
        self.rounding = PointRounding(point, sides.numbers, self.dtype)
        self.wrt = [row.wrt[0] for row in self.plan.rows]
        self.traces = self._traces(self.graph)
        self.checks = {(check.wrt[0], check.mode): check for check in result.checks}
        self.undefined = any(check.verdict is Verdict.UNDEFINED for check in result.checks)
        float64 = DTYPES["float64"]
        compares_dtypes = len(self.plan.modes) > 1 and self.dtype is not float64
        self.wide = self._traces(TorchGraph(self.chain, float64, self.plan.device)) if compares_dtypes else {}

    def _traces(self, graph: TorchGraph) -> dict[str, Trace]:
        """By mode: "reverse", and the variable for forward mode, which cannot go along a named result."""
        traces = {"reverse": graph.reverse(self.point, self.wrt)} if "reverse" in self.plan.modes else {}
        if "forward" in self.plan.modes:
            traces |= {name: graph.forward(self.point, name) for name in self.wrt if name in self.point}
        return traces

    def explanation(self) -> Explanation:
        return Explanation(
            self.result,
            self.chain.result,
            self.point,
            tuple(self._step(step) for step in self.chain.steps),
            tuple(self._chain(name) for name in self.wrt),
            tuple(self._partings()),
            tuple(self._notices()),
        )

    def _step(self, step: Step) -> StepRecord:
        traced = next(iter(self.traces.values())).steps[step.name]
        truth = self.truths.values[step.name]
        right = truth.value is not None and traced.value is not None
        return StepRecord(
            name=step.name,
            formula=step.formula,
            text=None if step.formula is None else _text(step.formula),
            value=truth.value,
            undefined=truth.undefined,
            value_autograd=traced.value,
            value_right=right and self.plan.tolerance.allows(traced.value or 0.0, truth.value or 0.0),
            locals=tuple(
                LocalDerivative(
                    local.by,
                    local.formula,
                    None if local.formula is None else _text(local.formula),
                    self.truths.locals[step.name, local.by],
                    self.truths.local_truths[step.name, local.by].beyond,
                )
                for local in step.locals
            ),
            adjoint=self._adjoint(step) if "reverse" in self.traces else None,
            tangents={name: self._tangent(step, name) for name in self.traces if name != "reverse"},
            reference={
                mode: number
                for mode, trace in self.wide.items()
                if (number := trace.steps[step.name].derivative) is not None
            },
            grad_fn=traced.grad_fn,
            blamed=tuple(f"{wrt} {mode}" for (wrt, mode), check in self.checks.items() if _blames(check, step)),
            beyond=truth.beyond,
        )

    def _adjoint(self, step: Step) -> Flow:
        autograd = self.traces["reverse"].steps[step.name].derivative
        check = self.checks.get((step.name, "reverse"))
        if check is not None:
            return Flow(check.analytical, check.autograd, check.verdict, check.left, check.right)
        if self.undefined:
            return Flow(autograd=autograd)
        return self._judged(self._adjoint_truth(step.name), autograd, step, "reverse", step.name)

    def _adjoint_truth(self, name: str) -> Reference:
        try:
            return self.truths.adjoints[name]
        except NoReference as none:
            return Reference(Kind.NO_REFERENCE, reason=str(none))

    def _tangent(self, step: Step, by: str) -> Flow:
        autograd = self.traces[by].steps[step.name].derivative
        if step.name == self.chain.result and (check := self.checks.get((by, "forward"))) is not None:
            return Flow(check.analytical, check.autograd, check.verdict, check.left, check.right)
        try:
            truth = self.truths.tangents(by)[step.name]
        except NoReference as none:
            truth = Reference(Kind.NO_REFERENCE, reason=str(none))
        return self._judged(truth, autograd, step, "forward", by)

    def _judged(self, truth: Reference, autograd: float | None, step: Step, mode: str, by: str) -> Flow:
        if autograd is None or truth.kind in (Kind.NO_REFERENCE, Kind.UNDEFINED):
            return Flow(truth.value, autograd, None, truth.left, truth.right)
        root = self.chain.marked if mode == "reverse" else step.node
        rounding = RowRounding(self.rounding, root, by, mode, truth, root)
        verdict = judge(truth, autograd, self.plan.tolerance, rounding)
        return Flow(truth.value, autograd, verdict, truth.left, truth.right)

    def _chain(self, by: str) -> Chain:
        counts: dict[str, int] = {self.chain.result: 1}
        for step in reversed(self.chain.steps):
            if step.name not in counts:
                counts[step.name] = sum(counts.get(user, 0) for user in self.chain.users[step.name])
        # A step comes before its users, so that going backwards they are known; variables come first of all.
        paths = tuple(self._paths(by)) if counts[by] <= PATHS else ()
        return Chain(by, paths, tuple(self.chain.users[by]), counts[by])

    def _paths(self, by: str) -> Iterator[Path]:
        stack: list[tuple[str, ...]] = [(by,)]
        while stack:
            path = stack.pop()
            if path[0] == self.chain.result:
                yield Path(path)
            stack.extend((user, *path) for user in reversed(self.chain.users[path[0]]))

    def _partings(self) -> Iterator[Parting]:
        """Where forward and reverse mode part, and where the dtypes do."""
        for by in self.wrt:
            reverse, forward = self.checks.get((by, "reverse")), self.checks.get((by, "forward"))
            if reverse is not None and forward is not None and self._differ(reverse.autograd, forward.autograd):
                yield self._modes_part(by, reverse, forward)
        for mode, trace in self.wide.items():
            order = self.chain.steps[::-1] if mode == "reverse" else self.chain.steps
            for step in order:
                narrow, wide = self.traces[mode].steps[step.name].derivative, trace.steps[step.name].derivative
                if self._differ(narrow, wide):
                    what = "adjoint" if mode == "reverse" else "tangent"
                    yield Parting(
                        step.name,
                        f"{self.dtype.name} and float64 part at {self._definition(step)}: its {what} is "
                        f"{self._number(narrow)} in {self.dtype.name}, {self._number(wide)} in float64",
                    )
                    break

    def _modes_part(self, by: str, reverse: Check, forward: Check) -> Parting:
        wrong = [check for check in (reverse, forward) if check.blame is not None and not check.verdict.passes]
        step = wrong[0].blame.name if wrong and wrong[0].blame is not None else self.chain.result
        what = f"d{self.chain.result}/d{by} is {self._number(reverse.autograd)} in reverse mode, "
        what += f"{self._number(forward.autograd)} in forward mode"
        return Parting(step, f"{what}: they part at {self._definition(self.chain.by_name[step])}")

    def _differ(self, first: float | None, second: float | None) -> bool:
        if first is None or second is None or first != first or second != second:
            return (first != first) is not (second != second) if None not in (first, second) else first is not second
        return not (self.plan.tolerance.allows(first, second) or self.plan.tolerance.allows_with_atol(first, second))

    def _definition(self, step: Step) -> str:
        return step.name if step.formula is None else f"{step.name} = {_text(step.formula)}"

    def _number(self, value: float | None) -> str:
        return "none" if value is None else exact(value, self.dtype)

    def _notices(self) -> Iterator[str]:
        if expand_composed(self.plan.expression) is not self.plan.expression:
            yield "what torch does not have is written as its definition, as it is run"
        given = dict.fromkeys(name for x in self.functions.values() for name in x.arithmetic.given_tensors)
        yield from wording.run_instead((), given)
        refusals = dict.fromkeys(trace.refusal for trace in self.traces.values() if trace.refusal)
        yield from refusals
        if "forward" in self.plan.modes and any(name not in self.point for name in self.wrt):
            yield "forward mode is shown along variables, not along intermediate results"


def _blames(check: Check, step: Step) -> bool:
    return check.blame is not None and check.blame.name == step.name


def _text(formula: Expr) -> str:
    return text_within(formula, LONGEST) or "…"
