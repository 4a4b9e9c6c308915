"""Rich renderables to text. User text goes into `Text` objects, never through Rich's markup."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console, RenderableType

from gradcheck_cli.render.display import Display


def to_text(parts: Sequence[RenderableType], display: Display) -> str:
    """The parts printed one below the other, with ANSI colours if the display has them."""
    console = Console(
        file=io.StringIO(),
        width=display.width,
        force_terminal=display.color,
        color_system="standard" if display.color else None,
        no_color=not display.color,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        force_jupyter=False,  # there, Rich would show the parts by itself
        _environ={},
    )
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    return text if display.color else "".join(line.rstrip() + "\n" for line in text.removesuffix("\n").split("\n"))
