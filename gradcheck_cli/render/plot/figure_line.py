"""A line picture as a figure: the function, its derivatives, and below them the errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gradcheck_cli.records.picture import LinePicture, Panel, PlaceKind
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render.plot import figure_style as style
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.figure_style import beside, dots, fitted, laid_out, scaled

WIDTH = 6.6
HEIGHTS = (1.5, 2.2, 1.6)
"""Inches: of the function, of a derivative, of the errors."""
RIM = 0.96
"""Where dots are drawn that have no place on the axis."""
TICKS = 5
"""Numbers beside an axis."""
NAMED = 6
"""Places that are named where they are."""
SHAPES = ("o", "s", "^", "v")
"""Of errors, by derivative."""


def draw_line(figure: Figure, result: AnyResult, picture: LinePicture) -> None:
    judged = [one for one in picture.panels if one.derivative.wrt]
    heights = [HEIGHTS[bool(one.derivative.wrt)] for one in picture.panels] + [HEIGHTS[2]]
    figure.set_size_inches(WIDTH, sum(heights) + 1.4)
    grid = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights}, squeeze=False)
    axes: list[Axes] = list(grid[:, 0])
    for own, one in zip(axes, picture.panels, strict=False):
        _behind(own, picture)
        _panel(own, one)
        name = fitted(words.panel(result, one.derivative.wrt), HEIGHTS[bool(one.derivative.wrt)])
        own.set_ylabel(words.scaled(name, one.y, "\n"))
        scaled(own, one.y, "y", TICKS)
    _behind(axes[-1], picture)
    _errors(axes[-1], picture, judged)
    scaled(axes[-1], picture.errors, "y", TICKS, zero=True)
    axes[-1].set_ylabel(words.scaled(words.ERRORS, picture.errors, "\n"))
    scaled(axes[-1], picture.x, "x", 8)
    fixed = words.along(picture)
    variable = words.scaled(words.in_short(picture.variable), picture.x)
    left = beside([*(one.y for one in picture.panels), picture.errors], TICKS)
    axes[-1].set_xlabel(fitted(f"{variable}   ({fixed})" if fixed else variable, WIDTH - left))
    _names(axes[0], picture)
    _legend(figure, result, picture, judged, left)


def _behind(axes: Axes, picture: LinePicture) -> None:
    for low, high in picture.undefined:
        axes.axvspan(low, high, **style.UNDEFINED)
    for place in picture.places:
        axes.axvline(place.x, **style.PLACE)


def _panel(axes: Axes, one: Panel) -> None:
    for curve in one.curves:
        for run in curve.runs:
            dots(axes, run, style.CLAIMED if curve.claim else style.CERTIFIED)
    for asked, passed, looks in _KINDS:
        inside: list[tuple[float, float]] = []
        beyond: list[tuple[float, float]] = []
        for dot in one.dots:
            if (dot.asked, dot.passed) == (asked, passed):
                height = 1.0 if dot.y is None else one.y.place(dot.y)
                if dot.y is not None and 0 <= height <= 1:
                    inside.append((dot.x, dot.y))
                elif asked or not passed:
                    beyond.append((dot.x, RIM if height > 0 else 1 - RIM))
        dots(axes, inside, looks)
        dots(axes, beyond, {**looks, "transform": axes.get_xaxis_transform()})
    dots(axes, one.refuted, style.REFUTED)


_KINDS: tuple[tuple[bool, bool, dict[str, Any]], ...] = (
    (False, True, style.BETWEEN),
    (False, False, style.FAILS_BETWEEN),
    (True, True, style.ASKED),
    (True, False, style.FAILS),
)
"""(asked for, passed, looks)"""


def _errors(axes: Axes, picture: LinePicture, judged: Sequence[Panel]) -> None:
    low, high = picture.errors.low, picture.errors.high
    for shape, one in zip(SHAPES, judged, strict=False):
        for run in one.tolerance:
            dots(axes, run, style.TOLERANCE)
        for asked, passed, looks in _KINDS:
            mine = [dot for dot in one.dots if (dot.asked, dot.passed) == (asked, passed) and dot.ulps is not None]
            heights = [min(RIM, picture.errors.place(min(max(dot.ulps or 0.0, low), high))) for dot in mine]
            places = list(zip((dot.x for dot in mine), heights, strict=True))
            own = {"marker": shape} if passed else {}
            # whole signs are seen at the foot
            dots(axes, places, {**looks, **own, "transform": axes.get_xaxis_transform(), "clip_on": False})


def _names(axes: Axes, picture: LinePicture) -> None:
    """What is special, above the place where it is."""
    if len(picture.places) > NAMED:
        return
    for place in picture.places:
        name = "edge" if place.kind is PlaceKind.EDGE else place.kind.value
        axes.annotate(
            name, (place.x, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize="small", color=style.GREY,
        )  # fmt: skip


def _legend(figure: Figure, result: AnyResult, picture: LinePicture, judged: Sequence[Panel], left: float) -> None:
    found = [dot for one in judged for dot in one.dots]
    handles: list[Any] = [Line2D([], [], label="certified", **style.CERTIFIED)]
    handles += [Line2D([], [], label=f"claim {claim}", **style.CLAIMED) for claim in words.claims(picture.panels)]
    rim = "; at the rim: not finite" if any(dot.y is None for dot in found) else ""
    names = ("autograd between", f"fails between{rim}", "autograd at the points asked for", f"fails{rim}")
    for name, (asked, passed, looks) in zip(names, _KINDS, strict=True):
        if any((dot.asked, dot.passed) == (asked, passed) for dot in found):
            handles.append(Line2D([], [], label=name, **looks))
    if any(one.refuted for one in judged):
        handles.append(Line2D([], [], label=words.CLAIM_IS_WRONG, **style.REFUTED))
    if any(one.tolerance for one in judged):
        handles.append(Line2D([], [], label="tolerance", **style.TOLERANCE))
    if picture.undefined:
        handles.append(Patch(label="undefined", **style.UNDEFINED))
    if len(judged) > 1:
        handles += [
            Line2D([], [], label=f"error of {words.panel(result, one.derivative.wrt)}",
                   **{**style.BETWEEN, "marker": shape})
            for shape, one in zip(SHAPES, judged, strict=False)
        ]  # fmt: skip
    laid_out(figure, handles, "; ".join(picture.notes), left=left, hspace=0.13)
