"""The records that an explanation leaves behind. Renderers read them and compute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.records.results import ProblemResult, Verdict
from gradcheck_cli.records.shown import Shown


@dataclass(frozen=True)
class LocalDerivative:
    """The derivative of a step by one of its operands.

    formula: in terms of the names of steps, with its text; None where it has no known form. value: certified; None
    where it does not exist (a kink, a pole). beyond: six digits of a value that the dtype cannot hold.
    """

    by: str
    formula: Expr | None
    text: str | None
    value: float | None
    beyond: str | None = None


@dataclass(frozen=True)
class Flow:
    """A derivative at a step: of the result by the step (its adjoint), or of the step by a variable (its tangent).

    analytical: certified; left and right are the one-sided ones at a kink. autograd: torch's own. verdict: None where
    there is nothing to compare.
    """

    analytical: float | None = None
    autograd: float | None = None
    verdict: Verdict | None = None
    left: float | None = None
    right: float | None = None


@dataclass(frozen=True)
class StepRecord:
    """One step of the chain rule.

    formula: in terms of the names of its operands, with its text; None for a variable. value: certified; undefined: the
    step provably has none; beyond: six digits of one that the dtype cannot hold. value_autograd: torch's; value_right:
    whether it is the certified one. adjoint: None where reverse mode was not asked for; tangents: by variable, where
    forward mode was. reference: torch's derivative in float64, by mode ("reverse", or the variable of forward mode),
    where the check is in another dtype and both modes were asked for. grad_fn: what torch recorded. blamed: the rows
    (variable, mode) for which this step is to blame.
    """

    name: str
    formula: Expr | None
    text: str | None
    value: float | None
    undefined: bool
    value_autograd: float | None
    value_right: bool
    locals: tuple[LocalDerivative, ...]
    adjoint: Flow | None
    tangents: Mapping[str, Flow]
    reference: Mapping[str, float]
    grad_fn: str | None
    blamed: tuple[str, ...] = ()
    beyond: str | None = None


@dataclass(frozen=True)
class Path:
    """One way from the result down to a variable, by the names of the steps, the result first."""

    steps: tuple[str, ...]


@dataclass(frozen=True)
class Chain:
    """The chain rule written out for one variable or named result.

    paths: every path, where there are few; else none, and `through` has the steps whose adjoints are multiplied by
    their local derivatives and added. count: how many paths there are.
    """

    by: str
    paths: tuple[Path, ...]
    through: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Parting:
    """Where two modes, or two dtypes, part: the first step where they do, going the way they go."""

    step: str
    sentence: str


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """The chain rule of one expression at one point, node by node.

    result: the ordinary check of it; name: what the result is called; notices: remarks about the whole.
    """

    result: ProblemResult
    name: str
    point: Mapping[str, float]
    steps: tuple[StepRecord, ...]
    chains: tuple[Chain, ...]
    partings: tuple[Parting, ...] = ()
    notices: tuple[str, ...] = ()

    def _repr_words(self) -> str:
        return self.result._repr_words()

    def in_texts(self) -> Explanation:
        """Without the formulas that are no texts: these cannot leave the process."""
        steps = (
            replace(step, formula=None, locals=tuple(replace(local, formula=None) for local in step.locals))
            for step in self.steps
        )
        return replace(self, steps=tuple(steps))

    @property
    def by_name(self) -> dict[str, StepRecord]:
        return {step.name: step for step in self.steps}


@dataclass(frozen=True, repr=False)
class Explained(Shown):
    """What `gradcheck explain` shows: one chain rule after the other.

    explanations: for each point; of a higher order, for the function and then for its derivatives. result: the check of
    all the points, in the order that was asked for, with the claims.
    """

    explanations: tuple[Explanation, ...]
    result: ProblemResult

    def _repr_words(self) -> str:
        return self.result._repr_words()

    @property
    def of_higher_order(self) -> bool:
        return self.result.order > 1
