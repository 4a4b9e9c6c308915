"""A picture as what an SVG consists of: curves, signs at whole pixels, words. It is drawn by a template, and stays
small."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gradcheck_cli import number_text
from gradcheck_cli.records.picture import (
    Axis,
    Dot,
    Field,
    Grid,
    LinePicture,
    MapPicture,
    Matrix,
    MatrixPicture,
    Panel,
    PlaceKind,
    Run,
)
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render.page.lines import inside, numbers, path
from gradcheck_cli.render.page.ramp import WHITE, colour, grey
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.ticks import ticks

WIDTH, LEFT, RIGHT = 560, 62, 12
VALUE, DERIVATIVE, ERRORS, GAP = 76, 110, 70, 20
"""Heights of the panels, and the room between them, where their names stand."""
MAP = 170
STRIP = 4
"""Entries of a row or a column that is not drawn."""
NAMED = 6
"""Places that are named where they are."""
_SIGNS = {
    "between": (0, 0, "h0"), "ok": (4, 0, "a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"), "claim": (0, 6, "l6 6l-6 6l-6-6z"),
    "bad": (5, 5, "l10 10m0-10l-10 10"),
}  # fmt: skip
"""How a mark is drawn: from how far left of it and above it, and the path from there."""


@dataclass(frozen=True)
class Path:
    d: str
    kind: str


@dataclass(frozen=True)
class Mark:
    """kind: ok (a ring), bad (a cross), between (a dot), claim (a diamond)."""

    x: int
    y: int
    kind: str


@dataclass(frozen=True)
class Label:
    x: int
    y: int
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Box:
    """A rectangle; image: a picture of numbers that fills it, as a data URI."""

    x: int
    y: int
    width: int
    height: int
    kind: str = ""
    image: str = ""


@dataclass(frozen=True)
class Drawing:
    """title: what it shows, for who does not see it. key: what the signs mean; notes: in words."""

    width: int
    height: int
    title: str
    boxes: tuple[Box, ...] = ()
    paths: tuple[Path, ...] = ()
    marks: tuple[Mark, ...] = ()
    labels: tuple[Label, ...] = ()
    key: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def signs(self) -> list[tuple[str, str]]:
        """(kind, path) of all marks of a kind, those below first."""
        found = []
        for kind, (left, up, sign) in _SIGNS.items():
            places = [(mark.x - left, mark.y - up) for mark in self.marks if mark.kind == kind]
            if places:
                found.append((kind, "".join(_signs(sorted(places), sign))))
        return found


def _signs(places: Sequence[tuple[int, int]], sign: str) -> Iterator[str]:
    """A sign at each place; one without extent by its way from the last, which is shorter."""
    before = None
    for x, y in places:
        yield f"M{x} {y}{sign}" if before is None or sign != "h0" else f"m{numbers(x - before[0], y - before[1])}{sign}"
        before = x, y


def drawing(result: AnyResult) -> Drawing | None:
    """Of the picture of a result; None where it has none."""
    match result.picture:
        case LinePicture() as picture:
            return _line(result, picture)
        case MapPicture() as picture:
            return _map(result, picture)
        case MatrixPicture() as picture:
            shown = [one for one in picture.matrices if not _is_strip(one)]
            return _matrices(shown, picture.notes) if shown else None
    return None


class _Sheet:
    """What has been drawn so far."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.paths: list[Path] = []
        self.marks: list[Mark] = []
        self.labels: list[Label] = []

    def drawing(self, height: int, title: str, key: Sequence[tuple[str, str]], notes: Sequence[str]) -> Drawing:
        marks = tuple(dict.fromkeys(self.marks))  # many points may fall on one pixel
        return Drawing(
            WIDTH, height, title, tuple(self.boxes), tuple(self.paths), marks, tuple(self.labels), tuple(key),
            tuple(notes),
        )  # fmt: skip


# Along one variable


def _line(result: AnyResult, picture: LinePicture) -> Drawing:
    named = picture.places if len(picture.places) <= NAMED else ()
    sheet, top = _Sheet(), 32 if named else 18
    judged = [one for one in picture.panels if one.derivative.wrt]
    bottom = top + sum(DERIVATIVE if one.derivative.wrt else VALUE for one in picture.panels) + ERRORS
    bottom += GAP * len(picture.panels)
    for low, high in picture.undefined:
        left, right = (_x(picture.x, max(min(x, picture.x.high), picture.x.low)) for x in (low, high))
        sheet.boxes.append(Box(left, top, max(1, right - left), bottom - top, "void"))
    for place in picture.places:
        x = _x(picture.x, place.x)
        sheet.paths.append(Path(f"M{x} {top}V{bottom}", "place"))
    for place in named:
        name = "edge" if place.kind is PlaceKind.EDGE else place.kind.value
        sheet.labels.append(Label(_x(picture.x, place.x), top - 20, name))
    for one in picture.panels:
        height = DERIVATIVE if one.derivative.wrt else VALUE
        _panel(sheet, picture, one, top, height)
        name = words.scaled(words.panel(result, one.derivative.wrt), one.y)
        sheet.labels.append(Label(LEFT, top - 6, name, "start"))
        top += height + GAP
    _errors(sheet, picture, judged, top)
    for tick in ticks(picture.x, 8):
        sheet.labels.append(Label(_x(picture.x, tick.number), bottom + 13, tick.label))
    fixed = words.along(picture)
    variable = f"{words.scaled(words.in_short(picture.variable), picture.x)}{f' ({fixed})' if fixed else ''}"
    sheet.labels.append(Label((LEFT + WIDTH - RIGHT) // 2, bottom + 27, variable))
    dots = [dot for one in judged for dot in one.dots]
    key = [("curve", "certified"), ("ok", "autograd")]
    key += [("bad", "fails")] if any(not dot.passed for dot in dots) else []
    key += [("claimed", f"claim {text}") for text in words.claims(picture.panels)]
    key += [("tolerance", "tolerance")]
    said = [*words.places(picture), *picture.notes]
    title = f"{words.panel(result, ())} and its derivatives along {picture.variable}"
    return sheet.drawing(bottom + 34, "; ".join([title, *words.places(picture)]), key, said)


def _panel(sheet: _Sheet, picture: LinePicture, one: Panel, top: int, height: int) -> None:
    sheet.boxes.append(Box(LEFT, top, WIDTH - LEFT - RIGHT, height, "frame"))
    _scale(sheet, one.y, top, height, 4 if height > VALUE else 3)
    for curve in one.curves:
        d = "".join(_path(run, picture.x, one.y, top, height) for run in curve.runs)
        if d:
            sheet.paths.append(Path(d, "claimed" if curve.claim else "curve"))
    for dot in _thinned(one.dots):
        place = 1.0 if dot.y is None else one.y.place(dot.y)
        if 0 <= place <= 1 or dot.asked or not dot.passed:
            sheet.marks.append(Mark(_x(picture.x, dot.x), _y(place, top, height), _kind(dot)))
    sheet.marks += [Mark(_x(picture.x, x), _y(one.y.place(y), top, height), "claim") for x, y in one.refuted]


def _thinned(dots: Sequence[Dot]) -> list[Dot]:
    """Of those that pass and were not asked for, every other one."""
    quiet = [dot for dot in dots if dot.passed and not dot.asked]
    return [*quiet[::2], *(dot for dot in dots if dot.asked or not dot.passed)]


def _kind(dot: Dot) -> str:
    if not dot.passed:
        return "bad"
    return "ok" if dot.asked else "between"


def _errors(sheet: _Sheet, picture: LinePicture, judged: Sequence[Panel], top: int) -> None:
    axis = picture.errors
    sheet.boxes.append(Box(LEFT, top, WIDTH - LEFT - RIGHT, ERRORS, "frame"))
    sheet.labels.append(Label(LEFT, top - 6, words.scaled(words.ERRORS, axis), "start"))
    _scale(sheet, axis, top, ERRORS, 3)
    for one in judged:
        d = "".join(_path(run, picture.x, axis, top, ERRORS, is_curved=False) for run in one.tolerance)
        if d:
            sheet.paths.append(Path(d, "tolerance"))
        for dot in _thinned(one.dots):
            if dot.ulps is not None:
                place = axis.place(min(max(dot.ulps, axis.low), axis.high))
                sheet.marks.append(Mark(_x(picture.x, dot.x), _y(place, top, ERRORS), _kind(dot)))


def _scale(sheet: _Sheet, axis: Axis, top: int, height: int, most: int) -> None:
    places = [(tick, _y(axis.place(tick.number), top, height)) for tick in ticks(axis, most)]
    lines = "".join(f"M{LEFT} {y}h{WIDTH - LEFT - RIGHT}" for _, y in places)
    sheet.paths.append(Path(lines, "grid"))
    for tick, y in places:
        sheet.labels.append(Label(LEFT - 5, y + 4, tick.label, "end"))


def _x(axis: Axis, number: float) -> int:
    return LEFT + round(axis.place(number) * (WIDTH - LEFT - RIGHT))


def _y(place: float, top: int, height: int) -> int:
    """What is beyond the panel stands at its rim."""
    return top + round((1 - min(max(place, 0.0), 1.0)) * height)


def _path(run: Run, x: Axis, y: Axis, top: int, height: int, *, is_curved: bool = True) -> str:
    """A run, cut at the rims of its panel."""
    width = WIDTH - LEFT - RIGHT
    parts = inside([(LEFT + x.place(a) * width, y.place(b)) for a, b in run])
    return "".join(path([(a, top + (1 - b) * height) for a, b in part], is_curved=is_curved) for part in parts)


# Along two variables, and matrices


def _map(result: AnyResult, picture: MapPicture) -> Drawing:
    sheet, top = _Sheet(), 18
    side = (WIDTH - LEFT - RIGHT - GAP * 3) // 2
    for number, one in enumerate(picture.fields):
        column, row = number % 2, number // 2
        left, upper = LEFT + column * (side + LEFT // 2 + GAP), top + row * (MAP + 42)
        _field(sheet, result, picture, one, left, upper, min(side, 210))
    rows = (len(picture.fields) + 1) // 2
    fixed = words.along(picture)
    notes = [*([f"at {fixed}"] if fixed else []), *picture.notes, "dark is low, bright is high"]
    key = [("ok", "a point of the check")]
    key += [("bad", "fails")] if any(one.failing for one in picture.fields) else []
    title = f"{words.panel(result, ())} and its derivatives over {' and '.join(picture.variables)}"
    return sheet.drawing(top + rows * (MAP + 42), title, key, notes)


def _field(sheet: _Sheet, result: AnyResult, picture: MapPicture, one: Field, left: int, top: int, side: int) -> None:
    name = words.scaled(words.panel(result, one.derivative.wrt), one.z)
    ends = f"{number_text.small(one.z.low)} to {number_text.small(one.z.high)}"
    sheet.labels.append(Label(left, top - 5, f"{name}: {ends}", "start"))
    sheet.boxes.append(
        Box(left, top, side, MAP, "frame", _image(one.numbers, lambda number: colour(one.z.place(number))))
    )

    def at(x: float, y: float) -> tuple[int, int]:
        return left + round(picture.x.place(x) * side), _y(picture.y.place(y), top, MAP)

    sheet.marks += [
        Mark(*at(picture.xs[column], picture.ys[row]), "bad") for column, row in one.failing
    ] + [Mark(*at(dot.x, dot.y), "ok" if dot.passed else "bad") for dot in one.dots]  # fmt: skip
    for tick in ticks(picture.x, 4):
        sheet.labels.append(Label(left + round(picture.x.place(tick.number) * side), top + MAP + 13, tick.label))
    for tick in ticks(picture.y, 4):
        sheet.labels.append(Label(left - 4, _y(picture.y.place(tick.number), top, MAP) + 4, tick.label, "end"))
    names = (words.scaled(name, axis) for name, axis in zip(picture.variables, (picture.x, picture.y), strict=True))
    sheet.labels.append(Label(left + side // 2, top + MAP + 25, " →, ".join(names) + " ↑"))


def _is_strip(one: Matrix) -> bool:
    """Whether it is so short that the numbers beside it say as much."""
    return min(one.shape) == 1 and max(one.shape) <= STRIP


def _matrices(matrices: Sequence[Matrix], notes: Sequence[str]) -> Drawing:
    """Below each other, rows downwards as in a matrix."""
    sheet, top = _Sheet(), 18
    for one in matrices:
        rows, columns = (len(one.sizes), len(one.sizes[0])) if one.sizes else one.shape
        size = max(2, min(24, (WIDTH - LEFT - RIGHT) // max(1, columns), 240 // max(1, rows)))
        sheet.labels.append(Label(LEFT, top - 5, _matrix_title(one), "start"))
        image = _image(one.sizes[::-1], partial(_size, one.z)) if one.sizes else ""
        sheet.boxes.append(Box(LEFT, top, size * columns, size * rows, "frame", image))
        for cell in one.cells:
            x, y = (place * size + size // 2 for place in (cell.column, cell.row))
            sheet.marks.append(Mark(LEFT + x, top + y, "ok" if cell.passed else "bad"))
        for row, column in one.refuted:
            sheet.marks.append(Mark(LEFT + column * size + size // 2, top + row * size + size // 2, "claim"))
        top += size * rows + 30
    wrong = any(not cell.passed for one in matrices for cell in one.cells)
    key = [("bad", "a wrong entry")] if wrong else []
    key += [("claim", words.CLAIM_IS_WRONG)] if any(one.refuted for one in matrices) else []
    how = "the darker an entry, the larger its size; white is 0"
    return sheet.drawing(top - 16, "the derivatives, block by block", key, [*notes, how])


def _matrix_title(one: Matrix) -> str:
    sizes = [size for row in one.sizes for size in row if size]
    up_to = f", up to {number_text.small(max(sizes))} in size" if sizes else ""
    return f"{words.matrix(one)}, {one.shape[0]}x{one.shape[1]}{up_to}"


def _size(axis: Axis, size: float) -> bytes:
    return grey(axis.place(size)) if size else WHITE


def _image(numbers: Grid, painted: Callable[[float], bytes]) -> str:
    """Numbers, a row from below, as a PNG of one pixel each; transparent where there is none."""
    rows = [
        b"\0" + b"".join(bytes((0, 0, 0, 0)) if x is None else painted(x) for x in row) for row in reversed(numbers)
    ]
    header = struct.pack(">IIBBBBB", len(numbers[0]), len(numbers), 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
