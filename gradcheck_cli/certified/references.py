"""The analytical side of a row: what the derivative is at a point, or why there is none.

Regular points are settled by evaluating the derivative expression; doubtful ones (a branch decided at a tie, or a
derivative that does not become finite) by probing along the variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flint import arb

from gradcheck_cli.certified.ball import (
    Balls,
    Undefined,
    Value,
    good,
    precision,
    precisions,
    round_ball,
    round_known,
    rounds_surely,
)
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.one_sided import Probing
from gradcheck_cli.dtypes import Dtype
from gradcheck_cli.errors import NoReference
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.records.reference import Kind, Reference


@dataclass(frozen=True)
class References:
    """All that is true at one point: the function's own value and the derivatives by row."""

    value: float | None
    value_certified: bool
    rows: Mapping[Derivative, Reference]


def references_at(derivatives: Derivatives, point: Mapping[str, float]) -> References:
    """The references at a point whose coordinates are numbers of the working dtype."""
    dtype = derivatives.dtype
    env = {name: arb(value) for name, value in point.items()}
    pending = [row for row in derivatives.rows if row not in derivatives.missing]
    rows = {row: Reference(Kind.NO_REFERENCE, reason=why) for row, why in derivatives.missing.items()}
    value: Value = None
    for bits, last in precisions():
        with precision(bits):
            values = derivatives.program.run(Balls(env, derivatives.numbers, settle=last))
            value = values[derivatives.root[VALUE]]
            if not good(value) and not last:
                continue
            probing = Probing(derivatives, env, values)
            for row in tuple(pending):
                reference = _settle(derivatives, row, values, last, probing)
                if reference is not None:
                    rows[row] = reference
                    pending.remove(row)
            if last or (not pending and not (isinstance(value, arb) and _round(value, dtype, last) is None)):
                break
    if isinstance(value, Undefined):  # then it does not matter that a derivative has no closed form
        rows.update(
            {row: probing.undefined(value, row.wrt[0]) for row in derivatives.missing if row in derivatives.rows}
        )
    number = _round(value, dtype, last=True) if isinstance(value, arb) and good(value) else None
    return References(
        number,
        number is not None or isinstance(value, Undefined),
        {row: rows[row] for row in derivatives.rows},
    )


def _round(value: arb, dtype: Dtype, last: bool) -> float | None:
    """A good value rounded; None: more precision is needed to tell how."""
    if rounds_surely(value, dtype):
        return round_ball(value, dtype)
    return round_known(value, value.rel_accuracy_bits() - 4, dtype) if last else None


def _settle(
    derivatives: Derivatives, row: Derivative, values: Sequence[Value], last: bool, probing: Probing
) -> Reference | None:
    """The reference of a row from these values; None: more precision is needed."""
    value = values[derivatives.root[VALUE]]
    try:
        if isinstance(value, Undefined):
            return probing.undefined(value, row.wrt[0])
        if not (isinstance(value, arb) and value.is_finite()):  # that it is a number is enough
            return Reference(Kind.NO_REFERENCE, reason="the function's value could not be certified")
        doubtful: set[int] = set()
        for order in range(1, row.order + 1):
            lower = row.up_to(order)
            tie = derivatives.ties(lower, values)
            derivative = values[derivatives.root[lower]]
            if not last and (tie is None or not good(derivative)) and tie is not True:
                return None
            if tie is not False or not isinstance(derivative, arb) or not good(derivative):
                doubtful.add(order)
        if not doubtful:
            derivative = values[derivatives.root[row]]
            assert isinstance(derivative, arb)
            number = _round(derivative, derivatives.dtype, last)
            return None if number is None else Reference(Kind.EXISTS, number)
        return probing.reference(row, doubtful)
    except NoReference as none:
        return Reference(Kind.NO_REFERENCE, reason=str(none))
