"""How figures look: colours, shapes, scales."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gradcheck_cli.records.picture import Axis, Scale
from gradcheck_cli.render.plot.ticks import ticks

BLACK, BLUE, VERMILLION, GREEN, GREY = "#000000", "#0072B2", "#D55E00", "#009E73", "#767676"
SMALL, MEDIUM = 7.5, 9.0
"""Points of the letters in a legend, and elsewhere."""
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and the file is small
    "svg.hashsalt": "gradcheck",
    "text.parse_math": False,  # a dollar sign in a user's text begins no formula
    "font.size": MEDIUM,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "lines.solid_capstyle": "round",
    "hatch.color": "#b0b0b0",
    "hatch.linewidth": 0.6,
    "path.simplify_threshold": 0.3,
}
CERTIFIED: dict[str, Any] = {"color": BLACK, "linewidth": 1.3, "zorder": 3}
CLAIMED: dict[str, Any] = {"color": VERMILLION, "linewidth": 1.3, "linestyle": (0, (5, 3)), "zorder": 4}
TOLERANCE: dict[str, Any] = {"color": VERMILLION, "linewidth": 1.0, "linestyle": "dashdot", "zorder": 2}
PLACE: dict[str, Any] = {"color": GREY, "linewidth": 0.9, "linestyle": "dotted", "zorder": 1}
BETWEEN: dict[str, Any] = {
    "linestyle": "none", "marker": "o", "markersize": 2.6, "markerfacecolor": "white", "markeredgecolor": BLUE,
    "markeredgewidth": 0.8, "zorder": 5,
}  # fmt: skip
ASKED: dict[str, Any] = {
    "linestyle": "none", "marker": "o", "markersize": 6.5, "markerfacecolor": BLUE, "markeredgecolor": "white",
    "markeredgewidth": 0.8, "zorder": 7,
}  # fmt: skip
FAILS: dict[str, Any] = {
    "linestyle": "none", "marker": "X", "markersize": 7, "markerfacecolor": VERMILLION, "markeredgecolor": BLACK,
    "markeredgewidth": 0.6, "zorder": 8,
}  # fmt: skip
FAILS_BETWEEN: dict[str, Any] = {
    "linestyle": "none", "marker": "x", "markersize": 3.6, "markeredgecolor": VERMILLION, "markeredgewidth": 1.0,
    "zorder": 6,
}  # fmt: skip
REFUTED: dict[str, Any] = {
    "linestyle": "none", "marker": "D", "markersize": 6, "markerfacecolor": "white", "markeredgecolor": VERMILLION,
    "markeredgewidth": 1.3, "zorder": 9,
}  # fmt: skip
UNDEFINED: dict[str, Any] = {"facecolor": "#f2f2f2", "hatch": "////", "linewidth": 0, "zorder": 0}
MAP = "cividis"
COLUMNS = 3
"""Of a legend, at the most."""
HINTED = 1.06
"""How much wider letters are where their stems are set on whole pixels."""
ROW, BELOW, ABOVE, SIGN, LABEL = 0.19, 0.5, 0.48, 0.6, 0.55
"""Inches: of a row of a legend, around the plots, of the sign in a legend with the room around it, and of what is
written along an axis, beside its numbers."""


def width(text: str, points: float = MEDIUM) -> float:
    """How wide a text is, in inches, on a grid of few pixels too."""
    return HINTED * float(TextPath((0, 0), text, size=points).get_extents().width) / 72 if text.strip() else 0.0


def fitted(text: str, room: float, points: float = MEDIUM) -> str:
    """The text, its end left out if it is wider than so many inches."""
    if width(text, points) <= room:
        return text
    return next((f"{text[:n]}…" for n in range(len(text) - 1, 0, -1) if width(f"{text[:n]}…", points) <= room), "…")


def beside(axes: Iterable[Axis], most: int) -> float:
    """Inches for what stands to the left of plots with these axes: their numbers, and what they show."""
    return LABEL + max(width(tick.label) for axis in axes for tick in ticks(axis, most))


def dots(axes: Axes, places: Sequence[tuple[float, float]], looks: Mapping[str, Any]) -> None:
    """Signs, or a line through the places. Without any, nothing: what is empty would count in the layout."""
    if places:
        axes.plot([x for x, _ in places], [y for _, y in places], **looks)


def laid_out(
    figure: Figure, handles: Sequence[Any], title: str, *, left: float, right: float = 0.2, **spacing: float
) -> None:
    """Give a figure its legend at the foot, and room for that and for what stands beside its plots.

    left, right: inches; spacing: between plots, as in subplots_adjust. Nothing is fitted, so that the same figure is
    always the same.
    """
    across, height = figure.get_size_inches()
    columns = _columns([handle.get_label() for handle in handles], across)
    foot = ROW * (-(-len(handles) // columns) + bool(title))
    if handles or title:
        figure.legend(
            handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0.02 / height), ncols=columns, frameon=False,
            fontsize=SMALL, title=fitted(title, across - 0.2, SMALL) or None, title_fontsize=SMALL,
            borderaxespad=0.2, borderpad=0.2,
        )  # fmt: skip
    bottom = (BELOW + foot) / height
    figure.subplots_adjust(left / across, bottom, 1 - right / across, 1 - ABOVE / height, **spacing)


def _columns(labels: Sequence[str], room: float) -> int:
    """Of a legend with these labels: as many as there is room for."""
    widths = [SIGN + width(label, SMALL) for label in labels]
    for count in range(min(COLUMNS, len(widths)), 1, -1):
        each, longer = divmod(len(widths), count)  # matplotlib fills the first columns first
        ends = [i * each + min(i, longer) for i in range(count + 1)]
        if sum(max(widths[low:high]) for low, high in pairwise(ends)) <= room:
            return count
    return 1


def scaled(axes: Axes, axis: Axis, which: str, most: int, *, zero: bool = False) -> None:
    """Give an axis of a plot its ends, its scale and its numbers. zero: its foot stands for 0."""
    scale: dict[str, Any] = {"linthresh": axis.linear} if axis.scale is Scale.SYMLOG else {}
    getattr(axes, f"set_{which}scale")(axis.scale.value, **scale)
    getattr(axes, f"set_{which}lim")(axis.low, axis.high)
    shown = {tick.number: tick.label for tick in ticks(axis, most)}
    if zero:
        shown = {axis.low: "0", **{number: label for number, label in shown.items() if axis.place(number) > 0.08}}
    side = axes.xaxis if which == "x" else axes.yaxis
    side.set_major_locator(FixedLocator(list(shown)))
    side.set_minor_locator(NullLocator())
    side.set_major_formatter(FuncFormatter(lambda number, _: shown.get(float(number), "")))
