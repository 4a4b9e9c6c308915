"""What --plot asks for: a plot below the table, or a figure in a file."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradcheck_cli.cli.arguments import NOT_NAMED
from gradcheck_cli.cli.destinations import Destination
from gradcheck_cli.cli.streams import say, writable, write_report
from gradcheck_cli.errors import UsageError
from gradcheck_cli.records.report import Report
from gradcheck_cli.render.display import Display
from gradcheck_cli.render.formats import FIGURES, FORMATS
from gradcheck_cli.runtime.stopwatch import phase
from gradcheck_cli.text_files import cannot_write

EXTRA = "pip install 'gradcheck-cli[plot]'"


@dataclass(frozen=True)
class Plot:
    """file: None for the terminal."""

    file: Path | None


def plot_of(text: str | None, destinations: Sequence[Destination]) -> Plot | None:
    """What --plot says; None: it is not there. Raises UsageError where that cannot be drawn."""
    if text is None:
        return None
    if text == NOT_NAMED:
        for one in destinations:
            if one.file is None and one.format != FORMATS[0]:
                raise UsageError(
                    f"--plot draws below the table, and standard output has {one.format}: write that to a file, by "
                    f"--output-file, or the plot, by --plot FILE{FIGURES[0]}"
                )
        return Plot(None)
    if Path(text).suffix.lower() not in FIGURES:
        named = f"--plot {text}" if text else "--plot= needs the name of a file"
        raise UsageError(
            f"{named}: a figure is written as {', '.join(FIGURES)}, and the suffix says which; "
            "--plot alone draws on the terminal"
        )
    for one in destinations:
        if one.file is not None and os.path.realpath(one.file) == os.path.realpath(text):
            raise UsageError(f"--plot {text} is the file of a report: each needs one of its own")
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(f"--plot {text} needs matplotlib: {EXTRA}")
    return Plot(writable(text))


def draw(plot: Plot, report: Report, display: Display) -> None:
    """The picture of the only result of a report."""
    pictured = [result for result in report.problems if result.picture is not None]
    if plot.file is None:
        from gradcheck_cli.render.plot.terminal import render_plot

        for result in pictured:
            write_report(f"\n{render_plot(result, display)}")
        return
    if not pictured:
        say("gradcheck: there is nothing to draw, so no figure is written\n")
        return
    with phase("imports"):
        from gradcheck_cli.render.plot.figure import render_figure
    with phase("rendering"):
        drawn = render_figure(pictured[0], plot.file.suffix.lower().removeprefix("."))
    try:
        plot.file.write_bytes(drawn)
    except OSError as error:
        raise cannot_write(plot.file, error) from error
