"""Why a row did not pass: the step to blame, and a rewrite that helps. Made only for such rows, and only then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from gradcheck_cli.certified.ball import Numbers
from gradcheck_cli.certified.step_truths import StepPrograms, StepTruths
from gradcheck_cli.certified.widened.rows import RowRounding
from gradcheck_cli.diagnosis.blame import Blame, from_enclosure, of_the_only_function
from gradcheck_cli.diagnosis.higher_orders import HigherOrders
from gradcheck_cli.diagnosis.remedies import Remedies
from gradcheck_cli.diagnosis.search import Search
from gradcheck_cli.differentiation.rules import expand_composed
from gradcheck_cli.differentiation.steps import ChainRule
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.pytorch.devices import Device
from gradcheck_cli.pytorch.graph import TorchGraph, Trace
from gradcheck_cli.records.reference import Kind
from gradcheck_cli.records.results import Remedy, Verdict
from gradcheck_cli.records.row_comparison import RowComparison
from gradcheck_cli.verdict import Tolerance

Point = Mapping[str, float]

BLAMED = 500
"""Steps of an expression whose rows are traced; a longer one is told apart by its enclosure only."""
DIAGNOSED = 1_000
"""Rows of a problem that are diagnosed, a few milliseconds each; of more, the others are alike."""
SEARCHES, ALL_SEARCHES = 10, 40
"""Rows with one fault (the same derivative, step and cause) for which rewrites are searched in vain: where none helped
so often, none will. And of the whole problem, since a search in an expression of hundreds of steps takes half a second.
"""


@dataclass(frozen=True)
class Diagnosed:
    """blame: None where it is not known, remedy: None where there is none."""

    blame: Blame | None = None
    remedy: Remedy | None = None


NOTHING = Diagnosed()


class Diagnosis:
    """The diagnoses of one expression."""

    def __init__(
        self,
        expression: Expr,
        numbers: Numbers,
        dtype: Dtype,
        device: Device,
        tolerance: Tolerance,
        function_name: str | None = None,
    ) -> None:
        self.function_name = function_name
        self.expression, self.numbers, self.dtype, self.device = expression, numbers, dtype, device
        self.remedies = Remedies(expression, numbers, dtype, device, tolerance)
        self._rows = DIAGNOSED
        self._in_vain = Counter[object]()  # by fault
        self._truths: StepTruths | None = None
        self._trace: tuple[object, Trace] | None = None

    def row(self, verdict: Verdict, row: RowComparison, rounding: RowRounding) -> Diagnosed:
        """What is known of a row."""
        if self._rows <= 0:
            return NOTHING
        self._rows -= 1
        blame = self._blame(verdict, row) or self._blame_as_a_whole(verdict, rounding)
        return Diagnosed(blame, self._remedy(row, blame))

    def of_value(self, point: Point) -> Diagnosed:
        """What is known of a row whose derivative is right, and for which torch has no finite value."""
        if self._rows <= 0:
            return NOTHING
        self._rows -= 1
        return Diagnosed(self.value(point))

    def value(self, point: Point) -> Blame | None:
        """The step to blame for the function's own value."""
        if len(self.chain.steps) > BLAMED:
            return None
        return self._search(point, "reverse", "").value()

    @cached_property
    def chain(self) -> ChainRule:
        return ChainRule(self.expression, self.function_name)

    @cached_property
    def programs(self) -> StepPrograms:
        return StepPrograms(self.chain, self.numbers, self.dtype)

    @cached_property
    def graph(self) -> TorchGraph:
        return TorchGraph(self.chain, self.dtype, self.device)

    @cached_property
    def higher_orders(self) -> HigherOrders:
        return HigherOrders(self.chain, self.numbers, self.dtype, self.device)

    def _blame(self, verdict: Verdict, row: RowComparison) -> Blame | None:
        first = row.derivative.wrt[0]
        if first not in self.chain.by_name or len(self.chain.steps) > BLAMED:
            return None
        try:
            search = self._search(row.point, row.mode, first)
            if verdict is Verdict.UNDEFINED:
                return search.undefined()
            if row.derivative.order == 1:
                return search.derivative(first)
            if row.autograd is None:
                return None
            return self.higher_orders.blame(search, row.derivative, row.autograd, row.reference)
        except NoReference:
            return None

    def _blame_as_a_whole(self, verdict: Verdict, rounding: RowRounding) -> Blame | None:
        """Where no step is known to be to blame."""
        if verdict is Verdict.UNSTABLE:
            return from_enclosure(rounding.plain)
        return of_the_only_function(expand_composed(self.expression)) if verdict is Verdict.MISMATCH else None

    def _search(self, point: Point, mode: str, by: str) -> Search:
        if self._truths is None or self._truths.point != point:
            self._truths = self.programs.at(point)
        key = (tuple(point.items()), mode, by)
        if self._trace is None or self._trace[0] != key:
            trace = self.graph.reverse(point, [by]) if mode == "reverse" else self.graph.forward(point, by)
            self._trace = key, trace
        return Search(self.chain, self._truths, self.graph, self._trace[1], self.dtype, mode, by)

    def _remedy(self, row: RowComparison, blame: Blame | None) -> Remedy | None:
        asked = row.derivative, row.mode
        fault = asked if blame is None else (*asked, blame.step.name, blame.code)
        if self._in_vain[fault] >= SEARCHES or self._in_vain.total() >= ALL_SEARCHES:
            return None
        wanted = replace(row, value=row.reference.limit) if row.reference.kind is Kind.UNDEFINED else row
        found = self.remedies.find(wanted, [blame.step.node] if blame is not None else [])
        self._in_vain[fault] += found is None
        return found
