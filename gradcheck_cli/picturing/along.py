"""A function and its derivatives along one variable: what is certified there, as curves in runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradcheck_cli.certified.breaks import Breaks, breaks
from gradcheck_cli.certified.derivatives import Derivatives
from gradcheck_cli.certified.references import References, references_at
from gradcheck_cli.picturing.axes import LARGEST
from gradcheck_cli.picturing.numbers import Numbers, certified_numbers
from gradcheck_cli.picturing.places import Cut, cuts
from gradcheck_cli.records.picture import Axis, Run, Spot

SPOTS = 200
"""Of a curve, evenly spaced; there are more beside what is special."""
CELLS = 64
BESIDE = (0.0, 1e-6, 1e-4, 1e-3, 3e-3, 6e-3, 9e-3, 0.012, 0.018, 0.024)
"""How far from a cut a curve has spots, of the width; less where there are more cuts than FEW."""
FEW = 8
NEAR = 0.006
"""How far from a cut a spot says nothing of the whole, of the same."""


@dataclass(frozen=True)
class Along:
    """fixed: the other variables. deadline: when to stop, by time.monotonic."""

    derivatives: Derivatives
    variable: str
    fixed: Mapping[str, float]
    deadline: float

    def breaks(self, axis: Axis) -> Breaks:
        edges = [axis.low, *(axis.at(i / CELLS) for i in range(1, CELLS)), axis.high]
        return breaks(self.derivatives, self.variable, self.fixed, edges, self.deadline)

    def cuts(self, found: Breaks, axis: Axis) -> list[Cut]:
        """What is special within the axis."""
        special = cuts(found, axis.high - axis.low, self.numbers, self.references)
        return [cut for cut in special if axis.low <= cut.x <= axis.high]

    def numbers(self, xs: Sequence[float]) -> list[Numbers]:
        return certified_numbers(self.derivatives, [{**self.fixed, self.variable: x} for x in xs], self.deadline)

    def references(self, x: float) -> References:
        return references_at(self.derivatives, {**self.fixed, self.variable: x})


def spots(axis: Axis, special: Sequence[Cut]) -> list[float]:
    """Where numbers are taken for curves."""
    width = _around(axis, special)
    xs = [axis.low, *(axis.at(i / SPOTS) for i in range(1, SPOTS)), axis.high]
    for cut in special:
        for step in BESIDE:
            xs += (cut.low - step * width, cut.high + step * width)
    inside = (x for x in xs if axis.low <= x <= axis.high)
    return sorted({x for x in inside if not any(cut.low < x < cut.high for cut in special)})


def runs(xs: Sequence[float], ys: Sequence[float | None], special: Sequence[Cut]) -> tuple[Run, ...]:
    """The spots that are joined: what is special lies between runs."""
    found: list[list[Spot]] = [[]]
    middles = [cut.low + (cut.high - cut.low) / 2 for cut in special]
    for (before, x), y in zip(pairwise([-math.inf, *xs]), ys, strict=True):
        if y is None or not abs(y) <= LARGEST:
            found.append([])
            continue
        if any(before <= middle <= x for middle in middles):
            found.append([])
        found[-1].append(Spot(x, y))
    return tuple(tuple(run) for run in found if run)


def is_beside(x: float, axis: Axis, special: Sequence[Cut]) -> bool:
    """Whether a spot is one of those that stand so near to what is special that they say nothing of the whole."""
    near = NEAR * _around(axis, special) * 1.01
    return any(cut.low - near < x < cut.high + near for cut in special)


def _around(axis: Axis, special: Sequence[Cut]) -> float:
    return (axis.high - axis.low) * min(1.0, FEW / max(1, len(special)))
