"""Both sides of a plan: what is true at a point, and what torch says there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.references import References, references_at
from gradcheck_cli.checking.plan import Plan
from gradcheck_cli.pytorch.gradients import Gradients, function_of
from gradcheck_cli.records.side import AutogradResult, Side
from gradcheck_cli.runtime.stopwatch import phase

if TYPE_CHECKING:
    from gradcheck_cli.checking.closed_forms import ClosedForms
    from gradcheck_cli.diagnosis.diagnosis import Diagnosis


class Sides:
    """A plan, made ready to be evaluated.

    derivatives: the certified side. functions: the expression as torch runs it, by mode. autograd: the side under test,
    by mode. forms: for people; None where they are not wanted.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.numbers = Numbers(plan.dtype)
        with phase("derivative"):
            self.derivatives = Derivatives(plan.expression, plan.rows, self.numbers, plan.dtype)
        with phase("autograd"):
            about = plan.dtype, plan.device
            self.functions = {mode: function_of(plan.expression, plan.rows, mode, *about) for mode in plan.modes}
            self.autograd: dict[str, Side] = {
                mode: Gradients(function, plan.rows, mode, *about) for mode, function in self.functions.items()
            }
        with phase("closed forms"):
            self.forms = self._closed_forms() if plan.wanted.closed_forms else None

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """Why rows do not pass. Loaded and made when the first one does not."""
        from gradcheck_cli.diagnosis.diagnosis import Diagnosis

        plan = self.plan
        about = self.numbers, plan.dtype, plan.device, plan.tolerance, plan.result_name
        return Diagnosis(plan.expression, *about)

    def references(self, point: Mapping[str, float]) -> References:
        """What is true at a point."""
        with phase("balls"):
            return references_at(self.derivatives, point)

    def results(self, point: Mapping[str, float]) -> dict[str, AutogradResult]:
        """What torch says at a point, by mode."""
        return {mode: self.result(point, mode) for mode in self.plan.modes}

    def result(self, point: Mapping[str, float], mode: str) -> AutogradResult:
        with phase("autograd"):
            return self.autograd[mode].at(point)

    def _closed_forms(self) -> ClosedForms:
        with phase("imports"):  # of SymPy, half a second that not every run needs
            from gradcheck_cli.checking.closed_forms import ClosedForms

        return ClosedForms(self.plan.expression, self.plan.rows, self.derivatives)
