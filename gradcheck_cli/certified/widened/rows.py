"""What rounding could have made of one row: the two enclosures, made only when a number is off."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.widened.balls import RoundingModel
from gradcheck_cli.certified.widened.sweep import Enclosure, Sweep
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.expression.nodes import Call, Expr, depends_on
from gradcheck_cli.records.reference import Reference


class PointRounding:
    """The widened sweeps of one point, shared by its rows: one for each expression and amount of slack."""

    def __init__(self, point: Mapping[str, float], numbers: Numbers, dtype: Dtype) -> None:
        self.point, self.numbers, self.dtype = point, numbers, dtype
        self._sweeps: dict[tuple[Expr, float], Sweep] = {}

    def sweep(self, root: Expr, slack: float = 0.0) -> Sweep:
        key = root, slack
        if key not in self._sweeps:
            self._sweeps[key] = Sweep(root, self.point, self.numbers, RoundingModel(self.dtype, slack))
        return self._sweeps[key]


class RowRounding:
    """Verdict's `Rounding` for one derivative.

    root: the expression whose derivative by `name` the row is (of order n-1, for a row of order n). truth: where it was
    probed, an infinite local derivative is no excuse, nor is a branch decided at a tie. expression: the function.
    """

    def __init__(
        self, sweeps: PointRounding, root: Expr, name: str, mode: str, truth: Reference, expression: Expr
    ) -> None:
        self.sweeps, self.root, self.name, self.mode = sweeps, root, name, mode
        self.truth, self.expression = truth, expression

    @cached_property
    def cut(self) -> str | None:
        """A function on the way that torch does not differentiate. What it cuts off is never rounding."""
        live = self.sweeps.sweep(self.expression).live()
        dependent = depends_on(live, [self.name])
        calls = [node.function for node in live if node in dependent and isinstance(node, Call)]
        return next((row.name for row in calls if not row.differentiable), None)

    @cached_property
    def plain(self) -> Enclosure:
        return self._enclosure(0.0)

    @cached_property
    def slack(self) -> Enclosure:
        return self._enclosure(1.0)

    def _enclosure(self, slack: float) -> Enclosure:
        sweep = self.sweeps.sweep(self.root, slack)
        return sweep.reverse(self.name) if self.mode == "reverse" else sweep.forward(self.name)

    def explains(self, autograd: float) -> bool:
        return self._explains(self.plain, autograd)

    def explains_with_slack(self, autograd: float) -> bool:
        return self._explains(self.slack, autograd)

    def _explains(self, enclosure: Enclosure, autograd: float) -> bool:
        if not enclosure.explains(autograd) or self.cut:
            return False
        if not self.truth.probed:
            return True
        if enclosure.bounded:  # the tie's convention must not be what is off: the truth lies in the enclosure as well
            return any(enclosure.explains(number) for number in self.truth.numbers)
        return enclosure.overflow_on_the_way


class ValueRounding:
    """Verdict's `Rounding` for the function's own value."""

    def __init__(self, sweeps: PointRounding, root: Expr) -> None:
        self.sweeps, self.root = sweeps, root

    @property
    def leaves_the_range(self) -> bool:
        """Whether an overflow or underflow on the way makes the value what it is."""
        enclosure = self.sweeps.sweep(self.root).value()
        return not enclosure.bounded and not (enclosure.overflow is None and enclosure.underflow is None)

    def explains(self, autograd: float) -> bool:
        return self.sweeps.sweep(self.root).value().explains(autograd)

    def explains_with_slack(self, autograd: float) -> bool:
        slack = RoundingModel(self.sweeps.dtype, 1.0)
        sweep = Sweep(self.root, self.sweeps.point, self.sweeps.numbers, slack, value_slack=slack.slack)
        return sweep.value().explains(autograd)
