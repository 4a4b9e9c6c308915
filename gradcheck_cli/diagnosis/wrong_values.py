"""Which step spoils a value: the first whose operands are right and whose value is not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcheck_cli.certified.ball import Value
from gradcheck_cli.diagnosis.blame import EXACT_UNITS, SHARE, Blame, relative_error
from gradcheck_cli.differentiation.steps import ChainRule, Step
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import operators as op
from gradcheck_cli.expression.nodes import Expr, variables
from gradcheck_cli.records.finding import Code

if TYPE_CHECKING:
    from gradcheck_cli.certified.step_truths import StepTruths
    from gradcheck_cli.pytorch.graph import Trace


class Values:
    """torch's values of the steps, beside the certified ones."""

    def __init__(self, chain: ChainRule, truths: StepTruths, trace: Trace, dtype: Dtype) -> None:
        self.chain, self.truths, self.trace, self.dtype = chain, truths, trace, dtype
        self.limit = EXACT_UNITS * dtype.unit_roundoff

    def of_torch(self, step: Step) -> dict[str, float] | None:
        """torch's values of all that the step is made of."""
        assert step.formula is not None
        values = {name: self.trace.steps[name].value for name in variables(step.formula)}
        known = {name: value for name, value in values.items() if value is not None}
        return known if len(known) == len(values) else None

    def error(self, name: str) -> float:
        """The relative error of torch's value; infinite for what is too large or too small for the dtype."""
        truth, found = self.truths.values[name], self.trace.steps[name].value
        if truth.vanishes and found == truth.value and not self.chain.by_name[name].locals:
            return 0.0  # a variable that is subnormal, and exact all the same
        if truth.overflows or truth.vanishes or truth.undefined:
            return math.inf
        if truth.value is None or found is None:
            return 0.0
        return relative_error(found, truth.value)

    def blame(self, step: Step) -> Blame:
        """Down from a wrong value to the first step whose operands are right."""
        while True:
            found, truth = self.trace.steps[step.name].value, self.truths.values[step.name]
            wrong = self.culprit(step, step.formula, self.truths.value_balls[step.name], found)
            if wrong is None:
                break
            step = wrong
        blame = Blame(step, Code.VALUE, None, found, truth.value)
        if truth.undefined:
            return replace(blame, code=Code.UNDEFINED)
        if truth.overflows:
            return replace(blame, code=Code.OVERFLOW)
        if truth.vanishes:
            return replace(blame, code=Code.UNDERFLOW)
        if step.function in (op.ADD, op.SUB):
            return replace(blame, code=Code.CANCELLATION)
        consistent = self.consistent(step.formula, found, self.of_torch(step))
        return replace(blame, code=Code.LOSS) if consistent else blame

    def first_wrong(self) -> Blame | None:
        """The first value that is off: where a factor is too large or too small for the dtype, no product tells."""
        off = (step for step in self.chain.steps if step.locals and self.error(step.name) > self.limit)
        first = next(off, None)
        return None if first is None else self.blame(first)

    def consistent(self, formula: Expr | None, found: float | None, values: Mapping[str, float] | None) -> bool:
        """Whether what torch finds for a step is right for the values that torch has, which may be wrong."""
        if found is None or values is None:
            return False
        if not all(math.isfinite(value) for value in values.values()):
            return True
        exact = self.truths.at_values(formula, values)
        return exact is None or relative_error(found, exact) <= self.limit

    def culprit(self, step: Step, formula: Expr | None, truth: Value, found: float | None) -> Step | None:
        """The operand to blame for a number that a step makes of its operands: with it as torch has it, and all others
        as they should be, the number would be off as well. None where the step itself is to blame.

        formula: of that number; truth: what it is; found: what torch has.
        """
        if formula is None:
            return None
        off = self.truths.off_by(found, truth) if found is not None else math.inf
        worst, most = None, 0.0
        for name in variables(formula):
            error, value = self.error(name), self.trace.steps[name].value
            little = error <= self.limit and error < SHARE * min(off, 1.0)  # then the step amplifies it
            if error <= self.dtype.unit_roundoff / 2 or little or value is None:
                continue
            damage = self.truths.damage(formula, name, value, truth)
            if damage > most and damage >= SHARE * min(off, 1.0):
                worst, most = self.chain.by_name[name], damage
        return worst
