"""The signs of a plot on the terminal. They differ in shape; colour, where there is one, says the same again."""

from __future__ import annotations

ASKED, BETWEEN, FAILS, REFUTED = "o", "•", "✗", "◆"
PLACE, UNDEFINED, TOLERANCE = "┊", "░", "┄"
SHADES = " ░▒▓█"
"""From the lowest numbers to the highest."""
NONE = "·"
"""Where there is no number."""
STYLES = {FAILS: "bold red", ASKED: "green", BETWEEN: "green", REFUTED: "bold red", TOLERANCE: "yellow", PLACE: "dim"}
