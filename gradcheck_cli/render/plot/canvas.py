"""Characters to draw on: lines in dots of Braille, two by four to a character, and signs above them."""

from __future__ import annotations

BLANK = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot, by row from above and column."""
BEYOND = 1e6
"""Places beyond it are as good as it."""


class Canvas:
    """Places are from 0 to 1, from the left and from below; what is beyond is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._dots = [[0] * width for _ in range(height)]
        self._signs: dict[tuple[int, int], str] = {}
        self._ground: dict[tuple[int, int], str] = {}

    def line(self, start: tuple[float, float], end: tuple[float, float], *, dotted: bool = False) -> None:
        """A straight line; dotted: in every other character only."""
        clipped = _clipped(start, end)
        if clipped is None:
            return
        (x0, y0), (x1, y1) = (self._dot(*place) for place in clipped)
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for i in range(steps + 1):
            x, y = round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps)
            if not dotted or (x // 2 + y // 4) % 2 == 0:
                self._dots[y // 4][x // 2] |= _DOTS[y % 4][x % 2]

    def sign(self, x: float, y: float, sign: str) -> None:
        """A character; above or below the canvas, at its rim; beside it, not at all."""
        if 0 <= x <= 1:
            self._signs[self.row_of(min(1.0, max(0.0, y))), self._dot(x, 0)[0] // 2] = sign

    def row_of(self, y: float) -> int:
        """The line of text, from above, of a place on the canvas."""
        return self._dot(0, y)[1] // 4

    def upright(self, low: float, high: float, sign: str) -> None:
        """Columns of characters from one place to another, behind all else."""
        first, last = self._dot(max(0.0, low), 0)[0] // 2, self._dot(min(1.0, high), 0)[0] // 2
        for column in range(first, last + 1):
            for row in range(self.height):
                self._ground[row, column] = sign

    def rows(self) -> list[str]:
        """The lines of text, from above."""
        return ["".join(self._at(row, column) for column in range(self.width)) for row in range(self.height)]

    def _at(self, row: int, column: int) -> str:
        if (sign := self._signs.get((row, column))) is not None:
            return sign
        dots = self._dots[row][column]
        return chr(BLANK + dots) if dots else self._ground.get((row, column), " ")

    def _dot(self, x: float, y: float) -> tuple[int, int]:
        """The column and, from above, the row of dots of a place."""
        return round(x * (2 * self.width - 1)), round((1 - y) * (4 * self.height - 1))


def _clipped(
    start: tuple[float, float], end: tuple[float, float]
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The part of a line that is on the canvas (Liang and Barsky); None: nothing is."""
    x0, y0, x1, y1 = (min(BEYOND, max(-BEYOND, place)) for place in (*start, *end))
    first, last = 0.0, 1.0
    for step, room in ((x0 - x1, x0), (x1 - x0, 1 - x0), (y0 - y1, y0), (y1 - y0, 1 - y0)):
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            first = max(first, room / step)
        else:
            last = min(last, room / step)
    if first > last:
        return None
    across, up = x1 - x0, y1 - y0
    ends = ((x0 + across * t, y0 + up * t) for t in (first, last))
    a, b = ((min(1.0, max(0.0, x)), min(1.0, max(0.0, y))) for x, y in ends)
    return a, b
