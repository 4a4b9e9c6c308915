"""How a report is to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Display:
    """width: columns to fill; color: whether ANSI colours may be used; quiet: failures only; verbose: everything.

    all_by: the option that shows all that is left out; none where there is no command line, and of what others read.
    options: what was asked for, for the formats that record it. title: what the page of an explanation is called, where
    that was asked for; a report has its own.
    """

    width: int = 80
    color: bool = False
    quiet: bool = False
    verbose: bool = False
    all_by: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    title: str | None = None

    def hint(self, what: str = "all", *, inside: bool = False) -> str:
        """` (-v shows all)`: what is to be done to see what is left out; inside of brackets, `; -v shows all`."""
        if not self.all_by:
            return ""
        return f"; {self.all_by} shows {what}" if inside else f" ({self.all_by} shows {what})"
