"""One row before its verdict: what is true beside what torch says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.reference import Reference


@dataclass(frozen=True, slots=True)
class RowComparison:
    """A derivative at a point in a mode.

    reference: what is true of it. value: of the function, certified; None where there is none. autograd: torch's
    derivative; None where torch has none.
    """

    point: Mapping[str, float]
    derivative: Derivative
    mode: str
    reference: Reference
    value: float | None
    autograd: float | None
