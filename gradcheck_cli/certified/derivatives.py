"""The derivatives of an expression, laid out for evaluation, and the ties that make them doubtful."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck_cli.certified.ball import Numbers, Program, Seams, Truth, Value
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Expr

Wrt = tuple[str, ...]


class Derivatives:
    """An expression with the derivatives of the rows asked for, laid out to be evaluated at points.

    rows: the variables of differentiation of each row, one name per order. numbers: what constants mean.
    """

    def __init__(self, expression: Expr, rows: Sequence[Wrt], numbers: Numbers, dtype: Dtype) -> None:
        self.expression, self.rows, self.numbers, self.dtype = expression, tuple(rows), numbers, dtype
        self.expressions: dict[Wrt, Expr] = {(): expression}
        self.missing: dict[Wrt, str] = {}
        self._differentiate()
        self.program = Program(*self.expressions.values())
        self.root = {wrt: self.program.index[expr] for wrt, expr in self.expressions.items()}
        self._seams: dict[Wrt, Seams] = {}

    def _differentiate(self) -> None:
        for order in range(1, max(map(len, self.rows), default=0) + 1):
            level = dict.fromkeys(row[:order] for row in self.rows if len(row) >= order)
            for before in dict.fromkeys(wrt[:-1] for wrt in level):
                names = [wrt[-1] for wrt in level if wrt[:-1] == before]
                if before in self.missing:
                    self.missing.update({(*before, name): self.missing[before] for name in names})
                    continue
                try:
                    partials = gradient(self.expressions[before], names)
                    self.expressions.update({(*before, name): partials[name] for name in names})
                except NoReference:
                    self._differentiate_one_by_one(before, names)

    def _differentiate_one_by_one(self, before: Wrt, names: Sequence[str]) -> None:
        for name in names:
            try:
                self.expressions[(*before, name)] = gradient(self.expressions[before], [name])[name]
            except NoReference as none:
                self.missing[(*before, name)] = str(none)

    def ties(self, wrt: Wrt, values: Sequence[Value]) -> Truth:
        """Whether the derivative by the last name of `wrt`, of the derivative by the names before, may fail to exist
        since a branch is decided at a tie."""
        return self.seams(wrt[:-1]).ties(values, wrt[-1])

    def seams(self, wrt: Wrt) -> Seams:
        """The seams of a derivative."""
        if wrt not in self._seams:
            self._seams[wrt] = Seams(self.program, self.root[wrt])
        return self._seams[wrt]
