"""The certified numbers at many points, as far as float64 has them: for pictures, which show a few digits."""

from __future__ import annotations

import numpy as np

from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.float_filter.columns import Columns, length_of
from gradcheck_cli.certified.float_filter.running_error import ErrorBounds, columns_of
from gradcheck_cli.certified.float_filter.settle import GOOD, FirstTier
from gradcheck_cli.records.derivative import VALUE, Derivative
from gradcheck_cli.verdict import Tolerance


def numbers_at(derivatives: Derivatives, columns: Columns) -> dict[Derivative, list[float | None]]:
    """The function, by VALUE, and the derivatives asked for; None where float64 does not have 20 bits of it, or where
    it may not exist."""
    rows, count = (VALUE, *derivatives.rows), length_of(columns)
    if not FirstTier.is_possible(derivatives):
        return {row: [None] * count for row in rows}
    tier = FirstTier(derivatives, derivatives.dtype, Tolerance(0.0, 0.0), strict=False)
    found: dict[Derivative, list[float | None]] = {}
    with np.errstate(all="ignore"):
        values = derivatives.program.run(ErrorBounds(columns_of(columns), derivatives.dtype))
        for row in rows:
            number = tier.of(row, values)
            radius = 0.0 if number.radius is None else number.radius
            known = tier.exists(row, values) & (radius <= GOOD * np.abs(number.value))
            at = zip(np.broadcast_to(number.value, count).tolist(), np.broadcast_to(known, count).tolist(), strict=True)
            found[row] = [value if is_known else None for value, is_known in at]
    return found
