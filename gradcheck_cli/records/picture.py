"""What a picture of a check shows, in numbers: made in one place, drawn by renderers, which compute nothing.

A formula that is followed along one variable is a `LinePicture`, along two a `MapPicture`; a Jacobian of code or of a
formula of arrays is a `MatrixPicture`. It hangs on the result that it is of, which has all names: titles and labels are
made of both. All numbers are finite, but for errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from gradcheck_cli.records.derivative import Derivative
from gradcheck_cli.records.verdicts import Verdict


class Scale(Enum):
    """How numbers lie on an axis. SYMLOG: by their logarithm on both sides of 0, evenly between -linear and linear."""

    LINEAR = "linear"
    LOG = "log"
    SYMLOG = "symlog"


@dataclass(frozen=True, slots=True)
class Axis:
    """From low to high, low < high. linear: for SYMLOG."""

    low: float
    high: float
    scale: Scale = Scale.LINEAR
    linear: float = 1.0

    def place(self, number: float) -> float:
        """Where a number lies: 0 at low, 1 at high, beyond where it is outside."""
        low, high = self._even(self.low), self._even(self.high)
        return (self._even(number) - low) / (high - low)

    def at(self, place: float) -> float:
        """The number at a place."""
        low, high = self._even(self.low), self._even(self.high)
        even = low + (high - low) * place
        match self.scale:
            case Scale.LOG:
                return math.pow(10.0, min(even, 300.0))
            case Scale.SYMLOG if abs(even) > 1:
                return math.copysign(
                    self.linear * math.pow(10.0, min(abs(even) - 1, 300.0 - math.log10(self.linear))), even
                )
            case Scale.SYMLOG:
                return even * self.linear
        return even

    def _even(self, number: float) -> float:
        """The number on an even scale, divided so that no difference overflows."""
        match self.scale:
            case Scale.LOG:
                return math.log10(number) if number > 0 else -400.0
            case Scale.SYMLOG if abs(number) > self.linear:
                return math.copysign(math.log10(abs(number) / self.linear) + 1, number)
            case Scale.SYMLOG:
                return number / self.linear
        return number


class Spot(NamedTuple):
    """A place in a picture: the abscissa, and a number there."""

    x: float
    y: float


Run = tuple[Spot, ...]
"""Spots of a curve that are joined, from left to right."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line in runs, broken where it jumps, has a pole or does not exist; numbers may be beyond the axis.

    claim: its text, where the line is a derivative worked out by hand, which was not proven; else it is what is true.
    """

    runs: tuple[Run, ...]
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """What torch says at a number x. y: None where that is no finite number. truth: the certified number; ulps: how far
    y is from it, None where either is missing, inf where y is not finite. asked: one of the points of the check, and
    not one between them that was added for the picture. mode: "reverse" or "forward"."""

    x: float
    y: float | None
    truth: float | None
    ulps: float | None
    verdict: Verdict
    passed: bool
    asked: bool
    mode: str = "reverse"


class PlaceKind(Enum):
    """What is special at a number on the abscissa.

    KINK: a derivative that is shown jumps or is unbounded, where the function is continuous. JUMP: the function jumps.
    POLE: it is unbounded, or oscillates without end. EDGE: of where it is defined. HOLE: it has a limit and no value.
    """

    KINK = "kink"
    JUMP = "jump"
    POLE = "pole"
    EDGE = "edge of the domain"
    HOLE = "hole"


@dataclass(frozen=True, slots=True)
class Place:
    x: float
    kind: PlaceKind


class Stretch(NamedTuple):
    """From low to high."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Panel:
    """The function itself (VALUE), or one of its derivatives.

    y: the axis; a curve that leaves it is cut off, and a dot beyond it is drawn at its rim. curves: first what is true.
    dots: what torch says; of the function itself at the points asked for alone, and without ulps. tolerance: how many
    ulps pass, along x, for each derivative. refuted: what claims say where they are known to be wrong.
    """

    derivative: Derivative
    y: Axis
    curves: tuple[Curve, ...]
    dots: tuple[Dot, ...]
    tolerance: tuple[Run, ...] = ()
    refuted: tuple[Spot, ...] = ()


@dataclass(frozen=True, slots=True)
class LinePicture:
    """A function of one variable, or of several along one of them.

    variable, x: which, and its axis. panels: the function, then the derivatives that were checked. errors: the axis of
    the errors of all dots, in ulps, on a log scale; one that is 0, or below the axis, is drawn at its foot, one that is
    inf at its top. places: what is special along x; undefined: where the function has no value. fixed: the other
    variables. notes: what the picture leaves out, in words.
    """

    variable: str
    x: Axis
    panels: tuple[Panel, ...]
    errors: Axis
    places: tuple[Place, ...] = ()
    undefined: tuple[Stretch, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapDot:
    """A point of the check; of several modes, the worst verdict there."""

    x: float
    y: float
    verdict: Verdict
    passed: bool


Grid = tuple[tuple[float | None, ...], ...]
"""A row for each of `ys`, from below; None: there is no number."""


@dataclass(frozen=True, slots=True)
class Field:
    """The function, or a derivative of it. z: its axis, beyond which numbers are as at its rim; numbers: certified.
    ulps: torch's errors, inf where it has no finite number and there is one; failing: (column, row) of what does not
    pass. Both are empty for the function itself. dots: the points asked for."""

    derivative: Derivative
    z: Axis
    numbers: Grid
    ulps: Grid = ()
    failing: tuple[tuple[int, int], ...] = ()
    dots: tuple[MapDot, ...] = ()


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A function of two variables, or of several along two of them, at the crossings of xs and ys.

    variables: of x and of y. fields: the function, then the derivatives that were checked. errors: the axis of their
    errors, in ulps, on a log scale. The rest is as in a LinePicture.
    """

    variables: tuple[str, str]
    x: Axis
    y: Axis
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    fields: tuple[Field, ...]
    errors: Axis
    fixed: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a matrix in which not all entries match. label: of the worst of them, "out[2] by x[0,1]"."""

    row: int
    column: int
    verdict: Verdict
    passed: bool
    label: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """A block of a Jacobian: the derivative of one output by one input in one mode, at all inputs that it was taken at.

    shape: rows (elements of the output) and columns (of the input); where is_gradient, those of the input, of which a
    function has one value. stride: how many rows and columns a cell stands
    for; (1, 1): each is an entry. z: an axis of sizes; sizes: of the largest true entry in each cell, row by row, None
    where none exists; empty where the numbers were not kept. cells: those that are marked. unmarked: how many entries
    do not match beyond those, since no list has them. refuted: (row, column) of cells in
    which a claim is known to be wrong.
    """

    output: str
    input: str
    mode: str
    shape: tuple[int, int]
    stride: tuple[int, int]
    z: Axis
    sizes: Grid
    cells: tuple[Cell, ...]
    unmarked: int = 0
    is_gradient: bool = False
    refuted: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixPicture:
    """The Jacobian of code, or of a formula of arrays, block by block. notes: what the picture leaves out, in words."""

    matrices: tuple[Matrix, ...]
    notes: tuple[str, ...] = ()


Picture = LinePicture | MapPicture | MatrixPicture
