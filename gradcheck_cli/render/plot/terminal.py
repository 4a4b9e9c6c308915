"""A picture in characters: certified curves as lines, what torch says as signs, which need no colour.

The lines are dots of Braille, drawn by ourselves and shown by Rich: what draws on terminals has axes of its own, and
Rich is here already, so that a plot needs no further package.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from gradcheck_cli.records.picture import LinePicture, MapPicture, MatrixPicture, Panel, PlaceKind
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render.console import to_text
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.canvas import Canvas
from gradcheck_cli.render.plot.frame import GUTTER, foot, framed, wrapped
from gradcheck_cli.render.plot.grids import map_lines, matrix_lines
from gradcheck_cli.render.plot.signs import ASKED, BETWEEN, FAILS, PLACE, REFUTED, STYLES, TOLERANCE, UNDEFINED

WIDEST = 120
TALL, MIDDLE, LOW = 10, 7, 6
"""Rows of a derivative, of one of several, and of errors."""
APART = 6
"""Columns between signs for what torch says between the points asked for."""


def render_plot(result: AnyResult, display: Display) -> str:
    """The picture of a result, as lines of text; nothing where it has none."""
    picture = result.picture
    width = min(display.width, WIDEST)
    match picture:
        case LinePicture():
            lines = _line_lines(result, picture, width)
        case MapPicture():
            lines = map_lines(result, picture, width)
        case MatrixPicture():
            lines = matrix_lines(result, picture, width)
        case None:
            return ""
    return to_text([_styled(line) for line in lines], display)


def _styled(line: str) -> Text:
    text = Text(line, no_wrap=True, overflow="crop")
    for place, character in enumerate(line):
        if (style := STYLES.get(character)) is not None:
            text.stylize(style, place, place + 1)
    return text


def _line_lines(result: AnyResult, picture: LinePicture, width: int) -> Iterator[str]:
    room = max(10, width - GUTTER - 1)
    tall = TALL if len(picture.panels) == 2 else MIDDLE
    fixed = words.along(picture)
    for one in picture.panels:
        judged = bool(one.derivative.wrt)
        label = words.scaled(words.panel(result, one.derivative.wrt), one.y)
        yield f"{label}  ({fixed})" if fixed and not judged else label
        canvas = Canvas(room, tall if judged else MIDDLE)
        _behind(canvas, picture)
        _draw(canvas, picture, one)
        yield from framed(canvas, one.y)
    yield words.scaled(words.ERRORS, picture.errors)
    canvas = Canvas(room, LOW)
    _behind(canvas, picture)
    _draw_errors(canvas, picture)
    yield from framed(canvas, picture.errors, zero=True)
    yield from foot(picture.x, room, picture.variable)
    yield from _legend(picture, width)


def _behind(canvas: Canvas, picture: LinePicture) -> None:
    for low, high in picture.undefined:
        canvas.upright(picture.x.place(low), picture.x.place(high), UNDEFINED)
    for place in picture.places:
        if place.kind is not PlaceKind.EDGE:
            where = picture.x.place(place.x)
            canvas.upright(where, where, PLACE)


def _draw(canvas: Canvas, picture: LinePicture, one: Panel) -> None:
    x, y = picture.x.place, one.y.place
    for curve in one.curves:
        for run in curve.runs:
            places = [(x(spot.x), y(spot.y)) for spot in run]
            for start, end in zip(places, places[1:] or places, strict=False):
                canvas.line(start, end, dotted=bool(curve.claim))
    last = -1.0
    for dot in one.dots:
        where, height = x(dot.x), 1.0 if dot.y is None else y(dot.y)
        if dot.asked or not dot.passed:
            continue
        if where - last >= APART / canvas.width and 0 <= height <= 1:
            last = where
            canvas.sign(where, height, BETWEEN)
    for dot in sorted(one.dots, key=lambda dot: (not dot.passed, dot.asked)):
        if dot.asked or not dot.passed:
            canvas.sign(x(dot.x), 1.0 if dot.y is None else y(dot.y), ASKED if dot.passed else FAILS)
    for spot in one.refuted:
        canvas.sign(x(spot.x), y(spot.y), REFUTED)


def _draw_errors(canvas: Canvas, picture: LinePicture) -> None:
    x, errors = picture.x.place, picture.errors
    for one in picture.panels:
        for run in one.tolerance:
            for spot in run:
                canvas.sign(x(spot.x), errors.place(spot.y), TOLERANCE)
    dots = [dot for one in picture.panels if one.derivative.wrt for dot in one.dots if dot.ulps is not None]
    for dot in sorted(dots, key=lambda dot: (dot.asked, not dot.passed)):
        sign = FAILS if not dot.passed else ASKED if dot.asked else BETWEEN
        canvas.sign(x(dot.x), errors.place(min(max(dot.ulps or 0.0, errors.low), errors.high)), sign)


def _legend(picture: LinePicture, width: int) -> Iterator[str]:
    """What the signs mean, of those that are there."""
    dots = [dot for one in picture.panels for dot in one.dots]
    judged = [dot for one in picture.panels if one.derivative.wrt for dot in one.dots]
    said = ["line: certified"]
    said += [f"dotted: claim {text}" for text in words.claims(picture.panels)]
    if any(dot.passed and dot.asked for dot in dots):
        said.append(f"{ASKED} autograd at the points asked for")
    if any(dot.passed and not dot.asked for dot in dots):
        said.append(f"{BETWEEN} and between")
    if any(not dot.passed for dot in judged):
        said.append(f"{FAILS} fails" + (", at the top: not finite" if any(dot.y is None for dot in judged) else ""))
    if any(one.refuted for one in picture.panels):
        said.append(f"{REFUTED} {words.CLAIM_IS_WRONG}")
    if any(one.tolerance for one in picture.panels):
        said.append(f"{TOLERANCE} tolerance")
    found = words.places(picture)
    said += [f"{UNDEFINED if text.startswith('undefined') else PLACE} {text}" for text in found]
    yield from wrapped([*said, *picture.notes], width)
