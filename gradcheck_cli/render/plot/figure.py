"""A picture as a figure, by matplotlib: SVG, PNG or PDF, the same bytes for the same picture.

Shapes say what colours say: certified is a line, autograd dots, what fails a cross, what is undefined is hatched. The
colours are those of Okabe and Ito, and the maps are cividis, which lose nothing in greyscale or to the colour-blind.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from gradcheck_cli.records.picture import LinePicture, MapPicture, MatrixPicture
from gradcheck_cli.records.report import AnyResult
from gradcheck_cli.render.plot import words
from gradcheck_cli.render.plot.figure_grids import draw_map, draw_matrices
from gradcheck_cli.render.plot.figure_line import draw_line
from gradcheck_cli.render.plot.figure_style import MEDIUM, SETTINGS, fitted, width

DPI = 150
TITLE = 200
"""Characters that may have room above a figure."""


def render_figure(result: AnyResult, format: str) -> bytes:
    """The figure of a result that has a picture. format: "svg", "png" or "pdf"."""
    with settled():
        figure, stream = figure_of(result), io.BytesIO()
        dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(format, {})
        figure.savefig(stream, format=format, dpi=DPI, metadata=dates)
        return stream.getvalue()


def figure_of(result: AnyResult) -> Figure:
    """The figure, for notebooks, which show it."""
    picture = result.picture
    figure = Figure()
    match picture:
        case LinePicture():
            draw_line(figure, result, picture)
        case MapPicture():
            draw_map(figure, result, picture)
        case MatrixPicture():
            draw_matrices(figure, picture)
        case None:
            raise ValueError("the result has no picture")
    dtype = f" · {result.dtype}"
    title = fitted(words.in_short(result.title, TITLE), figure.get_figwidth() - width(dtype) - 0.2)
    figure.suptitle(f"{title}{dtype}", fontsize=MEDIUM, y=1 - 0.08 / figure.get_figheight(), va="top")
    return figure


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """Our settings, whatever those of the user are; and no warning about a letter that the font lacks."""
    settings: Any = matplotlib.rcParams
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matplotlib.rcdefaults()
        settings.update(SETTINGS)
        yield
