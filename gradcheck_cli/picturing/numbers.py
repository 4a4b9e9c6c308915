"""The certified numbers of a function and its derivatives at many points: by float64, where need be by balls."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.float_filter.columns import column
from gradcheck_cli.certified.float_filter.numbers import numbers_at
from gradcheck_cli.certified.references import references_at
from gradcheck_cli.records.derivative import VALUE, Derivative

Point = Mapping[str, float]
Numbers = Mapping[Derivative, float | None]


def certified_numbers(derivatives: Derivatives, points: Sequence[Point], deadline: float) -> list[Numbers]:
    """At each point the value, by VALUE, and the derivatives; None where there is none, or no time was left."""
    if not points:
        return []
    found = numbers_at(derivatives, {name: column(point[name] for point in points) for name in points[0]})
    rows = tuple(found)
    numbers: list[Numbers] = []
    for i, point in enumerate(points):
        here: Numbers = {row: found[row][i] for row in rows}
        if None in here.values() and time.monotonic() < deadline:
            references = references_at(derivatives, point)
            here = {VALUE: references.value, **{row: one.value for row, one in references.rows.items()}}
        numbers.append(here)
    return numbers
