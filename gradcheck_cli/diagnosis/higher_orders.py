"""Which step spoils a derivative of second or higher order.

Either the first derivative is off already, which is looked for step by step (blame.py); or a step's own derivative of
higher order is: torch's, and the certified one, at the values that torch has for its operands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations_with_replacement

from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.references import references_at
from gradcheck_cli.diagnosis.blame import SHARE, Blame, is_right, relative_error
from gradcheck_cli.diagnosis.search import Search
from gradcheck_cli.differentiation.steps import ChainRule, Step
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression import operators as op
from gradcheck_cli.pytorch.devices import Device
from gradcheck_cli.pytorch.gradients import Gradients, gradients_of
from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.finding import Code
from gradcheck_cli.records.reference import Reference

STEPS = 60
"""Steps of an expression whose own derivatives of higher order are looked at."""
_LINEAR = frozenset({op.ADD, op.SUB, op.RSUB, op.NEG, op.POSITIVE, op.MUL, op.WHERE, op.IFELSE})
"""What has no second derivative but a constant one."""


class HigherOrders:
    """The derivatives of higher order of each step of a chain rule by its own operands."""

    def __init__(self, chain: ChainRule, numbers: Numbers, dtype: Dtype, device: Device) -> None:
        self.chain, self.numbers, self.dtype, self.device = chain, numbers, dtype, device
        self._sides: dict[tuple[str, Derivative, str], tuple[Gradients, Derivatives]] = {}

    def blame(self, search: Search, row: Derivative, autograd: float, truth: Reference) -> Blame | None:
        """The step to blame for a wrong derivative; None where none is known."""
        found = self._lower(search, row, autograd, truth)
        if found is None and len(self.chain.steps) <= STEPS:
            own = list(self._own(search, row.order, autograd))
            found = next((blame for blame in own if blame.code in (Code.LEAK, Code.KERNEL)), next(iter(own), None))
        if found is None and truth.probed:
            found = search.tie()
        return found

    def _lower(self, search: Search, row: Derivative, autograd: float, truth: Reference) -> Blame | None:
        """The blame for the first derivative, where that is as far off."""
        off, first = relative_error(autograd, truth.value), search.first_error(row.wrt[0])
        if first == 0.0 or first < SHARE * min(off, 1.0) or math.isfinite(first) != math.isfinite(autograd):
            return None
        found = search.derivative(row.wrt[0])
        return None if found is None else replace(found, lower=True)

    def _own(self, search: Search, order: int, autograd: float) -> Iterator[Blame]:
        """The steps, the result first, whose own derivative of an order from 2 on is wrong."""
        for step in reversed(self.chain.steps):
            values = search.values.of_torch(step) if step.locals and step.function not in _LINEAR else None
            if values is None or not all(map(math.isfinite, values.values())):
                continue
            for k in range(2, order + 1):
                for names in combinations_with_replacement([local.by for local in step.locals], k):
                    blame = self._of(search, step, Derivative(names), values)
                    if blame is not None and (blame.code is Code.LEAK or _matters(blame.local, autograd)):
                        yield blame

    def _of(self, search: Search, step: Step, by: Derivative, values: Mapping[str, float]) -> Blame | None:
        key = step.name, by, search.mode
        if key not in self._sides:
            assert step.formula is not None
            self._sides[key] = (
                gradients_of(step.formula, [by], search.mode, self.dtype, self.device),
                Derivatives(step.formula, [by], self.numbers, self.dtype),
            )
        side, derivatives = self._sides[key]
        found, exact = side.at(values).derivatives.get(by), references_at(derivatives, values).rows[by]
        if found is None:
            return None
        operands = tuple(self.chain.by_name[name].node for name in by.wrt)
        blame = Blame(step, Code.KERNEL, None, found, exact.value, order=by.order, operands=operands)
        branch = search.branch_not_taken(step)
        if branch is not None:
            return None if math.isfinite(found) else replace(blame, code=Code.LEAK, incoming=0.0, source=branch)
        if not exact.numbers:
            return None
        if math.isinf(found) and found == exact.value:  # where it meets a 0, or another one, the result is NaN
            return replace(blame, code=Code.INDEFINITE if exact.probed else Code.OVERFLOW)
        return None if is_right(exact, found, search.limit) else blame


def _matters(local: float | None, autograd: float) -> bool:
    """Whether a wrong local derivative can be seen in the result: a number that is none makes one that is none."""
    return local is not None and math.isfinite(local) == math.isfinite(autograd)
