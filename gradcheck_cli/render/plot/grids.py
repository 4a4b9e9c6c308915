"""Maps and matrices in characters: shades for numbers, signs for what does not pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gradcheck_cli import number_text
from gradcheck_cli.records.picture import Axis, Cell, Field, MapPicture, Matrix, MatrixPicture, Scale
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render import labels
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.frame import GUTTER, foot, wrapped
from gradcheck_cli.render.plot.signs import ASKED, FAILS, NONE, REFUTED, SHADES
from gradcheck_cli.render.plot.ticks import ticks

LINES = 2
"""Rows of a map to a line of text, which is about twice as high as wide."""
MARKED = 3
"""Wrong entries of a matrix that are named."""


def map_lines(result: AnyResult, picture: MapPicture, width: int) -> Iterator[str]:
    """The derivatives as maps, one below the other; the function itself is left to figures."""
    room = min(len(picture.xs), max(10, width - GUTTER - 1))
    for field in picture.fields:
        if field.derivative.wrt:
            fixed = words.along(picture)
            name = words.scaled(words.panel(result, field.derivative.wrt), field.z)
            yield f"{name}{f'  ({fixed})' if fixed else ''}{_worst(field)}"
            yield from _beside(_map(picture, field, room), _scale(field.z), width)
            yield from foot(picture.x, room, picture.variables[0])
    dots = [dot for field in picture.fields if field.derivative.wrt for dot in field.dots]
    failing = any(field.failing for field in picture.fields) or not all(dot.passed for dot in dots)
    said = ["shade: certified"]
    if picture.y.scale is not Scale.LINEAR:
        said.append(words.scaled(words.in_short(picture.variables[1], 30), picture.y))
    if any(dot.passed for dot in dots):
        said.append(f"{ASKED} the points asked for")
    if failing:
        said.append(f"{FAILS} fails")
    if any(number is None for field in picture.fields for row in field.numbers for number in row):
        said.append(f"{NONE} undefined")
    yield from wrapped([*said, *picture.notes], width)


def _worst(field: Field) -> str:
    known = [ulps for row in field.ulps for ulps in row if ulps is not None]
    if not known:
        return ""
    worst = max(known)
    return f"  (largest error: {f'{number_text.small(worst)} ulps' if worst < math.inf else 'no finite number'})"


def _map(picture: MapPicture, field: Field, room: int) -> Iterator[str]:
    count = (len(picture.ys) + LINES - 1) // LINES
    by_line = {round((1 - picture.y.place(t.number)) * (count - 1)): t.label for t in ticks(picture.y, count // 3)}
    by_line[0 if 0 not in by_line else 1] = words.in_short(picture.variables[1], GUTTER)
    dots: dict[tuple[int, int], str] = {}
    for dot in field.dots:
        place = int(picture.x.place(dot.x) * room), int((1 - picture.y.place(dot.y)) * count)
        dots[place] = ASKED if dot.passed and dots.get(place) != FAILS else FAILS
    failing = set(field.failing)
    for line in range(count):
        row = len(picture.ys) - 1 - line * LINES
        signs = []
        for column in range(room):
            fails = any((column, row - i) in failing for i in range(LINES))
            shade = _shade(field.numbers[row][column], field.z)
            signs.append(dots.get((column, line)) or (FAILS if fails else shade))
        yield f"{by_line.get(line, ''):>{GUTTER}}{'┤' if line in by_line else '│'}{''.join(signs)}│"


def _shade(number: float | None, z: Axis) -> str:
    if number is None:
        return NONE
    return SHADES[min(len(SHADES) - 1, max(0, int(z.place(number) * len(SHADES))))]


def _scale(z: Axis) -> list[str]:
    """What each shade stands for, the highest numbers first."""
    ends = [number_text.small(z.at(i / len(SHADES))) for i in range(len(SHADES) + 1)]
    steps = [f"{shade} {low} to {high}" for shade, low, high in zip(SHADES, ends, ends[1:], strict=False)]
    return [f"  {step}" for step in reversed(steps)]


def _beside(lines: Iterator[str], more: Sequence[str], width: int) -> Iterator[str]:
    """The lines with others to their right, where there is room for them; else these come after them."""
    left = list(lines)
    if left and max(map(len, left)) + max(map(len, more)) <= width:
        for i, line in enumerate(left):
            yield line + (more[i] if i < len(more) else "")
        return
    yield from left
    yield from wrapped([text.strip() for text in more], width)


def matrix_lines(result: AnyResult, picture: MatrixPicture, width: int) -> Iterator[str]:
    """The blocks of a Jacobian, one below the other."""
    modes = {matrix.mode for matrix in picture.matrices}
    for matrix in picture.matrices:
        mode = f", {matrix.mode} mode" if len(modes) > 1 else ""
        yield f"{words.matrix(matrix)}{mode}: {_size(matrix)}"
        yield from _beside(_matrix(matrix, width), _sizes(matrix), width)
        if named := [words.in_short(cell.label) for cell in matrix.cells if not cell.passed][:MARKED]:
            more = sum(not cell.passed for cell in matrix.cells) - len(named)
            yield f"{FAILS} {', '.join(named)}{f' and {more:,} more' if more else ''}"
        if matrix.unmarked:
            yield f"{matrix.unmarked:,} entries that do not match are not marked: no list has them one by one"
    refuted = [f"{REFUTED} {words.CLAIM_IS_WRONG}"] if any(matrix.refuted for matrix in picture.matrices) else []
    yield from wrapped([*refuted, *picture.notes], width)


def _size(matrix: Matrix) -> str:
    rows, columns = matrix.shape
    output, given = words.in_short(matrix.output, words.MATRIX), words.in_short(matrix.input, words.MATRIX)
    said = f"{rows:,} x {columns:,}, " + (
        f"laid out as {given}" if matrix.is_gradient
        else f"a row for each element of {output}, a column for each of {given}"
    )  # fmt: skip
    if matrix.stride != (1, 1):
        said += f"; a sign stands for {matrix.stride[0]:,} x {matrix.stride[1]:,} entries"
    return said


def _matrix(matrix: Matrix, width: int) -> Iterator[str]:
    rows, columns = (-(-size // stride) for size, stride in zip(matrix.shape, matrix.stride, strict=True))
    wide = 2 if 2 * columns <= width - GUTTER - 2 else 1
    cells = {(cell.row, cell.column): cell for cell in matrix.cells}
    every = max(1, rows // 4)
    for row in range(rows):
        label = f"{row * matrix.stride[0]:,}" if row % every == 0 else ""
        signs = (_sign(matrix, cells.get((row, column)), row, column) * wide for column in range(columns))
        yield f"{label:>{GUTTER}}{'┤' if label else '│'}{''.join(signs)}│"


def _sign(matrix: Matrix, cell: Cell | None, row: int, column: int) -> str:
    if (row, column) in matrix.refuted:
        return REFUTED
    if cell is not None:
        return labels.SIGNS[cell.verdict] if cell.passed else FAILS
    if not matrix.sizes:
        return NONE
    size = matrix.sizes[row][column]
    if not size:
        return NONE if size is None else SHADES[0]
    return SHADES[min(len(SHADES) - 1, 1 + max(0, int(matrix.z.place(size) * (len(SHADES) - 1))))]


def _sizes(matrix: Matrix) -> list[str]:
    """What the shades stand for."""
    if not any(size for row in matrix.sizes for size in row):
        return [""]
    ends = [number_text.small(matrix.z.at(i / (len(SHADES) - 1))) for i in range(len(SHADES))]
    steps = [f"  {shade} |{low}| to |{high}|" for shade, low, high in zip(SHADES[1:], ends, ends[1:], strict=False)]
    return [*reversed(steps), "  blank: 0"]
