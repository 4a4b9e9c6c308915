"""Maps and matrices as figures."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gradcheck_cli.records.picture import Axis, Field, Grid, MapPicture, Matrix, MatrixPicture, Scale
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render.plot import figure_style as style
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.figure_style import beside, dots, fitted, laid_out, scaled
from gradcheck_cli.render.plot.ticks import ticks

SIDE = 2.7
"""Inches of a map, or of a matrix."""
ACROSS = 3
"""Matrices beside each other."""
_FAILS = {**style.FAILS_BETWEEN, "markersize": 2.0, "markeredgewidth": 0.6}
_GREYS = LinearSegmentedColormap.from_list("sizes", [(0.88, 0.88, 0.88), (0.1, 0.1, 0.1)]).with_extremes(under="white")
KINK: dict[str, Any] = {**style.FAILS, "marker": "^", "markerfacecolor": "white", "markeredgecolor": style.BLUE}


def draw_map(figure: Figure, result: AnyResult, picture: MapPicture) -> None:
    """Above the function and its derivatives, below the errors of these."""
    count = len(picture.fields)
    figure.set_size_inches(SIDE * count + 0.6, 2 * SIDE * 0.85 + 0.8)
    grid = figure.subplots(2, count, squeeze=False, sharex=True, sharey=True)
    for column, field in enumerate(picture.fields):
        above, below = grid[0][column], grid[1][column]
        name = words.panel(result, field.derivative.wrt)
        _field(figure, above, picture, field.numbers, field.z, "")
        above.set_title(fitted(words.scaled(name, field.z), SIDE), fontsize="medium")
        _points(above, field)
        if not field.derivative.wrt:
            below.set_axis_off()
            continue
        errors = tuple(tuple(_error(ulps, picture.errors) for ulps in row) for row in field.ulps)
        _field(figure, below, picture, errors, picture.errors, "ulps")
        below.set_title(fitted(f"error of {name}", SIDE), fontsize="medium")
        dots(below, [(picture.xs[i], picture.ys[j]) for i, j in field.failing], _FAILS)
        _points(below, field)
    for axes in grid.flat:
        axes.tick_params(labelbottom=True, labelleft=True)
    for axes in (grid[0][0], *grid[1][1:]):
        axes.set_xlabel(words.scaled(words.in_short(picture.variables[0], 30), picture.x))
    for axes in (grid[0][0], *grid[1][1:2]):
        axes.set_ylabel(words.scaled(words.in_short(picture.variables[1], 30), picture.y))
    _map_legend(figure, picture)


def _field(figure: Figure, axes: Axes, picture: MapPicture, numbers: Grid, z: Axis, unit: str) -> None:
    shown = [[math.nan if number is None else number for number in row] for row in numbers]
    axes.patch.set(**style.UNDEFINED)
    mesh = axes.pcolormesh(
        _edges(picture.x, len(picture.xs)), _edges(picture.y, len(picture.ys)), shown, cmap=style.MAP, norm=_norm(z),
        rasterized=True,
    )  # fmt: skip
    scaled(axes, picture.x, "x", 5)
    scaled(axes, picture.y, "y", 5)
    _bar(figure, axes, mesh, z, unit)


def _bar(figure: Figure, axes: Axes, mesh: ScalarMappable, z: Axis, unit: str) -> None:
    shown = ticks(z, 5)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.set_ticks([tick.number for tick in shown], labels=[tick.label for tick in shown], minor=False)
    bar.minorticks_off()
    bar.set_label(unit)


def _edges(axis: Axis, count: int) -> list[float]:
    return [axis.at(i / count) for i in range(count + 1)]


def _error(ulps: float | None, axis: Axis) -> float | None:
    return None if ulps is None else min(max(ulps, axis.low), axis.high)


def _norm(axis: Axis) -> Normalize:
    if axis.scale is Scale.LOG:
        return LogNorm(axis.low, axis.high, clip=True)
    if axis.scale is Scale.SYMLOG:
        return SymLogNorm(axis.linear, vmin=axis.low, vmax=axis.high, clip=True)
    return Normalize(axis.low, axis.high, clip=True)


def _points(axes: Axes, field: Field) -> None:
    for passed, looks in ((True, style.ASKED), (False, style.FAILS)):
        dots(axes, [(dot.x, dot.y) for dot in field.dots if dot.passed is passed], looks)


def _map_legend(figure: Figure, picture: MapPicture) -> None:
    found = [dot for field in picture.fields if field.derivative.wrt for dot in field.dots]
    handles: list[Any] = []
    if any(dot.passed for dot in found):
        handles.append(Line2D([], [], label="points asked for", **style.ASKED))
    if not all(dot.passed for dot in found):
        handles.append(Line2D([], [], label="fails", **style.FAILS))
    if any(field.failing for field in picture.fields):
        handles.append(Line2D([], [], label="fails between", **style.FAILS_BETWEEN))
    fixed = words.along(picture)
    title = "; ".join([*([fixed] if fixed else []), *picture.notes])
    laid_out(figure, handles, title, left=beside([picture.y], 5), right=0.55, wspace=0.3, hspace=0.45)


def draw_matrices(figure: Figure, picture: MatrixPicture) -> None:
    count = len(picture.matrices)
    across = min(ACROSS, count)
    down = -(-count // across)
    figure.set_size_inches(max(4.5, (SIDE + 0.8) * across), SIDE * 1.05 * down + 0.7)
    grid = figure.subplots(down, across, squeeze=False)
    modes = {matrix.mode for matrix in picture.matrices}
    for axes, matrix in zip(grid.flat, picture.matrices, strict=False):
        _matrix(figure, axes, matrix, named=len(modes) > 1)
    for axes in list(grid.flat)[count:]:
        axes.set_axis_off()
    handles = []
    cells = [cell for matrix in picture.matrices for cell in matrix.cells]
    if any(not cell.passed for cell in cells):
        handles.append(Line2D([], [], label="wrong", **style.FAILS))
    if any(cell.passed for cell in cells):
        handles.append(Line2D([], [], label="passes, and is no match", **KINK))
    if any(matrix.refuted for matrix in picture.matrices):
        handles.append(Line2D([], [], label=words.CLAIM_IS_WRONG, **style.REFUTED))
    title = "; ".join(picture.notes)
    laid_out(figure, handles, title, left=0.6, right=0.7, wspace=0.45, hspace=0.55)


def _matrix(figure: Figure, axes: Axes, matrix: Matrix, *, named: bool) -> None:
    rows, columns = (-(-size // stride) for size, stride in zip(matrix.shape, matrix.stride, strict=True))
    sizes = matrix.sizes or tuple((None,) * columns for _ in range(rows))
    blank = -1.0 if matrix.z.scale is Scale.LINEAR else matrix.z.low / 10  # what is below the scale is white
    shown = [[math.nan if size is None else size or blank for size in row] for row in sizes]
    axes.patch.set(**style.UNDEFINED)
    norm = _norm(matrix.z)
    norm.clip = False
    image = axes.imshow(
        shown, cmap=_GREYS, norm=norm, aspect="auto", interpolation="nearest",
        extent=(-0.5, matrix.shape[1] - 0.5, matrix.shape[0] - 0.5, -0.5),
    )  # fmt: skip
    if matrix.sizes:
        _bar(figure, axes, image, matrix.z, "size of the true entry; 0 is white")
    side = max(2.0, min(9.0, 120 / max(rows, columns)))
    for passed, looks in ((True, KINK), (False, style.FAILS)):
        cells = [cell for cell in matrix.cells if cell.passed is passed]
        places = [
            (_middle(c.column, matrix.stride[1], matrix.shape[1]), _middle(c.row, matrix.stride[0], matrix.shape[0]))
            for c in cells
        ]
        dots(axes, places, {**looks, "markersize": side})
    wrong = [
        (_middle(column, matrix.stride[1], matrix.shape[1]), _middle(row, matrix.stride[0], matrix.shape[0]))
        for row, column in matrix.refuted
    ]
    dots(axes, wrong, {**style.REFUTED, "markersize": side})
    output, given = words.in_short(matrix.output, 24), words.in_short(matrix.input, 24)
    mode = f" ({matrix.mode})" if named else ""
    axes.set_title(fitted(f"{words.matrix(matrix)}{mode}", SIDE), fontsize="medium")
    down, across = (f"row of {given}", "column") if matrix.is_gradient else (f"element of {output}", "element")
    axes.set_ylabel(down)
    axes.set_xlabel(f"{across} of {given}")
    for which in (axes.xaxis, axes.yaxis):
        which.set_major_locator(MaxNLocator(6, integer=True))
    if matrix.unmarked:
        axes.annotate(
            f"{matrix.unmarked:,} more that do not match", (0, 0), xycoords="axes fraction", xytext=(2, 2),
            textcoords="offset points", fontsize="small",
        )  # fmt: skip


def _middle(cell: int, stride: int, size: int) -> float:
    first, last = cell * stride, min(size, (cell + 1) * stride) - 1
    return (first + last) / 2
