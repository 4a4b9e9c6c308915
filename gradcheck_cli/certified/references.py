"""The analytical side of a row: what the derivative is at a point, or why there is none.

Regular points are settled by evaluating the derivative expression; doubtful ones (a branch decided at a tie, or a
derivative that does not become finite) by probing along the variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flint import arb

from gradcheck_cli.certified.ball import (
    Numbers,
    Program,
    Seams,
    Truth,
    Undefined,
    Value,
    good,
    precision,
    precisions,
    round_ball,
    round_known,
    rounds_surely,
)
from gradcheck_cli.certified.one_sided import Probing
from gradcheck_cli.differentiation.gradient import gradient
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.expression.nodes import Expr
from gradcheck_cli.records.reference import Kind, Reference

Wrt = tuple[str, ...]


@dataclass(frozen=True)
class References:
    """All that is true at one point: the function's own value and the derivatives by row."""

    value: float | None
    value_certified: bool
    rows: Mapping[Wrt, Reference]


class Analysis:
    """An expression with the derivatives of the rows asked for, ready to be evaluated at points.

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

    def at(self, point: Mapping[str, float]) -> References:
        """The references at a point whose coordinates are numbers of the working dtype."""
        env = {name: arb(value) for name, value in point.items()}
        pending = [row for row in self.rows if row not in self.missing]
        rows = {row: Reference(Kind.NO_REFERENCE, reason=why) for row, why in self.missing.items()}
        value: Value = None
        for bits, last in precisions():
            with precision(bits):
                values = self.program.run(env, self.numbers, settle=last)
                value = values[self.root[()]]
                if not good(value) and not last:
                    continue
                probing = Probing(self, env, values)
                for row in tuple(pending):
                    reference = self._settle(row, values, last, probing)
                    if reference is not None:
                        rows[row] = reference
                        pending.remove(row)
                if last or (not pending and not (isinstance(value, arb) and self._round(value, last) is None)):
                    break
        if isinstance(value, Undefined):  # then it does not matter that a derivative has no closed form
            rows.update({row: probing.undefined(value, row[0]) for row in self.missing if row in self.rows})
        number = self._round(value, last=True) if isinstance(value, arb) and good(value) else None
        return References(
            number,
            number is not None or isinstance(value, Undefined),
            {row: rows[row] for row in self.rows},
        )

    def _round(self, value: arb, last: bool) -> float | None:
        """A good value rounded; None: more precision is needed to tell how."""
        if rounds_surely(value, self.dtype):
            return round_ball(value, self.dtype)
        return round_known(value, value.rel_accuracy_bits() - 4, self.dtype) if last else None

    def _settle(self, row: Wrt, values: Sequence[Value], last: bool, probing: Probing) -> Reference | None:
        """The reference of a row from these values; None: more precision is needed."""
        value = values[self.root[()]]
        try:
            if isinstance(value, Undefined):
                return probing.undefined(value, row[0])
            if not (isinstance(value, arb) and value.is_finite()):  # that it is a number is enough
                return Reference(Kind.NO_REFERENCE, reason="the function's value could not be certified")
            doubtful: set[int] = set()
            for order in range(1, len(row) + 1):
                tie = self.ties(row[:order], values)
                derivative = values[self.root[row[:order]]]
                if not last and (tie is None or not good(derivative)) and tie is not True:
                    return None
                if tie is not False or not isinstance(derivative, arb) or not good(derivative):
                    doubtful.add(order)
            if not doubtful:
                derivative = values[self.root[row]]
                assert isinstance(derivative, arb)
                number = self._round(derivative, last)
                return None if number is None else Reference(Kind.EXISTS, number)
            return probing.reference(row, doubtful)
        except NoReference as none:
            return Reference(Kind.NO_REFERENCE, reason=str(none))
