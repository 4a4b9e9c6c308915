"""What stands around a plot on the terminal: the numbers of its axes, and what is said below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck_cli.records.picture import Axis
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.canvas import Canvas
from gradcheck_cli.render.plot.ticks import ticks

GUTTER = 9
"""Columns for the numbers beside an axis."""
APART = 12
"""Columns of the abscissa for each of its numbers, at the least."""


def framed(canvas: Canvas, axis: Axis, *, zero: bool = False) -> Iterator[str]:
    """The canvas with the numbers of its axis. zero: the foot of the axis stands for 0."""
    by_row: dict[int, str] = {canvas.height - 1: "0"} if zero else {}
    for tick in ticks(axis, max(2, canvas.height // 2)):
        by_row.setdefault(canvas.row_of(axis.place(tick.number)), tick.label)
    for row, text in enumerate(canvas.rows()):
        yield f"{by_row.get(row, ''):>{GUTTER}}{'┤' if row in by_row else '│'}{text}"


def foot(axis: Axis, room: int, name: str) -> Iterator[str]:
    """The abscissa: a rule with its ticks, and below it the numbers; at its end, what it shows."""
    label = words.in_short(words.scaled(name, axis), room // 3)
    rule, below = ["─"] * room, [" "] * room
    below[room - len(label) :] = label
    for tick in ticks(axis, max(2, room // APART)):
        column = round(axis.place(tick.number) * (room - 1))
        first = min(max(0, column - len(tick.label) // 2), room - len(tick.label))
        last = first + len(tick.label)
        if first >= 0 and not "".join(below[max(0, first - 2) : last + 2]).strip():
            rule[column] = "┬"
            below[first:last] = tick.label
    yield f"{'':>{GUTTER}}└{''.join(rule)}"
    yield f"{'':>{GUTTER}} {''.join(below)}"


def wrapped(parts: Sequence[str], width: int) -> Iterator[str]:
    """The parts with room between them, as many to a line as there is room for."""
    line = ""
    for part in parts:
        if line and len(line) + 3 + len(part) > width:
            yield line
            line = ""
        line = f"{line}   {part}" if line else part
    if line:
        yield line
