"""How a report is to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Display:
    """width: columns to fill; color: whether ANSI colours may be used; quiet: failures only; verbose: everything.

    options: what was asked for, for the formats that record it. title: what the page of an explanation is called, where
    that was asked for; a report has its own.
    """

    width: int = 80
    color: bool = False
    quiet: bool = False
    verbose: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    title: str | None = None
