"""The derivatives of an expression, laid out for evaluation, and the ties that make them doubtful."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck_cli.certified.ball import Numbers, Truth, Value
from gradcheck_cli.certified.seams import Seams
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.expression.program import Program
from gradcheck_cli.records.derivative import VALUE, Derivative


class Derivatives:
    """An expression with the derivatives of the rows asked for, laid out to be evaluated at points.

    rows: the derivatives asked for. numbers: what constants mean.
    """

    def __init__(self, expression: Expr, rows: Sequence[Derivative], numbers: Numbers, dtype: Dtype) -> None:
        self.expression, self.rows, self.numbers, self.dtype = expression, tuple(rows), numbers, dtype
        self.expressions: dict[Derivative, Expr] = {VALUE: expression}
        self.missing: dict[Derivative, str] = {}
        self._differentiate()
        self.program = Program(*self.expressions.values())
        self.root = {row: self.program.index[expr] for row, expr in self.expressions.items()}
        self._seams: dict[Derivative, Seams] = {}

    def _differentiate(self) -> None:
        for order in range(1, max((row.order for row in self.rows), default=0) + 1):
            level = dict.fromkeys(row.up_to(order) for row in self.rows if row.order >= order)
            for before in dict.fromkeys(one.before for one in level):
                names = [one.last for one in level if one.before == before]
                if before in self.missing:
                    self.missing.update({before.by(name): self.missing[before] for name in names})
                    continue
                try:
                    partials = gradient(self.expressions[before], names)
                    self.expressions.update({before.by(name): partials[name] for name in names})
                except NoReference:
                    self._differentiate_one_by_one(before, names)

    def _differentiate_one_by_one(self, before: Derivative, names: Sequence[str]) -> None:
        for name in names:
            try:
                self.expressions[before.by(name)] = gradient(self.expressions[before], [name])[name]
            except NoReference as none:
                self.missing[before.by(name)] = str(none)

    def ties(self, derivative: Derivative, values: Sequence[Value]) -> Truth:
        """Whether a derivative, as that of the one before, may fail to exist since a branch is decided at a tie."""
        return self.seams(derivative.before).ties(values, derivative.last)

    def seams(self, derivative: Derivative) -> Seams:
        if derivative not in self._seams:
            self._seams[derivative] = Seams(self.program, self.root[derivative])
        return self._seams[derivative]
